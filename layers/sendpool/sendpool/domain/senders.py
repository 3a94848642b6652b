"""The senders of a pool: what each one is, whether it is registered, and how fast it and the whole pool may send.

Rates are Twilio's defaults, in SMS segments a second (messages a second for WhatsApp); what an account was granted
beyond them is not known by any API. The numbers of an A2P 10DLC campaign share its rate: more of them do not add to it.
Source: Twilio's articles on message throughput and rate limits, 2026; rates outside the US and Canada vary by country.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sendpool.domain.errors import Violation
from sendpool.domain.registration import is_toll_free

MOST_COUNTED: Final = 400
"""Numbers and short codes that a pool holds, unless Twilio has raised it (21714)."""

_NEARLY_FULL: Final = 380
_NORTH_AMERICA: Final = frozenset({"US", "CA"})
_SID: Final = re.compile("(PN|SC|AI|XE)[0-9a-f]{32}")
_ALPHANUMERIC: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 \-+_&]{1,11}")
_COUNTRY: Final = re.compile("[A-Z]{2}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")


class SenderKind(StrEnum):
    """What a sender is, in the order in which Twilio prefers them for texts."""

    RCS = "rcs"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"
    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    OTHER = "other"


_PLACE: Final = re.compile(rf"[0-{len(SenderKind) - 1}]\.{_SID.pattern}")

# a third of the segments of a campaign's rate goes to each of the large carriers
_CARRIERS: Final = 3
_RATES: Final = {
    SenderKind.SHORT_CODE: 100.0,
    SenderKind.ALPHANUMERIC: 10.0,
    SenderKind.TOLL_FREE: 3.0,
    SenderKind.WHATSAPP: 80.0,
}
_CANADIAN_LONG_CODE: Final = 1.0
_OTHER_LONG_CODE: Final = 10.0
_COUNTED: Final = frozenset({SenderKind.SHORT_CODE, SenderKind.LONG_CODE, SenderKind.TOLL_FREE})
_TEXTING: Final = _COUNTED | {SenderKind.ALPHANUMERIC}


class Registered(StrEnum):
    """Whether those who have to know of a sender do."""

    YES = "registered"
    PENDING = "pending"
    FAILED = "failed"
    SUSPENDED = "suspended"
    NO = "not_registered"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A sender of a pool: `address` is what recipients see. An alphanumeric one without a country is for all others."""

    sid: str
    kind: SenderKind
    address: str
    country: str | None = None
    capabilities: tuple[str, ...] = ()
    added_at: datetime | None = None

    @property
    def needs_campaign(self) -> bool:
        """Tell whether carriers take its texts only with an A2P 10DLC campaign."""
        return self.kind is SenderKind.LONG_CODE and self.country == "US"


def kind_of_number(number: str) -> SenderKind:
    return SenderKind.TOLL_FREE if is_toll_free(number) else SenderKind.LONG_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """The A2P 10DLC campaign of a service. `att_rate` is in segments a second, as Twilio's `rate_limits` has it.

    That of a mock brand is approved by nobody, and no carrier knows of it, whatever its status.
    """

    status: str
    use_case: str | None = None
    campaign_id: str | None = None
    brand_sid: str | None = None
    att_rate: float | None = None
    att_class: str | None = None
    tmobile_tier: str | None = None
    is_mock: bool = False

    @property
    def registered(self) -> Registered:
        if self.is_mock:
            return Registered.NO
        return _CAMPAIGNS.get(self.status, Registered.PENDING)

    @property
    def rate(self) -> float | None:
        """Segments a second to the large carriers together; None as long as Twilio does not say."""
        return None if self.att_rate is None else self.att_rate * _CARRIERS

    @property
    def tmobile_daily(self) -> int | None:
        """Segments a day that T-Mobile takes of the whole brand, until midnight Pacific time."""
        return _TMOBILE_DAILY.get(self.tmobile_tier or "")


_CAMPAIGNS: Final = {
    "VERIFIED": Registered.YES,
    "FAILED": Registered.FAILED,
    "SUSPENDED": Registered.SUSPENDED,
}
_TMOBILE_DAILY: Final = {"TOP": 200_000, "UPPER_MID": 40_000, "LOWER_MID": 10_000, "LOW": 2_000}
_VERIFICATIONS: Final = {
    "TWILIO_APPROVED": Registered.YES,
    "TWILIO_REJECTED": Registered.FAILED,
}


