"""The edge of what Twilio calls: nothing is believed before its signature is checked.

Kept apart from the HTTP API's edge, which these functions must not load: they answer within Twilio's patience
on a cold start too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sendpool.adapters.parameters import Parameters
from sendpool.adapters.twilio import signature, spellings
from sendpool.adapters.twilio.diagnosis import REMEDIES, Refused, diagnose, without_credentials
from sendpool.adapters.twilio.signature import Cause, Keys, NotSignedError
from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import webhook_events
from sendpool.edge.observability import logger
from sendpool.edge.problems import PROBLEM_TYPE, problem_body

# what a stranger may put into the log: words, in which no number hides
_NAME = re.compile(r"(?!.*\d{5})[A-Za-z][A-Za-z0-9_.-]{0,39}")
_MEDIA_TYPE = re.compile("[a-z]+/[a-z.+-]{1,60}")
_MAX_NAMES = 20


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that Twilio signed: its fields and the query of the URL it was told to call.

    The fields are those of a form, the members of a JSON object as texts, or with GET those of the query.
    """

    fields: dict[str, str]
    query: Mapping[str, str]


def verified(event: Mapping[str, Any], parameters: Parameters, *, route: str) -> Webhook:
    """Check a webhook's signature against the public URL that Twilio was given.

    Raises InvalidSignatureError, which tells the outside nothing; the log says what to do.
    """
    credentials = parameters.credentials
    keys = Keys(credentials.auth_tokens, credentials.webhook_signing_keys)
    url = parameters.public_url + route
    try:
        request = webhook_events.read(event)
    except ValueError as error:
        logger.warning(
            "webhook refused",
            extra={
                "route": route,
                "shape": webhook_events.shape(event),
                "cause": Cause.NOT_READABLE,
                "remedy": REMEDIES[Cause.NOT_READABLE],
            },
        )
        raise InvalidSignatureError from error
    try:
        signed = signature.verify(request, url=url, keys=keys)
    except NotSignedError as error:
        refused = Refused(
            request=request,
            url=url,
            route=route,
            keys=keys,
            api_key_secret=credentials.api_key_secret,
        )
        logger.warning("webhook refused", extra=_told(error.cause, refused))
        raise InvalidSignatureError from error
    return Webhook(signed.fields, signed.query)


def no_content(event: Mapping[str, Any]) -> dict[str, Any]:
    return webhook_events.answer(event, HTTPStatus.NO_CONTENT)


def twiml(event: Mapping[str, Any], xml: str) -> dict[str, Any]:
    return webhook_events.answer(
        event, HTTPStatus.OK, content_type="text/xml; charset=utf-8", body=xml
    )


def forbidden(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a stranger; it learns no more than that the signature does not fit."""
    error = InvalidSignatureError()
    body = problem_body(error, request_id=webhook_events.request_id(event))
    return webhook_events.answer(
        event, HTTPStatus(error.status), content_type=PROBLEM_TYPE, body=body
    )


def _told(cause: Cause, refused: Refused) -> dict[str, Any]:
    """What the log says of a refusal: names of the query, but no values, no body, no credentials."""
    request = refused.request
    finding = diagnose(cause, refused)
    return {
        "route": refused.route,
        "shape": request.shape,
        "method": request.method if request.method in {"GET", "POST"} else "other",
        "content_type": request.media_type if _MEDIA_TYPE.fullmatch(request.media_type) else "",
        "query_names": [
            name
            for name, _ in spellings.parse(request.queries[0])[:_MAX_NAMES]
            if _NAME.fullmatch(name)
        ],
        "body_bytes": len(request.body),
        "signature_present": bool(request.signatures),
        "checked_url": without_credentials(refused.url),
        "cause": finding.cause,
        "remedy": finding.remedy,
        "public_url": finding.public_url,
    }
