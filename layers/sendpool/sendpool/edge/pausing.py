"""What tells of a broadcast that paused by itself."""

from __future__ import annotations

from sendpool.edge.observability import count, logger


def paused(broadcast_id: str, why: str) -> None:
    logger.error("broadcast paused", extra={"broadcast_id": broadcast_id, "why": why})
    # wherever it was met: one alarm watches all
    count("BroadcastsPaused", service="sendpool")
