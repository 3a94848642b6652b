"""May this message go to this person now? One pure function, asked before launch, at dispatch and at hand-over.

`decide` answers send, defer or skip, with reasons. What it is told of the person, `Facts`, and what the account
allows, `Policy`, come as arguments; so do the time and the law (domain/quiet_hours.py). More that speaks against a
message never makes it go: an opt-out, a landline or a cap can only turn a send or a defer into a skip.

Transactional messages skip quiet hours, caps and the rest after 30005, never opt-outs. What holds for a whole
broadcast, a pause or a cancellation, is asked before (`order_for` in domain/broadcast.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sendpool.domain.countries import country_of
from sendpool.domain.message import Category
from sendpool.domain.quiet_hours import Cap, Open, Rules, Watch, Window, caps_at, hours_at
from sendpool.domain.whereabouts import PlaceError, Whereabouts, whereabouts

# Twilio's longest ValidityPeriod
_LONGEST_VALIDITY = timedelta(hours=10)
# what is left of the window when a message is handed over must be enough for it to leave Twilio's queue
_LEAST_VALIDITY = timedelta(seconds=30)


class Reason(StrEnum):
    """Why a message is not sent, or not now."""

    OPTED_OUT = "opted_out"
    DEACTIVATED = "deactivated"
    LANDLINE = "landline"
    UNREACHABLE = "unreachable"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    NOT_REGISTERED = "sender_not_registered"
    FREQUENCY_CAP = "frequency_cap"
    UNKNOWN_PLACE = "unknown_place"
    NEVER_OPEN = "never_open"
    EXPIRED = "expired"
    QUIET_HOURS = "quiet_hours"


REMEDIES: Final[Mapping[str, str]] = {
    Reason.OPTED_OUT: "Nothing: they said stop. They can text START, or opt in again with a consent of their own.",
    Reason.DEACTIVATED: "Ask for the new number, or for consent anew: the carrier gave this one up.",
    Reason.LANDLINE: "Ask for a mobile number.",
    Reason.UNREACHABLE: "Ask for another number: the carrier did not know this one within the last 30 days (30005). A "
    "text from it or a new consent lifts that; messages that are not marketing go all the same.",
    Reason.COUNTRY_NOT_ALLOWED: "Add the country to AllowedCountries, if you mean to text it.",
    Reason.NOT_REGISTERED: "Have an A2P 10DLC campaign approved for the Messaging Service, or add a verified toll-free "
    "number or a short code to its pool; carriers would refuse with 30034. RegistrationCheck=off sends all the same.",
    Reason.FREQUENCY_CAP: "Wait until fewer messages lie within the cap's time, or send what is not marketing as such.",
    Reason.UNKNOWN_PLACE: "Correct the state or the time zone.",
    Reason.NEVER_OPEN: "Widen the broadcast's window: it leaves no hour at which the law allows marketing there.",
    Reason.EXPIRED: "Send again with a later expire_at.",
    Reason.QUIET_HOURS: "Nothing: it goes by itself when the hours allow it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about: a message to one person. `expire_at` is when it must have gone; `window` its own hours."""

    to: str
    category: Category
    state: str | None = None
    timezone: str | None = None
    window: Window | None = None
    expire_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the person.

    `opted_out` names the scope; `unreachable_until` is until when marketing rests because the carrier did not know the
    number; `sent` has when which marketing message went out.
    """

    opted_out: str | None = None
    is_deactivated: bool = False
    is_landline: bool = False
    unreachable_until: datetime | None = None
    sent: Mapping[str, datetime] = field(default_factory=dict)


NOTHING_KNOWN = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the account allows. `hours` None: no quiet hours; `countries` None: every country.

    `caps` hold for every marketing message, beside those of the states. `is_registered` False: the pool's US numbers
    have no approved campaign.
    """

    hours: Watch | None
    countries: frozenset[str] | None = None
    caps: tuple[Cap, ...] = ()
    is_registered: bool = True

    @property
    def rules(self) -> Rules | None:
        return self.hours.rules if self.hours else None


@dataclass(frozen=True, slots=True)
class Send:
    """It may go; in marketing not after `until`, when the window closes where the person may be."""

    until: datetime | None = None
    rules_version: str | None = None


