"""What is told of the Messaging Service: its senders came or went, or it is not as declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.messaging_service import Difference, MessagingService
from sendpool.domain.senders import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderData:
    """A sender came into the pool of the Messaging Service, or left it, by our API; of one that left, only its SID."""

    service_sid: str
    sid: str
    kind: str | None = None
    address: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftData:
    """A setting of the Messaging Service is not what the stack declares; `consequence` is what follows from that.

    Without `live` it is not set at all. The event's timestamp is when the service was last changed at Twilio.
    """

    service_sid: str
    setting: str
    consequence: str
    declared: str | int | bool | None = None
    live: str | int | bool | None = None


def sender_added(service_sid: str, sender: Sender, *, now: datetime) -> Event:
    """Tell that a sender is in the pool; however often that is told of the same coming, it is the same event."""
    data = SenderData(
        service_sid=service_sid,
        sid=sender.sid,
        kind=str(sender.kind),
        address=sender.address,
        country=sender.country,
    )
    at = sender.added_at or now
    return make_event(EventType.SENDER_ADDED, at, data, service_sid, sender.sid, at.isoformat())


def sender_removed(service_sid: str, sender_sid: str, *, now: datetime) -> Event:
    data = SenderData(service_sid=service_sid, sid=sender_sid)
    return make_event(EventType.SENDER_REMOVED, now, data, service_sid, sender_sid, now.isoformat())


def drifted(service: MessagingService, found: Difference, *, now: datetime) -> Event:
    """Tell of a difference; as long as nobody changes the service, it is the same event each day."""
    data = DriftData(
        service_sid=service.sid,
        setting=found.setting,
        declared=found.declared,
        live=found.live,
        consequence=found.consequence,
    )
    at = service.updated_at or now
    # put back and changed again, it has drifted again
    since = service.updated_at.isoformat() if service.updated_at else ""
    of = (service.sid, found.setting, repr(found.declared), repr(found.live), since)
    return make_event(EventType.SERVICE_DRIFTED, at, data, *of)
