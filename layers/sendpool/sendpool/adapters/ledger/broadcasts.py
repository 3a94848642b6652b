"""Broadcasts in the ledger: their state and cursor, their tallies and counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table, Update
from sendpool.domain import tally
from sendpool.domain.broadcast import Broadcast, Counters, Cursor, Problem, State


class Broadcasts:
    """The broadcast items of the ledger. Every change of state is conditional on the state it starts from."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def create(self, broadcast: Broadcast) -> Broadcast:
        """Create a broadcast, or return the one that has its id already."""
        expires_at = broadcast.created_at + self._retention
        existing = self._table.put_if(
            items.of_broadcast(broadcast, expires_at=expires_at), "attribute_not_exists(pk)"
        ).existing
        return items.to_broadcast(existing) if existing else broadcast

    def get(self, broadcast_id: str) -> Broadcast | None:
        item = self._table.get(keys.broadcast(broadcast_id))
        return items.to_broadcast(item) if item else None

    def start(self, broadcast_id: str, *, at: datetime) -> bool:
        """Move from created to importing; False when it is not in created."""
        return self._move(
            broadcast_id,
            State.CREATED,
            State.IMPORTING,
            also="started_at = :at",
            values={"at": items.written(at)},
        )

    def imported(self, broadcast_id: str, *, total: int, etag: str) -> bool:
        """Move from importing to sending, now that every row is known."""
        return self._move(
            broadcast_id,
            State.IMPORTING,
            State.SENDING,
            also="#total = :total, rows_etag = :etag",
            names={"total": "total"},
            values={"total": total, "etag": etag},
        )

    def fail(self, broadcast_id: str, problem: Problem) -> bool:
        """Move from importing to failed: the recipients file cannot be used."""
        plain = {name: value for name, value in asdict(problem).items() if value is not None}
        return self._move(
            broadcast_id,
            State.IMPORTING,
            State.FAILED,
            also="problem = :problem",
            values={"problem": plain},
        )

    def advance(
        self, broadcast_id: str, *, before: Cursor, after: Cursor, by: str, last: bool
    ) -> bool:
        """Move the cursor, if it still stands where this tick found it; `by` is the tick's queue message."""
        return self._move(
            broadcast_id,
            State.SENDING,
            State.DISPATCHED if last else State.SENDING,
            also="#cursor = :after, advanced_by = :by",
            condition="#cursor = :before",
            names={"cursor": "cursor"},
            values={"before": items.of_cursor(before), "after": items.of_cursor(after), "by": by},
        )

    def _move(
        self,
        broadcast_id: str,
        before: State,
        after: State,
        *,
        also: str,
        values: Item,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        update = Update(
            key=keys.broadcast(broadcast_id),
            expression=f"SET #state = :state_after, {also}",
            condition="#state = :state_before" + (f" AND {condition}" if condition else ""),
            names={"state": "state", **(names or {})},
            values={"state_before": str(before), "state_after": str(after), **values},
        )
        return self._table.update(update).written


@dataclass(frozen=True, slots=True)
class VersionedTally:
    """A chunk's tally as it was read, so that it is only replaced if nobody else did in between."""

    broadcast_id: str
    chunk: int
    tally: tally.Tally
    version: int


class Tallies:
    """Tallies and counters; the rollup is their only writer."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def read(self, chunks: Iterable[tuple[str, int]]) -> dict[tuple[str, int], VersionedTally]:
        """Read the tallies of these chunks; a chunk without one has an empty tally of version 0."""
        wanted = {keys.tally(*chunk): chunk for chunk in chunks}
        found = self._table.get_many(wanted)
        return {
            chunk: VersionedTally(
                *chunk,
                tally.load(found[key]["standings"]) if key in found else {},
                found[key]["version"] if key in found else 0,
            )
            for key, chunk in wanted.items()
        }

    def replace(
        self,
        broadcast_id: str,
        changed: Iterable[tuple[VersionedTally, tally.Tally]],
        *,
        now: datetime,
    ) -> None:
        """Replace tallies of one broadcast (at most 99) and move its counters by the difference, all or nothing.

        Raises TransactionLostError when one of them changed since it was read.
        """
        changed = list(changed)
        moves: dict[str, int] = {}
        for old, new in changed:
            for name, by in tally.difference(old.tally, new).items():
                moves[name] = moves.get(name, 0) + by
        expires = items.epoch(now + self._retention)
        self._table.transact(
            puts=[self._put(old, new, expires) for old, new in changed],
            updates=[_move_counters(broadcast_id, moves, expires)],
        )

    def _put(self, old: VersionedTally, new: tally.Tally, expires: int) -> tuple[Item, str, Item]:
        item = {
            **keys.tally(old.broadcast_id, old.chunk)._asdict(),
            "standings": tally.dump(new),
            "version": old.version + 1,
            "expires_at": expires,
        }
        if old.version:
            return item, "version = :version", {"version": old.version}
        return item, "attribute_not_exists(pk)", {}

    def counters(self, broadcast_id: str) -> Counters:
        item = self._table.get(keys.counters(broadcast_id)) or {}
        completed = item.get("completed_at")
        return Counters(
            counts={
                name.removeprefix("n:"): value
                for name, value in item.items()
                if name.startswith("n:")
            },
            completed_at=datetime.fromisoformat(completed) if completed else None,
        )

    def complete(self, broadcast_id: str, *, at: datetime) -> bool:
        """Mark a broadcast complete; True for whoever does it first."""
        update = Update(
            key=keys.counters(broadcast_id),
            expression="SET completed_at = :at",
            condition="attribute_not_exists(completed_at)",
            values={"at": items.written(at)},
        )
        return self._table.update(update).written


def _move_counters(broadcast_id: str, moves: Mapping[str, int], expires: int) -> Update:
    aliases = {f"c{position}": name for position, name in enumerate(moves)}
    adds = ", ".join(f"#{alias} :{alias}" for alias in aliases)
    return Update(
        key=keys.counters(broadcast_id),
        expression=f"SET expires_at = :expires ADD {adds}",
        names={alias: f"n:{name}" for alias, name in aliases.items()},
        values={"expires": expires, **{alias: moves[name] for alias, name in aliases.items()}},
    )
