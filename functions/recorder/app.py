"""Works on the callbacks queue: applies status callbacks and clicks to the ledger, a whole batch at once.

Texts that the ledger did not take when they came are here as well; each is taken in on its own.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters import aws
from sendpool.domain.message import StatusCallback
from sendpool.edge import warm
from sendpool.edge.batch import Part, apart
from sendpool.edge.observability import logger
from sendpool.edge.people import opting_out
from sendpool.edge.receiving import receiving
from sendpool.workflows import receive
from sendpool.workflows.receive import AnsweredText
from sendpool.workflows.record import Recording, read_callback, record
from sendpool.workflows.record_clicks import (
    ClickCallback,
    RecordingClicks,
    join_message,
    read_click,
    record_clicks,
)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    callbacks: dict[str, StatusCallback] = {}
    clicks: dict[str, ClickCallback] = {}
    texts: dict[str, AnsweredText] = {}
    unreadable: list[str] = []
    for each in event["Records"]:
        name = each["messageId"]
        try:
            match _read(each):
                case StatusCallback() as callback:
                    callbacks[name] = callback
                case ClickCallback() as click:
                    clicks[name] = click
                case AnsweredText() as text:
                    texts[name] = text
        except (KeyError, ValueError, TypeError, AttributeError):
            logger.error("unreadable callback", extra={"queue_message": name})
            unreadable.append(name)
    # what no callback told: clicks may have waited for it
    listed = {name: each for name, each in callbacks.items() if each.source == "list"}
    left = apart(
        status_callbacks=Part(callbacks, lambda: _record(callbacks)),
        clicks=Part(clicks, lambda: _record_clicks(clicks)),
        kept_clicks=Part(listed, lambda: _join_message(listed)),
        texts=Part(texts, lambda: [name for name, text in texts.items() if not _take_in(text)]),
    )
    return {"batchItemFailures": [{"itemIdentifier": name} for name in (*unreadable, *left)]}


def _read(queue_message: dict[str, Any]) -> StatusCallback | ClickCallback | AnsweredText:
    match json.loads(queue_message["body"]):
        case {"kind": "click"} as body:
            receives = queue_message.get("attributes", {}).get("ApproximateReceiveCount", "1")
            return read_click(body, receives=int(receives))
        case {"kind": receive.KIND} as body:
            return AnsweredText.from_body(body)
        case {"kind": _}:
            raise ValueError("neither a status, a click nor a text")
        case body:
            return read_callback(body)


def _record(callbacks: dict[str, StatusCallback]) -> list[str]:
    needs = Recording(
        deliveries=warm.deliveries(),
        opting_out=opting_out(),
        broadcasts=warm.broadcasts(),
        now=warm.now,
    )
    record(callbacks.values(), needs)
    return []


def _join_message(callbacks: dict[str, StatusCallback]) -> list[str]:
    join_message(callbacks.values(), _recording_clicks())
    return []


def _recording_clicks() -> RecordingClicks:
    return RecordingClicks(messages=warm.messages(), clicks=warm.click_records(), now=warm.now)


def _record_clicks(clicks: dict[str, ClickCallback]) -> list[str]:
    waiting = record_clicks(clicks, _recording_clicks())
    if waiting:
        logger.info("clicks wait for their messages", extra={"clicks": len(waiting)})
    return waiting


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
