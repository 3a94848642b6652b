"""When Twilio's list of messages is gone through, and which part of it.

Every message is looked at twice: an hour or two after it went, for a last status whose callback was lost and most
prices, and again 25 to 32 hours after, for prices that Twilio knew late (domain/prices.py: up to a day).

The list can only be gone through from its newest message on. A round goes down it once, for all that has become an
hour old since the last round, and every six hours on to what has become 25 hours old: to walk over the messages in
between costs a request a thousand of them, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

_EVERY: Final = timedelta(hours=1)
_SOON: Final = timedelta(hours=1)
_LATE: Final = timedelta(hours=25)
_LATE_EVERY: Final = timedelta(hours=6)
# what the first round ever looks back
_AT_FIRST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time, from `since` on and before `until`; it may be empty."""

    since: datetime
    until: datetime

    @property
    def is_empty(self) -> bool:
        return self.since >= self.until

    @property
    def days(self) -> list[date]:
        """Every UTC day that it touches."""
        first, last = self.since.astimezone(UTC).date(), self.until.astimezone(UTC).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Going once down the list, `begins_at` at the earliest, for what went in two times.

    `soon` is looked at for the first time, `late` for the second. `page` is where in the list it goes on, by Twilio's
    word for that; None stands for the beginning. `is_counted` says that this page is in the books already
    (domain/books.py), and only what the ledger lacks has still to be told.
    """

    begins_at: datetime
    soon: Span
    late: Span
    page: str | None = None
    is_counted: bool = False

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(each for each in (self.soon, self.late) if not each.is_empty)

    def at(self, page: str | None) -> Round:
        """Return the round at another place in the list."""
        return replace(self, page=page, is_counted=False)

    def counted(self) -> Round:
        """Return the round with this page in the books."""
        return replace(self, is_counted=True)

    def is_booked(self, made_at: datetime) -> bool:
        """Tell whether the books count a message in this round: each is in one, however late it went."""
        return self.late.since <= made_at < self.late.until

    @property
    def through_until(self) -> datetime:
        """Up to when the list has been gone through for the second time."""
        return self.late.since

    def next(self, now: datetime) -> Round:
        """Return the round after this one, which is over now."""
        begins_at = max(now, self.begins_at + _EVERY)
        late_until = begins_at - _LATE
        if late_until - self.late.until < _LATE_EVERY:
            late_until = self.late.until
        return Round(
            begins_at=begins_at,
            soon=Span(self.soon.until, begins_at - _SOON),
            late=Span(self.late.until, late_until),
        )


def first_round(now: datetime) -> Round:
    """Return the first round ever; its second look at anything comes with a later one."""
    looks_back_to = now - _AT_FIRST
    return Round(
        begins_at=now + _EVERY,
        soon=Span(looks_back_to, now),
        late=Span(looks_back_to, looks_back_to),
    )