def _best(verifications: Sequence[str]) -> Registered:
    """Tell how a toll-free number stands that was submitted several times."""
    found = {_VERIFICATIONS.get(status, Registered.PENDING) for status in verifications}
    order = (Registered.YES, Registered.PENDING, Registered.FAILED)
    return next((each for each in order if each in found), Registered.NO)


@dataclass(frozen=True, slots=True)
class KindThroughput:
    """How many senders of a kind there are, and how fast they are together; None when that is not known."""

    kind: SenderKind
    senders: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class PoolWarning:
    """Something about the pool that will make messages fail, by a stable code."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPool:
    """All senders of a service; `verifications` has the statuses of each toll-free number's, by the number's SID."""

    senders: Sequence[Sender]
    campaign: Campaign | None = None
    verifications: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def registered(self, sender: Sender) -> Registered:
        if sender.needs_campaign:
            return self.campaign.registered if self.campaign else Registered.NO
        if sender.kind is SenderKind.TOLL_FREE:
            return _best(self.verifications.get(sender.sid, ()))
        return Registered.NOT_NEEDED

    def rate(self, sender: Sender) -> float | None:
        """Segments a second of one sender; for one with a campaign, those of all its numbers. None: not known."""
        if self.registered(sender) not in {Registered.YES, Registered.NOT_NEEDED}:
            return 0.0  # 30034, 30032
        if sender.needs_campaign:
            return self.campaign.rate if self.campaign else 0.0
        if sender.kind is SenderKind.LONG_CODE:
            return _CANADIAN_LONG_CODE if sender.country == "CA" else _OTHER_LONG_CODE
        return _RATES.get(sender.kind)

    @property
    def may_text_us(self) -> bool:
        """Tell whether something in it may text US numbers, or nothing in it could; long codes need a campaign.

        A pool with several kinds may: Twilio picks the sender.
        """
        if self.campaign and self.campaign.registered is Registered.YES:
            return True
        others = {SenderKind.SHORT_CODE, SenderKind.TOLL_FREE}
        return any(each.kind in others for each in self.senders) or not any(
            each.needs_campaign for each in self.senders
        )

    @property
    def throughput(self) -> float:
        """Segments of SMS a second of the whole pool, as far as it is known: what it has toward all countries."""
        return sum(each.rate or 0.0 for each in self.by_kind if each.kind in _TEXTING)

    @property
    def pace(self) -> float | None:
        """Segments of SMS a second that it passes on; None where a part of that is not known, or it passes on none."""
        rates = [each.rate for each in self.by_kind if each.kind in _TEXTING]
        known = [rate for rate in rates if rate is not None]
        return (sum(known) or None) if len(known) == len(rates) else None

    @property
    def by_kind(self) -> tuple[KindThroughput, ...]:
        kinds = {kind: [each for each in self.senders if each.kind is kind] for kind in SenderKind}
        return tuple(
            KindThroughput(kind, len(senders), self._together(senders))
            for kind, senders in kinds.items()
            if senders
        )

    def _together(self, senders: Sequence[Sender]) -> float | None:
        alone = [self.rate(each) for each in senders if not each.needs_campaign]
        shared = next((self.rate(each) for each in senders if each.needs_campaign), 0.0)
        known = [rate for rate in (*alone, shared) if rate is not None]
        return sum(known) if len(known) == len(alone) + 1 else None

    @property
    def warnings(self) -> tuple[PoolWarning, ...]:
        return tuple(PoolWarning(code, _WARNINGS[code]) for code in self._warned())

    def _warned(self) -> Iterator[str]:
        toll_free = [each for each in self.senders if each.kind is SenderKind.TOLL_FREE]
        if not self.senders:
            yield "pool_empty"
        if len(toll_free) > 1:
            yield "several_toll_free"
        if any(self.registered(each) is not Registered.YES for each in toll_free):
            yield "toll_free_not_verified"
        if any(
            each.needs_campaign and self.registered(each) is not Registered.YES
            for each in self.senders
        ):
            yield "campaign_not_approved"
        if self.campaign and self.campaign.is_mock:
            yield "mock_campaign"
        if sum(each.kind in _COUNTED for each in self.senders) >= _NEARLY_FULL:
            yield "nearly_full"

    def page(self, *, after: str | None, limit: int) -> tuple[Sequence[Sender], str | None]:
        """Return up to `limit` senders after a place in the list, and the place of the next ones, None at the end.

        The list is in an order that no coming and going changes, so nothing is left out or shown twice between pages.
        """
        ordered = sorted(self.senders, key=_place)
        rest = [each for each in ordered if after is None or _place(each) > after]
        shown = rest[:limit]
        return shown, _place(shown[-1]) if len(rest) > limit else None


def _place(sender: Sender) -> str:
    return f"{list(SenderKind).index(sender.kind)}.{sender.sid}"


def is_place(text: str) -> bool:
    """Tell whether a text is a place in the list of senders."""
    return _PLACE.fullmatch(text) is not None


_WARNINGS: Final = {
    "pool_empty": "Nothing can be sent (21704). Add a sender.",
    "several_toll_free": "Carriers may block toll-free traffic that is spread over several numbers. Keep one.",
    "toll_free_not_verified": "US and Canadian traffic of a toll-free number is blocked until it is verified (30032).",
    "campaign_not_approved": "Carriers block texts of US long codes without an approved A2P campaign (30034).",
    "mock_campaign": "The A2P campaign is a mock: it reaches nobody (30034). Register one for a real brand.",
    "nearly_full": f"A pool holds {MOST_COUNTED} numbers and short codes unless Twilio raises it (21714).",
}


# ------------------------------------------------------------------------------------------------ what may be said


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSender:
    """A sender to add: one that the account has, or an alphanumeric ID, which comes to be that way.

    Of the account's, either the SID or the `number` is said: E.164, or a short code.
    """

    sid: str | None = None
    number: str | None = None
    alphanumeric: str | None = None
    country: str | None = None

    @property
    def words(self) -> str:
        """Name it to people."""
        if self.alphanumeric is not None:
            return self.alphanumeric + (f" in {self.country}" if self.country else "")
        return self.number or self.sid or ""

    def is_at(self, sender: Sender) -> bool:
        """Tell whether a sender of a pool is the one that is meant."""
        if self.sid is not None:
            return sender.sid == self.sid
        if self.number is not None:
            return sender.kind in _COUNTED and sender.address == self.number
        wanted = (SenderKind.ALPHANUMERIC, self.alphanumeric, self.country)
        return (sender.kind, sender.address, sender.country) == wanted


def is_sender_sid(sid: str) -> bool:
    """Tell whether a text has the form of a sender's SID: PN, SC, AI or XE and 32 hex digits."""
    return _SID.fullmatch(sid) is not None


