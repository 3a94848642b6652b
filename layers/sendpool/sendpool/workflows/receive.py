"""What happens when somebody texts us: keep it, act on what asks to stop or to start, and say what to answer.

The text is kept first, together with what it is answered: when Twilio brings it again, it is answered the same and
nothing is done twice. When the ledger does not take it, it goes to a queue with the answer that was given, and is
taken in from there.

Twilio itself confirms STOP and START, and HELP as a rule; an answer of ours would be a second one. It does not
confirm what only reads like an opt-out, and nothing but a confirmation may follow one: there we are silent too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sendpool.adapters.ledger.conversations import Conversations
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.people import InboundMessages
from sendpool.domain.answers import AnswerBook, Written, answers_to
from sendpool.domain.conversation import (
    Entry,
    InboundMessage,
    OutboundEntry,
    answered_message,
    is_flood,
)
from sendpool.domain.keywords import OptOutClass, classify, restores
from sendpool.domain.media import WantedMedia
from sendpool.domain.message import is_sid
from sendpool.domain.opt_out import ALL
from sendpool.workflows.opting_out import OptingOut, record

LikelyStop = Literal["act", "review", "ignore"]
KIND = "inbound"

_TOLL_FREE = re.compile(r"\+1(?:800|833|844|855|866|877|888)[0-9]{7}")
# as many as one needs to see a flood, and what is answered
_RECENT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """What receiving needs.

    `likely_stop` is what follows when a text reads like an opt-out without being a STOP word: it acts as one,
    somebody decides, or nothing.
    """

    inbound: InboundMessages
    messages: Messages
    conversations: Conversations
    opting_out: OptingOut
    book: Callable[[], AnswerBook]
    likely_stop: LikelyStop


@dataclass(frozen=True, slots=True)
class AnsweredText:
    """A text, when it came, and what it was answered; as it is queued when the ledger does not take it."""

    fields: Mapping[str, str]
    received_at: datetime
    answers: tuple[str, ...] = ()

    def to_body(self) -> dict[str, Any]:
        return {
            "version": 1,
            "kind": KIND,
            "received_at": self.received_at.isoformat(),
            "fields": dict(self.fields),
            "answers": list(self.answers),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> AnsweredText:
        """Read what was queued; raises KeyError, TypeError or ValueError when it is no such body."""
        fields = {str(name): str(value) for name, value in body["fields"].items()}
        if not fields["MessageSid"]:
            raise ValueError("a text without a SID")
        at = datetime.fromisoformat(body["received_at"])
        return cls(fields, at, tuple(map(str, body["answers"])))


def receive(fields: Mapping[str, str], receiving: Receiving, *, at: datetime) -> InboundMessage:
    """Take in a text that waits for its answer; taking it in again changes nothing and answers the same."""
    before = _earlier(fields, receiving)
    answers = answers_in(fields, receiving.book(), receiving.likely_stop, before=before, at=at)
    return _take_in(AnsweredText(fields, at, answers), before, receiving)


def take_in(text: AnsweredText, receiving: Receiving) -> InboundMessage:
    """Take in a text that was answered already."""
    return _take_in(text, _earlier(text.fields, receiving), receiving)


def answers_in(
    fields: Mapping[str, str],
    book: AnswerBook,
    likely_stop: LikelyStop,
    *,
    before: Sequence[Entry] | None,
    at: datetime,
) -> tuple[str, ...]:
    """Say what to answer; `before` is what passed between us, the newest first, None if nobody can tell."""
    asked = _asked(fields)
    if asked is OptOutClass.STOP_LIKELY and likely_stop == "ignore":
        asked = OptOutClass.NONE
    if before and is_flood(before, at):
        return ()
    return answers_to(
        Written(
            body=fields.get("Body", ""),
            number=fields.get("To", ""),
            opt_out_class=asked,
            is_answered_by_twilio=bool(fields.get("OptOutType")),
            is_first=before is not None and not before,
        ),
        book,
    )


def _earlier(fields: Mapping[str, str], receiving: Receiving) -> list[Entry]:
    """Read what passed between us before this text, which may be there already."""
    person = fields.get("From")
    if not person:
        return []
    recent = receiving.conversations.recent(person, limit=_RECENT)
    return [
        each
        for each in recent
        if isinstance(each, OutboundEntry) or each.sid != fields["MessageSid"]
    ]


def _asked(fields: Mapping[str, str]) -> OptOutClass:
    return classify(fields.get("Body", ""), opt_out_type=fields.get("OptOutType"))


def _take_in(text: AnsweredText, before: Sequence[Entry], receiving: Receiving) -> InboundMessage:
    fields, asked = text.fields, _asked(text.fields)
    kept = receiving.inbound.keep(
        InboundMessage(
            sid=fields["MessageSid"],
            received_at=text.received_at,
            fields=fields,
            opt_out_class=str(asked),
            answers=text.answers,
            in_reply_to=_named(fields, receiving) or answered_message(before),
            error_code=fields.get("ErrorCode"),
            error_url=fields.get("ErrorUrl"),
        ),
        for_review=asked is OptOutClass.STOP_LIKELY and receiving.likely_stop == "review",
    )
    if fields.get("ErrorUrl") and not kept.error_url:
        receiving.inbound.note_failure(
            kept.sid, error_code=fields.get("ErrorCode"), error_url=fields["ErrorUrl"]
        )
    if fields.get("From"):
        _act(asked, fields, receiving, at=kept.received_at)
        receiving.opting_out.reachability.heard_from(
            fields["From"], kept.received_at, source="inbound"
        )
    receiving.opting_out.queues.fetch_media(
        WantedMedia(sid=kept.sid, number=number, url=url)
        for number, (url, _) in enumerate(kept.media)
        if number not in kept.kept_media
    )
    return kept


def _named(fields: Mapping[str, str], receiving: Receiving) -> str | None:
    """Return the message of ours that a text says it answers, as it does on WhatsApp, if it went to this person.

    The SID is what their app says: one that is not ours, or went to somebody else, counts for nothing.
    """
    sid = fields.get("OriginalRepliedMessageSid", "")
    message_id = receiving.messages.id_of(sid) if is_sid(sid) else None
    if message_id is None:
        return None
    sent = receiving.messages.results([message_id]).get(message_id)
    # a channel stands before the number: whatsapp:+1…
    person = fields.get("From", "").rpartition(":")[2]
    return message_id if sent and sent.to == person else None


def _act(
    asked: OptOutClass, fields: Mapping[str, str], receiving: Receiving, *, at: datetime
) -> None:
    match asked:
        case OptOutClass.STOP_EXACT:
            _record(fields, receiving, opted_out=True, source="inbound_stop", at=at)
        case OptOutClass.STOP_LIKELY if receiving.likely_stop == "act":
            _record(fields, receiving, opted_out=True, source="inbound_likely_stop", at=at)
        case OptOutClass.START if _opts_in(fields, receiving):
            receiving.opting_out.reachability.learn(
                fields["From"], "texted_at", at, source="inbound_start"
            )
            _record(fields, receiving, opted_out=False, source="inbound_start", at=at)


def _opts_in(fields: Mapping[str, str], receiving: Receiving) -> bool:
    """Tell whether a START word is one here: YES only of somebody who is blocked, and not on a toll-free number."""
    body = fields.get("Body", "")
    if fields.get("OptOutType") or restores(body, toll_free=True, is_blocked=True):
        return True
    is_toll_free = _TOLL_FREE.fullmatch(fields.get("To", "")) is not None
    is_blocked = bool(receiving.opting_out.opt_outs.among([fields["From"]], _scope(fields)))
    return restores(body, toll_free=is_toll_free, is_blocked=is_blocked)


def _record(
    fields: Mapping[str, str],
    receiving: Receiving,
    *,
    opted_out: bool,
    source: str,
    at: datetime,
) -> None:
    record(
        fields["From"],
        _scope(fields),
        receiving.opting_out,
        opted_out=opted_out,
        source=source,
        at=at,
        evidence={"inbound_sid": fields["MessageSid"], "to": fields.get("To", "")},
    )


def _scope(fields: Mapping[str, str]) -> str:
    return fields.get("MessagingServiceSid") or ALL
