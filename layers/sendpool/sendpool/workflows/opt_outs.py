"""Opt-outs by our API: look one up, opt people out and in again, import lists, decide about what people wrote.

A person who opts out of band, on a web page or by telephone, says it to the company and not to a Messaging Service:
the opt-out holds for all services unless the caller says otherwise, and outlives the service that is used today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast, get_args

from sendpool.adapters.ledger.people import InboundMessages, Review, Reviewed
from sendpool.domain.errors import ConflictError, InvalidRequestError, NotFoundError, Violation
from sendpool.domain.opt_out import ALL, Change, Standing, blocking_scope
from sendpool.domain.phone import InvalidPhoneError, to_e164
from sendpool.domain.reach import UNTOLD, Reach
from sendpool.workflows.opting_out import ConsentSource, OptingOut, Said, record, record_all

ScopeName = Literal["all", "service"]
LARGEST_IMPORT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What keeping opt-outs needs. `service` is the SID of the Messaging Service that everything goes out through."""

    opting_out: OptingOut
    inbound: InboundMessages
    service: str
    default_region: str
    now: Callable[[], datetime]

    def scope(self, name: ScopeName) -> str:
        return self.service if name == "service" else ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Where somebody stands: by scope, and whether anything may be sent to them at all."""

    to: str
    blocked_by: str | None
    standings: tuple[Standing, ...]
    reach: Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What proves that somebody agreed: how they did, when, and evidence such as URL, IP and text version."""

    source: ConsentSource
    at: datetime
    evidence: Mapping[str, str] = field(default_factory=dict)


def number_of(raw: str, needs: Keeping) -> str:
    """Read a phone number from a path, as E.164. Raises InvalidRequestError."""
    try:
        return to_e164(raw, default_region=needs.default_region)
    except InvalidPhoneError as error:
        raise InvalidRequestError(Violation("phone", error.code, str(error))) from error


def person(to: str, needs: Keeping) -> Person:
    """Look up where somebody stands; of one who never said anything there is nothing to tell."""
    standings = tuple(needs.opting_out.opt_outs.of(to))
    by_scope = {each.scope: each for each in standings}
    return Person(
        to=to,
        blocked_by=blocking_scope(by_scope.get(needs.service), by_scope.get(ALL)),
        standings=standings,
        reach=needs.opting_out.reachability.among([to]).get(to, UNTOLD),
    )


def opt_out(to: str, scope: ScopeName, change: Change, needs: Keeping) -> Person:
    """Opt somebody out; doing it again changes nothing, and an opt-in that is later still counts."""
    _refuse_the_future("at", change.at, needs)
    record_all([_said(to, needs.scope(scope), change)], needs.opting_out)
    return person(to, needs)


def opt_in(to: str, scope: ScopeName | None, consent: Consent, needs: Keeping) -> Person:
    """Opt somebody in again, within a scope, or in every one in which they are opted out.

    Raises ConflictError when they opted out after they gave this consent.
    """
    _refuse_the_future("consent.at", consent.at, needs)
    change = Change(
        opted_out=False, at=consent.at, source=consent.source, evidence=consent.evidence
    )
    scopes = [needs.scope(scope)] if scope else _closed_scopes(to, needs)
    standings = record_all([_said(to, each, change) for each in scopes], needs.opting_out)
    if any(standing.opted_out for standing in standings):
        raise ConflictError(
            "This person opted out after that consent.",
            code="consent_older_than_opt_out",
            remedy="Send a consent that was given after the opt-out; an older one does not lift it.",
        )
    return person(to, needs)


def _closed_scopes(to: str, needs: Keeping) -> list[str]:
    """The scopes in which somebody is opted out; the service if there are none, to keep the consent."""
    closed = [each.scope for each in needs.opting_out.opt_outs.of(to) if each.opted_out]
    return closed or [needs.service]


def _said(to: str, scope: str, change: Change) -> Said:
    known = get_args(ConsentSource)
    word = change.source if change.source in known else "others"
    return Said(person=to, scope=scope, change=change, tell_twilio=cast("ConsentSource", word))


def _refuse_the_future(name: str, at: datetime, needs: Keeping) -> None:
    if at > needs.now():
        raise InvalidRequestError(Violation(name, "in_the_future", "must not be in the future"))


# ------------------------------------------------------------------------------------------------ many at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One line of an import, as it was given."""

    to: str
    scope: ScopeName
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out: its number from 1, and why."""

    row: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: how many people are opted out by it, and the rows that were left out."""

    accepted: int
    rejected: tuple[RejectedRow, ...]


def import_rows(
    rows: Iterable[ImportRow], needs: Keeping, *, source: str, evidence: Mapping[str, str]
) -> Imported:
    """Opt many people out; the same import again changes nothing but what was left undone."""
    said: list[Said] = []
    rejected: list[RejectedRow] = []
    now = needs.now()
    for number, row in enumerate(rows, start=1):
        try:
            to = to_e164(row.to, default_region=needs.default_region)
        except InvalidPhoneError as error:
            rejected.append(RejectedRow(number, error.code, str(error)))
            continue
        if row.at > now:
            rejected.append(RejectedRow(number, "in_the_future", "must not be in the future"))
            continue
        change = Change(opted_out=True, at=row.at, source=source, evidence=evidence)
        said.append(_said(to, needs.scope(row.scope), change))
    record_all(said, needs.opting_out)
    return Imported(len(said), tuple(rejected))


# ------------------------------------------------------------------------------------------------ review


def decide(sid: str, decision: Review, needs: Keeping) -> Reviewed:
    """Decide about a text that reads like an opt-out; it counts from when it came.

    Raises NotFoundError; ConflictError when somebody decided otherwise before.
    """
    asked = needs.inbound.reviewed(sid)
    if asked is None:
        raise NotFoundError("There is no such text to decide about.")
    if asked.decision not in {None, decision}:
        raise ConflictError(
            "Somebody decided otherwise about this text.",
            code="decided_otherwise",
            remedy="Opt the person out or in again under /opt-outs/{phone}.",
        )
    if decision == "opt_out":
        record(
            asked.person,
            asked.scope,
            needs.opting_out,
            opted_out=True,
            source="review",
            at=asked.received_at,
            evidence={"inbound_sid": sid},
            tell_twilio="opt-out-message",
        )
    needs.inbound.decide(sid, decision)
    return Reviewed(sid, asked.person, asked.scope, asked.body, asked.received_at, decision)
