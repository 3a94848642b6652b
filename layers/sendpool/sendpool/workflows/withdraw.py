"""What must not go out any more is withdrawn: messages that wait for somebody who has said stop.

Those that are scheduled at Twilio are canceled there first, then here, on the condition that they are as they were
read; those that are deferred wait here only. Whoever opted in again meanwhile keeps them. A message that Twilio has
sent already stays as it is. Dying anywhere, or doing all of it again, comes to the same: canceling at Twilio what is
canceled says so, and what is canceled here waits no more.

A message that is being scheduled while its recipient opts out is seen by one of two: the sender, which asks the
opt-outs before it writes the result (`before_settling`), or the second pass, which comes when no call that began
before the opt-out can still be unwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sendpool.adapters.ledger.messages import Messages, is_waiting
from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.queues import Queues
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import MessageRecord
from sendpool.domain.opt_out import ALL
from sendpool.domain.withdrawal import PASSES, SECONDS_BETWEEN_PASSES, Withdrawal

REASON = "opted_out"
_RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawing:
    """What withdrawing needs; `may_go_on` says whether there is time for another message."""

    messages: Messages
    opt_outs: OptOuts
    gateway: TwilioGateway
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(slots=True)
class Withdrawn:
    """What a pass did: messages canceled, and those for which it was too late.

    `again` is what is left to do, in `pause` seconds; `is_delayed`: because Twilio could not be asked, or for time.
    """

    canceled: int = 0
    too_late: int = 0
    again: Withdrawal | None = None
    pause: int = 0
    is_delayed: bool = False


def withdraw(withdrawal: Withdrawal, needs: Withdrawing) -> Withdrawn:
    """Do one pass, and say what is left to do."""
    done = Withdrawn()
    if withdrawal.scope not in {ALL, needs.gateway.service_sid}:
        return done  # nothing of ours goes out through that service
    opted_out = needs.opt_outs.among(withdrawal.people, withdrawal.scope)
    people = [person for person in withdrawal.people if person in opted_out]
    for at, person in enumerate(people):
        try:
            is_through = _withdraw_from(person, done, needs)
        except (TwilioBusyError, TwilioUnavailableError) as error:
            done.pause = error.retry_after or _RETRY_SECONDS
            is_through = False
        if not is_through:
            done.is_delayed = True
            rest = (*people[at:], *_seen_again(people[:at], withdrawal))
            done.again = replace(withdrawal, people=rest, rounds=withdrawal.rounds + 1)
            return done
    if withdrawal.passes + 1 < PASSES and people:
        done.pause = SECONDS_BETWEEN_PASSES
        done.again = replace(
            withdrawal, people=tuple(people), passes=withdrawal.passes + 1, rounds=0
        )
    return done


def _seen_again(people: list[str], withdrawal: Withdrawal) -> list[str]:
    """Those who are through with this pass, but not with the last one."""
    return people if withdrawal.passes + 1 < PASSES else []


def _withdraw_from(person: str, done: Withdrawn, needs: Withdrawing) -> bool:
    """Withdraw what waits for one person; False when there was not enough time."""
    for record in needs.messages.waiting_for(person, now=needs.now()):
        if not needs.may_go_on():
            return False
        if record.result.sid and needs.gateway.cancel(record.result.sid) != "canceled":
            done.too_late += 1
            continue
        done.canceled += needs.messages.withdraw(record, reason=REASON, now=needs.now())
    return True


def before_settling(
    record: MessageRecord, *, opt_outs: OptOuts, queues: Queues, scope: str, now: datetime
) -> None:
    """Ask the opt-outs once more before a message that waits for its hour is written down; withdraw it if need be.

    The withdrawal is queued first, so that dying leaves the message in doubt, and whoever resolves that asks again.
    """
    if is_waiting(record, now) and opt_outs.among([record.to], scope):
        last = Withdrawal(people=(record.to,), scope=scope, passes=PASSES - 1)
        queues.withdraw([last], delay=SECONDS_BETWEEN_PASSES)
