"""Is an answer one that the documents describe?

Twilio documents the answers of success. For refusals the form is known that its libraries read: `code`, `message`,
`more_info` and `status`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.twilio.contract.documents import Operation
from local.twilio.contract.schemas import Finding, Validator, answer_validator
from local.twilio.core.errors import dictionary

REFUSED = 400
GATEWAY = 500
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it was sent."""

    status: int
    content_type: str
    body: bytes


def check_answer(operation: Operation | None, answer: Answer) -> Iterator[Finding]:
    """What an answer has or lacks against its documents; None is an operation that they do not have."""
    if answer.status >= REFUSED:
        yield from _check_refusal(answer)
    elif operation is not None:
        yield from _check_success(operation, answer)


def _check_success(operation: Operation, answer: Answer) -> Iterator[Finding]:
    validators = _validators_of(operation)
    if answer.status not in validators:
        documented = ", ".join(str(status) for status in validators)
        yield "status", f"{answer.status} is not documented, but {documented}"
        return
    validator = validators[answer.status]
    if validator is None:
        if answer.body:
            yield "body", "should be empty"
        return
    try:
        yield from validator(_read_json(answer))
    except ValueError as exc:
        yield "body", str(exc)


@cache
def _validators_of(operation: Operation) -> dict[int, Validator | None]:
    """By status; None where no body is documented."""
    return {
        int(status): answer_validator(documented["content"][JSON]["schema"])
        if "content" in documented
        else None
        for status, documented in operation.answers.items()
    }


def _check_refusal(answer: Answer) -> Iterator[Finding]:
    try:
        body = _read_json(answer)
    except ValueError as exc:
        yield "body", str(exc)
        return
    if not isinstance(body, dict):
        yield "body", "is no object"
        return
    yield from _check_code(body, gateway=answer.status >= GATEWAY)
    if not isinstance(body.get("message"), str) or not body["message"]:
        yield "message", "is no text"
    if body.get("status") != answer.status:
        yield "status", f"{body.get('status')!r} is not the HTTP status {answer.status}"


def _check_code(body: dict[str, Any], *, gateway: bool) -> Iterator[Finding]:
    """A gateway knows no codes, so neither the place where they are explained."""
    if "code" not in body and gateway:
        return
    code = body.get("code")
    if not isinstance(code, int) or code not in dictionary():
        yield "code", f"{code!r} is no code of Twilio's dictionary"
    if not isinstance(body.get("more_info"), str) or str(code) not in body["more_info"]:
        yield "more_info", f"{body.get('more_info')!r} does not lead to {code!r}"


def _read_json(answer: Answer) -> Any:
    if answer.content_type != JSON:
        raise ValueError(f"{answer.content_type} is not {JSON}")
    return json.loads(answer.body)
