"""What is told of toll-free numbers: how their review goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.toll_free.verification import Rejection, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class TollFreeRejection:
    """Why a toll-free number was rejected: Twilio's code and words, and what to do. `fields` are those to change."""

    reason: str
    problem: str
    remedy: str
    fields: list[str]
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TollFreeData:
    """The review of a toll-free number went on. `status` is Twilio's, `previous` the one that was seen before.

    A rejected one may be edited until `edit_until`, and not at all without it.
    """

    verification_sid: str
    number_sid: str
    status: str
    rejections: list[TollFreeRejection]
    number: str | None = None
    previous: str | None = None
    edit_until: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The review of a toll-free number went on."""

    before: Standing | None
    after: Standing


def of_review(change: Reviewing) -> Iterator[Event]:
    after = change.after
    if after.is_as(change.before):
        return
    until = after.edit_until.isoformat() if after.edit_until else None
    data = TollFreeData(
        verification_sid=after.sid,
        number_sid=after.number_sid,
        number=after.number,
        status=after.status,
        previous=change.before.status if change.before else None,
        rejections=[_rejection(each) for each in after.rejections],
        edit_until=until,
    )
    of = (after.sid, after.status, after.updated_at.isoformat(), until)
    yield make_event(EventType.TOLL_FREE_CHANGED, after.updated_at, data, *of)


def _rejection(rejection: Rejection) -> TollFreeRejection:
    advice = rejection.advice
    return TollFreeRejection(
        code=rejection.code,
        reason=rejection.reason,
        problem=advice.problem,
        remedy=advice.fix,
        fields=list(advice.fields),
    )
