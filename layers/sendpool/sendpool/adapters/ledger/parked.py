"""Parked chunks in the ledger: what waits until its broadcast goes on, or until the hour at which it may go.

A chunk is parked under its number and that hour, so a second copy takes the place of the first; one that is parked
for another hour meanwhile is a copy as well, which the chunk's lease recognises. Each parking has a mark of its own,
and only what carries the mark that was read is removed: a copy that was parked in between stays.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table
from sendpool.domain.chunk import Chunk, from_body, to_body

# a chunk that waits for no hour may go whenever its broadcast may
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
# they are read until one is not due yet
_PAGE = 20


@dataclass(frozen=True, slots=True)
class ParkedChunk:
    """A chunk that waits until an hour, and the mark of its parking."""

    chunk: Chunk
    until: datetime
    mark: str


class ParkedChunks:
    """The parked chunks of the ledger: sender and dispatcher put them there, whoever releases them removes them."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def park(self, chunks: Iterable[Chunk], *, until: datetime, now: datetime) -> list[ParkedChunk]:
        """Keep chunks until somebody releases them, which must not be before `until`."""
        parked = [ParkedChunk(chunk, until, uuid4().hex) for chunk in chunks]
        self._table.put_many(self._item(each, now) for each in parked)
        return parked

    def _item(self, parked: ParkedChunk, now: datetime) -> Item:
        return {
            **_key(parked)._asdict(),
            "mark": parked.mark,
            "until": items.written(parked.until),
            # an item holds 400 KB, a queue message 1 MiB
            "chunk": zlib.compress(json.dumps(to_body(parked.chunk)).encode()),
            "expires_at": items.epoch(now + self._retention),
        }

    def of(self, broadcast_id: str) -> Iterator[ParkedChunk]:
        """Read the parked chunks of a broadcast in the order in which they may go."""
        partition, prefix = keys.all_parked(broadcast_id)
        for item in self._table.query(partition, prefix=prefix, page=_PAGE):
            plain = json.loads(zlib.decompress(bytes(item["chunk"])))
            yield ParkedChunk(from_body(plain), datetime.fromisoformat(item["until"]), item["mark"])

    def remove(self, parked: ParkedChunk) -> None:
        """Remove a chunk that is on the send queue again; one that was parked anew stays."""
        self._table.delete_if(_key(parked), "mark = :mark", {"mark": parked.mark})


def _key(parked: ParkedChunk) -> keys.Key:
    chunk = parked.chunk
    return keys.parked(chunk.broadcast_id, chunk.number, items.written(parked.until))
