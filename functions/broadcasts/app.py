"""POST /broadcasts creates a broadcast, GET /broadcasts/{id} reports on it.

POST /broadcasts/{id}/start, /pause, /resume and /cancel control it, /retry-failed tries it again; /plan says what would
happen, without sending anything.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.broadcast import Broadcast
from sendpool.domain.plan import Changes
from sendpool.edge import http, warm
from sendpool.edge.broadcast_models import BroadcastView, CreateBroadcast, Form, Resume, RetryFailed
from sendpool.edge.control import controlling
from sendpool.edge.fields import in_millionths
from sendpool.edge.observability import logger
from sendpool.edge.plan_models import AskForPlan, PlanView
from sendpool.edge.planning import planning
from sendpool.workflows import broadcast as workflow
from sendpool.workflows import control, plan
from sendpool.workflows import retry as retrying

# what Lambda takes: 6 MB
MAX_BYTES = 6_000_000

api = http.new_api()


@api.post(
    "/broadcasts", summary="Create a broadcast", responses={201: {"description": "The broadcast"}}
)
def create(
    request: Annotated[CreateBroadcast, Body()], key: http.IdempotencyKey = None
) -> Response[BroadcastView]:
    draft = workflow.Draft(
        name=request.name,
        content=request.content(link_domain=warm.settings().link_domain),
        rate=request.rate,
        recipients=[each.model_dump(exclude_none=True) for each in request.recipients or []],
        start_at=request.start_at,
        expire_at=request.expires(),
        first=request.first,
        auto_pause=request.auto_pause.rule() if request.auto_pause else None,
        window=request.window.window() if request.window else None,
        budget=in_millionths(request.budget),
    )
    created, form = workflow.create(draft, controlling(), key=key)
    if request.start == "now":
        created = control.start(created.id, controlling())
    upload = Form(url=form.url, fields=form.fields, expires_in=form.expires_in) if form else None
    return http.json_answer(HTTPStatus.CREATED, _view(created, upload=upload))


@api.post(
    "/broadcasts/<broadcast_id>/start",
    summary="Start a broadcast",
    responses={202: {"description": "Started"}},
)
def start(broadcast_id: str) -> Response[BroadcastView]:
    started = control.start(broadcast_id, controlling())
    changes = plan.changed_since_plan(started, planning())
    return http.json_answer(HTTPStatus.ACCEPTED, _view(started, changes=changes))


@api.post(
    "/broadcasts/<broadcast_id>/plan",
    summary="Ask what would happen if a broadcast started, without sending anything",
    responses={202: {"description": "The plan, which is being made"}},
)
def ask_for_plan(
    broadcast_id: str, request: Annotated[AskForPlan | None, Body()] = None
) -> Response[PlanView]:
    at = request.instant() if request else None
    planned = plan.ask_for_plan(broadcast_id, planning(), at=at)
    return http.json_answer(HTTPStatus.ACCEPTED, PlanView.of(planned))


@api.get("/broadcasts/<broadcast_id>/plan", summary="Return the plan, as far as it is made")
def fetch_plan(broadcast_id: str) -> PlanView:
    return PlanView.of(plan.planned(broadcast_id, planning()))


@api.post(
    "/broadcasts/<broadcast_id>/pause",
    summary="Pause a broadcast that is under way",
    responses={202: {"description": "Paused: what is at Twilio goes on, nothing more follows"}},
)
def pause(broadcast_id: str) -> Response[BroadcastView]:
    return _accepted(control.pause(broadcast_id, controlling()))


@api.post(
    "/broadcasts/<broadcast_id>/resume",
    summary="Let a paused broadcast go on",
    responses={202: {"description": "It goes on"}},
)
def resume(
    broadcast_id: str, request: Annotated[Resume | None, Body()] = None
) -> Response[BroadcastView]:
    request = request or Resume()
    terms = control.Terms(
        budget=in_millionths(request.budget), despite_errors=frozenset(request.despite_errors)
    )
    return _accepted(control.resume(broadcast_id, controlling(), terms))


@api.post(
    "/broadcasts/<broadcast_id>/cancel",
    summary="Cancel a broadcast for good",
    responses={202: {"description": "Canceled: whoever has not been sent to is skipped"}},
)
def cancel(broadcast_id: str) -> Response[BroadcastView]:
    return _accepted(control.cancel(broadcast_id, controlling()))


@api.post(
    "/broadcasts/<broadcast_id>/retry-failed",
    summary="Try again those whose messages failed for a reason that may pass",
    responses={201: {"description": "The broadcast that does it"}},
)
def retry_failed(
    broadcast_id: str, request: Annotated[RetryFailed | None, Body()] = None
) -> Response[BroadcastView]:
    request = request or RetryFailed()
    terms = retrying.Terms(
        codes=tuple(sorted(set(request.codes or ()))),
        rate=request.rate,
        start_at=request.start_at,
        expire_at=request.expires(),
    )
    retry = retrying.retry_failed(broadcast_id, terms, controlling())
    if request.start == "now":
        retry = control.start(retry.id, controlling())
    return http.json_answer(HTTPStatus.CREATED, _view(retry))


@api.get("/broadcasts/<broadcast_id>", summary="Report on a broadcast")
def fetch(broadcast_id: str) -> BroadcastView:
    return _view(control.existing(broadcast_id, controlling()))


def _accepted(broadcast: Broadcast) -> Response[BroadcastView]:
    return http.json_answer(HTTPStatus.ACCEPTED, _view(broadcast))


def _view(
    broadcast: Broadcast, *, upload: Form | None = None, changes: Changes | None = None
) -> BroadcastView:
    counters = warm.tallies().counters(broadcast.id)
    return BroadcastView.of(broadcast, counters, upload=upload, changes=changes)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
