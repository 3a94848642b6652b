"""How fast the dispatcher plans a broadcast, and in how much memory.

    python -m local.benchmarks.planner --rows 1000000 [--emoji]

Real and not real are what they are in local/benchmarks/dispatcher.py; besides, nothing is known of anybody in the
ledger, whose answers come at once: on AWS eight of them are awaited side by side. With --emoji every text is UCS-2, and
its characters are counted.
"""

from __future__ import annotations

import argparse
import json
import resource
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from local.benchmarks.dispatcher import BODY, ID, Clock, Counting, Disk, Ledger, Spent, write_upload
from sendpool.adapters.files import Files
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.ledger.plans import Plans
from sendpool.adapters.ledger.reach import Reachability
from sendpool.adapters.ledger.sent import MarketingSent
from sendpool.adapters.ledger.table import Table
from sendpool.adapters.queues import Queues, QueueUrls
from sendpool.domain.broadcast import Broadcast, Content, State
from sendpool.domain.decision import Policy
from sendpool.domain.plan import Plan, PlanState
from sendpool.domain.prices import Cost, CountryPrices, PriceTable, table_of
from sendpool.domain.quiet_hours import Watch, load_rules
from sendpool.workflows.decide import Deciding
from sendpool.workflows.make_plan import PlanMaking, on_plan_tick
from sendpool.workflows.plan import PlanTick
from sendpool.workflows.preview import Wording


class ReportDisk(Disk):
    """S3 in a folder that also joins what was put."""

    def upload_part_copy(self, **call: Any) -> dict[str, Any]:
        content = self.path(call["CopySource"]["Key"]).read_bytes()
        return {"CopyPartResult": self.upload_part(**call, Body=content)}


class Strangers(Ledger):
    """DynamoDB that knows nobody."""

    def batch_get_item(self, **_: Any) -> dict[str, Any]:
        return {"Responses": {}}


class FixedPrices:
    """One price everywhere."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def table(self, countries: list[str]) -> PriceTable | None:
        price = {"local": Cost(8_300, 8_300)}
        return table_of(
            CountryPrices(country=each, currency="USD", fetched_at=self._clock(), sms=price)
            for each in countries
        )


def measure(rows: int, *, body: str, folder: Path) -> dict[str, object]:
    """Plan a broadcast to so many people, and say how long it took and what memory."""
    disk, queue, clock = ReportDisk(folder), Counting(), Clock()
    write_upload(disk.path(f"uploads/{ID}"), rows, is_packed=False)
    making = _making(disk, queue, clock)
    making.broadcasts.create(
        Broadcast(
            id=ID,
            name="Benchmark",
            content=Content(body=body),
            state=State.CREATED,
            created_at=clock(),
        )
    )
    plan = Plan(
        broadcast_id=ID,
        run="1",
        state=PlanState.READING,
        requested_at=clock(),
        at=clock(),
        upload_etag='"1"',
    )
    making.plans.ask_for(plan)
    making.queues.tick(ID, PlanTick(ID, plan.run).to_body())
    spent = {PlanState.READING: Spent(), PlanState.PLANNING: Spent()}
    while queue.ticks:
        tick = PlanTick.from_body(json.loads(queue.ticks.pop(0)[0]))
        before = making.plans.get(ID)
        assert before
        spent[before.state].begin()
        on_plan_tick(tick, making, by="m-1")
        spent[before.state].end()
    made = making.plans.get(ID)
    assert made
    assert (made.state, made.forecast.rows) == (PlanState.DONE, rows)
    return {
        "rows": rows,
        "read": spent[PlanState.READING].per_second(rows),
        "plan": spent[PlanState.PLANNING].per_second(rows),
        "both_seconds": round((spent[PlanState.READING] + spent[PlanState.PLANNING]).wall),
        "report_mb": round(disk.path(f"reports/{ID}/plan-1.csv").stat().st_size / 1e6),
        "sums_kb": round(len(made.forecast.to_json()) / 1e3, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _making(disk: Disk, queue: Counting, clock: Clock) -> PlanMaking:
    table, retention = Table(cast("Any", Strangers()), "ledger"), timedelta(days=400)
    policy = Policy(hours=Watch(load_rules()))
    urls = QueueUrls(
        dispatch="dispatch",
        send="send",
        send_dead_letter="",
        callbacks="",
        publisher_failures="",
        event_webhooks="",
    )
    return PlanMaking(
        plans=Plans(table, retention=retention),
        broadcasts=Broadcasts(table, retention=retention),
        tallies=Tallies(table, retention=retention),
        messages=Messages(table, retention=retention),
        files=Files(cast("Any", disk), "files"),
        queues=Queues(cast("Any", queue), urls),
        deciding=Deciding(
            opt_outs=OptOuts(table),
            reachability=Reachability(table),
            sent=MarketingSent(table),
            policy=lambda: policy,
            scope="MG" + "0" * 32,
            now=clock,
        ),
        prices=cast("Any", FixedPrices(clock)),
        wording=Wording(brand="Example", link_domain=""),
        pool_rate=lambda: None,
        default_region="US",
        now=clock,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--emoji", action="store_true", help="texts that are UCS-2")
    arguments = parser.parse_args()
    body = BODY + (" \N{PARTY POPPER}" if arguments.emoji else "")
    with TemporaryDirectory() as folder:
        found = measure(arguments.rows, body=body, folder=Path(folder))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
