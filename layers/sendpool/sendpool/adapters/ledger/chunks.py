"""Chunks in the ledger: who works on one, whether the last attempt ended cleanly, what is known of its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table, Update
from sendpool.domain.clicks import Clicks
from sendpool.domain.message import UNDECIDED, Delivery, MessageRecord


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a chunk.

    `ambiguous`: an earlier attempt ended without a word, so whatever has no result may have been sent, at
    `since` at the earliest; such calls were under way at `until` at the latest.
    """

    ambiguous: bool
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ChunkTruth:
    """All that is known of a chunk's messages, by number."""

    results: dict[int, MessageRecord] = field(default_factory=dict)
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    clicks: dict[int, Clicks] = field(default_factory=dict)

    @property
    def undecided(self) -> dict[int, MessageRecord]:
        """The messages that are not over: offered without a known outcome, or deferred."""
        return {
            number: record
            for number, record in self.results.items()
            if record.result.status in UNDECIDED
        }


class Chunks:
    """The chunk items of the ledger; the sender is their only writer."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def begin(
        self, broadcast_id: str, number: int, *, owner: str, now: datetime, lease: timedelta
    ) -> Attempt | Literal["done", "held"]:
        """Take the chunk's lease. Until `end` says otherwise, the attempt counts as ended without a word."""
        key = keys.chunk(broadcast_id, number)
        before = self._table.get(key) or {}
        if before.get("done"):
            return "done"
        first = before.get("first_attempt_at", items.written(now))
        # whoever held it before is not at work any more, so what it did is over by then
        until = before.get("lease_until") or before.get("unclear_until") or items.milliseconds(now)
        taken = self._table.update(
            Update(
                key=key,
                expression=(
                    "SET claimed_by = :owner, lease_until = :until, clean = :no, first_attempt_at = :first, "
                    "unclear_until = :unclear, expires_at = :expires ADD attempts :one"
                ),
                condition=(
                    "(attribute_not_exists(lease_until) OR lease_until < :now) "
                    "AND (attribute_not_exists(attempts) OR attempts = :seen)"
                ),
                values={
                    "owner": owner,
                    "until": items.milliseconds(now + lease),
                    "no": False,
                    "first": first,
                    "unclear": until,
                    "expires": items.epoch(now + self._retention),
                    "one": 1,
                    "now": items.milliseconds(now),
                    "seen": before.get("attempts", 0),
                },
            )
        )
        # our own write, repeated by the client after a lost answer, looks like a rival's
        if not taken.written and (taken.existing or {}).get("claimed_by") != owner:
            return "held"
        ambiguous = bool(before) and not before["clean"]
        return Attempt(
            ambiguous=ambiguous,
            since=datetime.fromisoformat(first),
            until=datetime.fromtimestamp(until / 1000, tz=UTC),
        )

    def is_done(self, broadcast_id: str, number: int) -> bool:
        """Tell whether every message of a chunk has a result."""
        item = self._table.get(keys.chunk(broadcast_id, number)) or {}
        return bool(item.get("done"))

    def truth(self, broadcast_id: str, number: int) -> ChunkTruth:
        """Read all send results, deliveries and clicks of a chunk, consistently, in one query."""
        truth = ChunkTruth()
        for item in self._table.query(keys.chunk(broadcast_id, number).pk):
            place = keys.place_in_stream(item["pk"], item["sk"])
            if place is None:
                continue
            match item["sk"].partition("#")[0]:
                case "MSG":
                    truth.results[place.number] = items.to_message(item)
                case "ST":
                    truth.deliveries[place.number] = items.to_delivery(item)
                case "CL":
                    truth.clicks[place.number] = items.to_clicks(item)
        return truth

    def end(self, broadcast_id: str, number: int, *, owner: str, clean: bool, done: bool) -> None:
        """Give the lease back.

        `clean`: whatever has no result was certainly not sent. `done`: every message has a result.
        """
        self._table.update(
            Update(
                key=keys.chunk(broadcast_id, number),
                expression="SET clean = :clean, done = :done REMOVE lease_until",
                condition="claimed_by = :owner",
                values={"clean": clean, "done": done, "owner": owner},
            )
        )
