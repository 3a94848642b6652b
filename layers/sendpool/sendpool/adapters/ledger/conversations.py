"""Conversations in the ledger: what passed between us and one person, by the index that lags behind by a moment."""

from __future__ import annotations

import base64
import json

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.listing import CursorError
from sendpool.adapters.ledger.people import to_inbound
from sendpool.adapters.ledger.table import Item, Table
from sendpool.domain.conversation import Entry, OutboundEntry


class Conversations:
    """Reads conversations, the newest first."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def recent(self, person: str, *, limit: int) -> list[Entry]:
        """Return the newest entries, without what became of our messages."""
        found, _ = self._page(person, after=None, limit=limit)
        return [_to_entry(item) for item in found]

    def page(
        self, person: str, cursor: str | None, *, limit: int
    ) -> tuple[list[Entry], str | None]:
        """Return up to `limit` entries after a cursor, and the cursor of older ones; raises CursorError."""
        found, after = self._page(person, after=_read(person, cursor), limit=limit)
        entries = [_to_entry(item) for item in found]
        ours = [each.record.id for each in entries if isinstance(each, OutboundEntry)]
        deliveries = self._table.get_many(map(keys.delivery, ours))
        return [_with_delivery(each, deliveries) for each in entries], _written(after)

    def _page(
        self, person: str, *, after: Item | None, limit: int
    ) -> tuple[list[Item], Item | None]:
        return self._table.index_page(
            "by_person", partition=("person", person), after=after, limit=limit, newest_first=True
        )


def _to_entry(item: Item) -> Entry:
    if item["sk"] == "IN":
        return to_inbound(item)
    return OutboundEntry(items.to_message(item))


def _with_delivery(entry: Entry, deliveries: dict[keys.Key, Item]) -> Entry:
    if not isinstance(entry, OutboundEntry):
        return entry
    item = deliveries.get(keys.delivery(entry.record.id))
    return OutboundEntry(entry.record, items.to_delivery(item)) if item else entry


def _written(after: Item | None) -> str | None:
    if after is None:
        return None
    place = [after[name] for name in ("created_at", "pk", "sk")]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read(person: str, cursor: str | None) -> Item | None:
    """Read a cursor. It names a place, not the person, so that it opens no other conversation."""
    if not cursor:
        return None
    try:
        created_at, pk, sk = map(str, json.loads(base64.urlsafe_b64decode(cursor)))
    except (ValueError, TypeError) as error:
        raise CursorError from error
    return {"person": person, "created_at": created_at, "pk": pk, "sk": sk}
