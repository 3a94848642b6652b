"""Messaging Services, their sender pools and the numbers of the account (Messaging v1)."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from local.twilio.errors import ApiError
from local.twilio.forms import Form
from local.twilio.settings import Settings

USE_CASES = frozenset(
    {"notifications", "marketing", "verification", "discussion", "poll", "undeclared"}
)
AREA_CODE = slice(0, 5)  # "+1" and three digits
MAX_FRIENDLY_NAME = 64
MAX_VALIDITY = 36000


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A phone number of the account."""

    sid: str
    phone_number: str


@dataclass(slots=True, kw_only=True)
class Service:
    """A Messaging Service; the settings bear the names of the v1 JSON."""

    sid: str
    created: datetime
    updated: datetime
    friendly_name: str
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = True
    scan_message_content: str = "inherit"
    fallback_to_long_code: bool = True
    area_code_geomatch: bool = True
    validity_period: int = MAX_VALIDITY
    synchronous_validation: bool = False
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = False
    pool: list[Number] = field(default_factory=list)

    def choose_sender(self, to: str) -> str:
        """A number of the pool: same area code if wanted, always the same one for a recipient."""
        numbers = [number.phone_number for number in self.pool]
        near = [number for number in numbers if number[AREA_CODE] == to[AREA_CODE]]
        candidates = near if near and self.area_code_geomatch else numbers
        return candidates[crc32(to.encode()) % len(candidates)]

    def owns(self, phone_number: str) -> bool:
        """The number is in the pool."""
        return any(number.phone_number == phone_number for number in self.pool)

    def change(self, form: Form, now: datetime) -> None:
        """Take over the fields that were sent; nothing changes if one is wrong."""
        changes = {
            FIELDS[name][0]: FIELDS[name][1](form.get(name))
            for name in form.names()
            if name in FIELDS
        }
        for name, value in changes.items():
            setattr(self, name, value)
        self.updated = now

    def to_json(self, *, account_sid: str, base_url: str) -> dict[str, Any]:
        """The resource as Messaging v1 shows it."""
        url = f"{base_url}/v1/Services/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            **{name: getattr(self, name) for name, _ in FIELDS.values()},
            "us_app_to_person_registered": True,
            "url": url,
            "links": {
                "phone_numbers": f"{url}/PhoneNumbers",
                "short_codes": f"{url}/ShortCodes",
                "alpha_senders": f"{url}/AlphaSenders",
                "us_app_to_person": f"{url}/Compliance/Usa2p",
            },
        }


def iso(moment: datetime) -> str:
    """A moment as the v1 API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_text(value: str) -> str:
    if not 0 < len(value) <= MAX_FRIENDLY_NAME:
        raise ApiError(20001, detail="FriendlyName must have 1 to 64 characters")
    return value


def _read_url(value: str) -> str | None:
    return value or None


def _read_flag(value: str) -> bool:
    return value.lower() == "true"


def _read_method(value: str) -> str:
    if value not in {"GET", "POST"}:
        raise ApiError(20001, detail=f"Invalid method: {value}")
    return value


def _read_validity(value: str) -> int:
    if not (value.isdecimal() and 1 <= int(value) <= MAX_VALIDITY):
        raise ApiError(21624, value=value)
    return int(value)


def _read_use_case(value: str) -> str:
    if value not in USE_CASES:
        raise ApiError(21713)
    return value


# field of the form: (attribute and JSON name, reader)
FIELDS: dict[str, tuple[str, Callable[[str], object]]] = {
    "FriendlyName": ("friendly_name", _read_text),
    "InboundRequestUrl": ("inbound_request_url", _read_url),
    "InboundMethod": ("inbound_method", _read_method),
    "FallbackUrl": ("fallback_url", _read_url),
    "FallbackMethod": ("fallback_method", _read_method),
    "StatusCallback": ("status_callback", _read_url),
    "StickySender": ("sticky_sender", _read_flag),
    "MmsConverter": ("mms_converter", _read_flag),
    "SmartEncoding": ("smart_encoding", _read_flag),
    "ScanMessageContent": ("scan_message_content", str),
    "FallbackToLongCode": ("fallback_to_long_code", _read_flag),
    "AreaCodeGeomatch": ("area_code_geomatch", _read_flag),
    "ValidityPeriod": ("validity_period", _read_validity),
    "SynchronousValidation": ("synchronous_validation", _read_flag),
    "Usecase": ("usecase", _read_use_case),
    "UseInboundWebhookOnNumber": ("use_inbound_webhook_on_number", _read_flag),
}


class Services:
    """All services of the account, and its numbers."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        """Start with the default service, which holds all numbers, and one with an empty pool."""
        self._settings = settings
        self._by_sid: dict[str, Service] = {}
        self.numbers: dict[str, Number] = {}
        self.default: Service
        self.restore(now)

    def __iter__(self) -> Iterator[Service]:
        """All services, in order of making."""
        return iter(list(self._by_sid.values()))

    def restore(self, now: datetime) -> None:
        """Put everything back to how the settings have it."""
        given = self._settings
        self.numbers = {
            (sid := f"PN{crc32(phone.encode()):032x}"): Number(sid=sid, phone_number=phone)
            for phone in given.numbers
        }
        self.default = Service(
            sid=given.service_sid,
            created=now,
            updated=now,
            friendly_name="default",
            inbound_request_url=given.inbound_request_url or None,
            status_callback=given.status_callback or None,
            pool=list(self.numbers.values()),
        )
        empty = Service(
            sid=given.empty_service_sid, created=now, updated=now, friendly_name="empty pool"
        )
        self._by_sid = {service.sid: service for service in (self.default, empty)}

    def find(self, sid: str) -> Service | None:
        """The service with that SID."""
        return self._by_sid.get(sid)

    def with_number(self, phone_number: str) -> Service | None:
        """The service in whose pool the number is; at most one."""
        return next((service for service in self if service.owns(phone_number)), None)

    def has_number(self, phone_number: str) -> bool:
        """The account owns the number, in a pool or not."""
        return any(number.phone_number == phone_number for number in self.numbers.values())

    def create(self, form: Form, now: datetime) -> Service:
        """A new service, from a form with at least FriendlyName."""
        if "FriendlyName" not in form:
            raise ApiError(20001, detail="FriendlyName is required")
        service = Service(
            sid=f"MG{uuid.uuid4().hex}", created=now, updated=now, friendly_name="new"
        )
        service.change(form, now)
        self._by_sid[service.sid] = service
        return service

    def delete(self, sid: str) -> None:
        """Remove a service; its numbers stay on the account."""
        del self._by_sid[sid]

    def attach(self, service: Service, number_sid: str) -> Number:
        """Put a number of the account into a pool."""
        number = self.numbers.get(number_sid)
        if number is None:
            raise ApiError(20404, path=number_sid)
        owner = self.with_number(number.phone_number)
        if owner is not None:
            raise ApiError(21710 if owner is service else 21712)
        service.pool.append(number)
        return number
