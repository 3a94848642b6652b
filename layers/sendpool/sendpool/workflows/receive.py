"""What happens when somebody texts us: keep it, act on STOP and START, and say what to answer.

Twilio itself confirms STOP, START and HELP; an answer of ours would be a second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.ledger.people import ALL, InboundMessages, OptOuts
from sendpool.domain.keywords import Meaning, meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """What receiving needs. `reply` answers a text that is no keyword; empty = no answer."""

    inbound: InboundMessages
    opt_outs: OptOuts
    reply: str


@dataclass(frozen=True, slots=True)
class Received:
    """What was made of an inbound message."""

    meaning: Meaning | None
    answer: str


def receive(fields: Mapping[str, str], receiving: Receiving, *, at: datetime) -> Received:
    """Take in an inbound message; taking it in again changes nothing and answers the same."""
    asked = meaning(fields.get("Body", ""), opt_out_type=fields.get("OptOutType"))
    first_kept = receiving.inbound.keep(fields["MessageSid"], fields, at=at)
    if asked in {"stop", "start"}:
        receiving.opt_outs.record(
            fields.get("From", ""),
            fields.get("MessagingServiceSid") or ALL,
            opted_out=asked == "stop",
            source=f"inbound_{asked}",
            at=first_kept,
        )
    return Received(asked, "" if asked else receiving.reply)
