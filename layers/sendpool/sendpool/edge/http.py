"""The HTTP API's edge: a resolver that validates requests and answers every failure in one shape.

Failures are `application/problem+json` (RFC 9457) with `code`, `retryable`, `twilio_code`, `remedy`,
`request_id`, and `errors` naming each field that broke the contract.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.errors import (
    InvalidRequestError,
    MalformedBodyError,
    NotFoundError,
    PayloadTooLargeError,
    SendpoolError,
    Violation,
)
from sendpool.edge.observability import logger
from sendpool.edge.problems import PROBLEM_TYPE, problem_body, refusal

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=256,
        description="Makes a repeat of the same request harmless: it is answered, and not done again",
    ),
]

# pydantic's names for broken rules, in our stable codes; our own rules bring theirs
_CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "json_invalid": "invalid_json",
}

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def new_api() -> APIGatewayHttpResolver:
    """Build a resolver with validation and our failures."""
    api = APIGatewayHttpResolver(
        enable_validation=True,
        response_validation_error_http_code=500,
        json_body_deserializer=_read,
    )

    @api.exception_handler(RequestValidationError)
    def _invalid(error: RequestValidationError) -> Response[str]:
        return problem(_as_ours(error), request_id=_request_id(api))

    @api.exception_handler(SendpoolError)
    def _ours(error: SendpoolError) -> Response[str]:
        return problem(error, request_id=_request_id(api))

    @api.not_found
    def _no_route(_error: NoRouteError) -> Response[str]:
        return problem(NotFoundError("There is no such route."), request_id=_request_id(api))

    @api.exception_handler(Exception)
    def _unexpected(error: Exception) -> Response[str]:
        logger.exception("unexpected", exc_info=error)
        return problem(SendpoolError(), request_id=_request_id(api))

    return api


def answer(
    api: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext, *, max_bytes: int
) -> dict[str, Any]:
    """Let the API answer an event whose body has at most `max_bytes`."""
    request_id = event["requestContext"]["requestId"]
    try:
        text = _text_of(event)
    except ValueError:
        return refusal(MalformedBodyError(), request_id=request_id)
    if len(text) > max_bytes:
        too_large = PayloadTooLargeError(f"The body has more than {max_bytes} bytes.")
        return refusal(too_large, request_id=request_id)
    # Powertools takes the only object out of a list
    if text and not text.lstrip().startswith("{"):
        return refusal(MalformedBodyError(), request_id=request_id)
    return api.resolve(event, context)


def _text_of(event: Mapping[str, Any]) -> str:
    """Return the body; raises ValueError for what is no text."""
    body: str = event.get("body") or ""
    return b64decode(body).decode() if event.get("isBase64Encoded") else body


def _read(text: str) -> Any:
    """Read JSON; raises JSONDecodeError also for what Python's reader gives up on, and for half a character.

    That is a number of thousands of digits, a nesting of thousands of lists, and a surrogate without its pair.
    """
    try:
        read = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(read, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(type(error).__name__, "", 0) from error
    return read


def json_answer[Body](status: HTTPStatus, body: Body) -> Response[Body]:
    """Answer with a model and a status other than 200."""
    return Response(status_code=status, content_type="application/json", body=body)


def problem(error: SendpoolError, *, request_id: str) -> Response[str]:
    """Turn a failure into its answer."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return Response(
        status_code=error.status,
        content_type=PROBLEM_TYPE,
        headers=dict(headers),
        body=problem_body(error, request_id=request_id),
    )


def _as_ours(error: RequestValidationError) -> SendpoolError:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return MalformedBodyError()
    return InvalidRequestError(*(violation(each) for each in found))


def violation(found: Mapping[str, Any]) -> Violation:
    """Name one broken rule that pydantic found: field, stable code, words without the caller's values."""
    where = [str(step) for step in found["loc"] if step not in ("body", "query", "path", "header")]
    kind = found["type"]
    code = _CODES.get(kind) or ("wrong_type" if kind.endswith(("_type", "_parsing")) else kind)
    return Violation(field=".".join(where) or "body", code=code, message=found["msg"])


def _request_id(api: APIGatewayHttpResolver) -> str:
    return str(api.current_event.request_context.request_id)
