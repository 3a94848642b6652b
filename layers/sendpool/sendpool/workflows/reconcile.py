"""Go through Twilio's list of messages for what no callback told: prices, and last statuses that got lost.

A round goes down the list page by page (domain/reconciliation.py), some pages a sweep. Twilio's list does not show
the callback URL with our id in it, so it is found by the SID. What the ledger does not have yet is put on the
callbacks queue as a callback of the source `list`, and the recorder folds it in like any other.

The place in the list moves after a page is queued, and only if nobody else moved it. So a sweep that dies goes on
with the same page, and of two at once one stops: what is queued twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.messages import Deliveries, Messages
from sendpool.adapters.ledger.reconciliation import Place, Reconciliation
from sendpool.adapters.queues import Queues
from sendpool.adapters.twilio.gateway import PageGoneError, RemoteMessage, TwilioGateway
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import TERMINAL, says_more
from sendpool.domain.pace import Signal
from sendpool.domain.reconciliation import Round, first_round
from sendpool.workflows.pool import Pool
from sendpool.workflows.record import read_callback

_PAGES_A_SWEEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """What reconciling needs; `may_go_on` says whether there is time for another page of a thousand messages."""

    places: Reconciliation
    messages: Messages
    deliveries: Deliveries
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
            after = _after_page(place.round, done, needs)
        except (TwilioBusyError, TwilioUnavailableError):
            done.is_stopped = True
            return done
        place = needs.places.move(place, after)
    return done


def _is_time(place: Place, done: Reconciled, needs: Reconciling) -> bool:
    return (
        done.pages < _PAGES_A_SWEEP and place.round.begins_at <= needs.now() and needs.may_go_on()
    )


def _after_page(this: Round, done: Reconciled, needs: Reconciling) -> Round:
    """Queue what a page of the list tells; returns the round at the next page, or the next round."""
    since = min(each.since for each in this.spans)
    until = max(each.until for each in this.spans)
    done.pages += 1
    try:
        listed, page = needs.gateway.messages_since(since, until, page=this.page)
    except PageGoneError:
        return this.at(None)
    _tell([each for each in listed if _is_looked_at(each, this)], done, needs)
    if page:
        return this.at(page)
    done.rounds += 1
    return this.next(needs.now())


def _is_looked_at(listed: RemoteMessage, this: Round) -> bool:
    is_over = listed.status in TERMINAL or listed.price is not None
    return is_over and any(listed.went(each.since, each.until) for each in this.spans)


def _tell(listed: Iterable[RemoteMessage], done: Reconciled, needs: Reconciling) -> None:
    """Put on the callbacks queue what the ledger does not have."""
    by_sid = {each.sid: each for each in listed}
    ids = dict(
        needs.pool.work(
            by_sid, needs.messages.id_of, signal=lambda _: Signal.SILENT, go_on=lambda: True
        )
    )
    callbacks = [as_callback(by_sid[sid], ours) for sid, ours in ids.items() if ours]
    news = list(_news(callbacks, needs.deliveries))
    needs.queues.callbacks(news)
    done.seen += len(by_sid)
    done.strangers += len(by_sid) - len(callbacks)
    done.told += len(news)


def _news(callbacks: list[dict[str, Any]], deliveries: Deliveries) -> Iterator[dict[str, Any]]:
    """Leave out what is known, and a SID that callbacks have proven not to be its message's."""
    known = deliveries.get(keys.delivery(each["message_id"]) for each in callbacks)
    for each in callbacks:
        callback = read_callback(each)
        delivery = known.get(keys.delivery(each["message_id"]))
        is_its = delivery is None or delivery.sid in {"", callback.sid}
        if is_its and says_more(callback, delivery):
            yield each


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
