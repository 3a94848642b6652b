"""The optional fields of a create, each read or refused with its code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.twilio.core.addresses import SERVICE_SID
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.urls import is_web_url
from local.twilio.core.validity import read_validity

SEND_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
MAX_MEDIA = 10
MAX_CALLBACK_URL = 4000
SCHEDULE_FROM = timedelta(seconds=300)
SCHEDULE_UNTIL = timedelta(days=35)
INTENTS = frozenset(
    {
        "otp",
        "notifications",
        "marketing",
        "fraud",
        "security",
        "customercare",
        "delivery",
        "education",
        "polling",
        "announcements",
        "events",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The switches of one create."""

    status_callback: str | None
    validity_period: int | None
    smart_encoded: bool | None
    shorten_urls: bool
    as_mms: bool
    skips_risk_check: bool


def read_options(form: Form) -> Options:
    """All options that need nothing but the form."""
    _check_privacy(form)
    _check_numbers(form)
    form.choice("TrafficType", {"free"})
    form.choice("MessageIntent", INTENTS)
    form.flag("ProvideFeedback")
    form.flag("ForceDelivery")
    return Options(
        status_callback=read_callback(form),
        validity_period=_read_validity_period(form),
        smart_encoded=form.flag("SmartEncoded") if "SmartEncoded" in form else None,
        shorten_urls=form.flag("ShortenUrls"),
        as_mms=form.flag("SendAsMms"),
        skips_risk_check=form.choice("RiskCheck", {"enable", "disable"}) == "disable",
    )


def _read_validity_period(form: Form) -> int | None:
    if "ValidityPeriod" not in form:
        return None
    return read_validity(form.get("ValidityPeriod"))


def _check_privacy(form: Form) -> None:
    """Redaction is a feature of the account that is not switched on here."""
    if form.get("ContentRetention") not in {"", "retain"}:
        raise ApiError(30029)
    if form.get("AddressRetention") not in {"", "retain"}:
        raise ApiError(30030)


def _check_numbers(form: Form) -> None:
    if form.get("MaxPrice") and not re.fullmatch(r"\d*\.?\d+", form.get("MaxPrice")):
        raise ApiError(21627)
    if form.get("Attempt") and not form.get("Attempt").isdecimal():
        raise ApiError(20001, detail=f"Invalid parameter Attempt: {form.get('Attempt')}")


def read_media(urls: Sequence[str]) -> tuple[str, ...]:
    """The media URLs of a form."""
    if len(urls) > MAX_MEDIA:
        raise ApiError(21623)
    if not all(is_web_url(url) for url in urls):
        raise ApiError(21620)
    return tuple(urls)


def read_callback(form: Form) -> str | None:
    """The StatusCallback; 21609 if it is no URL."""
    url = form.get("StatusCallback")
    if not url:
        return None
    if len(url) > MAX_CALLBACK_URL or not is_web_url(url):
        raise ApiError(21609, url=url)
    return url


def read_fallback_sender(form: Form) -> str | None:
    """FallbackFrom, which goes with a service alone; whether the service has RCS is checked elsewhere."""
    fallback = form.get("FallbackFrom")
    if not fallback:
        return None
    if form.get("From") and not SERVICE_SID.fullmatch(form.get("From")):
        raise ApiError(21664)
    if not form.get("MessagingServiceSid"):
        raise ApiError(21666)
    return fallback


def read_send_at(form: Form, *, has_service: bool, now: datetime) -> datetime | None:
    """When a scheduled message goes out, None for one that goes at once."""
    if "ScheduleType" not in form and "SendAt" not in form:
        return None
    if form.get("ScheduleType") != "fixed":
        raise ApiError(35126)
    if not form.get("SendAt"):
        raise ApiError(35111)
    if not has_service:
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
