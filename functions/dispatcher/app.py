"""Works on the ticks of the dispatch queue: imports a broadcast's recipients, then releases them chunk by chunk.

Or makes its plan: imports them as well, and says what would become of each.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import warm
from sendpool.edge.batch import QueueProcessor
from sendpool.edge.observability import logger
from sendpool.edge.planning import plan_making
from sendpool.edge.policy import policy, pool_rate
from sendpool.edge.prices import prices
from sendpool.workflows.dispatch import Dispatching, Tick, on_tick
from sendpool.workflows.plan import PlanTick

processor = QueueProcessor()


def on_record(record: SQSRecord) -> None:
    body = json.loads(record.body)
    if "plan" in body:
        _make_plan(PlanTick.from_body(body), by=record.message_id)
    else:
        _dispatch(Tick.from_body(body), by=record.message_id)


def _make_plan(tick: PlanTick, *, by: str) -> None:
    # what only plans need is loaded by the first one
    from sendpool.workflows.make_plan import on_plan_tick  # noqa: PLC0415

    state = on_plan_tick(tick, plan_making(), by=by)
    logger.info(
        "plan tick",
        extra={"broadcast_id": tick.broadcast_id, "offset": tick.offset, "state": state},
    )


def _dispatch(tick: Tick, *, by: str) -> None:
    needs = Dispatching(
        broadcasts=warm.broadcasts(),
        tallies=warm.tallies(),
        messages=warm.messages(),
        files=warm.files(),
        queues=warm.queues(),
        parking=warm.parking(),
        policy=policy,
        pool_rate=pool_rate,
        prices=prices,
        default_region=warm.settings().default_region,
        now=warm.now,
    )
    state = on_tick(tick, needs, by=by)
    logger.info(
        "tick", extra={"broadcast_id": tick.broadcast_id, "offset": tick.offset, "state": state}
    )


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, on_record, processor, context)
