"""What the functions that create, control or wake broadcasts build."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.workflows.control import Controlling


def controlling() -> Controlling:
    return Controlling(
        broadcasts=warm.broadcasts(),
        tallies=warm.tallies(),
        parked=warm.parked_chunks(),
        files=warm.files(),
        queues=warm.queues(),
        now=warm.now,
    )
