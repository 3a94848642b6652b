"""Every hour: reads Twilio's lists of deactivated numbers, and marks those of people that we know."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import outbound, warm
from sendpool.edge.observability import count, logger
from sendpool.workflows.deactivations import Reading, catch_up

# a thousand numbers take some seconds, a piece of the list 20 s at most
ENOUGH_MILLISECONDS = 60_000


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    read = catch_up(
        Reading(
            deactivations=outbound.deactivations(),
            reachability=warm.reachability(),
            now=warm.now,
            may_go_on=lambda: context.get_remaining_time_in_millis() > ENOUGH_MILLISECONDS,
        )
    )
    count("NumbersDeactivated", read.marked)
    logger.info("deactivations", extra=asdict(read))
