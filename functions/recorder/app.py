"""Works on the callbacks queue: applies status callbacks and clicks to the ledger, a whole batch at once.

Texts that the ledger did not take when they came are here as well; each is taken in on its own. When the review of a
profile is over, the sweeper is told to look at once.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters import aws
from sendpool.adapters.ledger.a2p import Review
from sendpool.domain.message import StatusCallback
from sendpool.edge import seldom, warm
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
    reviews: dict[str, Review] = {}
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
                case Review() as review:
                    reviews[name] = review
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
        reviews=Part(reviews, lambda: _look_soon(reviews)),
    )
    return {"batchItemFailures": [{"itemIdentifier": name} for name in (*unreadable, *left)]}


def _read(queue_message: dict[str, Any]) -> StatusCallback | ClickCallback | AnsweredText | Review:
    match json.loads(queue_message["body"]):
        case {"kind": "click"} as body:
            receives = queue_message.get("attributes", {}).get("ApproximateReceiveCount", "1")
            return read_click(body, receives=int(receives))
        case {"kind": receive.KIND} as body:
            return AnsweredText.from_body(body)
        case {"kind": "review", "brand": str(brand)}:
            return Review(brand)
        case {"kind": _}:
            raise ValueError("neither a status, a click, a text nor a review")
        case body:
            return read_callback(body)


def _look_soon(reviews: dict[str, Review]) -> list[str]:
    """Have brands looked at that something was decided of; returns those that somebody is working on."""
    records = seldom.a2p_records()
    return [
        name for name, review in reviews.items() if not records.look_soon(review.brand, warm.now())
    ]


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
