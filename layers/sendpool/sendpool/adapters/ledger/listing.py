"""Lists that people page through: the sparse index `listed`, over all its shards.

An item is on a list while it has the attributes of its place. A cursor names the last place that was seen, so a list
may change between two pages; the order is that of the shards, and within one that of time.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import ClassVar

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table


class CursorError(ValueError):
    """No cursor of this list."""


class Listing:
    """One list, such as that of the opt-outs. The index lags a moment behind the table and holds keys only."""

    NAMES: ClassVar = ("listed_in", "listed_at")

    def __init__(self, table: Table, kind: str) -> None:
        self._table = table
        self._shards = keys.open_partitions(kind)
        self._kind = kind

    def place(self, name: str, at: datetime) -> Item:
        """Return the attributes that put an item on the list."""
        return {
            "listed_in": keys.open_partition(self._kind, name),
            "listed_at": items.written(at),
        }

    def page(self, cursor: str | None, *, limit: int) -> tuple[list[keys.Key], str | None]:
        """Return the keys of up to `limit` items after a cursor, and the cursor of the next ones, None at the end.

        Raises CursorError.
        """
        entries, following = self.entries(cursor, limit=limit)
        return [keys.Key(item["pk"], item["sk"]) for item in entries], following

    def entries(self, cursor: str | None, *, limit: int) -> tuple[list[Item], str | None]:
        """Return the same as `page`, each key with its place on the list."""
        shard, after = self._read(cursor) if cursor else (0, None)
        found: list[Item] = []
        while shard < len(self._shards) and len(found) < limit:
            listed, after = self._table.index_page(
                "listed",
                partition=("listed_in", self._shards[shard]),
                after=after,
                limit=limit - len(found),
            )
            found += listed
            shard += after is None
        return found, self._written(shard, after) if shard < len(self._shards) else None

    def _written(self, shard: int, after: Item | None) -> str:
        place = [shard, *(after[name] for name in ("listed_at", "pk", "sk"))] if after else [shard]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()

    def _read(self, cursor: str) -> tuple[int, Item | None]:
        try:
            shard, *place = json.loads(base64.urlsafe_b64decode(cursor))
            partition = self._shards[shard]
            if not place:
                return shard, None
            listed_at, pk, sk = map(str, place)
        except (ValueError, TypeError, LookupError) as error:
            raise CursorError from error
        return shard, {"listed_in": partition, "listed_at": listed_at, "pk": pk, "sk": sk}
