"""Follows the ledger's stream: keeps the counters of broadcasts and marks those complete that are."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters.ledger.table import load
from sendpool.edge import warm
from sendpool.edge.observability import logger
from sendpool.edge.pausing import paused
from sendpool.workflows.roll_up import RollingUp, read_change, roll_up


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    images = (record["dynamodb"].get("NewImage") for record in event["Records"])
    changes = [read_change(load(image)) for image in images if image]
    needs = RollingUp(
        tallies=warm.tallies(), broadcasts=warm.broadcasts(), now=warm.now, tell_paused=paused
    )
    for broadcast_id in roll_up(filter(None, changes), needs):
        logger.info("broadcast completed", extra={"broadcast_id": broadcast_id})
