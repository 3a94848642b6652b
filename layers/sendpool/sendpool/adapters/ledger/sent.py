"""Marketing that went out, by person: what frequency caps count (domain/decision.py).

One item a person, with the time of each message of the last week under its id, so that a message that is offered
again counts once. It is changed on condition of its version: of two that would be the last one, one comes second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table, Update

# the longest that a cap looks back
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SentTo:
    """What went out to one person, as it was read."""

    times: Mapping[str, datetime] = field(default_factory=dict)
    version: int = 0


class MarketingSent:
    """The items that caps count; whoever sends writes them, before it offers a message."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def to(self, people: Iterable[str]) -> dict[str, SentTo]:
        """Read what went out to these people; one to whom nothing did is absent."""
        wanted = {keys.sent(person): person for person in people}
        found = self._table.get_many(wanted)
        return {
            wanted[key]: SentTo(
                {name: datetime.fromisoformat(at) for name, at in item["sent"].items()},
                item["version"],
            )
            for key, item in found.items()
        }

    def add(self, person: str, message_id: str, before: SentTo, *, at: datetime) -> bool:
        """Count a message that is about to be offered; False when somebody else wrote since it was read."""
        kept = {name: when for name, when in before.times.items() if at - KEPT < when}
        item = {
            **keys.sent(person)._asdict(),
            "sent": {name: items.written(when) for name, when in (kept | {message_id: at}).items()},
            "version": before.version + 1,
            "expires_at": items.epoch(at + KEPT),
        }
        condition = "version = :version" if before.version else "attribute_not_exists(pk)"
        values = {"version": before.version} if before.version else None
        put = self._table.put_if(item, condition, values)
        # or it is our own write, repeated by the client after a lost answer
        there = put.existing or {}
        return put.written or (
            there.get("version") == item["version"] and message_id in there.get("sent", {})
        )

    def remove(self, person: str, message_id: str) -> None:
        """No longer count a message that Twilio refused for good."""
        self._table.update(
            Update(
                key=keys.sent(person),
                expression="REMOVE sent.#message ADD version :one",
                condition="attribute_exists(pk)",
                names={"message": message_id},
                values={"one": 1},
            )
        )
