"""Works on the ticks of the dispatch queue: imports a broadcast's recipients, then releases them chunk by chunk."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import warm
from sendpool.edge.observability import logger
from sendpool.workflows.dispatch import Dispatching, Tick, on_tick

processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def on_record(record: SQSRecord) -> None:
    tick = Tick.from_body(json.loads(record.body))
    needs = Dispatching(
        broadcasts=warm.broadcasts(),
        files=warm.files(),
        queues=warm.queues(),
        default_region=warm.settings().default_region,
        now=warm.now,
    )
    state = on_tick(tick, needs, by=record.message_id)
    logger.info(
        "tick", extra={"broadcast_id": tick.broadcast_id, "offset": tick.offset, "state": state}
    )


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, on_record, processor, context)
