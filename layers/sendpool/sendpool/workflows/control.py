"""Start, pause, resume and cancel a broadcast, and wake one that stands still.

Each first changes the broadcast's own item, on a condition, and then puts to work what waits: parked chunks onto the
send queue, a tick at the cursor. From that change on the item is due for the sweeper's look within a minute. Dying
in between leaves it due, and `wake` does the rest. All of it may be done twice: a chunk's lease recognises a second
copy of it, a tick that does not stand at the cursor is dropped, and of two that do, one moves the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched, takewhile

from sendpool.adapters.files import Files
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.parked import ParkedChunk, ParkedChunks
from sendpool.adapters.queues import MAX_DELAY_SECONDS, Outgoing, Queues, encode
from sendpool.domain.broadcast import (
    STANDS_STILL_AFTER,
    UNDER_WAY,
    Broadcast,
    Hold,
    Problem,
    Skip,
    State,
    Wait,
    forgive,
    has_expired,
    order_for,
    pace_of,
    releases,
)
from sendpool.domain.chunk import to_body
from sendpool.domain.errors import ConflictError, NotFoundError
from sendpool.workflows.dispatch import Tick

# in case whoever changed the hold dies before it put things to work
_LOOK_SOON = timedelta(minutes=1)
_RELEASED_A_CALL = 10
# parked chunks are released by the sweeper, once a minute: so much that the pace is kept until it comes again
_SECONDS_A_RELEASE = 60
_SECONDS_TO_NEXT_RELEASE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlling:
    """What creating and controlling broadcasts needs."""

    broadcasts: Broadcasts
    tallies: Tallies
    parked: ParkedChunks
    files: Files
    queues: Queues
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a paused broadcast goes on: what it may cost, in millionths, None for what it may already; and
    the errors that pause it no more, beside those that do not already.
    """

    budget: int | None = None
    despite_errors: frozenset[int] = frozenset()


AS_BEFORE = Terms()


def wake(broadcast_id: str, needs: Controlling) -> None:
    """Put to work whatever of a broadcast waits for no reason, however often this is called.

    One whose start has come starts, or fails if its recipients are not there. One that is under way and may go on
    gets its parked chunks back onto the send queue and a tick at its cursor. Any other is left alone.
    """
    broadcast = needs.broadcasts.get(broadcast_id)
    if broadcast is None:
        return
    if broadcast.state is State.CREATED:
        _start_if_due(broadcast, needs)
    elif broadcast.state in UNDER_WAY and (current := _put_off(broadcast, needs)):
        _go_on(current, needs)


def existing(broadcast_id: str, needs: Controlling) -> Broadcast:
    """Return a broadcast, or raise NotFoundError."""
    found = needs.broadcasts.get(broadcast_id)
    if found is None:
        raise NotFoundError("There is no broadcast with this id.")
    return found


def start(broadcast_id: str, needs: Controlling) -> Broadcast:
    """Start a broadcast now. Starting it again posts its first tick again, which changes nothing.

    Raises NotFoundError, and ConflictError when it is canceled, too late, or without recipients that can be used.
    """
    broadcast = existing(broadcast_id, needs)
    refuse_if_over(broadcast)
    if broadcast.state is State.CREATED:
        _refuse_if_too_late(broadcast, needs)
        require_recipients(broadcast, needs)
        _begin(broadcast_id, needs)
        return start(broadcast_id, needs)
    if broadcast.state is State.IMPORTING:
        needs.queues.tick(broadcast_id, Tick(broadcast_id).to_body())
    return broadcast


def pause(broadcast_id: str, needs: Controlling) -> Broadcast:
    """Pause a broadcast that is under way; the dispatcher and the senders ask at every step.

    Raises NotFoundError, and ConflictError when it is not started, or over.
    """
    broadcast = existing(broadcast_id, needs)
    refuse_if_over(broadcast)
    _refuse_if_not_started(broadcast)
    if broadcast.held is Hold.PAUSED:
        return broadcast
    _refuse_if_completed(broadcast, needs)
    needs.broadcasts.pause(broadcast, reason="requested", at=needs.now())
    return pause(broadcast_id, needs)


