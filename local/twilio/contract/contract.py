"""The record of a contract: what was checked, what broke it, which operations were seen to work."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from local.twilio.contract.answers import GATEWAY, REFUSED, Answer, check_answer
from local.twilio.contract.documents import Operation, find_operation, operations
from local.twilio.contract.outside import reason_outside
from local.twilio.contract.requests import Request, check_request
from local.twilio.contract.schemas import Finding

KEPT = 500


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong: in which operation, in its `request` or its `answer`, where there, and what."""

    operation: str
    part: str
    where: str
    what: str


def request_violations(request: Request, *, accepted: bool = True) -> list[Violation]:
    """What is wrong with a request; `accepted` says that it must also be complete."""
    found = find_operation(request.method, request.path)
    if found is not None:
        operation, path = found
        findings = check_request(operation, path, request, accepted=accepted)
        return _violations(operation.name, "request", findings)
    if reason_outside(request.method, request.path):
        return []
    name = f"{request.method} {request.path}"
    return [Violation(name, "request", "path", "is not in the documents")]


class Contract:
    """Holds exchanges against the documents and remembers what it found."""

    def __init__(self) -> None:
        """Nothing was checked yet."""
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.checked = 0
        self.violated = 0
        self._violations: deque[Violation] = deque(maxlen=KEPT)
        self._covered: set[Operation] = set()

    def check(self, request: Request, answer: Answer) -> None:
        """Record an exchange. What Twilio's side refused (4xx) is no violation by its caller."""
        found = find_operation(request.method, request.path)
        operation = found[0] if found else None
        name = operation.name if operation else f"{request.method} {request.path}"
        accepted = answer.status < REFUSED
        if accepted or answer.status >= GATEWAY:
            self._record(request_violations(request, accepted=accepted))
        self._record(_violations(name, "answer", check_answer(operation, answer)))
        if operation and accepted:
            self._covered.add(operation)
        self.checked += 1

    def to_json(self) -> dict[str, Any]:
        """For the control API; of very many violations the newest are listed."""
        return {
            "checked": self.checked,
            "violated": self.violated,
            "violations": [asdict(violation) for violation in self._violations],
            "coverage": {
                document: self._coverage(document)
                for document in dict.fromkeys(each.document for each in operations())
            },
        }

    def _coverage(self, document: str) -> dict[str, Any]:
        present = [each for each in operations() if each.document == document]
        covered = [each for each in present if each in self._covered]
        missing = [each for each in present if each not in self._covered]
        return {
            "paths": [len({each.path for each in part}) for part in (covered, present)],
            "operations": [len(covered), len(present)],
            "missing": sorted(f"{each.method} {each.path}" for each in missing),
        }

    def _record(self, violations: list[Violation]) -> None:
        self.violated += len(violations)
        self._violations.extend(violations)


def _violations(operation: str, part: str, findings: Iterable[Finding]) -> list[Violation]:
    return [Violation(operation, part, where, what) for where, what in findings]
