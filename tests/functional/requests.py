"""Requests of the HTTP API as API Gateway hands them over (payload format 2.0)."""

from __future__ import annotations

import json
from typing import Any


def http(
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
    query: str = "",
    raw: str | None = None,
) -> dict[str, Any]:
    text = raw if raw is not None else (json.dumps(body) if body is not None else None)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
            },
            "requestId": "request-1",
            "stage": "$default",
            "timeEpoch": 1_795_446_000_000,
        },
        "body": text,
        "isBase64Encoded": False,
    }
