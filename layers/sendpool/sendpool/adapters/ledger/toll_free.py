"""How toll-free verifications stand, in the ledger: what was heard of each last, and when somebody looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table
from sendpool.domain.toll_free.verification import Looked, Rejection, Standing

_PLACE: Final = keys.toll_free_looked()


class TollFreeRecords:
    """The toll-free items of the ledger. Its stream tells of what changes in them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def known(self, sids: Iterable[str]) -> Mapping[str, Standing]:
        """Return what is known of these verifications, by SID."""
        found = self._table.get_many(map(keys.toll_free, sids)).values()
        return {each.sid: each for each in map(to_toll_free, found)}

    def put(self, standing: Standing) -> None:
        """Write how a verification stands, unless something later is known."""
        self._table.put_if(
            _of_toll_free(standing),
            "attribute_not_exists(pk) OR updated_at <= :updated_at",
            {"updated_at": items.written(standing.updated_at)},
        )

    def looked(self) -> Looked | None:
        """Return when somebody looked last; None if nobody ever did."""
        item = self._table.get(_PLACE)
        return _to_looked(item) if item else None

    def expect(self, now: datetime) -> None:
        """Have somebody look within the hour: something is about to be submitted."""
        self._table.put_many([_of_looked(Looked(now, is_any_open=True))])

    def move(self, before: Looked | None, after: Looked) -> None:
        """Note that somebody looked, unless something was submitted or another one looked meanwhile."""
        if before is None:
            self._table.put_if(_of_looked(after), "attribute_not_exists(pk)")
            return
        self._table.put_if(
            _of_looked(after),
            "looked_at = :looked_at AND is_any_open = :is_any_open",
            {"looked_at": items.written(before.at), "is_any_open": before.is_any_open},
        )


def _of_looked(looked: Looked) -> Item:
    return _PLACE._asdict() | {
        "looked_at": items.written(looked.at),
        "is_any_open": looked.is_any_open,
    }


def _to_looked(item: Item) -> Looked:
    return Looked(datetime.fromisoformat(item["looked_at"]), item["is_any_open"])


def _of_toll_free(standing: Standing) -> Item:
    return {
        **keys.toll_free(standing.sid)._asdict(),
        "number_sid": standing.number_sid,
        "number": standing.number,
        "status": standing.status,
        "rejections": [{"code": each.code, "reason": each.reason} for each in standing.rejections],
        "edit_until": items.written(standing.edit_until) if standing.edit_until else None,
        "updated_at": items.written(standing.updated_at),
    }


def to_toll_free(item: Item) -> Standing:
    """Read a verification's item; raises KeyError, ValueError or TypeError for what is none."""
    until = item.get("edit_until")
    return Standing(
        sid=keys.name_in(item["pk"]),
        number_sid=item["number_sid"],
        number=item.get("number"),
        status=item["status"],
        rejections=tuple(
            Rejection(code=each["code"], reason=each["reason"]) for each in item["rejections"]
        ),
        edit_until=datetime.fromisoformat(until) if until else None,
        updated_at=datetime.fromisoformat(item["updated_at"]),
    )
