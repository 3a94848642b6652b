"""Clicks in the ledger: an item for each message whose links were followed; the recorder is their only writer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table
from sendpool.domain.clicks import Clicks


class ClickRecords:
    """The clicks items of the ledger, kept for `retention` after the last click."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def of(self, message_id: str) -> Clicks | None:
        """Return the clicks of one message of ours; None as long as nobody followed a link."""
        item = self._table.get(keys.clicks(message_id))
        return items.to_clicks(item) if item else None

    def get(self, wanted: Iterable[keys.Key]) -> dict[keys.Key, Clicks]:
        return {key: items.to_clicks(item) for key, item in self._table.get_many(wanted).items()}

    def save(self, key: keys.Key, clicks: Clicks, *, now: datetime) -> bool:
        """Write clicks over the version they were made from; False when another writer was faster."""
        item = items.of_clicks(
            replace(clicks, version=clicks.version + 1), expires_at=now + self._retention
        )
        condition = "version = :version" if clicks.version else "attribute_not_exists(pk)"
        values = {"version": clicks.version} if clicks.version else None
        return self._table.put_if(key._asdict() | item, condition, values).written
