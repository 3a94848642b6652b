"""How a Messaging Service is set, in our names; what of it can be changed, and how it differs from what is declared.

Values are what Twilio takes: `validity_period` in seconds, URLs absolute and with connection overrides in the fragment.
A URL that is None is not set. Twilio's documents leave open what a service that is made without saying so gets for its
switches, so whoever makes one says all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sendpool.domain.errors import Violation

type Value = str | int | bool | None
type Changes = Mapping[str, Value]
"""Settings by name, with the value that each shall have; all others stay as they are."""

LONGEST_NAME: Final = 64
LONGEST_VALIDITY: Final = 36_000
USE_CASES: Final = (
    "notifications",
    "marketing",
    "verification",
    "discussion",
    "poll",
    "undeclared",
)
"""Of services; those of A2P campaigns are others."""

CALLBACK_OVERRIDES: Final = "rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"
"""Twilio's connection overrides, in the fragment of our webhooks: three retries, also after a 5xx or too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """All settings of a service. The defaults are those of a new one, in which every feature is on."""

    name: str
    inbound_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    inbound_webhook_on_number: bool = False
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = True
    area_code_geomatch: bool = True
    validity_period: int = LONGEST_VALIDITY
    use_case: str = "undeclared"


SETTINGS: Final = tuple(field.name for field in fields(ServiceSettings))

WEBHOOKS: Final = (
    "inbound_url",
    "inbound_method",
    "fallback_url",
    "fallback_method",
    "inbound_webhook_on_number",
)
"""What texts need to come to this stack. Each stack declares it; nobody sets it by hand."""

SENDERS: Final = "senders"
"""No setting, but what differs where a declared sender is not in the pool; `declared` names it."""

PARAMETERS: Final = {
    "name": "ServiceName",
    **dict.fromkeys(WEBHOOKS, "PublicUrl"),
    "sticky_sender": "StickySender",
    "mms_converter": "MmsConverter",
    "smart_encoding": "SmartEncoding",
    "area_code_geomatch": "AreaCodeGeomatch",
    "validity_period": "ServiceValidityPeriod",
    "use_case": "ServiceUseCase",
}
"""The parameter of the stack that declares each setting; a status callback has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingService:
    """A service as Twilio has it. `is_registered` tells whether its A2P campaign is approved."""

    sid: str
    settings: ServiceSettings
    is_registered: bool
    created_at: datetime | None = None
    updated_at: datetime | None = None


# ------------------------------------------------------------------------------------------------ what may be said


def problems(changes: Mapping[str, object]) -> tuple[Violation, ...]:
    """Tell what is wrong with each of these settings: not one of a service, or a value that it cannot have."""
    return tuple(found for name, value in changes.items() if (found := _problem(name, value)))


def _problem(name: str, value: object) -> Violation | None:
    if name in REFUSED:
        return Violation(name, *REFUSED[name])
    if name not in _RULES:
        return Violation(name, "unknown_field", "is no setting of a Messaging Service")
    broken = _RULES[name](value)
    return Violation(name, *broken) if broken else None


type _Broken = tuple[str, str] | None

REFUSED: Final = {
    "scan_message_content": (
        "setting_reserved",
        "is reserved by Twilio and does nothing that could be relied on; leave it as it is",
    ),
    "synchronous_validation": (
        "setting_reserved",
        "is reserved by Twilio and does nothing that could be relied on; leave it as it is",
    ),
    "fallback_to_long_code": (
        "setting_obsolete",
        "has had no effect since September 2023; Twilio picks among all senders that can reach the recipient",
    ),
    "shorten_urls": (
        "setting_of_messages",
        "is a switch of each message, not of the service, which needs a link domain for it",
    ),
}
"""What Twilio takes, or samples show, and what never becomes a setting here: code and reason."""


def _switch(value: object) -> _Broken:
    return None if isinstance(value, bool) else ("wrong_type", "must be true or false")


def _method(value: object) -> _Broken:
    return None if value in {"GET", "POST"} else ("invalid_method", "must be GET or POST")


def _url(value: object) -> _Broken:
    if value is None or (isinstance(value, str) and is_web_url(value)):
        return None
    return "invalid_url", "must be an absolute http or https URL, or null"


def is_web_url(url: str) -> bool:
    """Tell whether Twilio would take this as the URL of a webhook or page."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    # Twilio takes no host name with an underscore (21609)
    is_host = bool(host) and "_" not in host
    return parts.scheme in {"http", "https"} and is_host and url.isprintable() and " " not in url


