"""What passes between us and one person: their texts and our messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sendpool.domain.media import KeptMedia
from sendpool.domain.message import Delivery, MessageRecord, place_of

# Twilio fails what is over 15 replies in 30 seconds between two numbers (14107); two machines that answer each other
# write for ever
_FLOOD = 10
_FLOOD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A text that somebody sent us, as it was taken in.

    `fields` are all those of the webhook. `answers` are the texts that Twilio was told to answer with; `in_reply_to`
    is the message of ours that it says it answers, or most likely does. `error_code` and `error_url` say that the
    inbound webhook had failed when it came to the fallback. `kept_media` are the pictures that were fetched, by their
    number.
    """

    sid: str
    received_at: datetime
    fields: Mapping[str, str]
    opt_out_class: str | None = None
    answers: tuple[str, ...] = ()
    in_reply_to: str | None = None
    error_code: str | None = None
    error_url: str | None = None
    kept_media: Mapping[int, KeptMedia] = field(default_factory=dict)

    @property
    def media(self) -> list[tuple[str, str | None]]:
        """URL and content type of each picture or file that came with it."""
        number = self.fields.get("NumMedia", "")
        return [
            (self.fields[f"MediaUrl{n}"], self.fields.get(f"MediaContentType{n}"))
            for n in range(int(number) if number.isdigit() else 0)
            if f"MediaUrl{n}" in self.fields
        ]


@dataclass(frozen=True, slots=True)
class OutboundEntry:
    """A message of ours in a conversation, with what became of it."""

    record: MessageRecord
    delivery: Delivery | None = None


Entry = InboundMessage | OutboundEntry


def answered_message(recent: Sequence[Entry]) -> str | None:
    """Tell which message of ours somebody answers who writes now: the newest, or what their text before answered.

    `recent` are the newest entries of the conversation, the newest first.
    """
    for entry in recent:
        match entry:
            case OutboundEntry(record) if record.result.sid:
                return record.id
            case InboundMessage(in_reply_to=str(before)):
                return before
    return None


def is_flood(recent: Sequence[Entry], now: datetime) -> bool:
    """Tell whether somebody was answered so often just now that it must be a machine."""
    since = now - _FLOOD_WITHIN
    answers = (
        len(entry.answers)
        for entry in recent
        if isinstance(entry, InboundMessage) and since < entry.received_at
    )
    return sum(answers) >= _FLOOD


def broadcast_of(message_id: str | None) -> str | None:
    """Return the broadcast that a message belongs to."""
    place = place_of(message_id) if message_id else None
    return place.broadcast_id if place else None
