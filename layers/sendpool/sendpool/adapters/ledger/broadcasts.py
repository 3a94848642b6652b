"""Broadcasts in the ledger: their state and cursor, their tallies and counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Put, Table, Update
from sendpool.domain import tally
from sendpool.domain.broadcast import (
    UNDER_WAY,
    Broadcast,
    Counters,
    Cursor,
    Forgiven,
    Hold,
    ImportCursor,
    Problem,
    State,
)
from sendpool.domain.pace import Slowed


class Broadcasts:
    """The broadcast items of the ledger. Every change is conditional on what it starts from.

    `due_at` is when the sweeper has to look at a broadcast at which nothing happens. Whoever changes one says so.
    """

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

    def start(self, broadcast_id: str, *, at: datetime, due_at: datetime) -> bool:
        """Move from created to importing; False when it is not in created, or held."""
        return self._change(
            broadcast_id,
            when={"state": State.CREATED, "held": None},
            to={"state": State.IMPORTING, "started_at": items.written(at)}
            | items.open_broadcast("tick", broadcast_id, due_at),
        ).written

    def move_import(
        self,
        broadcast_id: str,
        *,
        before: ImportCursor | None,
        after: ImportCursor,
        due_at: datetime,
    ) -> bool:
        """Move the import's cursor, if it still stands where this tick found it."""
        change = self._change(
            broadcast_id,
            when={
                "state": State.IMPORTING,
                "import_cursor": asdict(before) if before else None,
            },
            to={"import_cursor": asdict(after)}
            | items.open_broadcast("tick", broadcast_id, due_at),
        )
        # or it was moved by us already: the client repeated the call after a lost answer
        return change.written or (change.existing or {}).get("import_cursor") == asdict(after)

    def imported(self, broadcast_id: str, *, total: int, etag: str) -> bool:
        """Move from importing to sending, now that every row is known."""
        return self._change(
            broadcast_id,
            when={"state": State.IMPORTING},
            to={"state": State.SENDING, "total": total, "rows_etag": etag},
        ).written

    def fail(self, broadcast_id: str, problem: Problem, *, before: State = State.IMPORTING) -> bool:
        """Move from importing, or from created, to failed: the recipients file cannot be used."""
        plain = {name: value for name, value in asdict(problem).items() if value is not None}
        return self._change(
            broadcast_id,
            when={"state": before},
            to={"state": State.FAILED, "problem": plain} | _NOT_OPEN,
        ).written

    def advance(
        self, broadcast: Broadcast, *, after: Cursor, by: str, last: bool, due_at: datetime
    ) -> bool:
        """Move the cursor, if it still stands where this tick found it; `by` is the tick's queue message."""
        cursor = items.of_cursor(after)
        change = self._change(
            broadcast.id,
            when={"state": State.SENDING, "cursor": items.of_cursor(broadcast.cursor)},
            to={
                "state": State.DISPATCHED if last else State.SENDING,
                "cursor": cursor,
                "advanced_by": by,
                "pool_rate": str(broadcast.pool_rate) if broadcast.pool_rate else None,
            }
            | items.open_broadcast("tick", broadcast.id, due_at),
        )
        # or it was moved by us already: the client repeated the call after a lost answer
        there = change.existing or {}
        return change.written or (there.get("advanced_by"), there.get("cursor")) == (by, cursor)

    def pause(
        self, broadcast: Broadcast, *, reason: str, at: datetime, hold: Hold = Hold.PAUSED
    ) -> bool:
        """Hold a broadcast that is under way; whoever pauses need not have read its latest state.

        False when it is held otherwise than it was read, or not under way, or was resumed since it was read.
        """
        return self._change(
            broadcast.id,
            when={
                "state": tuple(UNDER_WAY),
                "held": broadcast.held,
                "resumed_at": _written(broadcast.resumed_at),
            },
            to={"held": hold, "held_reason": reason, "held_at": items.written(at)}
            | _open(broadcast.id, broadcast.expire_at),
        ).written

    def resume(
        self, broadcast: Broadcast, *, forgiven: Forgiven, at: datetime, due_at: datetime
    ) -> bool:
        """Lift the pause that was read; what is forgiven no longer counts against it."""
        lifted = {"held": None, "held_reason": None, "held_at": None}
        return self._change(
            broadcast.id,
            when={"held": broadcast.held, "held_at": _written(broadcast.held_at)},
            to={"resumed_at": items.written(at), "forgiven": items.of_forgiven(forgiven)}
            | lifted
            | _open(broadcast.id, due_at),
        ).written

    def cancel(
        self, broadcast: Broadcast, *, reason: str, at: datetime, due_at: datetime | None
    ) -> bool:
        """Cancel a broadcast for good; False when its state or hold is not the one that was read."""
        return self._change(
            broadcast.id,
            when={"state": broadcast.state, "held": broadcast.held},
            to={"held": Hold.CANCELED, "held_reason": reason, "held_at": items.written(at)}
            | _open(broadcast.id, due_at),
        ).written

    def look_again(self, broadcast: Broadcast, due_at: datetime | None) -> bool:
        """Say when somebody has to look at it next, unless something happened since it was read."""
        return self._change(
            broadcast.id,
            when={
                "due_at": _written(broadcast.due_at),
                "held": broadcast.held,
                "resumed_at": _written(broadcast.resumed_at),
                "parkings": broadcast.parkings or None,
            },
            to=_open(broadcast.id, due_at),
        ).written

    def look_by(self, broadcast_id: str, at: datetime) -> None:
        """Make sure that somebody looks at a broadcast by then, if it is under way.

        What waits until then is counted first, even when a look is due by then anyway: whoever is about to say that
        nobody needs to look (look_again) may have read what waits before it was there, and finds another count.
        """
        is_under_way = self._table.update(
            Update(
                key=keys.broadcast(broadcast_id),
                expression="ADD parkings :one",
                condition="#state IN (:importing, :sending, :dispatched)",
                names={"state": "state"},
                values={"one": 1, **{str(state): state for state in UNDER_WAY}},
            )
        ).written
        if not is_under_way:
            return
        due = items.open_broadcast("tick", broadcast_id, at)
        self._table.update(
            Update(
                key=keys.broadcast(broadcast_id),
                expression="SET #open = :open, due_at = :due",
                condition=(
                    "#state IN (:importing, :sending, :dispatched) "
                    "AND (attribute_not_exists(due_at) OR due_at > :due)"
                ),
                names={"open": "open", "state": "state"},
                values={
                    "open": due["open"],
                    "due": due["due_at"],
                    **{str(state): state for state in UNDER_WAY},
                },
            )
        )

    def pace_out(self, broadcast: Broadcast, *, until: float) -> bool:
        """Say that work is paced out until then, if the cursor still stands where it was read."""
        return self._change(
            broadcast.id,
            when={"state": State.SENDING, "cursor": items.of_cursor(broadcast.cursor)},
            to={"cursor": items.of_cursor(replace(broadcast.cursor, paced_until=until))},
        ).written

    def set_budget(self, broadcast: Broadcast, budget: int) -> bool:
        """Say what it may cost from now on, unless another did so since the broadcast was read."""
        return self._change(
            broadcast.id, when={"budget": broadcast.budget}, to={"budget": budget}
        ).written

    def go_on_despite(self, broadcast: Broadcast, errors: frozenset[int]) -> bool:
        """Say which errors more pause it no longer, unless another did so since the broadcast was read."""
        return self._change(
            broadcast.id,
            when={"despite_errors": sorted(broadcast.despite_errors) or None},
            to={"despite_errors": sorted(broadcast.despite_errors | errors)},
        ).written

    def slow_down(self, broadcast: Broadcast, slowed: Slowed) -> bool:
        """Lower the rate, by sender or recorder; False when another did so since the broadcast was read."""
        return self._change(
            broadcast.id,
            when={
                "state": tuple(UNDER_WAY),
                "slowed_at": _written(broadcast.slowed.at) if broadcast.slowed else None,
            },
            to=items.of_slowed(slowed),
        ).written

    def _change(self, broadcast_id: str, *, when: Item, to: Item) -> Put:
        return self._table.update(changing(keys.broadcast(broadcast_id), when=when, to=to))


