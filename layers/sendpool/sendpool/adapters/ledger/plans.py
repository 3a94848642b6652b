"""Plans of broadcasts in the ledger: one a broadcast, the one asked for last.

Every change is on condition of the plan's run, so that whoever still works on an older plan changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.broadcasts import changing
from sendpool.adapters.ledger.table import Item, Put, Table
from sendpool.domain.broadcast import ImportCursor, Problem
from sendpool.domain.plan import Forecast, Plan, PlanCursor, PlanState


class Plans:
    """The plan items; the API asks for plans, and the dispatcher makes them."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def ask_for(self, plan: Plan) -> None:
        """Put a new plan in the place of the one before."""
        item = {
            **keys.plan(plan.broadcast_id)._asdict(),
            "id": plan.broadcast_id,
            "run": plan.run,
            "state": plan.state,
            "requested_at": items.written(plan.requested_at),
            "at": items.written(plan.at),
            "upload_etag": plan.upload_etag,
            "rules_version": plan.rules_version,
            "cursor": _of_cursor(plan.cursor),
            "forecast": plan.forecast.to_json(),
            "expires_at": items.epoch(plan.requested_at + self._retention),
        }
        self._table.put_if(item, "attribute_not_exists(pk) OR run <> :run", {"run": plan.run})

    def get(self, broadcast_id: str) -> Plan | None:
        item = self._table.get(keys.plan(broadcast_id))
        return _to_plan(item) if item else None

    def move_import(self, plan: Plan, *, before: ImportCursor | None, after: ImportCursor) -> bool:
        """Move the import's cursor, if it still stands where this tick found it."""
        change = self._change(
            plan,
            when={
                "state": PlanState.READING,
                "import_cursor": asdict(before) if before else None,
            },
            to={"import_cursor": asdict(after)},
        )
        # or it was moved by us already: the client repeated the call after a lost answer
        return change.written or (change.existing or {}).get("import_cursor") == asdict(after)

    def imported(self, plan: Plan, *, total: int, etag: str) -> bool:
        """Move from reading to planning, now that every row is known."""
        return self._change(
            plan,
            when={"state": PlanState.READING},
            to={"state": PlanState.PLANNING, "total": total, "rows_etag": etag},
        ).written

    def move(self, plan: Plan, *, after: PlanCursor, forecast: Forecast, by: str) -> Plan | None:
        """Move the cursor, with what counts up to there; None when another one moved it."""
        cursor = _of_cursor(after)
        change = self._change(
            plan,
            when={"state": PlanState.PLANNING, "cursor": _of_cursor(plan.cursor)},
            to={"cursor": cursor, "forecast": forecast.to_json(), "moved_by": by},
        )
        # or it was moved by us already: the names of its parts are ours alone
        if change.written or (change.existing or {}).get("cursor") == cursor:
            return replace(plan, cursor=after, forecast=forecast, moved_by=by)
        return None

    def finish(self, plan: Plan, *, pool_rate: float | None, at: datetime) -> bool:
        """Move from planning to done; the report is there."""
        return self._change(
            plan,
            when={"state": PlanState.PLANNING, "cursor": _of_cursor(plan.cursor)},
            to={
                "state": PlanState.DONE,
                "finished_at": items.written(at),
                "pool_rate": str(pool_rate) if pool_rate else None,
            },
        ).written

    def fail(self, plan: Plan, problem: Problem) -> bool:
        """Give a plan up that is not done: the recipients cannot be used."""
        plain = {name: value for name, value in asdict(problem).items() if value is not None}
        return self._change(
            plan,
            when={"state": (PlanState.READING, PlanState.PLANNING)},
            to={"state": PlanState.FAILED, "problem": plain},
        ).written

    def _change(self, plan: Plan, *, when: Item, to: Item) -> Put:
        key = keys.plan(plan.broadcast_id)
        return self._table.update(changing(key, when={"run": plan.run} | when, to=to))


def _of_cursor(cursor: PlanCursor) -> Item:
    tail = {"tail": cursor.tail} if cursor.tail else {}
    return {"offset": cursor.offset, "parts": list(cursor.parts)} | tail


def _to_plan(item: Item) -> Plan:
    cursor = item["cursor"]
    finished_at = item.get("finished_at")
    return Plan(
        broadcast_id=item["id"],
        run=item["run"],
        state=PlanState(item["state"]),
        requested_at=datetime.fromisoformat(item["requested_at"]),
        at=datetime.fromisoformat(item["at"]),
        upload_etag=item.get("upload_etag"),
        rules_version=item.get("rules_version"),
        import_cursor=ImportCursor(**item["import_cursor"]) if "import_cursor" in item else None,
        total=item.get("total"),
        rows_etag=item.get("rows_etag"),
        cursor=PlanCursor(
            offset=cursor["offset"], parts=tuple(cursor["parts"]), tail=cursor.get("tail")
        ),
        moved_by=item.get("moved_by"),
        forecast=Forecast.from_json(item["forecast"]),
        pool_rate=float(item["pool_rate"]) if item.get("pool_rate") else None,
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
        problem=Problem(**item["problem"]) if "problem" in item else None,
    )
