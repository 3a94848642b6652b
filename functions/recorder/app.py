"""Works on the callbacks queue: applies status callbacks to the ledger, a whole batch at once.

Texts that the ledger did not take when they came are here as well; each is taken in on its own.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters import aws
from sendpool.domain.message import StatusCallback
from sendpool.edge import warm
from sendpool.edge.observability import logger
from sendpool.edge.people import opting_out
from sendpool.edge.receiving import receiving
from sendpool.workflows import receive
from sendpool.workflows.receive import AnsweredText
from sendpool.workflows.record import Recording, read_callback, record


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    callbacks: list[StatusCallback] = []
    texts: dict[str, AnsweredText] = {}
    failed: list[str] = []
    for each in event["Records"]:
        try:
            read = _read(json.loads(each["body"]))
        except (KeyError, ValueError, TypeError, AttributeError):
            logger.error("unreadable callback", extra={"queue_message": each["messageId"]})
            failed.append(each["messageId"])
            continue
        if isinstance(read, AnsweredText):
            texts[each["messageId"]] = read
        else:
            callbacks.append(read)
    needs = Recording(
        deliveries=warm.deliveries(),
        opting_out=opting_out(),
        broadcasts=warm.broadcasts(),
        now=warm.now,
    )
    record(callbacks, needs)
    failed += [message_id for message_id, text in texts.items() if not _take_in(text)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _read(body: dict[str, Any]) -> StatusCallback | AnsweredText:
    return AnsweredText.from_body(body) if body.get("kind") == receive.KIND else read_callback(body)


def _take_in(text: AnsweredText) -> bool:
    """Take in a text; tell whether that went well. The others do not wait for one that does not."""
    try:
        receive.take_in(text, receiving())
    except aws.UNAVAILABLE as error:
        logger.error(
            "text not taken in", extra={"sid": text.fields["MessageSid"], **aws.refusal(error)}
        )
        return False
    return True
