"""Whether a Messaging Service may text US numbers, and how fast it is, in the ledger, as the sweeper found it last."""

from __future__ import annotations

from datetime import datetime

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table
from sendpool.domain.registration import Registration


class RegistrationRecords:
    """The registration items of the ledger; the sweeper is their only writer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, service_sid: str) -> Registration | None:
        key = keys.registration(service_sid)
        item = self._table.get_many([key]).get(key)
        if item is None:
            return None
        rate = item.get("segments_per_second")
        return Registration(
            item["is_registered"],
            datetime.fromisoformat(item["checked_at"]),
            float(rate) if rate is not None else None,
        )

    def put(self, service_sid: str, registration: Registration) -> None:
        rate = registration.segments_per_second
        item = {
            **keys.registration(service_sid)._asdict(),
            "is_registered": registration.is_registered,
            "checked_at": items.written(registration.checked_at),
            # a decimal fraction survives as text only
            "segments_per_second": str(rate) if rate is not None else None,
        }
        self._table.put_many([item])