def resume(broadcast_id: str, needs: Controlling, terms: Terms = AS_BEFORE) -> Broadcast:
    """Let a paused broadcast go on, on new terms if some are given; one that is not paused only gets a push.

    Raises NotFoundError, and ConflictError when it is not started, or over.
    """
    broadcast = existing(broadcast_id, needs)
    refuse_if_over(broadcast)
    _refuse_if_not_started(broadcast)
    if terms.budget is not None and terms.budget != broadcast.budget:
        needs.broadcasts.set_budget(broadcast, terms.budget)
        return resume(broadcast_id, needs, terms)
    if not terms.despite_errors <= broadcast.despite_errors:
        needs.broadcasts.go_on_despite(broadcast, terms.despite_errors)
        return resume(broadcast_id, needs, terms)
    if broadcast.held:
        _lift(broadcast, needs)
        return resume(broadcast_id, needs)
    _go_on(broadcast, needs)
    return broadcast


def cancel(broadcast_id: str, needs: Controlling) -> Broadcast:
    """Cancel a broadcast for good: whatever has not gone out is skipped with the reason `canceled`.

    Raises NotFoundError, and ConflictError when it has failed, or everybody has an outcome already.
    """
    broadcast = existing(broadcast_id, needs)
    if broadcast.held is not Hold.CANCELED:
        refuse_if_over(broadcast)
        _refuse_if_completed(broadcast, needs)
        now = needs.now()
        due_at = None if broadcast.state is State.CREATED else now + _LOOK_SOON
        needs.broadcasts.cancel(broadcast, reason="requested", at=now, due_at=due_at)
        return cancel(broadcast_id, needs)
    if broadcast.state in UNDER_WAY:
        _go_on(broadcast, needs)
    return broadcast


# ------------------------------------------------------------------------------------------------ to work


def _begin(broadcast_id: str, needs: Controlling) -> None:
    now = needs.now()
    needs.broadcasts.start(broadcast_id, at=now, due_at=now + STANDS_STILL_AFTER)


def _put_off(broadcast: Broadcast, needs: Controlling) -> Broadcast | None:
    """Put off the next look: one that cannot be woken must not stand before all others at every sweep.

    None when something happened since it was read.
    """
    due_at = needs.now() + _LOOK_SOON
    is_ours = needs.broadcasts.look_again(broadcast, due_at)
    return replace(broadcast, due_at=due_at) if is_ours else None


def _start_if_due(broadcast: Broadcast, needs: Controlling) -> None:
    if broadcast.held or broadcast.start_at is None or broadcast.start_at > needs.now():
        return
    if not _put_off(broadcast, needs):
        return
    if not _has_recipients(broadcast, needs):
        problem = Problem(
            code="recipients_missing", detail="The time to start came before the recipients."
        )
        needs.broadcasts.fail(broadcast.id, problem, before=State.CREATED)
        return
    _begin(broadcast.id, needs)
    needs.queues.tick(broadcast.id, Tick(broadcast.id).to_body())


def _lift(broadcast: Broadcast, needs: Controlling) -> None:
    """Lift a pause. What has failed is forgiven, or the broadcast would pause by itself again at once."""
    now, counters = needs.now(), needs.tallies.counters(broadcast.id)
    needs.broadcasts.resume(broadcast, forgiven=forgive(counters), at=now, due_at=now + _LOOK_SOON)


def _go_on(broadcast: Broadcast, needs: Controlling) -> None:
    """Put back to work what waits, and say when somebody has to look again."""
    if isinstance(order_for(broadcast, needs.now()), Wait):
        needs.broadcasts.look_again(broadcast, broadcast.expire_at)
        return
    seconds = _release_parked(broadcast, needs)
    looks = [_next_release(broadcast, seconds, needs)]
    if broadcast.state is not State.DISPATCHED:
        is_released = releases(broadcast, order_for(broadcast, needs.now()))
        looks.append(_tick_after(seconds, broadcast, needs) if is_released else broadcast.expire_at)
    # whatever was parked since the broadcast was read keeps its earlier look
    needs.broadcasts.look_again(broadcast, min((at for at in looks if at), default=None))


def _next_release(broadcast: Broadcast, seconds: float, needs: Controlling) -> datetime | None:
    """Return when more may be released after what takes so many seconds; None when nothing waits."""
    parked = next(needs.parked.of(broadcast.id), None)
    if parked is None:
        return None
    # a chunk of a slow pool takes longer than the minute after which the sweeper comes again
    longer = max(0.0, seconds - _SECONDS_A_RELEASE)
    seconds_to_next = timedelta(seconds=_SECONDS_TO_NEXT_RELEASE + longer)
    return max(parked.until, needs.now() + seconds_to_next)


