"""One request of Twilio's, as each of AWS's front doors hands it to a function."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from sendpool.adapters.parameters import Credentials
from sendpool.edge import webhooks
from sendpool.edge.webhooks import Webhook

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
JSON = "application/json"
type Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as it goes over the wire: the query raw, headers one by one."""

    method: str = "POST"
    path: str = "/webhooks/inbound"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    host: str = "sendpool.example.com"
    is_base64: bool = True

    def signed_with(self, *signatures: str) -> Call:
        more = tuple(("X-Twilio-Signature", each) for each in signatures)
        return replace(self, headers=(*self.headers, *more))

    @property
    def _body(self) -> Event:
        if not self.body:
            return {"body": None, "isBase64Encoded": False}
        body = base64.b64encode(self.body) if self.is_base64 else self.body
        return {"body": body.decode(), "isBase64Encoded": self.is_base64}

    @property
    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("Host", self.host), *self.headers)

    def http_api(self) -> Event:
        return self._payload_2("api.execute-api.us-east-1.amazonaws.com")

    def function_url(self) -> Event:
        return self._payload_2("url-id.lambda-url.us-east-1.on.aws")

    def _payload_2(self, domain: str) -> Event:
        joined: dict[str, str] = {}
        for name, value in self._headers:
            before = joined.get(name.lower())
            joined[name.lower()] = f"{before},{value}" if before else value
        return {
            "version": "2.0",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": joined,
            "requestContext": {
                "http": {"method": self.method, "path": self.path},
                "domainName": domain,
                "requestId": "request-1",
                "stage": "$default",
            },
            **self._body,
        }

    def rest_api(self) -> Event:
        query = _several(parse_qsl(self.query, keep_blank_values=True))
        headers = _several(self._headers)
        return {
            "httpMethod": self.method,
            "path": self.path,
            "queryStringParameters": _last(query) or None,
            "multiValueQueryStringParameters": query or None,
            "headers": _last(headers),
            "multiValueHeaders": headers,
            "requestContext": {
                "httpMethod": self.method,
                "path": f"/prod{self.path}",
                "stage": "prod",
                "domainName": "api.execute-api.us-east-1.amazonaws.com",
                "requestId": "request-1",
            },
            **self._body,
        }

    def alb(self) -> Event:
        several = self.alb_multi()
        return {
            **{name: value for name, value in several.items() if not name.startswith("multi")},
            "headers": _last(several["multiValueHeaders"]),
            "queryStringParameters": _last(several["multiValueQueryStringParameters"]),
        }

    def alb_multi(self) -> Event:
        pairs = [pair.partition("=")[::2] for pair in self.query.split("&") if pair]
        return {
            "httpMethod": self.method,
            "path": self.path,
            "multiValueQueryStringParameters": _several(pairs),
            "multiValueHeaders": _several((name.lower(), value) for name, value in self._headers),
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
            **self._body,
        }


SHAPES: dict[str, Callable[[Call], Event]] = {
    "http_api": Call.http_api,
    "function_url": Call.function_url,
    "rest_api": Call.rest_api,
    "alb": Call.alb,
    "alb_multi": Call.alb_multi,
}


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a deployment knows: stands for the adapter that reads it from SSM."""

    public_url: str = "https://sendpool.example.com"
    tokens: tuple[str, ...] = ("0123456789abcdef0123456789abcdef",)
    signing_keys: tuple[str, ...] = ()
    api_key_secret: str | None = None
    route: str = "/webhooks/inbound"
    credentials: Credentials = field(init=False)

    def __post_init__(self) -> None:
        credentials = Credentials(
            account_sid="AC" + "0" * 32,
            auth_tokens=self.tokens,
            api_key_secret=self.api_key_secret,
            webhook_signing_keys=self.signing_keys,
        )
        object.__setattr__(self, "credentials", credentials)

    def verified(self, event: Mapping[str, Any]) -> Webhook:
        """Go through the door of every webhook. Raises InvalidSignatureError."""
        return webhooks.verified(event, self, route=self.route)


def _several(pairs: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last(several: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in several.items()}
