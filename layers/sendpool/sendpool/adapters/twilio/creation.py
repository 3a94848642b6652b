"""The one call that is made a million times, written out: the form of a create, and what its answer means.

The SDK's own `messages.create` costs as much again as the request itself (docs/adr/0009-adaptive-sending.md). This
makes the same request, field for field, and reads the same answers; tests hold the two side by side. Everything
else goes through the SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from twilio.http.response import Response

from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import (
    Accepted,
    OutboundMessage,
    Outcome,
    RefusedForNow,
    Status,
    Unknown,
    outcome_of_refusal,
)

LOWEST_TWILIO_CODE = 10000
_TOO_MANY_REQUESTS = 20429
_LONGEST_WAIT_SECONDS = 900
_STATUSES = {str(status): status for status in Status}


def create_url(account_sid: str) -> str:
    return f"https://api.twilio.com/2010-04-01/Accounts/{account_sid}/Messages.json"


def form_of(
    message: OutboundMessage, *, service_sid: str, status_callback: str
) -> dict[str, object]:
    """Return the fields of a create; what was not given is left out."""
    fields: dict[str, object] = {
        "To": message.to,
        "MessagingServiceSid": service_sid,
        "StatusCallback": status_callback,
    }
    if message.body is not None:
        fields["Body"] = message.body
    rare = (
        ("From", message.sender),
        ("ContentSid", message.content_sid),
        ("ContentVariables", message.content_variables),
        ("MediaUrl", list(message.media_urls) or None),
        ("ValidityPeriod", message.validity_period),
        ("ShortenUrls", _word(message.shorten_urls)),
        ("SmartEncoded", _word(message.smart_encoded)),
        ("MessageIntent", message.intent),
        ("SendAt", _moment(message.send_at)),
        ("ScheduleType", "fixed" if message.send_at else None),
    )
    fields.update((name, value) for name, value in rare if value is not None)
    return fields


def _word(switch: bool | None) -> str | None:  # noqa: FBT001 - a field of the form
    return None if switch is None else str(switch).lower()


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def outcome_of(answer: Response) -> Outcome:
    """Tell what came of a create. An answer that is no message, such as a proxy's page, proves nothing."""
    read = said(answer)
    if not HTTPStatus(200) <= answer.status_code < HTTPStatus(300):
        return _refused(answer, read)
    sid = read.get("sid")
    if not isinstance(sid, str) or not sid:
        return Unknown("unreadable_answer")
    status = _STATUSES.get(str(read.get("status")), Status.ACCEPTED)
    return Accepted(sid, status, moment(read.get("date_created")))


def _refused(answer: Response, read: Mapping[str, Any]) -> Outcome:
    """Read a refusal; a 429 without a code is Twilio's 20429, and a wait that it asks for is heeded."""
    code = read.get("code")
    known = code if isinstance(code, int) and code >= LOWEST_TWILIO_CODE else None
    if known is None and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        known = _TOO_MANY_REQUESTS
    outcome = outcome_of_refusal(http_status=answer.status_code, code=known)
    asked = number_in(answer, "Retry-After")
    if isinstance(outcome, RefusedForNow) and asked:
        return replace(
            outcome, retry_after=max(outcome.retry_after, min(asked, _LONGEST_WAIT_SECONDS))
        )
    return outcome


def raise_if_unclear(answer: Response) -> None:
    """Raise TwilioBusyError or TwilioUnavailableError when a question that may be repeated has to be asked again."""
    if answer.status_code in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED}:
        outcome = outcome_of(answer)
        if isinstance(outcome, RefusedForNow):
            raise TwilioBusyError(outcome.code, retry_after=outcome.retry_after)
        raise TwilioUnavailableError
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TwilioUnavailableError


def moment(written: object) -> datetime | None:
    """Read a time of the 2010 API, RFC 2822 to the second, as UTC; None when it is none."""
    try:
        at = parsedate_to_datetime(str(written))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def number_in(answer: Response, header: str) -> int | None:
    """Return a header that is a whole number; None when it is not there or something else."""
    value = answer.headers.get(header, "") if answer.headers else ""
    return int(value) if value.isdecimal() else None


def said(answer: Response) -> Mapping[str, Any]:
    """Read the JSON object that an answer is; nothing if it is something else."""
    try:
        read = json.loads(answer.text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