def _tick_after(seconds: float, broadcast: Broadcast, needs: Controlling) -> datetime:
    """Go on at the cursor when what was released now has gone out: both share the broadcast's pace.

    Returns when to look whether that happened.
    """
    now = needs.now()
    if seconds:
        until = max(broadcast.cursor.paced_until, now.timestamp()) + seconds
        needs.broadcasts.pace_out(broadcast, until=until)
    tick = Tick(broadcast.id, broadcast.cursor.offset)
    needs.queues.tick(broadcast.id, tick.to_body(), delay=_delay(seconds))
    return now + STANDS_STILL_AFTER + timedelta(seconds=seconds)


def _release_parked(broadcast: Broadcast, needs: Controlling) -> float:
    """Release parked chunks that may go, at the broadcast's pace; returns how many seconds they take.

    Of those that go out a minute's worth is released, and all at once of those that are to be skipped.
    """
    now = needs.now()
    order = order_for(broadcast, now)
    pace = pace_of(broadcast, order, now)
    waits = takewhile(
        lambda each: isinstance(order, Skip) or each.until <= now, needs.parked.of(broadcast.id)
    )
    seconds = 0.0
    for some in batched(_minutes_worth(waits, pace), _RELEASED_A_CALL, strict=False):
        outgoing: list[Outgoing] = []
        for parked in some:
            outgoing.append(Outgoing(encode(to_body(parked.chunk)), delay=_delay(seconds)))
            seconds += parked.chunk.weight / pace
        needs.queues.release(broadcast.id, outgoing)
        for parked in some:
            needs.parked.remove(parked)
    return seconds


def _minutes_worth(waits: Iterable[ParkedChunk], pace: float) -> Iterator[ParkedChunk]:
    """Yield one at least, and as many as begin within a minute."""
    seconds = 0.0
    for parked in waits:
        if seconds >= _SECONDS_A_RELEASE:
            return
        yield parked
        seconds += parked.chunk.weight / pace


def _delay(seconds: float) -> int:
    return min(round(seconds), MAX_DELAY_SECONDS)


# ------------------------------------------------------------------------------------------------ refusals


def refuse_if_over(broadcast: Broadcast) -> None:
    """Raise ConflictError when a broadcast has failed, or was canceled."""
    if broadcast.state is State.FAILED:
        raise ConflictError(
            "The recipients of this broadcast could not be used.",
            code="broadcast_failed",
            remedy="Read its problem, correct the file, and create a new broadcast.",
        )
    if broadcast.held is Hold.CANCELED:
        raise ConflictError(
            "This broadcast was canceled.",
            code="broadcast_canceled",
            remedy="Create a new broadcast; a cancellation is for good.",
        )


def _refuse_if_completed(broadcast: Broadcast, needs: Controlling) -> None:
    if needs.tallies.counters(broadcast.id).completed_at:
        raise ConflictError(
            "Everybody in this broadcast has an outcome already.",
            code="broadcast_completed",
            remedy="Nothing is left to hold; read its report.",
        )


def _refuse_if_not_started(broadcast: Broadcast) -> None:
    if broadcast.state is State.CREATED:
        raise ConflictError(
            "This broadcast has not started.",
            code="broadcast_not_started",
            remedy="Start it, or cancel it if it must not start.",
        )


def _refuse_if_too_late(broadcast: Broadcast, needs: Controlling) -> None:
    if has_expired(broadcast, needs.now()):
        raise ConflictError(
            "This broadcast has expired.",
            code="broadcast_expired",
            remedy="Create a new broadcast with a later expire_at.",
        )


def _has_recipients(broadcast: Broadcast, needs: Controlling) -> bool:
    return broadcast.retry_of is not None or needs.files.has_upload(broadcast.id)


def require_recipients(broadcast: Broadcast, needs: Controlling) -> None:
    """Raise ConflictError when a broadcast has nobody yet to send to."""
    if not _has_recipients(broadcast, needs):
        raise ConflictError(
            "This broadcast has no recipients yet.",
            code="recipients_missing",
            remedy="Upload the file with the form of the create answer, then start.",
        )
