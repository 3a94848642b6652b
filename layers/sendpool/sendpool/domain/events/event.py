"""An event, its type, and its id, which is made of what happened."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # no such module at run time
    from _typeshed import DataclassInstance


class EventType(StrEnum):
    """What happened."""

    ACCEPTED = "message.accepted"
    SENT = "message.sent"
    DELIVERED = "message.delivered"
    READ = "message.read"
    UNDELIVERED = "message.undelivered"
    FAILED = "message.failed"
    CANCELED = "message.canceled"
    SKIPPED = "message.skipped"
    RECEIVED = "message.received"
    OPTED_OUT = "recipient.opted_out"
    OPTED_IN = "recipient.opted_in"
    CLICKED = "link.clicked"
    BROADCAST_STARTED = "broadcast.started"
    BROADCAST_PAUSED = "broadcast.paused"
    BROADCAST_RESUMED = "broadcast.resumed"
    BROADCAST_COMPLETED = "broadcast.completed"
    BROADCAST_CANCELED = "broadcast.canceled"
    BROADCAST_FAILED = "broadcast.failed"
    PROFILE_CHANGED = "profile.status_changed"
    BRAND_CHANGED = "brand.status_changed"
    CAMPAIGN_CHANGED = "campaign.status_changed"
    SENDER_ADDED = "sender.added"
    SENDER_REMOVED = "sender.removed"
    SERVICE_DRIFTED = "service.drifted"
    TOLL_FREE_CHANGED = "toll_free.status_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, at a time."""

    id: str
    type: EventType
    timestamp: datetime
    data: DataclassInstance

    def plain(self) -> dict[str, Any]:
        """Return it as it is told: what is not known is left out."""
        return {
            "id": self.id,
            "type": str(self.type),
            "timestamp": self.timestamp.astimezone(UTC).isoformat(timespec="milliseconds"),
            "data": {name: each for name, each in asdict(self.data).items() if each is not None},
        }


def make_event(kind: EventType, timestamp: datetime, data: DataclassInstance, *of: object) -> Event:
    """Make an event whose id says of what it is."""
    said = " ".join(map(str, (kind, *of)))
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Event(id=f"evt_{digest}", type=kind, timestamp=timestamp, data=data)
