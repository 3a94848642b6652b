"""What changed in the ledger, and which module tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sendpool.domain.conversation import broadcast_of
from sendpool.domain.events import a2p, broadcasts, clicks, messages, people, toll_free
from sendpool.domain.events.a2p import RegisteringBrand, RegisteringCampaign
from sendpool.domain.events.broadcasts import Broadcasting, Completing
from sendpool.domain.events.clicks import Clicking
from sendpool.domain.events.event import Event
from sendpool.domain.events.messages import Delivering, Sending, Told
from sendpool.domain.events.people import OptingOut, Receiving
from sendpool.domain.events.toll_free import Reviewing
from sendpool.domain.message import MessageRecord

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
            yield from messages.chosen(messages.of_sending(change), told)
        case Delivering(message_id=message_id):
            record = whose.get(message_id)
            yield from messages.chosen(messages.of_delivering(change, record), told)
        case Clicking(message_id=message_id):
            yield from clicks.of_clicking(change, whose.get(message_id))
        case Receiving(text):
            yield people.of_text(text)
        case OptingOut():
            yield from people.of_standing(change)
        case Broadcasting():
            yield from broadcasts.of_broadcasting(change)
        case Completing(broadcast_id, counters):
            yield broadcasts.of_completion(broadcast_id, counters)
        case RegisteringBrand() | RegisteringCampaign():
            yield from a2p.of_registration(change)
        case Reviewing():
            yield from toll_free.of_review(change)
