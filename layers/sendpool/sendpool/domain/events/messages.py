"""What is told of messages that we send: accepted once, then each status that is heard of.

Statuses that a callback brings are told once each. One that is heard of after the last one, such as a `sent` that was
late, is told no more: whoever reacts to the last event never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from sendpool.domain.conversation import broadcast_of
from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.message import (
    TERMINAL,
    UNDECIDED,
    Delivery,
    MessageRecord,
    SendResult,
    Status,
)
from sendpool.domain.twilio_codes import explain

OF_A_STATUS: Final[Mapping[Status, EventType]] = {
    Status.SENT: EventType.SENT,
    Status.DELIVERED: EventType.DELIVERED,
    Status.READ: EventType.READ,
    Status.UNDELIVERED: EventType.UNDELIVERED,
    Status.FAILED: EventType.FAILED,
    Status.CANCELED: EventType.CANCELED,
    Status.SKIPPED: EventType.SKIPPED,
}
"""The statuses that are told of; of all others a message is told as accepted, once."""

type Told = Literal["all", "final", "none"]
"""Which events of messages that we send are told: all, those of their last status, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageData:
    """A message of ours, as far as it is known at this event.

    `to` is E.164. `error_code` is Twilio's, with our class of it and what to do; `reason` says why it was skipped,
    or failed without a code. `segments` is our own count. `tags` are those that a single message was sent with.
    """

    message_id: str
    status: str
    to: str | None = None
    sid: str | None = None
    broadcast_id: str | None = None
    segments: int | None = None
    error_code: int | None = None
    error_class: str | None = None
    remedy: str | None = None
    reason: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """The send side of a message changed, at a time."""

    before: MessageRecord | None
    after: MessageRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivering:
    """What is heard of a message changed."""

    message_id: str
    before: Delivery | None
    after: Delivery


_LAST: Final = frozenset(OF_A_STATUS[status] for status in OF_A_STATUS if status in TERMINAL)


def chosen(events: Iterator[Event], told: Told) -> Iterator[Event]:
    """Leave out the events of messages that nobody wants to be told of."""
    return (each for each in events if told == "all" or (told == "final" and each.type in _LAST))


def of_sending(change: Sending) -> Iterator[Event]:
    record, result = change.after, change.after.result
    before = change.before.result.status if change.before else Status.CLAIMED
    if result.status is before or result.status in UNDECIDED:
        return
    data = _message_data(record.id, result.status, record=record, error_code=result.error_code)
    if before in UNDECIDED and _is_accepted(result):
        yield make_event(EventType.ACCEPTED, change.at, data, record.id)
    if result.status in TERMINAL and result.status in OF_A_STATUS:
        yield make_event(OF_A_STATUS[result.status], change.at, data, record.id)


def _is_accepted(result: SendResult) -> bool:
    return result.sid is not None or result.status not in TERMINAL


def of_delivering(change: Delivering, record: MessageRecord | None) -> Iterator[Event]:
    message_id, delivery = change.message_id, change.after
    before = change.before.status if change.before else Status.ACCEPTED
    heard = delivery.timeline.keys() - (change.before.timeline.keys() if change.before else set())
    is_passed = {Status.SENT} if Status.SENT in heard and before not in TERMINAL else set()
    is_new = {delivery.status} if delivery.status is not before else set()
    for status in sorted(is_passed | is_new & TERMINAL, key=_order):
        # Twilio's word for it was heard, or it would not be its status
        at = datetime.fromisoformat(delivery.timeline[status])
        code = delivery.error_code if status is delivery.status else None
        data = _message_data(message_id, status, record=record, delivery=delivery, error_code=code)
        yield make_event(OF_A_STATUS[status], at, data, message_id)


def _order(status: Status) -> int:
    return list(Status).index(status)


def _message_data(
    message_id: str,
    status: Status,
    *,
    record: MessageRecord | None,
    delivery: Delivery | None = None,
    error_code: int | None,
) -> MessageData:
    result = record.result if record else None
    row = explain(error_code) if error_code else None
    is_its = result is not None and delivery is None
    return MessageData(
        message_id=message_id,
        status=str(status),
        to=record.to if record else delivery.to if delivery else None,
        sid=(delivery.sid if delivery else result.sid if result else None) or None,
        broadcast_id=broadcast_of(message_id),
        segments=(delivery.segments if delivery else None) or (result.segments if result else None),
        error_code=error_code,
        error_class=str(row.error_class) if row else None,
        remedy=row.remedy if row else None,
        reason=result.reason if result and is_its else None,
        tags=record.tags if record else {},
    )
