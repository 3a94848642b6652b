"""How a failure looks to a caller: `application/problem+json` (RFC 9457), the same for every endpoint."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from sendpool.domain.errors import SendpoolError
from sendpool.edge.observability import logger

PROBLEM_TYPE = "application/problem+json"


def problem_body(error: SendpoolError, *, request_id: str) -> str:
    """Write a failure as a problem, and log it: the caller's mistakes quietly, ours as errors."""
    extra = {"code": error.code, "twilio_code": error.twilio_code}
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed", extra=extra)
    else:
        logger.info("request refused", extra=extra)
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
        "request_id": request_id,
        "remedy": error.remedy,
        "twilio_code": error.twilio_code,
        "retry_after": error.retry_after,
        "errors": [
            {"field": each.field, "code": each.code, "message": each.message}
            for each in error.violations
        ],
    }
    return json.dumps({name: value for name, value in members.items() if value not in (None, [])})


def refusal(error: SendpoolError, *, request_id: str) -> dict[str, Any]:
    """Answer an HTTP API event with a problem, where no resolver has taken it yet."""
    return {
        "statusCode": error.status,
        "headers": {"Content-Type": PROBLEM_TYPE},
        "body": problem_body(error, request_id=request_id),
    }
