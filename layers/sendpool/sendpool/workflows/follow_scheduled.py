"""Ask Twilio what became of scheduled messages whose hour is over, when no callback told.

They go days after they were made, and Twilio's list is gone through by the day on which messages were made
(workflows/reconcile.py). So they stand in the index of what is open until their last status is known, or two days have
passed. What Twilio says is put on the callbacks queue as a callback of the source `list`. Dying after that asks again,
which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sendpool.adapters.ledger.due import Due
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.queues import Queues
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import TERMINAL, Delivery, MessageRecord, Status, says_more
from sendpool.workflows.reconcile import as_callback
from sendpool.workflows.record import read_callback

# a callback that comes at all has come by then
_PATIENCE = timedelta(hours=1)
_AGAIN = timedelta(hours=6)
_GIVEN_UP = timedelta(days=2)
_MESSAGES_A_SWEEP = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What following needs; `may_go_on` says whether there is time to ask about another message."""

    due: Due
    messages: Messages
    gateway: TwilioGateway
    queues: Queues
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(slots=True)
class Followed:
    """How many messages Twilio was asked about, and of how many it told something new."""

    asked: int = 0
    told: int = 0
    is_stopped: bool = False


def follow_scheduled(needs: Following) -> Followed:
    """Look at scheduled messages whose hour is over, oldest first; until time is over, or Twilio does not answer."""
    done = Followed()
    due = needs.due.ids("scheduled", now=needs.now() - _PATIENCE)
    for message_id in islice(due, _MESSAGES_A_SWEEP):
        if not needs.may_go_on():
            break
        record, delivery = needs.messages.find(message_id)
        # the index lags: it may be canceled by now
        if record is None or record.result.status is not Status.SCHEDULED:
            continue
        try:
            _follow(record, delivery, done, needs)
        except (TwilioBusyError, TwilioUnavailableError):
            done.is_stopped = True
            break
    return done


def _follow(
    record: MessageRecord, delivery: Delivery | None, done: Followed, needs: Following
) -> None:
    sid = (delivery.sid if delivery else None) or record.result.sid
    if sid is None or (delivery and delivery.status in TERMINAL):
        needs.messages.look_again(record, None)
        return
    done.asked += 1
    found = needs.gateway.fetch(sid)
    if found:
        body = as_callback(found, record.id)
        if says_more(read_callback(body), delivery):
            needs.queues.callbacks([body])
            done.told += 1
    is_over = found is None or found.status in TERMINAL or _is_given_up(record, needs.now())
    needs.messages.look_again(record, None if is_over else needs.now() + _AGAIN - _PATIENCE)


def _is_given_up(record: MessageRecord, now: datetime) -> bool:
    send_at = record.message.send_at if record.message else None
    return send_at is None or now - send_at > _GIVEN_UP
