"""What a form may change of a number or a short code: its name, and the webhooks of its own."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from local.twilio.account.senders import Sender
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form

MAX_FRIENDLY_NAME = 64


def read_name(value: str) -> str:
    """A friendly name; ApiError 20002 if it is too long."""
    if len(value) > MAX_FRIENDLY_NAME:
        raise ApiError(20002)
    return value


def _read_url(value: str) -> str:
    parts = urlsplit(value)
    if value and not (parts.scheme in {"http", "https"} and parts.hostname):
        raise ApiError(21402)
    return value


def _read_method(value: str) -> str:
    if value not in {"GET", "POST"}:
        raise ApiError(21403)
    return value


# field of the form: (attribute and JSON name, reader)
FIELDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "FriendlyName": ("friendly_name", read_name),
    "SmsUrl": ("sms_url", _read_url),
    "SmsMethod": ("sms_method", _read_method),
    "SmsFallbackUrl": ("sms_fallback_url", _read_url),
    "SmsFallbackMethod": ("sms_fallback_method", _read_method),
    "StatusCallback": ("status_callback", _read_url),
    "StatusCallbackMethod": ("status_callback_method", _read_method),
}


def change_sender(sender: Sender, form: Form, now: datetime) -> None:
    """Take over the fields that were sent; nothing changes if one is wrong."""
    changes = {
        FIELDS[name][0]: FIELDS[name][1](form.get(name)) for name in form.names() if name in FIELDS
    }
    sms_url = changes.get("sms_url", sender.sms_url)
    if changes.get("sms_fallback_url", sender.sms_fallback_url) and not sms_url:
        raise ApiError(21406)
    for name, value in changes.items():
        setattr(sender, name, value)
    sender.updated = now
