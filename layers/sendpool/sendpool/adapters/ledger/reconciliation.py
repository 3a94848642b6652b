"""How far Twilio's list of messages has been gone through, and the books of the days that it has gone through.

The place is one item with a version. What a page of the list adds to the books moves in one transaction with it, so no
page counts twice. Each round has an item of its own for every day that it touches: a round that has to begin again
empties these and no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.listing import Listing
from sendpool.adapters.ledger.table import Item, Table, TransactionLostError
from sendpool.domain.books import Account, Day, total
from sendpool.domain.reconciliation import Round, Span
from sendpool.domain.sketch import NOTHING, Sketch

_PLACE = keys.reconciliation()
_CLOSING = keys.books_closing()


@dataclass(frozen=True, slots=True)
class Place:
    """The round that is under way or comes next, as it was read; `version` counts its moves."""

    round: Round
    version: int


class Reconciliation:
    """The place in Twilio's list at which the sweeper goes on; the sweeper is its only writer."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def place(self) -> Place | None:
        """Return where to go on; None before the first round was planned."""
        item = self._table.get(_PLACE)
        return _to_place(item) if item else None

    def move(self, before: Place | None, after: Round) -> Place | None:
        """Go on to another place; None when another sweeper has moved on meanwhile."""
        there = _next(before, after)
        put = self._table.put_if(*_put(before, there))
        # or it is our own write, repeated by the client after a lost answer
        is_there = put.written or (put.existing and _to_place(put.existing) == there)
        return there if is_there else None

    def count(self, before: Place, page: Mapping[date, Account]) -> Place | None:
        """Add what a page shows to the books, of each day; None when another sweeper has moved on meanwhile."""
        known = self._table.get_many(_part(before.round, day) for day in page)
        parts = {
            key: _to_account(known[key]) + account if key in known else account
            for day, account in page.items()
            for key in (_part(before.round, day),)
        }
        return self._move_with(parts, before, before.round.counted())

    def begin_again(self, before: Place) -> Place | None:
        """Go back to the beginning of the round, and take out of the books what it has counted."""
        known = self._table.get_many(_part(before.round, day) for day in before.round.late.days)
        return self._move_with(dict.fromkeys(known, Account()), before, before.round.at(None))

    def _move_with(
        self, parts: Mapping[keys.Key, Account], before: Place, after: Round
    ) -> Place | None:
        there = _next(before, after)
        expires_at = items.epoch(before.round.begins_at + self._retention)
        puts = [
            (key._asdict() | _of_account(account) | {"expires_at": expires_at}, None, None)
            for key, account in parts.items()
        ]
        try:
            self._table.transact(puts=[_put(before, there), *puts], updates=[])
        except TransactionLostError:
            return None
        return there


def _next(before: Place | None, after: Round) -> Place:
    return Place(after, before.version + 1 if before else 1)


def _put(before: Place | None, there: Place) -> tuple[Item, str, Mapping[str, int] | None]:
    """Return the write of a place, its condition, and the values of that."""
    item = _PLACE._asdict() | _of_place(there)
    if before is None:
        return item, "attribute_not_exists(pk)", None
    return item, "version = :version", {"version": before.version}


def _part(this: Round, day: date) -> keys.Key:
    return keys.books_of_round(day, items.written(this.late.since))


def _of_place(place: Place) -> Item:
    going = place.round
    return {
        "begins_at": items.written(going.begins_at),
        "soon": _of_span(going.soon),
        "late": _of_span(going.late),
        "page": going.page,
        "is_counted": going.is_counted or None,
        "version": place.version,
    }


def _to_place(item: Item) -> Place:
    going = Round(
        begins_at=datetime.fromisoformat(item["begins_at"]),
        soon=_to_span(item["soon"]),
        late=_to_span(item["late"]),
        page=item.get("page"),
        is_counted=item.get("is_counted", False),
    )
    return Place(going, item["version"])


def _of_span(span: Span) -> Item:
    return {"since": items.written(span.since), "until": items.written(span.until)}


def _to_span(item: Item) -> Span:
    return Span(datetime.fromisoformat(item["since"]), datetime.fromisoformat(item["until"]))


