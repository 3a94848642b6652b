"""POST /broadcasts creates a broadcast, POST /broadcasts/{id}/start starts it, GET /broadcasts/{id} reports on it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.broadcast import Counters
from sendpool.edge import http, warm
from sendpool.edge.models import BroadcastView, CreateBroadcast, Form
from sendpool.edge.observability import logger
from sendpool.workflows import broadcast as workflow

# what Lambda takes: 6 MB
MAX_BYTES = 6_000_000

api = http.new_api()


def needs() -> workflow.Broadcasting:
    return workflow.Broadcasting(
        broadcasts=warm.broadcasts(), files=warm.files(), queues=warm.queues(), now=warm.now
    )


@api.post(
    "/broadcasts", summary="Create a broadcast", responses={201: {"description": "The broadcast"}}
)
def create(
    request: Annotated[CreateBroadcast, Body()], key: http.IdempotencyKey = None
) -> Response[BroadcastView]:
    draft = workflow.Draft(
        name=request.name,
        content=request.content(),
        rate=request.rate,
        recipients=[each.model_dump(exclude_none=True) for each in request.recipients or []],
    )
    created, form = workflow.create(draft, needs(), key=key)
    if request.start == "now":
        created = workflow.start(created.id, needs())
    upload = Form(url=form.url, fields=form.fields, expires_in=form.expires_in) if form else None
    return http.json_answer(
        HTTPStatus.CREATED, BroadcastView.of(created, Counters(), upload=upload)
    )


@api.post(
    "/broadcasts/<broadcast_id>/start",
    summary="Start a broadcast",
    responses={202: {"description": "Started"}},
)
def start(broadcast_id: str) -> Response[BroadcastView]:
    started = workflow.start(broadcast_id, needs())
    return http.json_answer(HTTPStatus.ACCEPTED, BroadcastView.of(started, Counters()))


@api.get("/broadcasts/<broadcast_id>", summary="Report on a broadcast")
def fetch(broadcast_id: str) -> BroadcastView:
    found = workflow.existing(broadcast_id, needs())
    return BroadcastView.of(found, warm.tallies().counters(broadcast_id))


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
