"""What somebody still has to look at: the sparse index `open`, over all its shards."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table


class Due:
    """The open messages and broadcasts of the ledger by the time at which to look at them; only read here.

    The index lags behind the table: what it names may have been dealt with in between.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def ids(self, *kinds: str, now: datetime) -> Iterator[str]:
        """Yield what is due, oldest first.

        A message's kind is its status, `claimed` or `unknown`; a broadcast's is `start` or `tick`.
        """
        shards = [
            self._table.query_index(
                "open", partition=("open", partition), until=("due_at", items.written(now))
            )
            for kind in kinds
            for partition in keys.open_partitions(kind)
        ]
        for item in heapq.merge(*shards, key=lambda item: str(item["due_at"])):
            yield keys.name_in(item["pk"])
