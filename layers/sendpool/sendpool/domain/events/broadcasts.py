"""What is told of broadcasts: started, paused, resumed, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sendpool.domain.broadcast import Broadcast, Counters, Hold, State
from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.message import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastData:
    """A broadcast. `reason` says why it was paused or canceled, or which fault its recipients file has.

    `counters` are those of a completed one: how many messages have each status. Statuses go on changing after that.
    """

    broadcast_id: str
    name: str | None = None
    reason: str | None = None
    total: int | None = None
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broadcasting:
    """A broadcast changed, at a time."""

    before: Broadcast | None
    after: Broadcast
    at: datetime


@dataclass(frozen=True, slots=True)
class Completing:
    """Everybody of a broadcast has an outcome."""

    broadcast_id: str
    counters: Counters


def of_broadcasting(change: Broadcasting) -> Iterator[Event]:
    before, after = change.before, change.after
    if after.started_at and not (before and before.started_at):
        yield _of_broadcast(EventType.BROADCAST_STARTED, after, after.started_at)
    held = before.held if before else None
    if after.held and after.held is not held:
        is_over = after.held is Hold.CANCELED
        kind = EventType.BROADCAST_CANCELED if is_over else EventType.BROADCAST_PAUSED
        at = after.held_at or change.at
        yield _of_broadcast(kind, after, at, at.isoformat())
    if held and not after.held:
        at = after.resumed_at or change.at
        yield _of_broadcast(EventType.BROADCAST_RESUMED, after, at, at.isoformat())
    if after.state is State.FAILED and not (before and before.state is State.FAILED):
        yield _of_broadcast(EventType.BROADCAST_FAILED, after, change.at)


def _of_broadcast(kind: EventType, broadcast: Broadcast, at: datetime, *of: object) -> Event:
    fault = broadcast.problem.code if broadcast.problem else None
    data = BroadcastData(
        broadcast_id=broadcast.id,
        name=broadcast.name,
        reason=broadcast.held_reason if broadcast.held else fault,
        total=broadcast.total,
    )
    return make_event(kind, at, data, broadcast.id, *of)


def of_completion(broadcast_id: str, counters: Counters) -> Event:
    if counters.completed_at is None:
        raise ValueError("not complete")
    data = BroadcastData(
        broadcast_id=broadcast_id,
        total=counters.outcomes,
        counters={str(each): n for each in Status if (n := counters.of(each))},
    )
    return make_event(EventType.BROADCAST_COMPLETED, counters.completed_at, data, broadcast_id)
