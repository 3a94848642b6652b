"""What a team is told of as it happens: events, made of what changed in the ledger, or of the Messaging Service.

An event's id is made of what happened, so the same change tells the same event again, however often it is reported:
who gets one twice knows it by its id. Events come in any order; `timestamp` is when it happened.

Statuses that a callback brings are told once each. One that is heard of after the last one, such as a `sent` that was
late, is told no more: whoever reacts to the last event never goes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from sendpool.domain.a2p.codes import explain_a2p
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord, Problem
from sendpool.domain.broadcast import Broadcast, Counters, Hold, State
from sendpool.domain.clicks import Click, Clicks, Kind
from sendpool.domain.conversation import InboundMessage, broadcast_of
from sendpool.domain.message import (
    TERMINAL,
    UNDECIDED,
    Delivery,
    MessageRecord,
    SendResult,
    Status,
)
from sendpool.domain.messaging_service import Difference, MessagingService
from sendpool.domain.opt_out import Standing
from sendpool.domain.senders import Sender
from sendpool.domain.toll_free import verification as toll_free
from sendpool.domain.twilio_codes import explain


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


# ------------------------------------------------------------------------------------------------ what is told


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMedia:
    """A picture or file that came with a text. Twilio's URL wants Twilio's credentials."""

    url: str
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedData:
    """A text that somebody sent us.

    `sender` is who wrote it, and `to` our number. `opt_out` is STOP, START or HELP if it was read as that.
    `in_reply_to` is the message of ours that it most likely answers; `answers` is what was answered at once.
    """

    sid: str
    sender: str
    to: str
    body: str
    media: list[InboundMedia]
    answers: list[str]
    opt_out: str | None = None
    in_reply_to: str | None = None
    broadcast_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutData:
    """Somebody opted out or in. `scope` is a Messaging Service's SID or `all`, `source` the way it was said."""

    phone: str
    scope: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickData:
    """A person followed a short link in a message to them, as far as one can tell; `is_first` for their first click."""

    message_id: str
    link: str
    is_first: bool
    to: str | None = None
    broadcast_id: str | None = None
    user_agent: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionData:
    """Why a registration was rejected: Twilio's code and title, the fields it names, and what to change."""

    code: int
    title: str
    change: str
    fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationData:
    """A profile, brand or campaign of US A2P 10DLC stands otherwise than before.

    `brand` is the team's name of the brand, `sid` that of the profile or brand, of a campaign that of its service.
    `status` and `identity` are Twilio's words; `rejections` say why, and what to change.
    """

    brand: str
    sid: str
    status: str
    status_before: str | None = None
    identity: str | None = None
    rejections: list[RejectionData] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TollFreeRejection:
    """Why a toll-free number was rejected: Twilio's code and words, and what to do. `fields` are those to change."""

    reason: str
    problem: str
    remedy: str
    fields: list[str]
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TollFreeData:
    """The review of a toll-free number went on. `status` is Twilio's, `previous` the one that was seen before.

    A rejected one may be edited until `edit_until`, and not at all without it.
    """

    verification_sid: str
    number_sid: str
    status: str
    rejections: list[TollFreeRejection]
    number: str | None = None
    previous: str | None = None
    edit_until: str | None = None


type Data = (
    MessageData
    | ReceivedData
    | OptOutData
    | ClickData
    | BroadcastData
    | RegistrationData
    | SenderData
    | DriftData
    | TollFreeData
)

DATA: Final[Mapping[EventType, type[Data]]] = {
    **dict.fromkeys((EventType.ACCEPTED, *OF_A_STATUS.values()), MessageData),
    EventType.RECEIVED: ReceivedData,
    **dict.fromkeys((EventType.OPTED_OUT, EventType.OPTED_IN), OptOutData),
    EventType.CLICKED: ClickData,
    **dict.fromkeys((each for each in EventType if each.startswith("broadcast.")), BroadcastData),
    **dict.fromkeys(
        (EventType.PROFILE_CHANGED, EventType.BRAND_CHANGED, EventType.CAMPAIGN_CHANGED),
        RegistrationData,
    ),
    **dict.fromkeys((EventType.SENDER_ADDED, EventType.SENDER_REMOVED), SenderData),
    EventType.SERVICE_DRIFTED: DriftData,
    EventType.TOLL_FREE_CHANGED: TollFreeData,
}
"""What each event tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, at a time."""

    id: str
    type: EventType
    timestamp: datetime
    data: Data

    def plain(self) -> dict[str, Any]:
        """Return it as it is told: what is not known is left out."""
        return {
            "id": self.id,
            "type": str(self.type),
            "timestamp": self.timestamp.astimezone(UTC).isoformat(timespec="milliseconds"),
            "data": {name: each for name, each in asdict(self.data).items() if each is not None},
        }


# ------------------------------------------------------------------------------------------------ what changed


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


@dataclass(frozen=True, slots=True)
class Clicking:
    """The clicks on a message changed."""

    message_id: str
    before: Clicks | None
    after: Clicks


