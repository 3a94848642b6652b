"""Works on the send queue: chunks of broadcasts, and requests that other systems put there."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import outbound, warm
from sendpool.edge.batch import QueueProcessor
from sendpool.edge.observability import logger
from sendpool.edge.send_queue import ChunkBusyError, SendQueue, on_body

# one chunk's last calls, the next one's first, and one that waits for the ledger
MOST_LANES = 3
processor = QueueProcessor(
    lanes=lambda: min(MOST_LANES, warm.settings().send_concurrency), expected=(ChunkBusyError,)
)
# a message takes two calls at most, a look for evidence and a create, of 13 s each; none begins with less left
ENOUGH_MILLISECONDS = 28_000

if warm.in_lambda():
    outbound.gateway()


def on_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    needs = SendQueue(
        sending=outbound.sending(lambda_context),
        opt_outs=warm.opt_outs(),
        consents=outbound.consents,
        fetching=outbound.fetching,
        queues=warm.queues(),
        may_go_on=lambda: lambda_context.get_remaining_time_in_millis() > ENOUGH_MILLISECONDS,
    )
    on_body(record.body, needs)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, on_record, processor, context)
