"""Keep a broadcast's counters: each change of a message, delivery or clicks moves its chunk's tally and the counters.

Tally and counters change in one transaction, and a tally only moves forward, so changes that are reported twice,
split differently, or out of order add nothing twice (domain/tally.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies, VersionedTally
from sendpool.adapters.ledger.keys import place_in_stream
from sendpool.adapters.ledger.table import TransactionLostError
from sendpool.domain.broadcast import Broadcast, Counters, failing, is_complete
from sendpool.domain.message import Place, Status
from sendpool.domain.tally import Clicked, Reported, Standing, Tally, moved, standing
from sendpool.workflows.pause import Tell, nobody, pause_by_itself

# DynamoDB takes 100 items a transaction; fewer clash less
_CHUNKS_A_WRITE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingUp:
    """What the rollup needs."""

    tallies: Tallies
    broadcasts: Broadcasts
    now: Callable[[], datetime]
    tell_paused: Tell = nobody


@dataclass(frozen=True, slots=True)
class Change:
    """A message of a broadcast, as it stands or its clicks are counted after a change."""

    place: Place
    said: Standing | Clicked


def read_change(item: Mapping[str, Any]) -> Change | None:
    """Read a changed item of the ledger; None when it is none of a broadcast's message."""
    place = place_in_stream(item["pk"], item["sk"])
    if place is None:
        return None
    return Change(place, _clicked(item) if item["sk"].startswith("CL#") else _standing(item))


def _standing(item: Mapping[str, Any]) -> Standing:
    return standing(
        Status(item["status"]),
        error_code=item.get("error_code"),
        reason=item.get("reason"),
        price=item.get("price"),
        currency=item.get("currency"),
    )


def _clicked(item: Mapping[str, Any]) -> Clicked:
    return Clicked(
        item["version"], item["previews"], item["scanners"], item["human"], item["has_more"]
    )


def roll_up(changes: Iterable[Change], rolling: RollingUp) -> list[str]:
    """Count changes, and return the broadcasts that they completed."""
    by_broadcast: dict[str, dict[int, list[Reported]]] = {}
    for change in changes:
        chunks = by_broadcast.setdefault(change.place.broadcast_id, {})
        chunks.setdefault(change.place.chunk, []).append((change.place.number, change.said))
    for broadcast_id, chunks in by_broadcast.items():
        for some in batched(chunks.items(), _CHUNKS_A_WRITE, strict=False):
            _count(broadcast_id, dict(some), rolling)
    return [broadcast_id for broadcast_id in by_broadcast if completes(broadcast_id, rolling)]


def _count(broadcast_id: str, chunks: Mapping[int, list[Reported]], rolling: RollingUp) -> None:
    for attempt in Retrying(
        retry=retry_if_exception_type(TransactionLostError),
        stop=stop_after_attempt(10),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    ):
        with attempt:
            known = rolling.tallies.read((broadcast_id, number) for number in chunks)
            changed: list[tuple[VersionedTally, Tally]] = []
            for (_, number), before in known.items():
                after = moved(before.tally, chunks[number])
                if after != before.tally:
                    changed.append((before, after))
            if changed:
                rolling.tallies.replace(broadcast_id, changed, now=rolling.now())


def completes(broadcast_id: str, rolling: RollingUp) -> bool:
    """Mark a broadcast complete if everybody has an outcome, pause it if too many fail; True if we completed it."""
    counters = rolling.tallies.counters(broadcast_id)
    broadcast = rolling.broadcasts.get(broadcast_id)
    if broadcast is None or counters.completed_at:
        return False
    if not is_complete(total=broadcast.total, counters=counters):
        _pause_if_failing(broadcast, counters, rolling)
        return False
    return rolling.tallies.complete(broadcast_id, at=rolling.now())


def _pause_if_failing(broadcast: Broadcast, counters: Counters, rolling: RollingUp) -> None:
    """Pause a broadcast of which too much fails, unless it was held or resumed meanwhile."""
    why = failing(broadcast, counters)
    if why:
        pause_by_itself(
            broadcast, why, rolling.broadcasts, now=rolling.now(), tell=rolling.tell_paused
        )
