"""Find out whether Twilio made a message whose create call never answered."""

from __future__ import annotations

from datetime import datetime

from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.evidence import CLOCK_SLACK, may_be
from sendpool.domain.message import OutboundMessage, SendResult, Status


def find_made(
    message_id: str,
    message: OutboundMessage,
    *,
    since: datetime,
    segments: int,
    messages: Messages,
    gateway: TwilioGateway,
) -> SendResult | None:
    """Return the result if the message exists at Twilio, or None if nothing shows that it does.

    A callback that carried our id proves it; else Twilio's list is searched for a message to this person, made
    since then with this text, that no other message of ours owns.

    Raises TwilioUnavailableError when Twilio cannot be asked: then nothing may be concluded.
    """
    _, delivery = messages.find(message_id)
    if delivery is not None:
        return SendResult(
            status=Status.ACCEPTED, sid=delivery.sid, segments=segments, evidence="callback"
        )
    earliest = since - CLOCK_SLACK
    listed = gateway.messages_to(message.to, since=earliest)
    candidates = [found.sid for found in listed if may_be(message, listed_body=found.body)]
    if not candidates:
        return None
    owned = messages.sids_of(message.to, since=earliest)
    free = [sid for sid in candidates if sid not in owned]
    return (
        SendResult(status=Status.ACCEPTED, sid=free[-1], segments=segments, evidence="list")
        if free
        else None
    )