def changing(key: keys.Key, *, when: Item, to: Item) -> Update:
    """Set attributes, or remove those that are None, when others are as given: equal, one of a tuple, or None."""
    given = {name: value for name, value in to.items() if value is not None}
    gone = [f"#{name}" for name in to if name not in given]
    expression = "SET " + ", ".join(f"#{name} = :to_{name}" for name in given) if given else ""
    expression += " REMOVE " + ", ".join(gone) if gone else ""
    conditions, values = _conditions(when)
    return Update(
        key=key,
        expression=expression,
        condition=conditions,
        names={name: name for name in (*when, *to)},
        values=values | {f"to_{name}": value for name, value in given.items()},
    )


_NOT_OPEN: Item = {"open": None, "due_at": None}


def _open(broadcast_id: str, due_at: datetime | None) -> Item:
    return items.open_broadcast("tick", broadcast_id, due_at) if due_at else _NOT_OPEN


def _written(at: datetime | None) -> str | None:
    return items.written(at) if at else None


def _conditions(when: Item) -> tuple[str, Item]:
    """Write a condition for DynamoDB, with the values that it names."""
    parts: list[str] = []
    values: Item = {}
    for name, value in when.items():
        match value:
            case None:
                parts.append(f"attribute_not_exists(#{name})")
            case tuple():
                these = {f"if_{name}_{position}": each for position, each in enumerate(value)}
                parts.append(f"#{name} IN ({', '.join(f':{each}' for each in these)})")
                values |= these
            case _:
                parts.append(f"#{name} = :if_{name}")
                values[f"if_{name}"] = value
    return " AND ".join(parts), values


@dataclass(frozen=True, slots=True)
class VersionedTally:
    """A chunk's tally as it was read, so that it is only replaced if nobody else did in between."""

    broadcast_id: str
    chunk: int
    tally: tally.Tally
    version: int


class Tallies:
    """Tallies and counters; the rollup is their only writer, and a recount while somebody mends them."""

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
                tally.load(found[key]["standings"]) if key in found else tally.Tally(),
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
            # clicks may change and be counted the same
            updates=[_move_counters(broadcast_id, moves, expires)] if moves else [],
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
        return items.to_counters(self._table.get(keys.counters(broadcast_id)) or {})

    def correct(
        self,
        broadcast_id: str,
        *,
        before: Mapping[str, int],
        after: Mapping[str, int],
        now: datetime,
    ) -> bool:
        """Set counters to what they should be, on the condition that all of them still say what they said before."""
        names = {f"c{at}": name for at, name in enumerate(sorted(before.keys() | after.keys()))}
        same = [
            f"#{alias} = :{alias}_was" if name in before else f"attribute_not_exists(#{alias})"
            for alias, name in names.items()
        ]
        sets = "".join(f", #{alias} = :{alias}" for alias in names)
        update = Update(
            key=keys.counters(broadcast_id),
            expression=f"SET expires_at = :expires{sets}",
            condition=" AND ".join(same),
            names={alias: f"n:{name}" for alias, name in names.items()},
            values={
                "expires": items.epoch(now + self._retention),
                **{alias: after.get(name, 0) for alias, name in names.items()},
                **{f"{alias}_was": before[name] for alias, name in names.items() if name in before},
            },
        )
        return self._table.update(update).written

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
