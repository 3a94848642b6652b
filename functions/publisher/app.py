"""Follows the ledger's stream: puts events on the bus for whoever listens.

What cannot be read is put aside; for a bus that takes nothing the stream waits.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import seldom, warm
from sendpool.edge.observability import logger
from sendpool.workflows.publish import Publishing, publish


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    needs = Publishing(
        messages=warm.messages(), bus=seldom.bus(), queues=warm.queues(), told=warm.settings().told
    )
    published = publish(event["Records"], needs)
    if published.unreadable:
        logger.error("unreadable changes put aside", extra={"changes": published.unreadable})
