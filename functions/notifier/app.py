"""Works on the event webhooks queue: tells events at the team's own URL, signed."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters.event_webhook import NotTakenError
from sendpool.edge import notifying
from sendpool.edge.batch import QueueProcessor
from sendpool.edge.observability import count, logger
from sendpool.workflows.notify import QueuedEvent, notify

# a call takes 13 s at most: two rounds of a batch of ten
LANES = 5
processor = QueueProcessor(lanes=lambda: LANES, expected=(NotTakenError,))


def on_record(record: SQSRecord) -> None:
    event = QueuedEvent(
        body=record.body,
        receives=int(record.attributes.approximate_receive_count),
        receipt=record.receipt_handle,
    )
    try:
        notify(event, notifying.notifying())
    except NotTakenError as error:
        count("EventWebhooksRefused")
        logger.warning("event not taken", extra={"why": error.why, "tries": event.receives})
        raise


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, on_record, processor, context)
