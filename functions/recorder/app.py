"""Works on the callbacks queue: applies status callbacks to the ledger, a whole batch at once."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.message import StatusCallback
from sendpool.edge import warm
from sendpool.edge.observability import logger
from sendpool.edge.people import opting_out
from sendpool.workflows.record import Recording, read_callback, record


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    callbacks: list[StatusCallback] = []
    unreadable: list[str] = []
    for each in event["Records"]:
        try:
            callbacks.append(read_callback(json.loads(each["body"])))
        except (KeyError, ValueError, TypeError):
            logger.error("unreadable callback", extra={"queue_message": each["messageId"]})
            unreadable.append(each["messageId"])
    needs = Recording(
        deliveries=warm.deliveries(),
        opting_out=opting_out(),
        broadcasts=warm.broadcasts(),
        now=warm.now,
    )
    record(callbacks, needs)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable]}
