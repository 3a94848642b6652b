"""Go through Twilio's list of messages for what no callback told: prices, and last statuses that got lost.

A round goes down the list page by page (domain/reconciliation.py), some pages a sweep. Twilio's list does not show
the callback URL with our id in it, so it is found by the SID. What the ledger does not have yet is put on the
callbacks queue as a callback of the source `list`, and the recorder folds it in like any other.

Going through it for the second time also makes the books (domain/books.py): every message that the account sent is
held against the ledger, as that is before it learns from the list. So a page is counted first, in one transaction with
its mark in the place, and then told of.

The place in the list moves after a page is queued, and only if nobody else moved it. So a sweep that dies goes on
with the same page, and of two at once one stops: what is queued twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.reconciliation import Place, Reconciliation
from sendpool.adapters.queues import Queues
from sendpool.adapters.twilio.gateway import PageGoneError, RemoteMessage, TwilioGateway
from sendpool.domain.books import Account, Cause, Entry, Known, Shown, booked, compared, stranger
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import TERMINAL, says_more
from sendpool.domain.pace import Signal
from sendpool.domain.reconciliation import first_round
from sendpool.workflows.pool import Pool
from sendpool.workflows.record import read_callback

_PAGES_A_SWEEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """What reconciling needs; `may_go_on` says whether there is time for another page of a thousand messages."""

    places: Reconciliation
    messages: Messages
    queues: Queues
    gateway: TwilioGateway
    pool: Pool
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(slots=True)
class Reconciled:
    """What a sweep did.

    `seen` are messages with a last status or a price, `told` those of which the ledger lacked something, `strangers`
    those that are none of ours. `is_stopped` says that Twilio could not be asked.
    """

    pages: int = 0
    seen: int = 0
    told: int = 0
    strangers: int = 0
    rounds: int = 0
    is_stopped: bool = False


def reconcile(needs: Reconciling) -> Reconciled:
    """Go on in Twilio's list, if it is time to; until time is over, or Twilio does not answer."""
    done = Reconciled()
    place = needs.places.place() or needs.places.move(None, first_round(needs.now()))
    while place and _is_time(place, done, needs):
        try:
            place = _go_on(place, done, needs)
        except (TwilioBusyError, TwilioUnavailableError):
            done.is_stopped = True
            break
    return done


def _is_time(place: Place, done: Reconciled, needs: Reconciling) -> bool:
    return (
        done.pages < _PAGES_A_SWEEP and place.round.begins_at <= needs.now() and needs.may_go_on()
    )


def _go_on(place: Place, done: Reconciled, needs: Reconciling) -> Place | None:
    """Count what a page of the list shows, queue what it tells, and move to the next page, or to the next round.

    None when another sweeper has moved on meanwhile.
    """
    this = place.round
    since = min(each.since for each in this.spans)
    until = max(each.until for each in this.spans)
    done.pages += 1
    try:
        listed, page = needs.gateway.messages_since(since, until, page=this.page)
    except PageGoneError:
        return needs.places.begin_again(place)
    known = _known(
        [
            each
            for each in listed
            if needs.gateway.may_be_ours(each)
            and (_is_over(each) or this.is_booked(each.created_at))
        ],
        needs,
    )
    late = [each for each in listed if this.is_booked(each.created_at)]
    if late and not this.is_counted:
        # the ledger as it is before it learns from this page
        counted = needs.places.count(place, _books(late, known, needs))
        if counted is None:
            return None
        place = counted
    _tell([each for each in listed if each.sid in known and _is_over(each)], known, done, needs)
    if page:
        return needs.places.move(place, this.at(page))
    done.rounds += 1
    return needs.places.move(place, this.next(needs.now()))


def _is_over(listed: RemoteMessage) -> bool:
    return listed.status in TERMINAL or listed.price is not None


def _known(listed: Iterable[RemoteMessage], needs: Reconciling) -> dict[str, Known | None]:
    """Return what the ledger has of each SID; None for one that none of ours has."""
    sids = [each.sid for each in listed]
    holders = dict(
        needs.pool.work(
            sids, needs.messages.holders, signal=lambda _: Signal.SILENT, go_on=lambda: True
        )
    )
    return needs.messages.known(holders)


# ------------------------------------------------------------------------------------------------ books


def _books(
    listed: Iterable[RemoteMessage], known: Mapping[str, Known | None], needs: Reconciling
) -> dict[date, Account]:
    """Hold what the list shows against the ledger, by the day on which Twilio made it."""
    by_day: dict[date, list[Entry]] = {}
    for each in listed:
        by_day.setdefault(each.created_at.date(), []).append(_held_against(each, known, needs))
    return {day: booked(entries) for day, entries in by_day.items()}


def _held_against(
    listed: RemoteMessage, known: Mapping[str, Known | None], needs: Reconciling
) -> Entry:
    said = read_callback(as_callback(listed, ""))
    shown = Shown(listed.status, said.price, said.currency)
    if not needs.gateway.may_be_ours(listed):
        cause = Cause.NOT_OURS_REPLY if listed.is_reply else Cause.NOT_OURS_SERVICE
        return stranger(shown, listed.sid, cause)
    ours = known[listed.sid]
    if ours is None or ours.is_disproven:
        return stranger(shown, listed.sid, Cause.NOT_OURS)
    return compared(shown, ours, listed.created_at.date())


# ------------------------------------------------------------------------------------------------ news


def _tell(
    over: list[RemoteMessage],
    known: Mapping[str, Known | None],
    done: Reconciled,
    needs: Reconciling,
) -> None:
    """Put on the callbacks queue what the ledger does not have."""
    ours = [(each, held) for each in over if (held := known[each.sid]) and held.holders == 1]
    news = list(_news(ours))
    needs.queues.callbacks(news)
    done.seen += len(over)
    done.strangers += len(over) - len(ours)
    done.told += len(news)


def _news(ours: Iterable[tuple[RemoteMessage, Known]]) -> Iterator[dict[str, Any]]:
    """Leave out what is known, and a SID that callbacks have proven not to be its message's."""
    for listed, known in ours:
        callback = as_callback(listed, known.message_id)
        if not known.is_disproven and says_more(read_callback(callback), known.delivery):
            yield callback


def as_callback(listed: RemoteMessage, message_id: str) -> dict[str, Any]:
    """Put what Twilio shows of a message in the form in which the status webhook queues callbacks."""
    fields = {
        "MessageSid": listed.sid,
        "MessageStatus": listed.status,
        "ErrorCode": str(listed.error_code) if listed.error_code else None,
        "To": listed.to,
        "MessagingServiceSid": listed.service_sid,
        "Price": listed.price,
        "PriceUnit": listed.price_unit,
        "NumSegments": listed.num_segments,
    }
    return {
        "version": 1,
        "received_at": (listed.updated_at or listed.created_at).isoformat(),
        "message_id": message_id,
        "source": "list",
        "fields": {name: value for name, value in fields.items() if value is not None},
    }
