"""Find out whether Twilio made a message whose create call never answered.

A callback that carried our id proves it. Else Twilio's list is searched for a message to this person, made in
the time in which our call was under way, through this service and with this text, that no other message of ours
has. Nothing is concluded from the list before `age` has passed since then: Twilio's list may show a message
late, and the one it shows may be another of ours whose result or callback is not in the ledger's index yet.

Dying in here changes nothing: a SID that was taken as evidence stays with the message, which finds it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.twilio.gateway import RemoteMessage, TwilioGateway
from sendpool.domain.evidence import CLOCK_SLACK, Doubt
from sendpool.domain.message import Delivery, SendResult, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, and from what age on the answers count."""

    messages: Messages
    gateway: TwilioGateway
    age: timedelta


def find_made(
    doubt: Doubt, asking: Asking, *, now: datetime
) -> SendResult | Literal["not_made", "too_early"]:
    """Return the result of a message that exists at Twilio; `not_made` allows to offer it again.

    Raises TwilioUnavailableError or TwilioBusyError when Twilio cannot be asked: then nothing may be concluded.
    """
    _, delivery = asking.messages.find(doubt.message_id)
    if delivery is not None:
        return proven(delivery, segments=doubt.segments)
    if now < doubt.until + asking.age:
        return "too_early"
    listed = asking.gateway.messages_to(doubt.message.to, since=doubt.since - CLOCK_SLACK)
    candidates = [
        each
        for each in reversed(listed)
        if doubt.may_be(listed_body=each.body, created_at=each.created_at)
    ]
    return _first_free(candidates, doubt, asking, now=now)


def proven(delivery: Delivery, *, segments: int) -> SendResult:
    """Return the result of a message whose callbacks came."""
    return SendResult(
        status=Status.ACCEPTED, sid=delivery.sid, segments=segments, evidence="callback"
    )


def _first_free(
    candidates: list[RemoteMessage], doubt: Doubt, asking: Asking, *, now: datetime
) -> SendResult | Literal["not_made", "too_early"]:
    """Take the oldest candidate that no other message has; a young one may yet turn out to be another's."""
    for each in candidates:
        if asking.messages.is_anothers(each.sid, doubt.message_id):
            continue
        if each.created_at > now - asking.age:
            return "too_early"
        if asking.messages.own(each.sid, doubt.message_id, now=now):
            return SendResult(
                status=Status.ACCEPTED,
                sid=each.sid,
                made_at=each.created_at,
                segments=doubt.segments,
                evidence="list",
            )
    return "not_made"
