"""The edge of what Twilio calls: nothing is believed before its signature is checked.

Kept apart from the HTTP API's edge, which these functions must not load: they answer within Twilio's patience
on a cold start too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sendpool.adapters.parameters import Parameters
from sendpool.adapters.twilio.signature import FormFields, is_signed
from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge.observability import logger
from sendpool.edge.problems import refusal


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that Twilio signed: its form fields and the query of the URL it was told to call."""

    fields: dict[str, str]
    query: Mapping[str, str]


def verified(event: Mapping[str, Any], parameters: Parameters, *, route: str) -> Webhook:
    """Check a webhook's signature against the public URL that Twilio was given.

    Raises InvalidSignatureError, which tells the outside nothing.
    """
    query = event.get("rawQueryString") or ""
    url = parameters.public_url + route + (f"?{query}" if query else "")
    try:
        fields = FormFields(_body(event))
    except ValueError as error:  # no base64, or no UTF-8: nothing that Twilio sends
        raise InvalidSignatureError from error
    signature = event.get("headers", {}).get("x-twilio-signature", "")
    if not is_signed(
        url=url, fields=fields, signature=signature, tokens=parameters.credentials.auth_tokens
    ):
        logger.warning(
            "webhook refused",
            extra={"route": route, "signature_present": bool(signature), "checked_url": url},
        )
        raise InvalidSignatureError
    return Webhook(fields.first(), event.get("queryStringParameters") or {})


def _body(event: Mapping[str, Any]) -> str:
    body = event.get("body") or ""
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body


def no_content() -> dict[str, Any]:
    return {"statusCode": 204}


def forbidden(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a stranger; it learns no more than that the signature does not fit."""
    return refusal(InvalidSignatureError(), request_id=event["requestContext"]["requestId"])


def twiml(xml: str) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"Content-Type": "text/xml; charset=utf-8"}, "body": xml}
