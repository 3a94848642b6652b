"""The event files and what each of them must be answered: `events/<function folder>/<case>.json`.

An expectation names the `statusCode`, `body` (members that the JSON body must have, or the whole text), and how
many `batchItemFailures` there are; null stands for no answer. `sent` tells to whom a message goes that way.
"""

import json
from dataclasses import dataclass
from typing import Any

from local.stack.places import PROJECT

EVENTS = PROJECT / "events"
EXPECTATIONS = EVENTS / "expectations.json"

type Expectation = dict[str, Any] | None


# of the API, of failures, and of what CloudFormation is answered
_TOLD = ("statusCode", "errorType", "Status", "PhysicalResourceId", "Data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One event file, named `messages/send-sms`, what it must be answered, and to whom it sends a message."""

    name: str
    expected: Expectation
    sent: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        return self.name.partition("/")[0]

    @property
    def function(self) -> str:
        """The function's logical id."""
        return f"{self.folder.capitalize()}Function"

    @property
    def event(self) -> bytes:
        return (EVENTS / f"{self.name}.json").read_bytes()


def load() -> list[Case]:
    """All cases, in the order of the expectations."""
    return [
        _case(name, expected) for name, expected in json.loads(EXPECTATIONS.read_text()).items()
    ]


def _case(name: str, expected: Expectation) -> Case:
    sent = expected.pop("sent", ()) if expected else ()
    return Case(name=name, expected=expected, sent=tuple(sent))


def told(answer: Any) -> Any:
    """The part of an answer that expectations speak of."""
    if not isinstance(answer, dict):
        return answer
    shown = {name: answer[name] for name in _TOLD if name in answer}
    if "batchItemFailures" in answer:
        shown["batchItemFailures"] = len(answer["batchItemFailures"])
    if answer.get("body"):
        shown["body"] = _parsed(answer["body"])
    return shown


def meets(answer: Any, expected: Expectation) -> bool:
    """Tell whether an answer is the one expected."""
    return _contains(told(answer), expected)


def _parsed(body: str) -> Any:
    return json.loads(body) if body.startswith("{") else body


def _contains(found: Any, wanted: Any) -> bool:
    """Tell whether `found` has all that is wanted; a list has to begin with it."""
    match wanted:
        case dict():
            return isinstance(found, dict) and all(
                name in found and _contains(found[name], value) for name, value in wanted.items()
            )
        case list():
            return (
                isinstance(found, list)
                and len(found) >= len(wanted)
                and all(map(_contains, found, wanted))
            )
        case _:
            return bool(found == wanted)
