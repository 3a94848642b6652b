"""A toll-free verification as Twilio has it: how far the review is, who has to act, and until when it may be edited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sendpool.domain.toll_free.rejections import Advice, advice
from sendpool.domain.toll_free.submission import Submission

_LOOK_AGAIN: Final = timedelta(hours=1)
_LOOK_AGAIN_WHEN_NOTHING_IS_OPEN: Final = timedelta(days=1)


class Status(StrEnum):
    """How far the review is, as Twilio names it. One that is not here counts as under review."""

    PENDING = "PENDING_REVIEW"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "TWILIO_APPROVED"
    REJECTED = "TWILIO_REJECTED"


class Actor(StrEnum):
    """Who has to do something."""

    TWILIO = "twilio"
    YOU = "you"
    NOBODY = "nobody"


class Step(StrEnum):
    """What comes next, by a stable name."""

    WAIT = "wait"
    FIX = "fix"
    SUBMIT_AGAIN = "submit_again"
    GIVE_UP = "give_up"
    NONE = "none"

    @property
    def actor(self) -> Actor:
        return _ACTORS.get(self, Actor.YOU)

    @property
    def words(self) -> str:
        return _WORDS[self]


_ACTORS: Final = {Step.WAIT: Actor.TWILIO, Step.NONE: Actor.NOBODY}
_WORDS: Final = {
    Step.WAIT: "Twilio reviews it, mostly within five working days; it is looked after every hour.",
    Step.FIX: "Change what the rejections name with PATCH /compliance/toll-free/{sid}, which submits it again.",
    Step.SUBMIT_AGAIN: "The time for edits is over: POST /compliance/toll-free with everything put right.",
    Step.GIVE_UP: "No edit helps against this reason: POST /compliance/toll-free for another use, or ask Twilio.",
    Step.NONE: "The number may text the US and Canada.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why it was rejected: Twilio's code, and the reviewer's words if there are any."""

    code: int | None
    reason: str

    @property
    def advice(self) -> Advice:
        return advice(self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a verification stands, as far as anybody is told of it."""

    sid: str
    number_sid: str
    number: str | None
    status: str
    rejections: tuple[Rejection, ...]
    edit_until: datetime | None
    updated_at: datetime

    def is_as(self, other: Standing | None) -> bool:
        """Tell whether nothing happened between the two: the time at which Twilio touched it says nothing."""
        return other is not None and replace(other, updated_at=self.updated_at) == self

    @property
    def is_open(self) -> bool:
        """Tell whether somebody at Twilio is to decide."""
        return self.status not in {Status.APPROVED, Status.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A verification, whole. `edit_allowed` is Twilio's word on whether the reasons can be mended."""

    standing: Standing
    submission: Submission
    edit_allowed: bool
    created_at: datetime | None

    @property
    def sid(self) -> str:
        return self.standing.sid

    def may_be_edited(self, now: datetime) -> bool:
        """Tell whether an edit would be taken: it was rejected, can be mended, and there is time."""
        until = self.standing.edit_until
        is_rejected = self.standing.status == Status.REJECTED
        return is_rejected and self.edit_allowed and (until is None or now < until)

    def is_alive(self, now: datetime) -> bool:
        """Tell whether it keeps its number from being submitted anew."""
        return self.standing.status != Status.REJECTED or self.may_be_edited(now)

    def step(self, now: datetime) -> Step:
        """Return what comes next."""
        if self.standing.is_open:
            return Step.WAIT
        if self.standing.status == Status.APPROVED:
            return Step.NONE
        if self.may_be_edited(now):
            return Step.FIX
        until = self.standing.edit_until
        return Step.SUBMIT_AGAIN if until and until <= now else Step.GIVE_UP


def current(verifications: Iterable[Verification], now: datetime) -> Verification | None:
    """Return the one of a number's that counts: approved, under review or to be edited; None if all are over."""
    order = (Step.NONE, Step.WAIT, Step.FIX)
    alive = [each for each in verifications if each.is_alive(now)]
    return min(alive, key=lambda each: order.index(each.step(now)), default=None)


@dataclass(frozen=True, slots=True)
class Looked:
    """When somebody looked how all verifications stand, and whether any was open."""

    at: datetime
    is_any_open: bool

    def is_due(self, now: datetime) -> bool:
        """Tell whether somebody should look again. What others submit in the Console is seen within a day."""
        age = _LOOK_AGAIN if self.is_any_open else _LOOK_AGAIN_WHEN_NOTHING_IS_OPEN
        return now - self.at >= age
