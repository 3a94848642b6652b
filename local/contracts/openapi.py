"""The OpenAPI document: what the resolvers of the API's functions say, in one."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from functions.broadcasts import app as broadcasts
from functions.compliance import app as compliance
from functions.messages import app as messages
from functions.service import app as service
from local.contracts.places import LAYER
from sendpool.edge.problems import PROBLEM_TYPE

Json = dict[str, Any]

_RESOLVERS = (messages.api, broadcasts.api, compliance.api, service.api)
_METHODS = ("get", "put", "post", "delete", "patch")
# what Powertools says of its own failures; ours are problems
_NOT_OURS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_SECURITY = "aws_sigv4"

_DESCRIPTION = (
    "Send through Twilio Messaging Services, singly or by the million, and know what became of each message. "
    "Requests are signed with AWS Signature Version 4 for the service execute-api. "
    "Every failure is a problem (RFC 9457) with a stable code; decide by the code, never by its words."
)

_TEXT: Json = {"type": "string"}

_FAILURE: Json = {
    "description": "A problem (RFC 9457) with a stable code and what to do",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

PROBLEM: Json = {
    "title": "Problem",
    "description": "Why a request failed (RFC 9457). Members without a value are left out.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "retryable", "request_id"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": _TEXT | {"description": "What kind of failure it is, in words"},
        "status": {"type": "integer", "description": "The HTTP status", "minimum": 400},
        "detail": _TEXT | {"description": "What failed this time, in words"},
        "code": _TEXT | {"description": "What failed; stable", "examples": ["invalid_phone"]},
        "retryable": {
            "type": "boolean",
            "description": "Whether the very same request may be repeated",
        },
        "request_id": _TEXT | {"description": "Finds the request in the function's log"},
        "remedy": _TEXT | {"description": "What to do about it"},
        "twilio_code": {
            "type": "integer",
            "description": "Twilio's error code, where Twilio refused",
            "examples": [21211],
        },
        "retry_after": {"type": "integer", "description": "Seconds to wait before repeating"},
        "errors": {
            "type": "array",
            "description": "Every field that breaks the contract",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": _TEXT | {"examples": ["recipients.3.to"]},
                    "code": _TEXT | {"description": "The rule it breaks; stable"},
                    "message": _TEXT | {"description": "The rule, in words"},
                },
            },
        },
    },
}


def document() -> Json:
    """Describe the whole HTTP API, except the webhooks, which are Twilio's to call."""
    described = [_described(resolver) for resolver in _RESOLVERS]
    paths = {path: each for one in described for path, each in one["paths"].items()}
    schemas = {
        name: each for one in described for name, each in one["components"]["schemas"].items()
    }
    for operation in operations(paths):
        operation["responses"] = _with_problems(operation["responses"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sendpool", "version": _version(), "description": _DESCRIPTION},
        "servers": [{"url": "/", "description": "The stack's output ApiUrl"}],
        "security": [{_SECURITY: []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                _SECURITY: {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
            "schemas": dict(
                sorted(
                    (name, each)
                    for name, each in (schemas | {"Problem": PROBLEM}).items()
                    if name not in _NOT_OURS
                )
            ),
        },
    }


def operations(paths: Json) -> Iterator[Json]:
    for path in paths.values():
        yield from (path[method] for method in _METHODS if method in path)


def _described(resolver: Any) -> Json:
    described: Json = json.loads(
        resolver.get_openapi_schema().model_dump_json(by_alias=True, exclude_none=True)
    )
    return described


def _with_problems(responses: Json) -> Json:
    ours = {status: each for status, each in responses.items() if status.startswith("2")}
    return ours | {"4XX": _FAILURE, "5XX": _FAILURE}


def _version() -> str:
    version: str = tomllib.loads((LAYER / "pyproject.toml").read_text())["project"]["version"]
    return version
