"""Close the books of a day: once Twilio's list has been gone through past its end, hold the ledger against it.

What Twilio's list shows has been counted meanwhile (workflows/reconcile.py). What is left is the other direction:
messages that the ledger has and the list did not show. The ledger's list of the day is read, SIDs only, some pages a
sweep; less the SIDs that both sides have, it holds those, and each is looked at by itself (domain/sketch.py).

How far that list has been read moves with what was read, and the finished books are written with the step to the next
day, both only if nobody else moved. They are announced before they are written: after a death, twice rather than never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.reconciliation import Books, Closing, Reconciliation
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.books import Account, Cause, Day, Entry, booked, left_over, not_shown, unlisted
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.pace import Signal
from sendpool.domain.sketch import Sketch
from sendpool.workflows.pool import Pool

_SIDS_A_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingBooks:
    """What closing needs; `announce` is told of a day's books before they are written down for good."""

    books: Books
    places: Reconciliation
    messages: Messages
    gateway: TwilioGateway
    pool: Pool
    announce: Callable[[Day], None]
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


def close_books(needs: ClosingBooks) -> None:
    """Go on with the day that is closed next, if it is time to; until time is over, or Twilio does not answer.

    The books begin with the first whole day: of the one on which they are begun, messages may be older than they.
    """
    closing: Closing | None = needs.books.closing(first=_day_after(needs.now().date()))
    place = needs.places.place()
    while place and closing and _is_over(closing.day, place.round.through_until):
        if not needs.may_go_on():
            return
        try:
            closing = _go_on(closing, needs)
        except (TwilioBusyError, TwilioUnavailableError):
            return


def _day_after(day: date) -> date:
    return day + timedelta(days=1)


def _is_over(day: date, through_until: datetime) -> bool:
    return datetime.combine(_day_after(day), time(), UTC) <= through_until


def _go_on(closing: Closing, needs: ClosingBooks) -> Closing | None:
    """Read some more of the ledger's list, or finish; None when another sweeper has gone on meanwhile."""
    sids, cursor = needs.books.sids(closing, limit=_SIDS_A_PAGE)
    read = closing.sids + Sketch.of(sids)
    if cursor:
        return needs.books.go_on(closing, read, cursor)
    shown = needs.books.counted(closing.day)
    now = needs.now()
    day = Day(closing.day, shown + _not_shown(read - shown.both, closing.day, needs), now)
    needs.announce(day)
    return needs.books.finish(closing, day, now=now)


def _not_shown(difference: Sketch, day: date, needs: ClosingBooks) -> Account:
    """Count what the ledger has of a day and the list did not show."""
    named = difference.named()
    looked_at = needs.pool.work(
        ((sid, times) for sid, times in named.names.items() if times > 0),
        lambda each: _look_at(*each, day, needs),
        signal=lambda _: Signal.SILENT,
        go_on=lambda: True,
    )
    return left_over(named) + booked(entry for _, entries in looked_at for entry in entries)


def _look_at(sid: str, times: int, day: date, needs: ClosingBooks) -> list[Entry]:
    """Say of a SID that the ledger has so many times more often than the list why that is."""
    kept = [each for each in needs.messages.claims(sid) if each.is_kept_for(day)]
    # the list showed the one whose it is
    kept.sort(key=lambda each: each.is_disproven)
    gone = [None] * (times - len(kept))
    return [
        not_shown(sid, each, unlisted(each) or _cause_at_twilio(sid, needs))
        for each in [*kept[-times:], *gone]
    ]


def _cause_at_twilio(sid: str, needs: ClosingBooks) -> Cause:
    return Cause.NOT_LISTED if needs.gateway.fetch(sid) else Cause.DELETED