def problems(new: NewSender) -> tuple[Violation, ...]:
    """Tell what is wrong with a sender that is to be added."""
    return tuple(_problems(new))


def _problems(new: NewSender) -> Iterator[Violation]:
    if sum(each is not None for each in (new.sid, new.number, new.alphanumeric)) != 1:
        words = "exactly one of sid, number and alphanumeric is needed"
        yield Violation("sid", "sender_conflict", words)
    if new.sid is not None and (not is_sender_sid(new.sid) or new.sid.startswith("AI")):
        words = "must be the SID of a phone number (PN), short code (SC) or channel sender (XE)"
        yield Violation("sid", "invalid_sender_sid", words)
    if new.number is not None and not _NUMBER.fullmatch(new.number):
        yield Violation("number", "invalid_number", "must be a number in E.164, or a short code")
    if new.alphanumeric is not None and not _ALPHANUMERIC.fullmatch(new.alphanumeric):
        words = (
            "must have 1 to 11 letters, digits, spaces or any of - + _ &, and at least one letter"
        )
        yield Violation("alphanumeric", "invalid_alphanumeric", words)
    if new.country is not None and not _COUNTRY.fullmatch(new.country):
        yield Violation("country", "invalid_country", "must be a country in two capital letters")
    elif new.country is not None and new.alphanumeric is None:
        words = "goes with an alphanumeric sender only"
        yield Violation("country", "country_of_alphanumeric", words)
    elif new.country in _NORTH_AMERICA:
        words = "takes no alphanumeric senders"
        yield Violation("country", "country_without_alphanumeric", words)
