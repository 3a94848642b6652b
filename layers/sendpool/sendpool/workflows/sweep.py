"""Once a minute: go on with what nobody goes on with.

Single messages whose outcome is unknown, or whose claim was abandoned, are taken up as a repeat of their request
would (workflows/send.py); broadcasts whose start is due, or whose ticks or parked chunks got lost, are woken
(workflows/control.py). Messages of chunks are not here: they come back with their chunk.

Two sweeps at once, or one that dies anywhere, do no harm: a message is worked on under its claim, which also puts
off the next look at it, and waking a broadcast again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import batched

from sendpool.adapters.ledger.due import Due
from sendpool.domain.errors import InProgressError, TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import UNDECIDED, MessageRecord, RefusedForNow
from sendpool.domain.pace import signal_of
from sendpool.workflows.control import Controlling, wake
from sendpool.workflows.send import Sending, take_up

_MESSAGES_A_ROUND = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """What sweeping needs; `may_go_on` says whether there is time for another message or broadcast."""

    due: Due
    sending: Sending
    controlling: Controlling
    may_go_on: Callable[[], bool]


@dataclass(slots=True)
class Swept:
    """What a sweep did: broadcasts woken, messages decided, and messages left open."""

    woken: int = 0
    decided: int = 0
    left: int = 0
    is_stopped: bool = False


def sweep(needs: Sweeping) -> Swept:
    """Look at all that is due, oldest first, until time is over; messages only until Twilio answers 429."""
    swept = Swept()
    try:
        _wake_broadcasts(swept, needs)
    finally:  # a broadcast that cannot be woken keeps no message waiting
        _take_up_messages(swept, needs)
    return swept


def _wake_broadcasts(swept: Swept, needs: Sweeping) -> None:
    for broadcast_id in needs.due.ids("start", "tick", now=needs.sending.now()):
        if not needs.may_go_on():
            return
        wake(broadcast_id, needs.controlling)
        swept.woken += 1


def _take_up_messages(swept: Swept, needs: Sweeping) -> None:
    due = needs.due.ids(*UNDECIDED, now=needs.sending.now())
    for some in batched(due, _MESSAGES_A_ROUND, strict=False):
        for _, result in needs.sending.pool.work(
            some,
            lambda message_id: _take_up(message_id, swept, needs.sending),
            signal=signal_of,
            go_on=lambda: not swept.is_stopped and needs.may_go_on(),
        ):
            _count(result, swept)
        if swept.is_stopped or not needs.may_go_on():
            return


def _take_up(
    message_id: str, swept: Swept, sending: Sending
) -> MessageRecord | RefusedForNow | None:
    """Go on with one message. None: another works on it, or Twilio cannot be asked; it will be due again."""
    try:
        return take_up(message_id, sending)
    except TwilioBusyError as busy:
        swept.is_stopped = True
        return RefusedForNow(busy.twilio_code, busy.retry_after or 0)
    except (InProgressError, TwilioUnavailableError):
        return None


def _count(result: MessageRecord | RefusedForNow | None, swept: Swept) -> None:
    is_decided = isinstance(result, MessageRecord) and result.result.status not in UNDECIDED
    swept.decided += is_decided
    swept.left += not is_decided