@dataclass(frozen=True, slots=True)
class Receiving:
    """A text was kept."""

    text: InboundMessage


@dataclass(frozen=True, slots=True)
class OptingOut:
    """Where a person stands within a scope changed."""

    before: Standing | None
    after: Standing


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


@dataclass(frozen=True, slots=True)
class RegisteringBrand:
    """What is kept of a brand changed, at a time."""

    before: BrandRecord | None
    after: BrandRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class RegisteringCampaign:
    """What is kept of a campaign changed, at a time."""

    before: CampaignRecord | None
    after: CampaignRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The review of a toll-free number went on."""

    before: toll_free.Standing | None
    after: toll_free.Standing


type Change = (
    Sending
    | Delivering
    | Clicking
    | Receiving
    | OptingOut
    | Broadcasting
    | Completing
    | RegisteringBrand
    | RegisteringCampaign
    | Reviewing
)


def asks_whose(change: Change) -> str | None:
    """Return the message whose send side has to be known to tell of a change: whom it is to, and its tags.

    Callbacks say themselves whom a message is to, and a broadcast's have no tags.
    """
    match change:
        case Delivering(message_id=message_id) if broadcast_of(message_id) is None:
            return message_id
        case Clicking(message_id=message_id):
            return message_id
    return None


def events_of(
    change: Change, *, whose: Mapping[str, MessageRecord], told: Told = "all"
) -> Iterator[Event]:
    """Yield what is to be told of a change; `whose` are send sides by message (`asks_whose`)."""
    match change:
        case Sending():
            yield from _chosen(_of_sending(change), told)
        case Delivering(message_id=message_id):
            yield from _chosen(_of_delivering(change, whose.get(message_id)), told)
        case Clicking(message_id=message_id):
            yield from _of_clicking(change, whose.get(message_id))
        case Receiving(text):
            yield _of_text(text)
        case OptingOut():
            yield from _of_standing(change)
        case Broadcasting():
            yield from _of_broadcasting(change)
        case Completing(broadcast_id, counters):
            yield _of_completion(broadcast_id, counters)
        case RegisteringBrand() | RegisteringCampaign():
            yield from _of_registration(change)
        case Reviewing():
            yield from _of_review(change)


_LAST: Final = frozenset(OF_A_STATUS[status] for status in OF_A_STATUS if status in TERMINAL)


def _chosen(events: Iterator[Event], told: Told) -> Iterator[Event]:
    return (each for each in events if told == "all" or (told == "final" and each.type in _LAST))


def _event(kind: EventType, timestamp: datetime, data: Data, *of: object) -> Event:
    """Make an event whose id says of what it is."""
    said = " ".join(map(str, (kind, *of)))
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Event(id=f"evt_{digest}", type=kind, timestamp=timestamp, data=data)


# ------------------------------------------------------------------------------------------------ messages


def _of_sending(change: Sending) -> Iterator[Event]:
    record, result = change.after, change.after.result
    before = change.before.result.status if change.before else Status.CLAIMED
    if result.status is before or result.status in UNDECIDED:
        return
    data = _message_data(record.id, result.status, record=record, error_code=result.error_code)
    if before in UNDECIDED and _is_accepted(result):
        yield _event(EventType.ACCEPTED, change.at, data, record.id)
    if result.status in TERMINAL and result.status in OF_A_STATUS:
        yield _event(OF_A_STATUS[result.status], change.at, data, record.id)


def _is_accepted(result: SendResult) -> bool:
    return result.sid is not None or result.status not in TERMINAL


def _of_delivering(change: Delivering, record: MessageRecord | None) -> Iterator[Event]:
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
        yield _event(OF_A_STATUS[status], at, data, message_id)


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
        tags=_tags(record),
    )


def _tags(record: MessageRecord | None) -> Mapping[str, str]:
    return record.message.tags if record and record.message else {}


# ------------------------------------------------------------------------------------------------ people


def _of_text(text: InboundMessage) -> Event:
    fields = text.fields
    data = ReceivedData(
        sid=text.sid,
        sender=fields.get("From", ""),
        to=fields.get("To", ""),
        body=fields.get("Body", ""),
        media=[InboundMedia(url=url, content_type=kind) for url, kind in text.media],
        answers=list(text.answers),
        opt_out=text.opt_out_class,
        in_reply_to=text.in_reply_to,
        broadcast_id=broadcast_of(text.in_reply_to),
    )
    return _event(EventType.RECEIVED, text.received_at, data, text.sid)


def _of_standing(change: OptingOut) -> Iterator[Event]:
    after = change.after
    if change.before is not None and change.before.opted_out is after.opted_out:
        return
    kind = EventType.OPTED_OUT if after.opted_out else EventType.OPTED_IN
    data = OptOutData(phone=after.person, scope=after.scope, source=after.source)
    yield _event(kind, after.since, data, after.person, after.scope, after.since.isoformat())


def _of_clicking(change: Clicking, record: MessageRecord | None) -> Iterator[Event]:
    known = _human(change.before) if change.before else []
    every = _human(change.after)
    for click in every:
        if click not in known:
            data = ClickData(
                message_id=change.message_id,
                link=click.link,
                is_first=click == every[0] and not known,
                to=record.to if record else None,
                broadcast_id=broadcast_of(change.message_id),
                user_agent=click.agent or None,
                tags=_tags(record),
            )
            of = (change.message_id, click.at.isoformat(), click.digest)
            yield _event(EventType.CLICKED, click.at, data, *of)


def _human(clicks: Clicks) -> list[Click]:
    return [each.click for each in clicks.judged if each.verdict.kind is Kind.HUMAN]


# ------------------------------------------------------------------------------------------------ broadcasts


def _of_broadcasting(change: Broadcasting) -> Iterator[Event]:
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
    return _event(kind, at, data, broadcast.id, *of)


def _of_completion(broadcast_id: str, counters: Counters) -> Event:
    if counters.completed_at is None:
        raise ValueError("not complete")
    data = BroadcastData(
        broadcast_id=broadcast_id,
        total=counters.outcomes,
        counters={str(each): n for each in Status if (n := counters.of(each))},
    )
    return _event(EventType.BROADCAST_COMPLETED, counters.completed_at, data, broadcast_id)


# ------------------------------------------------------------------------------------------------ registration


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a profile, brand or campaign stands."""

    sid: str
    status: str
    identity: str | None = None
    problems: tuple[Problem, ...] = ()


