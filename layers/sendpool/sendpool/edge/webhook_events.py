"""A webhook as AWS hands it over, and the answer as AWS wants it back: HTTP API, REST API, function URL, ALB.

The shapes differ in what they keep. The query comes raw from an HTTP API (payload 2.0) and a function URL, in encoded
pairs from an ALB, in decoded ones from a REST API, and the latter two keep no order. Headers come one by one, joined by
commas, or the last one only.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sendpool.adapters.twilio import spellings
from sendpool.adapters.twilio.signature import Request
from sendpool.adapters.twilio.spellings import Pairs

type Event = Mapping[str, Any]


def shape(event: Event) -> str:
    """Name what handed the event over."""
    context = _context(event)
    if "elb" in context:
        return "alb"
    if "http" in context:
        return "function_url" if ".lambda-url." in context.get("domainName", "") else "http_api"
    return "rest_api" if "httpMethod" in event else "unknown"


def read(event: Event) -> Request:
    """Read a webhook. Raises ValueError for what is no HTTP request, or holds no base64 or no Unicode."""
    context = _context(event)
    match shape(event):
        case "http_api" | "function_url" as kind:
            method = context["http"].get("method", "")
            queries = spellings.of_raw_query(event.get("rawQueryString") or "")
        case "alb" as kind:
            method = event["httpMethod"]
            queries = spellings.of_encoded(_query(event))
        case "rest_api" as kind:
            method = event["httpMethod"]
            queries = spellings.of_decoded(_query(event))
        case _:
            raise ValueError("no HTTP request")
    queries[0].encode()  # a lone surrogate says nothing that could be signed
    headers = _headers(event)
    hosts = (
        *headers.get("host", ()),
        *headers.get("x-forwarded-host", ()),
        context.get("domainName"),
    )
    return Request(
        shape=kind,
        method=method,
        queries=queries,
        headers=headers,
        body=_body(event),
        hosts=tuple(dict.fromkeys(filter(None, hosts))),
        paths=_paths(event, context),
    )


def answer(
    event: Event, status: HTTPStatus, *, content_type: str | None = None, body: str | None = None
) -> dict[str, Any]:
    """Answer an event in its own shape."""
    answered: dict[str, Any] = {"statusCode": int(status)}
    headers = {"Content-Type": content_type} if content_type else {}
    if shape(event) == "alb":
        # it wants all of them, and headers in the form in which it hands them over
        answered |= {
            "statusDescription": f"{status.value} {status.phrase}",
            "isBase64Encoded": False,
            "body": body or "",
        }
        if "multiValueHeaders" in event:
            return answered | {
                "multiValueHeaders": {name: [value] for name, value in headers.items()}
            }
        return answered | {"headers": headers}
    if headers:
        answered["headers"] = headers
    if body is not None:
        answered["body"] = body
    return answered


def request_id(event: Event) -> str:
    """The id under which the access log has the request; an ALB has a trace id instead."""
    found: str = _context(event).get("requestId") or ""
    return found or next(iter(_headers(event).get("x-amzn-trace-id", ())), "")


def _context(event: Event) -> dict[str, Any]:
    return event.get("requestContext") or {}


def _headers(event: Event) -> dict[str, tuple[str, ...]]:
    several = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    headers: dict[str, tuple[str, ...]] = {}
    for name, values in several.items():
        headers[name.lower()] = (*headers.get(name.lower(), ()), *values)
    return headers


def _query(event: Event) -> Pairs:
    several = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    return [(name, value) for name, values in several.items() for value in values]


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    return b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()


def _paths(event: Event, context: Mapping[str, Any]) -> tuple[str, ...]:
    """Under which path it may have come: with the stage, and without."""
    path = event.get("rawPath") or event.get("path") or "/"
    stage = f"/{context.get('stage') or ''}"
    bare = path.removeprefix(stage) if path.startswith(f"{stage}/") else path
    paths = (
        context.get("path"),
        path,
        bare,
        f"{stage}{bare}" if stage not in {"/", "/$default"} else "",
    )
    return tuple(dict.fromkeys(filter(None, paths)))
