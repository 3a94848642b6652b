"""What a create must look like: the form becomes a `Draft`, or an `ApiError` with Twilio's code.

The order of the checks is ours (Twilio documents none): missing pieces, content, options,
sender, recipient.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from local.twilio.errors import ApiError
from local.twilio.forms import Form
from local.twilio.optouts import BlockList
from local.twilio.outcomes import (
    GOOD_SENDER,
    OPTED_OUT,
    REFUSED_RECIPIENTS,
    REFUSED_SENDERS,
    magic_plan,
)
from local.twilio.services import Service, Services
from local.twilio.settings import Behaviour

E164 = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})")
# Twilio's magic numbers are in +1 500 555, whose exchange code is odd but well formed
SHORT_CODE = re.compile(r"\d{5,6}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")
SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")
CONTENT_SID = re.compile(r"HX[0-9a-f]{32}")
SEND_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")

MAX_BODY = 1600
MAX_MEDIA = 10
MAX_CALLBACK_URL = 4000
MAX_VALIDITY = 36000
SCHEDULE_FROM = timedelta(seconds=300)
SCHEDULE_UNTIL = timedelta(days=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A create that passed every synchronous check."""

    to: str
    sender: str | None
    service: Service | None
    body: str
    media: tuple[str, ...]
    status_callback: str | None
    validity_period: int
    send_at: datetime | None


@dataclass(frozen=True, slots=True)
class Validator:
    """The checks, with what they need to know of the account."""

    services: Services
    blocks: BlockList

    def read(self, form: Form, *, behaviour: Behaviour, now: datetime) -> Draft:
        """The draft that a form describes; ApiError if Twilio would refuse it at once."""
        _check_pieces(form)
        _check_content(form)
        service = self._find_service(form)
        sender = self._find_sender(form, service)
        draft = Draft(
            to=form.get("To"),
            sender=sender,
            service=service,
            body=form.get("Body"),
            media=tuple(form.get_all("MediaUrl")),
            status_callback=_read_callback(form),
            validity_period=_read_validity(form, service),
            send_at=_read_send_at(form, service, now),
        )
        _check_recipient(draft, behaviour)
        self._check_block(draft)
        return draft

    def _find_service(self, form: Form) -> Service | None:
        sid = form.get("MessagingServiceSid")
        if not sid and form.get("From").startswith("MG"):
            sid = form.get("From")
        if not sid:
            return None
        if not SERVICE_SID.fullmatch(sid):
            raise ApiError(21705, sid=sid)
        service = self.services.find(sid)
        if service is None:
            raise ApiError(21701, sid=sid)
        if not service.pool:
            raise ApiError(21704)
        return service

    def _find_sender(self, form: Form, service: Service | None) -> str | None:
        sender = form.get("From")
        if not sender or SERVICE_SID.fullmatch(sender):
            return None
        if sender in REFUSED_SENDERS:
            raise ApiError(REFUSED_SENDERS[sender], sender=sender)
        if not any(form_of.fullmatch(sender) for form_of in (E164, SHORT_CODE, ALPHANUMERIC)):
            raise ApiError(21212, sender=sender)
        is_ours = service.owns(sender) if service else self.services.has_number(sender)
        if not is_ours and sender != GOOD_SENDER:
            raise ApiError(21606, sender=sender)
        return sender

    def _check_block(self, draft: Draft) -> None:
        """With a bare From an opt-out is refused at once; a service accepts first, fails later."""
        if draft.service or draft.sender is None:
            return
        owner = self.services.with_number(draft.sender)
        scope = owner.sid if owner else draft.sender
        if magic_plan(draft.to) is OPTED_OUT or self.blocks.is_blocked(
            number=draft.to, scope=scope
        ):
            raise ApiError(21610)


def _check_pieces(form: Form) -> None:
    if not form.get("To"):
        raise ApiError(21604)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise ApiError(21603)
    if not any(form.get(name) for name in ("Body", "MediaUrl", "ContentSid")):
        raise ApiError(21602 if "Body" in form else 21619)


def _check_content(form: Form) -> None:
    if len(form.get("Body")) > MAX_BODY:
        raise ApiError(21617)
    _check_media(form.get_all("MediaUrl"))
    content_sid = form.get("ContentSid")
    if content_sid and not CONTENT_SID.fullmatch(content_sid):
        raise ApiError(21655, sid=content_sid)
    if form.get("ContentVariables") and not _is_json_object(form.get("ContentVariables")):
        raise ApiError(21656)


def _check_media(urls: Sequence[str]) -> None:
    if len(urls) > MAX_MEDIA:
        raise ApiError(21623)
    if not all(_is_web_url(url) for url in urls):
        raise ApiError(21620)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False


def _is_web_url(url: str) -> bool:
    """An absolute http(s) URL. `$` in the path and a literal address with a port are fine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises on a port that is none
    except ValueError:
        return False
    has_blank = any(character.isspace() for character in url)
    return parts.scheme in {"http", "https"} and host != "" and "_" not in host and not has_blank


def _read_callback(form: Form) -> str | None:
    url = form.get("StatusCallback")
    if not url:
        return None
    if len(url) > MAX_CALLBACK_URL or not _is_web_url(url):
        raise ApiError(21609, url=url)
    return url


def _read_validity(form: Form, service: Service | None) -> int:
    if "ValidityPeriod" not in form:
        return service.validity_period if service else MAX_VALIDITY
    value = form.get("ValidityPeriod")
    if not (value.isdecimal() and 1 <= int(value) <= MAX_VALIDITY):
        raise ApiError(21624, value=value)
    return int(value)


def _read_send_at(form: Form, service: Service | None, now: datetime) -> datetime | None:
    if "ScheduleType" not in form and "SendAt" not in form:
        return None
    if form.get("ScheduleType") != "fixed":
        raise ApiError(35126)
    if not form.get("SendAt"):
        raise ApiError(35111)
    if service is None:
        raise ApiError(35118)
    send_at = _parse_send_at(form.get("SendAt"))
    if send_at - now <= SCHEDULE_FROM:
        raise ApiError(35114)
    if send_at - now > SCHEDULE_UNTIL:
        raise ApiError(35117)
    return send_at


def _parse_send_at(text: str) -> datetime:
    if not SEND_AT.fullmatch(text):
        raise ApiError(35115, value=text)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as exc:
        raise ApiError(35115, value=text) from exc


def _check_recipient(draft: Draft, behaviour: Behaviour) -> None:
    to = draft.to
    if SHORT_CODE.fullmatch(to):
        raise ApiError(21265, to=to)
    if not E164.fullmatch(to):
        raise ApiError(21211, to=to)
    if to in REFUSED_RECIPIENTS:
        channel = "MMS" if draft.media else "SMS"
        raise ApiError(REFUSED_RECIPIENTS[to], to=to, sender=draft.sender, channel=channel)
    if to == draft.sender:
        raise ApiError(21266, to=to)
    if behaviour.trial and to not in behaviour.verified_numbers:
        raise ApiError(21608, to=to)
    if to.startswith(behaviour.blocked_prefixes):
        raise ApiError(21408, to=to)
