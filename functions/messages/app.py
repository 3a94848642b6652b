"""POST /messages sends one message, POST /messages/preview only asks; GET /messages/{id} tells what became of one.

GET /reconciliations and /reconciliations/{date} show how Twilio's books and ours compare, by UTC day.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.errors import (
    NotFoundError,
    ReconciliationMissingError,
    TwilioRefusedError,
)
from sendpool.domain.message import Status, is_message_id, new_id
from sendpool.edge import http, outbound, warm
from sendpool.edge.message_models import Message, PreviewMessage, PreviewView, SendMessage
from sendpool.edge.observability import count, logger
from sendpool.edge.reconciliation_models import ReconciliationPage, ReconciliationView, UtcDay
from sendpool.workflows.send import send_one

MAX_BYTES = 64 * 1024

api = http.new_api()
if warm.in_lambda():
    outbound.gateway()


@api.post(
    "/messages",
    summary="Send one message",
    responses={202: {"description": "The message, as far as it is"}},
)
def send(
    request: Annotated[SendMessage, Body()],
    key: http.IdempotencyKey = None,
) -> Response[Message]:
    message_id = new_id("msg", key=key)
    record = send_one(
        message_id, request.outbound(now=warm.now()), outbound.sending(api.lambda_context)
    )
    count(f"Messages{record.result.status.capitalize()}")
    if record.result.status is Status.FAILED:
        raise TwilioRefusedError(record.result.error_code, message_id=record.id)
    return http.json_answer(HTTPStatus.ACCEPTED, Message.of(record))


@api.post("/messages/preview", summary="Tell what would become of a message, without sending it")
def preview(request: Annotated[PreviewMessage, Body()]) -> PreviewView:
    # what only previews need is loaded by the first one
    from sendpool.edge.previewing import previewing  # noqa: PLC0415
    from sendpool.workflows import preview as workflow  # noqa: PLC0415

    at = request.at or warm.now()
    message = request.outbound(now=at)
    return PreviewView.of(workflow.preview(message, previewing(), at=at), at=message.send_at or at)


@api.get("/messages/<message_id>", summary="Tell what became of a message")
def fetch(message_id: str) -> Message:
    record, delivery = (
        warm.messages().find(message_id) if is_message_id(message_id) else (None, None)
    )
    if record is None:
        raise NotFoundError("There is no message with this id.")
    return Message.of(record, delivery, warm.click_records().of(message_id))


@api.get("/reconciliations", summary="Compare Twilio's books with ours, of the last days")
def list_reconciliations(
    days: Annotated[int, Query(ge=1, le=31, description="How many, today included")] = 7,
) -> ReconciliationPage:
    today = warm.now().date()
    found = warm.books().days(today - timedelta(days=n) for n in range(days))
    return ReconciliationPage(reconciliations=[ReconciliationView.of(each) for each in found])


@api.get("/reconciliations/<date>", summary="Compare Twilio's books with ours, of one day")
def fetch_reconciliation(date: Annotated[UtcDay, Path()]) -> ReconciliationView:
    found = warm.books().days([date])
    if not found:
        raise ReconciliationMissingError
    return ReconciliationView.of(found[0])


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
