"""May this chunk go? A chunk of a paused broadcast is parked, one of a canceled or expired broadcast is skipped.

Parking writes the chunk down and only then asks once more: whoever resumes first lifts the hold and then reads
what is parked. So either the sender sees that the hold is gone, or the other side sees the parked chunk. Dying in
between leaves the chunk on the queue as well, and the chunk's lease recognises a second copy.

A chunk of whose people some may only be texted later is parked until then, and its broadcast is to be looked at by
then. Who releases says when to look next only if nothing was parked since it read what is, so neither misses the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.adapters.ledger.chunks import Chunks
from sendpool.adapters.ledger.parked import ANY_TIME, ParkedChunks
from sendpool.domain.broadcast import Broadcast, Go, Order, Skip, Wait, order_for
from sendpool.domain.chunk import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Parking:
    """What asking and parking needs."""

    broadcasts: Broadcasts
    parked: ParkedChunks
    chunks: Chunks
    now: Callable[[], datetime]

    def order(self, broadcast_id: str) -> Order:
        """Ask what holds for a broadcast now; one that nobody knows any more goes on."""
        return self.order_of(self.broadcasts.get(broadcast_id))

    def order_of(self, broadcast: Broadcast | None) -> Order:
        return order_for(broadcast, self.now()) if broadcast else Go()


@dataclass(frozen=True, slots=True)
class Admitted:
    """A chunk as it is to be worked on now, and its broadcast, unless that is gone."""

    chunk: Chunk
    broadcast: Broadcast | None


def admitted(chunk: Chunk, parking: Parking) -> Admitted | None:
    """Admit a chunk; None when it is parked instead.

    Rows that must not go any more carry the reason; those that may have been offered before still need evidence.
    """
    broadcast = parking.broadcasts.get(chunk.broadcast_id)
    order = parking.order_of(broadcast)
    # a copy of what is done waits for nothing: its lease says so
    if isinstance(order, Wait) and not parking.chunks.is_done(chunk.broadcast_id, chunk.number):
        parked = parking.parked.park([chunk], until=ANY_TIME, now=parking.now())
        order = parking.order(chunk.broadcast_id)
        if isinstance(order, Wait):
            return None
        for each in parked:
            parking.parked.remove(each)
    return Admitted(_skipping(chunk, order.reason) if isinstance(order, Skip) else chunk, broadcast)


def put_off(chunks: Iterable[Chunk], until: datetime, parking: Parking) -> None:
    """Park chunks of one broadcast until then."""
    chunks = list(chunks)
    parking.parked.park(chunks, until=until, now=parking.now())
    for broadcast_id in {chunk.broadcast_id for chunk in chunks}:
        parking.broadcasts.look_by(broadcast_id, until)
        if isinstance(parking.order(broadcast_id), Skip):
            parking.broadcasts.look_by(broadcast_id, parking.now())


def _skipping(chunk: Chunk, reason: str) -> Chunk:
    return replace(chunk, rows=tuple(replace(row, skip=row.skip or reason) for row in chunk.rows))
