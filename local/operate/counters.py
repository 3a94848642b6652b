"""Count a broadcast again from its messages, and mend its counters."""

from __future__ import annotations

import time
from argparse import Namespace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from local.operate.progress import counting
from local.operate.target import Target, TargetError
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.chunks import Chunks
from sendpool.adapters.ledger.table import Table
from sendpool.workflows import recount as recounting
from sendpool.workflows.roll_up import RollingUp

# what is written anew is kept as long as the template's RetentionDays has it by default
_RETENTION = timedelta(days=400)


def recount(target: Target, asked: Namespace, console: Console) -> int:
    """Recount, and say what was wrong."""
    needs = _needs(target)
    broadcast = needs.broadcasts.get(asked.broadcast)
    if broadcast is None:
        raise TargetError(f"there is no broadcast {asked.broadcast} in {target.name}")
    with counting(console, "chunks counted", of=broadcast.cursor.chunk) as counted:
        try:
            found = recounting.recount(broadcast, needs, counted=counted)
        except recounting.StillMovingError:
            raise TargetError(
                "its counters move too fast to be compared; repeat it when less is going on, or pause it"
            ) from None
    if not found.chunks and not found.counters:
        console.print(f"{broadcast.cursor.chunk:,} chunks counted: the counters were right")
        return 0
    console.print(f"{found.chunks:,} of {broadcast.cursor.chunk:,} chunks were counted wrong")
    for name, (was, now) in sorted(found.counters.items()):
        console.print(f"  {name}: {was:,} -> {now:,}")
    return 0


def _needs(target: Target) -> recounting.Recounting:
    table = Table(target.dynamodb, target.table_name)
    return recounting.Recounting(
        chunks=Chunks(table, retention=_RETENTION),
        rolling=RollingUp(
            tallies=Tallies(table, retention=_RETENTION),
            broadcasts=Broadcasts(table, retention=_RETENTION),
            now=lambda: datetime.now(UTC),
        ),
        pause=lambda: time.sleep(1),
    )
