"""How far Twilio's list of messages has been gone through, in the ledger: one item, with a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table
from sendpool.domain.reconciliation import Round, Span

_KEY = keys.reconciliation()


@dataclass(frozen=True, slots=True)
class Place:
    """The round that is under way or comes next, as it was read; `version` counts its moves."""

    round: Round
    version: int


class Reconciliation:
    """The place in Twilio's list at which the sweeper goes on; the sweeper is its only writer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def place(self) -> Place | None:
        """Return where to go on; None before the first round was planned."""
        item = self._table.get(_KEY)
        return _to_place(item) if item else None

    def move(self, before: Place | None, after: Round) -> Place | None:
        """Go on to another place; None when another sweeper has moved on meanwhile."""
        version = before.version if before else 0
        there = Place(after, version + 1)
        put = self._table.put_if(
            _KEY._asdict() | _of_place(there),
            "version = :version" if before else "attribute_not_exists(pk)",
            {"version": version} if before else None,
        )
        # or it is our own write, repeated by the client after a lost answer
        is_there = put.written or (put.existing and _to_place(put.existing) == there)
        return there if is_there else None


def _of_place(place: Place) -> Item:
    going = place.round
    return {
        "begins_at": items.written(going.begins_at),
        "soon": _of_span(going.soon),
        "late": _of_span(going.late),
        "page": going.page,
        "version": place.version,
    }


def _to_place(item: Item) -> Place:
    going = Round(
        begins_at=datetime.fromisoformat(item["begins_at"]),
        soon=_to_span(item["soon"]),
        late=_to_span(item["late"]),
        page=item.get("page"),
    )
    return Place(going, item["version"])


def _of_span(span: Span) -> Item:
    return {"since": items.written(span.since), "until": items.written(span.until)}


def _to_span(item: Item) -> Span:
    return Span(datetime.fromisoformat(item["since"]), datetime.fromisoformat(item["until"]))