# ------------------------------------------------------------------------------------------------ books


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The day whose books are closed next: the SIDs that the ledger has for it, up to `cursor` in their list."""

    day: date
    sids: Sketch = NOTHING
    cursor: str | None = None
    version: int = 1


class Books:
    """The books of days; the sweeper is their only writer."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def closing(self, *, first: date) -> Closing:
        """Return what is closed next; the books begin with the day `first` if there are none yet."""
        item = self._table.get(_CLOSING)
        if item is None:
            begun = Closing(day=first)
            put = self._table.put_if(_of_closing(begun), "attribute_not_exists(pk)")
            return _to_closing(put.existing) if put.existing else begun
        return _to_closing(item)

    def sids(self, closing: Closing, *, limit: int) -> tuple[list[str], str | None]:
        """Return the next SIDs of the ledger for this day, and the cursor after them, None at the end."""
        listing = Listing(self._table, keys.made_on(closing.day))
        entries, cursor = listing.entries(closing.cursor, limit=limit)
        return [entry["listed_at"] for entry in entries], cursor

    def go_on(self, before: Closing, sids: Sketch, cursor: str) -> Closing | None:
        """Note how far the list of SIDs has been read; None when another sweeper has gone on meanwhile."""
        after = Closing(day=before.day, sids=sids, cursor=cursor, version=before.version + 1)
        put = self._table.put_if(_of_closing(after), *_as_read(before))
        is_ours = put.written or (put.existing and _to_closing(put.existing) == after)
        return after if is_ours else None

    def counted(self, day: date) -> Account:
        """Return what the rounds have counted of a day so far."""
        return total(self._parts(day))

    def finish(self, before: Closing, day: Day, *, now: datetime) -> Closing | None:
        """Write a day's books down for good, and go on to the next day; None when another sweeper did."""
        after = Closing(day=before.day + timedelta(days=1), version=before.version + 1)
        finished = {
            **keys.finished_books(day.date)._asdict(),
            **_of_account(day.account, with_sids=False),
            "finished_at": items.written(now),
            "expires_at": items.epoch(now + self._retention),
        }
        condition, values = _as_read(before)
        try:
            self._table.transact(
                puts=[(_of_closing(after), condition, values), (finished, None, None)], updates=[]
            )
        except TransactionLostError:
            return None
        return after

    def days(self, wanted: Iterable[date]) -> list[Day]:
        """Return the books of these days, in the order given; without those of which nothing was counted."""
        dates = list(wanted)
        finished = self._table.get_many(map(keys.finished_books, dates))
        found = (
            _to_day(each, finished[key])
            if (key := keys.finished_books(each)) in finished
            else self._open(each)
            for each in dates
        )
        return [day for day in found if day]

    def _open(self, day: date) -> Day | None:
        """Read the books of a day that is not closed; never those of the day that was not whole when they began."""
        parts = list(self._parts(day))
        closing = self._table.get(_CLOSING) if parts else None
        is_kept = closing is not None and _to_closing(closing).day <= day
        return Day(day, total(parts)) if is_kept else None

    def _parts(self, day: date) -> Iterator[Account]:
        return map(_to_account, self._table.query(keys.books_of(day), prefix="ROUND#"))


def _as_read(closing: Closing) -> tuple[str, Mapping[str, int]]:
    return "version = :version", {"version": closing.version}


def _of_closing(closing: Closing) -> Item:
    return {
        **_CLOSING._asdict(),
        "day": closing.day.isoformat(),
        "sids": closing.sids.dump(),
        "cursor": closing.cursor,
        "version": closing.version,
    }


def _to_closing(item: Item) -> Closing:
    return Closing(
        day=date.fromisoformat(item["day"]),
        sids=Sketch.load(item["sids"]),
        cursor=item.get("cursor"),
        version=item["version"],
    )


def _to_day(day: date, item: Item) -> Day:
    return Day(day, _to_account(item), datetime.fromisoformat(item["finished_at"]))


def _of_account(account: Account, *, with_sids: bool = True) -> Item:
    return {
        "counts": dict(account.counts),
        "examples": {cause: list(some) for cause, some in account.examples.items()},
        "sids": account.both.dump() if with_sids else None,
    }


def _to_account(item: Item) -> Account:
    return Account(
        Counter(item["counts"]),
        Sketch.load(item["sids"]) if "sids" in item else NOTHING,
        {cause: tuple(some) for cause, some in item["examples"].items()},
    )