def _of_registration(change: RegisteringBrand | RegisteringCampaign) -> Iterator[Event]:
    before = _standings(change.before) if change.before else {}
    name = change.after.name if isinstance(change, RegisteringBrand) else change.after.brand
    for (kind, sid), now in _standings(change.after).items():
        then = before.get((kind, sid))
        # an owner who did not answer in time, and what fails anew, shows in the reasons only
        is_same = then and (then.status, then.identity) == (now.status, now.identity)
        if then and is_same and now.problems in {(), then.problems}:
            continue
        data = RegistrationData(
            brand=name,
            sid=sid,
            status=now.status,
            status_before=then.status if then else None,
            identity=now.identity,
            rejections=[_rejection(each) for each in now.problems],
        )
        version = change.after.version
        yield _event(kind, change.at, data, sid, now.status, now.identity, version)


def _standings(record: BrandRecord | CampaignRecord) -> dict[tuple[EventType, str], _Standing]:
    found: list[tuple[EventType, _Standing]] = []
    if isinstance(record, CampaignRecord):
        if record.live:
            live = record.live
            campaign = _Standing(record.service_sid, live.status, problems=live.problems)
            found = [(EventType.CAMPAIGN_CHANGED, campaign)]
    else:
        found = [
            (EventType.PROFILE_CHANGED, _Standing(each.sid, each.status, problems=each.problems))
            for each in (record.profile, record.product)
            if each
        ]
        if brand := record.brand:
            standing = _Standing(brand.sid, brand.status, brand.identity, brand.problems)
            found.append((EventType.BRAND_CHANGED, standing))
    return {(kind, each.sid): each for kind, each in found}


def _rejection(problem: Problem) -> RejectionData:
    row = explain_a2p(problem.code)
    return RejectionData(
        code=problem.code, title=row.title, change=row.remedy, fields=list(problem.fields)
    )


# ------------------------------------------------------------------------------------------------ the service


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
    return _event(EventType.SENDER_ADDED, at, data, service_sid, sender.sid, at.isoformat())


def sender_removed(service_sid: str, sender_sid: str, *, now: datetime) -> Event:
    data = SenderData(service_sid=service_sid, sid=sender_sid)
    return _event(EventType.SENDER_REMOVED, now, data, service_sid, sender_sid, now.isoformat())


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
    return _event(EventType.SERVICE_DRIFTED, at, data, *of)


# ------------------------------------------------------------------------------------------------ toll-free


def _of_review(change: Reviewing) -> Iterator[Event]:
    after = change.after
    if after.is_as(change.before):
        return
    until = after.edit_until.isoformat() if after.edit_until else None
    data = TollFreeData(
        verification_sid=after.sid,
        number_sid=after.number_sid,
        number=after.number,
        status=after.status,
        previous=change.before.status if change.before else None,
        rejections=[_toll_free_rejection(each) for each in after.rejections],
        edit_until=until,
    )
    of = (after.sid, after.status, after.updated_at.isoformat(), until)
    yield _event(EventType.TOLL_FREE_CHANGED, after.updated_at, data, *of)


def _toll_free_rejection(rejection: toll_free.Rejection) -> TollFreeRejection:
    advice = rejection.advice
    return TollFreeRejection(
        code=rejection.code,
        reason=rejection.reason,
        problem=advice.problem,
        remedy=advice.fix,
        fields=list(advice.fields),
    )
