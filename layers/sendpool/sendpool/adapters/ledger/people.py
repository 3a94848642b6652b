"""People in the ledger: who opted out of what, and what they text us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Table

ALL = "all"


class OptOuts:
    """Opt-outs by person and scope: a Messaging Service's SID, or all. Kept for ever."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(
        self, person: str, scope: str, *, opted_out: bool, source: str, at: datetime
    ) -> Literal["recorded", "superseded"]:
        """Record an opt-out or opt-in; one that is older than what is known changes nothing."""
        item = {
            **keys.opt_out(person, scope)._asdict(),
            "opted_out": opted_out,
            "source": source,
            "since": items.written(at),
        }
        put = self._table.put_if(
            item, "attribute_not_exists(pk) OR since <= :since", {"since": items.written(at)}
        )
        return "recorded" if put.written else "superseded"

    def among(self, people: Iterable[str], scope: str) -> set[str]:
        """Return those of these people who must not be sent to within this scope."""
        wanted = [keys.opt_out(person, each) for person in people for each in (scope, ALL)]
        found = self._table.get_many(wanted)
        return {key.pk.removeprefix("OPTOUT#") for key, item in found.items() if item["opted_out"]}


class InboundMessages:
    """Texts that people sent us."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def keep(self, sid: str, fields: Mapping[str, str], *, at: datetime) -> datetime:
        """Keep an inbound message with all fields of its webhook, and return when it was first kept."""
        item = {
            **keys.inbound(sid)._asdict(),
            "sid": sid,
            "person": fields.get("From") or None,
            "created_at": items.written(at),
            "expires_at": items.epoch(at + self._retention),
            "fields": dict(fields),
        }
        existing = self._table.put_if(item, "attribute_not_exists(pk)").existing
        return datetime.fromisoformat(existing["created_at"]) if existing else at