@dataclass(frozen=True, slots=True)
class Defer:
    """Not before `until`."""

    until: datetime
    reason: Reason
    rule: str
    rules_version: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Never; the first reason is the one that counts."""

    reasons: tuple[Reason, ...]
    rule: str | None = None
    rules_version: str | None = None

    @property
    def reason(self) -> Reason:
        return self.reasons[0]


Decision = Send | Defer | Skip


def decide(asked: Asked, facts: Facts, policy: Policy, now: datetime) -> Decision:
    """Decide about one message at one moment."""
    against = list(_never(asked, facts, policy))
    if asked.expire_at is not None and asked.expire_at <= now:
        against.append(Reason.EXPIRED)
    if asked.category == "transactional":
        return Skip(tuple(against)) if against else Send()
    if facts.unreachable_until is not None and now < facts.unreachable_until:
        against.append(Reason.UNREACHABLE)
    try:
        places = whereabouts(asked.to, state=asked.state, timezone=asked.timezone)
    except PlaceError:
        return Skip((*against, Reason.UNKNOWN_PLACE))
    capped = _capped(facts, caps_for(places, policy, now), now)
    if capped:
        against.append(Reason.FREQUENCY_CAP)
    if against:
        return Skip(tuple(against), capped.rule if capped else None, _version(policy))
    return at_what_hour(places, policy, now, window=asked.window, expire_at=asked.expire_at)


def caps_for(places: tuple[Whereabouts, ...], policy: Policy, now: datetime) -> tuple[Cap, ...]:
    """Return every cap that holds for marketing to a person who may be at these places."""
    return policy.caps + (caps_at(places, policy.rules, now) if policy.rules else ())


def caps_of(asked: Asked, policy: Policy, now: datetime) -> tuple[Cap, ...]:
    """Return the caps that count for a message; none for one that caps do not count."""
    if asked.category == "transactional":
        return ()
    try:
        places = whereabouts(asked.to, state=asked.state, timezone=asked.timezone)
    except PlaceError:
        return ()
    return caps_for(places, policy, now)


def validity_seconds(decision: Send, now: datetime, *, wanted: int | None) -> int | None:
    """How long a message may stay in Twilio's queue: as wanted, but not beyond the window; None for Twilio's own."""
    if decision.until is None:
        return wanted
    left = int(min(decision.until - now, _LONGEST_VALIDITY).total_seconds())
    return min(left, wanted) if wanted is not None else left


def explanation(decision: Decision) -> dict[str, Any]:
    """Say a decision in plain words, as it is kept with the message and shown."""
    match decision:
        case Send(until, version):
            said: dict[str, Any] = {"decision": "send", "until": until, "rules": version}
        case Defer(until, reason, rule, version):
            said = {
                "decision": "defer",
                "reasons": [str(reason)],
                "until": until,
                "rule": rule,
                "rules": version,
            }
        case Skip(reasons, rule, version):
            said = {
                "decision": "skip",
                "reasons": [str(reason) for reason in reasons],
                "rule": rule,
                "rules": version,
            }
    written = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in said.items()
    }
    return {name: value for name, value in written.items() if value is not None}


def _never(asked: Asked, facts: Facts, policy: Policy) -> list[Reason]:
    reasons: list[Reason] = []
    if facts.opted_out is not None:
        reasons.append(Reason.OPTED_OUT)
    if facts.is_deactivated:
        reasons.append(Reason.DEACTIVATED)
    if facts.is_landline:
        reasons.append(Reason.LANDLINE)
    if policy.countries is not None and country_of(asked.to) not in policy.countries:
        reasons.append(Reason.COUNTRY_NOT_ALLOWED)
    if not policy.is_registered and country_of(asked.to) == "US":
        reasons.append(Reason.NOT_REGISTERED)
    return reasons


def _capped(facts: Facts, caps: tuple[Cap, ...], now: datetime) -> Cap | None:
    """Return a cap that is used up. Both ends count: what went out exactly its time ago no longer does."""
    for cap in caps:
        recent = sum(now - cap.within < at for at in facts.sent.values())
        if recent >= cap.count:
            return cap
    return None


def at_what_hour(
    places: tuple[Whereabouts, ...],
    policy: Policy,
    now: datetime,
    *,
    window: Window | None,
    expire_at: datetime | None,
) -> Decision:
    """Decide by the hours alone: about marketing to anybody who may be at these places."""
    if policy.hours is None:
        return Send()
    rules = policy.hours.rules
    hours = policy.hours.at(now, places, window)
    if isinstance(hours, Open) and hours.until - now < _LEAST_VALIDITY:
        # it closes at once: ask as if it had
        hours = hours_at(hours.until, places, rules, window=window)
    if isinstance(hours, Open):
        return Send(hours.until, rules.version)
    if hours.until is None:
        return Skip((Reason.NEVER_OPEN,), hours.rule, rules.version)
    if expire_at is not None and expire_at <= hours.until:
        return Skip((Reason.EXPIRED, Reason.QUIET_HOURS), hours.rule, rules.version)
    return Defer(hours.until, Reason.QUIET_HOURS, hours.rule, rules.version)


def _version(policy: Policy) -> str | None:
    return policy.rules.version if policy.rules else None


def at_hand_over(facts: Facts, message_id: str) -> Facts:
    """The same facts without the message itself: one that is offered again does not count twice."""
    if message_id not in facts.sent:
        return facts
    return replace(facts, sent={name: at for name, at in facts.sent.items() if name != message_id})
