"""The senders that an account owns: numbers and short codes; alphanumeric IDs and channels come with services."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from zlib import crc32

import phonenumbers

from local.twilio.core.settings import Settings

TOLL_FREE_CODES = frozenset({"800", "833", "844", "855", "866", "877", "888"})
AREA_CODE = slice(2, 5)  # after "+1"
NORTH_AMERICA_PREFIX = 5  # "+1" and the area code tell the country
SMS_MMS = ("SMS", "MMS")
PHONE_NUMBER = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})")


class SenderKind(StrEnum):
    """What a sender is; the kind decides its rate and its rules."""

    LONG_CODE = "long-code"
    TOLL_FREE = "toll-free"
    SHORT_CODE = "short-code"
    ALPHA = "alpha"
    CHANNEL = "channel"


@dataclass(slots=True, kw_only=True)
class Sender:
    """Something to send from. `address` is what stands in `From`; `country` is empty for any.

    The webhooks are those of the number itself, for services that defer to it.
    """

    sid: str
    kind: SenderKind
    address: str
    country: str
    created: datetime
    capabilities: tuple[str, ...] = SMS_MMS
    friendly_name: str = ""
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    updated: datetime | None = None

    @property
    def can_mms(self) -> bool:
        """The sender takes media."""
        return "MMS" in self.capabilities


@lru_cache(maxsize=4096)
def _country_of_prefix(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_country_code(parsed.country_code or 0) or ""


@lru_cache(maxsize=4096)
def _country_in_north_america(prefix: str) -> str:
    # any subscriber number serves: the area code alone tells the country
    parsed = phonenumbers.parse(prefix + "2345678")
    return phonenumbers.region_code_for_number(parsed) or "US"


def country_of(number: str) -> str:
    """The country of an E.164 number, as ISO 3166 letters; empty if it has none."""
    if number.startswith("+1"):
        return _country_in_north_america(number[:NORTH_AMERICA_PREFIX])
    return _country_of_prefix(number)


def is_phone_number(text: str) -> bool:
    """The text has the form of an E.164 number; nobody need have it."""
    return PHONE_NUMBER.fullmatch(text) is not None


def display_form(number: str) -> str:
    """A number as Twilio shows it to people: `(202) 555-0100` in North America, E.164 elsewhere."""
    if not number.startswith("+1"):
        return number
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(phonenumbers.parse(number), national)


def kind_of_number(number: str) -> SenderKind:
    """Toll-free or not, by the area code."""
    is_toll_free = number.startswith("+1") and number[AREA_CODE] in TOLL_FREE_CODES
    return SenderKind.TOLL_FREE if is_toll_free else SenderKind.LONG_CODE


def make_number(number: str, *, sid: str, now: datetime) -> Sender:
    """A phone number as it is when it comes to an account; only North America's take media."""
    country = country_of(number)
    return Sender(
        sid=sid,
        kind=kind_of_number(number),
        address=number,
        country=country,
        created=now,
        capabilities=SMS_MMS if country in {"US", "CA"} else ("SMS",),
        friendly_name=display_form(number),
    )


class AccountSenders:
    """All numbers and short codes of the account, in order of coming."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        """Start with those of the settings."""
        self._settings = settings
        self._by_sid: dict[str, Sender] = {}
        self._by_address: dict[str, Sender] = {}
        self.restore(now)

    def __iter__(self) -> Iterator[Sender]:
        """All senders."""
        return iter(list(self._by_sid.values()))

    def restore(self, now: datetime) -> None:
        """Put everything back to how the settings have it."""
        self._by_sid.clear()
        self._by_address.clear()
        for number in (*self._settings.numbers, *self._settings.loose_numbers):
            self.add_number(number, now)
        for code in self._settings.short_codes:
            self.add(
                Sender(
                    sid=steady_sid("SC", code),
                    kind=SenderKind.SHORT_CODE,
                    address=code,
                    country="US",
                    created=now,
                    friendly_name=code,
                )
            )

    def add_number(self, number: str, now: datetime) -> Sender:
        """Take a number into the account."""
        return self.add(make_number(number, sid=steady_sid("PN", number), now=now))

    def add(self, sender: Sender) -> Sender:
        """Take a sender into the account."""
        self._by_sid[sender.sid] = sender
        self._by_address[sender.address] = sender
        return sender

    def remove(self, sender: Sender) -> None:
        """Give a sender up."""
        del self._by_sid[sender.sid]
        del self._by_address[sender.address]

    def with_sid(self, sid: str) -> Sender | None:
        """The sender with that SID."""
        return self._by_sid.get(sid)

    def with_address(self, address: str) -> Sender | None:
        """The number or short code itself."""
        return self._by_address.get(address)

    def of_kinds(self, *kinds: SenderKind) -> Sequence[Sender]:
        """The senders of these kinds."""
        return [sender for sender in self if sender.kind in kinds]


def steady_sid(kind: str, address: str) -> str:
    """A SID that a sender of the settings keeps over restarts."""
    return f"{kind}{crc32(address.encode()):032x}"
