"""Brands and campaigns that are being registered, in the ledger: few, all in one partition, each with a version.

Whoever works on one holds its lease; every write is on condition of the version, so that of two that hold it after
all only one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.keys import Key
from sendpool.adapters.ledger.plain import dumps, loads
from sendpool.adapters.ledger.table import Item, Table
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord
from sendpool.domain.errors import InProgressError

type Record = BrandRecord | CampaignRecord

_KINDS: Final[dict[str, type[Record]]] = {"BRAND": BrandRecord, "CAMPAIGN": CampaignRecord}


@dataclass(frozen=True, slots=True)
class Review:
    """Twilio says that the review of a profile of this brand is over."""

    brand: str


class A2pRecords:
    """The registration of brands and campaigns."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def brand(self, name: str) -> BrandRecord | None:
        item = self._table.get(keys.a2p_brand(name))
        return to_record(BrandRecord, item) if item else None

    def campaign(self, service_sid: str) -> CampaignRecord | None:
        item = self._table.get(keys.a2p_campaign(service_sid))
        return to_record(CampaignRecord, item) if item else None

    def all(self) -> Iterator[Record]:
        """Yield all, brands before campaigns."""
        for item in self._table.query(keys.A2P):
            yield to_record(_KINDS[item["sk"].partition("#")[0]], item)

    def claim[R: Record](self, record: R, *, until: datetime, now: datetime) -> R:
        """Take the lease of a record as it was read, or of a new one; raises InProgressError if another has it."""
        if record.claimed_until and now < record.claimed_until:
            raise InProgressError("Somebody is working on this registration.")
        return self.save(replace(record, claimed_until=until))

    def save[R: Record](self, record: R) -> R:
        """Write a record; raises InProgressError when another one wrote it meanwhile."""
        after = replace(record, version=record.version + 1)
        item = _to_item(after)
        put = self._table.put_if(
            item,
            "version = :version" if record.version else "attribute_not_exists(pk)",
            {"version": record.version} if record.version else None,
        )
        # or it is our own write, repeated by the client after a lost answer
        if not put.written and put.existing != item:
            raise InProgressError("Somebody else is working on this registration.")
        return after

    def look_soon(self, name: str, now: datetime) -> bool:
        """Have a brand looked at by the next sweep; tells whether that is so. One that is not kept is done."""
        record = self.brand(name)
        if record is None:
            return True
        if record.claimed_until and now < record.claimed_until:
            return False
        try:
            self.save(replace(record, next_look_at=now))
        except InProgressError:
            return False
        return True

    def delete(self, record: Record) -> None:
        """Forget a record as it was read; raises InProgressError when another one wrote it meanwhile."""
        # one that is gone was deleted by us, in a call whose answer got lost
        is_ours = "attribute_not_exists(pk) OR version = :version"
        if not self._table.delete_if(_key(record), is_ours, {"version": record.version}):
            raise InProgressError("Somebody else is working on this registration.")


def to_record[R: Record](kind: type[R], item: Item) -> R:
    """Read an item of the ledger."""
    return loads(kind, item["record"])


def _to_item(record: Record) -> Item:
    return {**_key(record)._asdict(), "version": record.version, "record": dumps(record)}


def _key(record: Record) -> Key:
    if isinstance(record, BrandRecord):
        return keys.a2p_brand(record.name)
    return keys.a2p_campaign(record.service_sid)
