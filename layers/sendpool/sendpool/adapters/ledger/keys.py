"""The keys of the ledger. Nothing else knows how they are spelt."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from sendpool.domain.message import Place, place_of

OPEN_SHARDS = 8


class Key(NamedTuple):
    """A primary key: partition and sort key."""

    pk: str
    sk: str


def broadcast(broadcast_id: str) -> Key:
    return Key(f"BC#{broadcast_id}", "META")


def counters(broadcast_id: str) -> Key:
    return Key(f"BC#{broadcast_id}", "COUNT")


def chunk(broadcast_id: str, number: int) -> Key:
    return Key(f"BC#{broadcast_id}#{number:06d}", "CHUNK")


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


def opt_out(person: str, scope: str) -> Key:
    return Key(f"OPTOUT#{person}", scope)


def inbound(sid: str) -> Key:
    return Key(f"IN#{sid}", "IN")


def open_partition(kind: str, message_id: str) -> str:
    """Where an open message stands in the sparse index; spread so that no partition runs hot."""
    return f"{kind}#{zlib.crc32(message_id.encode()) % OPEN_SHARDS}"


def place_in_stream(pk: str, sk: str) -> Place | None:
    """Read the place back from a changed item's key; None unless it is a broadcast's message or delivery."""
    kind, _, number = sk.partition("#")
    prefix, _, rest = pk.partition("#")
    broadcast_id, _, chunk_number = rest.partition("#")
    if (
        prefix != "BC"
        or kind not in {"MSG", "ST"}
        or not (chunk_number.isdigit() and number.isdigit())
    ):
        return None
    return Place(broadcast_id, int(chunk_number), int(number))
