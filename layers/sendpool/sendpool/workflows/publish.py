"""What happens after the ledger changed: whoever listens is told.

Everything is told from the ledger's stream, so what nobody wrote down is never told, and what is written down is told
even when the bus was away for hours: the stream waits. Told twice, an event has the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sendpool.adapters.events import EventBus
from sendpool.adapters.ledger.changes import UnreadableChangeError, read_change
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.queues import Queues
from sendpool.domain.events.changes import Change, asks_whose, events_of
from sendpool.domain.events.event import Event
from sendpool.domain.events.messages import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What publishing needs; `told` says of which messages that we send events are told."""

    messages: Messages
    bus: EventBus
    queues: Queues
    told: Told


@dataclass(frozen=True, slots=True)
class Published:
    """How many events were told, and how many records of the stream nobody can read."""

    events: int
    unreadable: int


def publish(records: list[Mapping[str, Any]], needs: Publishing) -> Published:
    """Tell of what the stream's records say; raises what the bus does (EventBus.publish).

    Records that cannot be read are put aside: the stream would wait for them, and with it all that comes after.
    """
    changes: list[Change] = []
    unreadable = []
    for record in records:
        try:
            change = read_change(record)
        except UnreadableChangeError:
            unreadable.append(record)
        else:
            changes += [change] if change else []
    events = _events(changes, needs)
    needs.bus.publish(events)
    for record in unreadable:
        needs.queues.set_change_aside(record)
    return Published(len(events), len(unreadable))


def _events(changes: list[Change], needs: Publishing) -> list[Event]:
    whose = needs.messages.results(filter(None, map(asks_whose, changes)))
    return [
        event for change in changes for event in events_of(change, whose=whose, told=needs.told)
    ]
