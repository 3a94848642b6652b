"""Pause a broadcast by itself, before it burns what is left: the sender at what Twilio refuses of everybody's, the
rollup at what its counters say. A person resumes it.

Losing a word of it, by a death before the write, does no harm: the next refusal, or the next change of the counters,
says it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.domain.broadcast import Broadcast, can_pause

type Tell = Callable[[str, str], None]
"""Hears of a broadcast that paused by itself, and why."""


def nobody(_broadcast_id: str, _why: str) -> None:
    """Tell nobody."""


def pause_by_itself(
    broadcast: Broadcast, why: str, broadcasts: Broadcasts, *, now: datetime, tell: Tell
) -> None:
    """Pause a broadcast, unless it is held, or was resumed since it was read."""
    if can_pause(broadcast) and broadcasts.pause(broadcast, reason=why, at=now):
        tell(broadcast.id, why)
