"""The keys of the ledger. Nothing else knows how they are spelt."""

from __future__ import annotations

import zlib
from datetime import date
from typing import NamedTuple

from sendpool.domain.message import Place, place_of

OPEN_SHARDS = 8
# brands and campaigns that are being registered
A2P = "A2P"


class Key(NamedTuple):
    """A primary key: partition and sort key."""

    pk: str
    sk: str


def broadcast(broadcast_id: str) -> Key:
    return Key(f"BC#{broadcast_id}", "META")


def plan(broadcast_id: str) -> Key:
    return Key(f"BC#{broadcast_id}", "PLAN")


def counters(broadcast_id: str) -> Key:
    return Key(f"BC#{broadcast_id}", "COUNT")


def chunk(broadcast_id: str, number: int) -> Key:
    return Key(f"BC#{broadcast_id}#{number:06d}", "CHUNK")


def parked(broadcast_id: str, number: int, until: str) -> Key:
    """Where a chunk waits until then, an ISO 8601 time; in the order in which they may go."""
    return Key(f"BC#{broadcast_id}", f"PARK#{until}#{number:06d}")


def all_parked(broadcast_id: str) -> tuple[str, str]:
    """The partition of a broadcast's parked chunks, and how their sort keys begin."""
    return f"BC#{broadcast_id}", "PARK#"


def tally(broadcast_id: str, number: int) -> Key:
    return Key(f"BC#{broadcast_id}#{number:06d}", "TALLY")


def message(message_id: str) -> Key:
    place = place_of(message_id)
    if place is None:
        return Key(f"MSG#{message_id}", "MSG")
    return Key(chunk(place.broadcast_id, place.chunk).pk, f"MSG#{place.number:03d}")


def delivery(message_id: str) -> Key:
    place = place_of(message_id)
    if place is None:
        return Key(f"MSG#{message_id}", "ST")
    return Key(chunk(place.broadcast_id, place.chunk).pk, f"ST#{place.number:03d}")


def unowned_delivery(sid: str) -> Key:
    """Where callbacks of messages go that carry no id of ours (TwiML answers, console sends)."""
    return Key(f"TW#{sid}", "ST")


def clicks(message_id: str) -> Key:
    place = place_of(message_id)
    if place is None:
        return Key(f"MSG#{message_id}", "CL")
    return Key(chunk(place.broadcast_id, place.chunk).pk, f"CL#{place.number:03d}")


def unowned_clicks(sid: str) -> Key:
    """Where clicks go of which nobody knows whose message it was."""
    return Key(f"TW#{sid}", "CL")


def sid_owner(sid: str) -> Key:
    """Which of our messages took this SID from Twilio's list as its own."""
    return Key(f"SID#{sid}", "OWNER")


def opt_out(person: str, scope: str) -> Key:
    return Key(f"OPTOUT#{person}", scope)


def sent(person: str) -> Key:
    """Which marketing went out to a person of late."""
    return Key(f"SENT#{person}", "marketing")


def reach(person: str) -> Key:
    return Key(f"REACH#{person}", "REACH")


def deactivations() -> Key:
    """How far the lists of deactivated numbers have been read."""
    return Key("DEACTIVATIONS", "CURSOR")


def registration(service_sid: str) -> Key:
    return Key(f"SERVICE#{service_sid}", "REGISTRATION")


def declaration(service_sid: str) -> Key:
    """What the team's file says of a Messaging Service."""
    return Key(f"SERVICE#{service_sid}", "DECLARATION")


def a2p_brand(name: str) -> Key:
    return Key(A2P, f"BRAND#{name}")


def a2p_campaign(service_sid: str) -> Key:
    return Key(A2P, f"CAMPAIGN#{service_sid}")


def toll_free(sid: str) -> Key:
    """How a toll-free verification stands."""
    return Key(f"TOLLFREE#{sid}", "VERIFICATION")


def toll_free_looked() -> Key:
    """When somebody looked how toll-free verifications stand."""
    return Key("TOLLFREE", "LOOKED")


def reconciliation() -> Key:
    """How far Twilio's list of messages has been gone through."""
    return Key("RECONCILIATION", "PLACE")


def books_closing() -> Key:
    """Which day's books are being closed, and how far."""
    return Key("RECONCILIATION", "CLOSING")


def books_of(day: date) -> str:
    """The partition of a day's books."""
    return f"RECONCILIATION#{day}"


def finished_books(day: date) -> Key:
    return Key(books_of(day), "DAY")


def books_of_round(day: date, round_begins: str) -> Key:
    """What a round that goes through the list from a time on, ISO 8601, counted of a day."""
    return Key(books_of(day), f"ROUND#{round_begins}")


def made_on(day: date) -> str:
    """The kind of list on which the messages stand that Twilio made on a day."""
    return f"made#{day}"


def answer_book() -> Key:
    return Key("ANSWERS", "BOOK")


def inbound(sid: str) -> Key:
    return Key(f"IN#{sid}", "IN")


def open_partition(kind: str, name: str) -> str:
    """Where an open message or broadcast stands in the sparse index; spread so that no partition runs hot."""
    return f"{kind}#{zlib.crc32(name.encode()) % OPEN_SHARDS}"


def open_partitions(kind: str) -> list[str]:
    return [f"{kind}#{shard}" for shard in range(OPEN_SHARDS)]


def name_in(pk: str) -> str:
    """Read back the id of the single message or broadcast that a partition belongs to."""
    return pk.partition("#")[2]


def message_id(key: Key) -> str | None:
    """Read back whose send result, delivery or clicks stand at a key; None when it is none of our messages'."""
    place = place_in_stream(key.pk, key.sk)
    if place:
        return place.message_id
    return name_in(key.pk) if key.pk.startswith("MSG#") else None


def place_in_stream(pk: str, sk: str) -> Place | None:
    """Read the place back from a changed item's key; None unless it is of one message of a broadcast."""
    kind, _, number = sk.partition("#")
    prefix, _, rest = pk.partition("#")
    broadcast_id, _, chunk_number = rest.partition("#")
    if (
        prefix != "BC"
        or kind not in {"MSG", "ST", "CL"}
        or not (chunk_number.isdigit() and number.isdigit())
    ):
        return None
    return Place(broadcast_id, int(chunk_number), int(number))
