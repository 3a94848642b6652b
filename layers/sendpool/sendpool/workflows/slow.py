"""Send a broadcast more slowly when Twilio says that the queues of the pool's senders are full.

It says so to the sender (21611) and in callbacks (30001 and its like, to the recorder), for many messages at once:
the first one slows the broadcast, for the next minute the others change nothing. Losing a word of it, by a death
before the write, does no harm: the next full queue says it again.
"""

from __future__ import annotations

from datetime import datetime

from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.domain.broadcast import slowed_down


def slow_down(broadcast_id: str, broadcasts: Broadcasts, *, now: datetime) -> bool:
    """Lower the rate at which a broadcast goes out, unless that was done just now; tell whether it was."""
    broadcast = broadcasts.get(broadcast_id)
    slowed = slowed_down(broadcast, now) if broadcast else None
    return bool(broadcast and slowed and broadcasts.slow_down(broadcast, slowed))