def _name(value: object) -> _Broken:
    if isinstance(value, str) and value.strip() and len(value) <= LONGEST_NAME:
        return None
    return "invalid_name", f"must have 1 to {LONGEST_NAME} characters"


def _validity(value: object) -> _Broken:
    # to Python a bool is an int as well
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LONGEST_VALIDITY:
        return None
    return "validity_period_out_of_range", f"must be 1 to {LONGEST_VALIDITY} seconds"


def _use_case(value: object) -> _Broken:
    return None if value in USE_CASES else ("unknown_use_case", f"must be one of {_LISTED}")


_LISTED = ", ".join(USE_CASES)
_RULES: dict[str, Callable[[object], _Broken]] = {
    "name": _name,
    "inbound_url": _url,
    "inbound_method": _method,
    "fallback_url": _url,
    "fallback_method": _method,
    "inbound_webhook_on_number": _switch,
    "status_callback": _url,
    "sticky_sender": _switch,
    "mms_converter": _switch,
    "smart_encoding": _switch,
    "area_code_geomatch": _switch,
    "validity_period": _validity,
    "use_case": _use_case,
}


# ------------------------------------------------------------------------------------------------ declared and live


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not what is declared, or a sender that the pool does not have."""

    setting: str
    declared: Value
    live: Value

    @property
    def consequence(self) -> str:
        """What follows as long as it stays so."""
        return _CONSEQUENCES[self.setting]


def declared_webhooks(public_url: str) -> dict[str, Value]:
    """Return what a stack that Twilio reaches at this URL needs of its service, so that every text comes to it.

    Status callbacks need nothing: their URL goes with each message.
    """
    return {
        "inbound_url": f"{public_url}/webhooks/inbound#{CALLBACK_OVERRIDES}",
        "inbound_method": "POST",
        "fallback_url": f"{public_url}/webhooks/fallback#{CALLBACK_OVERRIDES}",
        "fallback_method": "POST",
        "inbound_webhook_on_number": False,
    }


def differences(declared: Changes, live: ServiceSettings) -> tuple[Difference, ...]:
    """Tell which declared settings the service does not have. What is not declared may be anything."""
    return tuple(
        Difference(name, value, getattr(live, name))
        for name, value in declared.items()
        if getattr(live, name) != value
    )


def changed(settings: ServiceSettings, changes: Changes) -> ServiceSettings:
    """Return the settings after these changes."""
    given: dict[str, Any] = dict(changes)
    return replace(settings, **given)


_STRAY = "Texts to the senders of the pool do not come here: no answers, and STOP is known to Twilio only."
_CONSEQUENCES: Final = {
    "name": "It has another name in the Twilio console.",
    "inbound_url": _STRAY,
    "inbound_method": _STRAY,
    "fallback_url": "Texts that the inbound webhook fails of are lost.",
    "fallback_method": "Texts that the inbound webhook fails of are lost.",
    "inbound_webhook_on_number": "Texts go where each number's own webhook points, which need not be here.",
    "status_callback": "None for what is sent from here: each message names its own callback.",
    "sticky_sender": "On, people keep their sender from message to message; off, it may change each time.",
    "mms_converter": "On, media that a carrier does not take go as a link; off, such messages fail.",
    "smart_encoding": "On, look-alikes replace characters that force UCS-2, so texts may take fewer segments.",
    "area_code_geomatch": "On, US and Canadian recipients get a sender of their area code where the pool has one.",
    "validity_period": "Messages that name no validity of their own wait longer, or not so long, in Twilio's queue.",
    "use_case": "Twilio may refuse an A2P campaign whose use case does not fit (21719).",
    SENDERS: "It does not send for this service, and texts to it do not come here.",
}
