"""What happens when somebody texts us: keep it, act on what asks to stop or to start, and say what to answer.

Twilio itself confirms STOP, START and HELP; an answer of ours would be a second one. It does not confirm what only
reads like an opt-out, and nothing but a confirmation may follow one: there we are silent too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sendpool.adapters.ledger.people import InboundMessages
from sendpool.domain.keywords import OptOutClass, classify, restores
from sendpool.domain.opt_out import ALL
from sendpool.workflows.opting_out import OptingOut, record

LikelyStop = Literal["act", "review", "ignore"]

_TOLL_FREE = re.compile(r"\+1(?:800|833|844|855|866|877|888)[0-9]{7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """What receiving needs. `reply` answers a text that is no keyword; empty = no answer.

    `likely_stop` is what follows when a text reads like an opt-out without being a STOP word: it acts as one,
    somebody decides, or nothing.
    """

    inbound: InboundMessages
    opting_out: OptingOut
    reply: str
    likely_stop: LikelyStop


@dataclass(frozen=True, slots=True)
class Received:
    """What was made of an inbound message."""

    opt_out_class: OptOutClass
    answer: str


def receive(fields: Mapping[str, str], receiving: Receiving, *, at: datetime) -> Received:
    """Take in an inbound message; taking it in again changes nothing and answers the same."""
    asked = classify(fields.get("Body", ""), opt_out_type=fields.get("OptOutType"))
    first_kept = receiving.inbound.keep(
        fields["MessageSid"],
        fields,
        at=at,
        opt_out_class=str(asked),
        for_review=asked is OptOutClass.STOP_LIKELY and receiving.likely_stop == "review",
    )
    if fields.get("From"):
        _act(asked, fields, receiving, at=first_kept)
    is_ordinary = asked is OptOutClass.NONE or (
        asked is OptOutClass.STOP_LIKELY and receiving.likely_stop == "ignore"
    )
    return Received(asked, receiving.reply if is_ordinary else "")


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
