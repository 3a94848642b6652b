"""What is told of people: the texts that they send us, and that they opt out or in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sendpool.domain.conversation import InboundMessage, broadcast_of
from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.opt_out import Standing


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


@dataclass(frozen=True, slots=True)
class Receiving:
    """A text was kept."""

    text: InboundMessage


@dataclass(frozen=True, slots=True)
class OptingOut:
    """Where a person stands within a scope changed."""

    before: Standing | None
    after: Standing


def of_text(text: InboundMessage) -> Event:
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
    return make_event(EventType.RECEIVED, text.received_at, data, text.sid)


def of_standing(change: OptingOut) -> Iterator[Event]:
    after = change.after
    if change.before is not None and change.before.opted_out is after.opted_out:
        return
    kind = EventType.OPTED_OUT if after.opted_out else EventType.OPTED_IN
    data = OptOutData(phone=after.person, scope=after.scope, source=after.source)
    yield make_event(kind, after.since, data, after.person, after.scope, after.since.isoformat())
