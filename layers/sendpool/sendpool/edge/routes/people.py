"""Who may be texted and why, texts that read like an opt-out, conversations, and what we answer to whom."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from sendpool.adapters.ledger.listing import CursorError
from sendpool.domain.errors import InvalidRequestError, Violation
from sendpool.edge import warm
from sendpool.edge.answers import read_answer_book
from sendpool.edge.conversation_models import AnswerBookModel, ConversationPage, EntryView
from sendpool.edge.observability import count
from sendpool.edge.opt_out_models import (
    Decision,
    ImportOptOuts,
    ImportView,
    ListedOptOut,
    OptIn,
    OptOut,
    OptOutPage,
    PersonView,
    ReviewedView,
    ReviewPage,
)
from sendpool.edge.people import opting_out
from sendpool.workflows import opt_outs

Cursor = Annotated[
    str | None, Query(max_length=512, description="next_cursor of the page before this one")
]
Limit = Annotated[int, Query(ge=1, le=1000)]

api = APIGatewayHttpRouter()


def _keeping() -> opt_outs.Keeping:
    return opt_outs.Keeping(
        opting_out=opting_out(),
        inbound=warm.inbound_messages(),
        service=warm.parameters().messaging_service_sid,
        default_region=warm.settings().default_region,
        now=warm.now,
    )


def _number(phone: str, needs: opt_outs.Keeping) -> str:
    """Read the number in a path, whether or not the gateway has decoded its plus sign."""
    return opt_outs.number_of(unquote(phone), needs)


@api.get("/opt-outs", summary="List opt-outs")
def list_opt_outs(cursor: Cursor = None, limit: Limit = 100) -> OptOutPage:
    try:
        standings, following = warm.opt_outs().listed(cursor=cursor, limit=limit)
    except CursorError as error:
        raise _invalid_cursor() from error
    return OptOutPage(opt_outs=[ListedOptOut.of(each) for each in standings], next_cursor=following)


@api.get("/opt-outs/review", summary="List texts that read like an opt-out")
def list_for_review(cursor: Cursor = None, limit: Limit = 100) -> ReviewPage:
    try:
        texts, following = warm.inbound_messages().for_review(cursor=cursor, limit=limit)
    except CursorError as error:
        raise _invalid_cursor() from error
    return ReviewPage(texts=[ReviewedView.of(each) for each in texts], next_cursor=following)


@api.put("/opt-outs/review/<sid>", summary="Decide whether a text was an opt-out")
def decide(sid: str, request: Annotated[Decision, Body()]) -> ReviewedView:
    return ReviewedView.of(opt_outs.decide(sid, request.decision, _keeping()))


@api.post("/opt-outs/import", summary="Opt out up to 10,000 people at once")
def import_opt_outs(request: Annotated[ImportOptOuts, Body()]) -> ImportView:
    needs = _keeping()
    imported = opt_outs.import_rows(
        request.given(now=needs.now()), needs, source=request.source, evidence={}
    )
    count("OptOutsImported", imported.accepted)
    return ImportView.of(imported)


@api.get("/opt-outs/<phone>", summary="Tell whether somebody may be texted, and why")
def fetch(phone: str) -> PersonView:
    needs = _keeping()
    return PersonView.of(opt_outs.person(_number(phone, needs), needs))


@api.put("/opt-outs/<phone>", summary="Opt somebody out")
def opt_out(phone: str, request: Annotated[OptOut | None, Body()] = None) -> PersonView:
    needs = _keeping()
    request = request or OptOut()
    change = request.change(now=needs.now())
    return PersonView.of(opt_outs.opt_out(_number(phone, needs), request.scope, change, needs))


@api.delete("/opt-outs/<phone>", summary="Opt somebody in again, with the consent that they gave")
def opt_in(phone: str, request: Annotated[OptIn, Body()]) -> PersonView:
    needs = _keeping()
    consent = request.consent.consent()
    return PersonView.of(opt_outs.opt_in(_number(phone, needs), request.scope, consent, needs))


@api.get("/conversations/<phone>", summary="Show what passed between you and somebody")
def converse(phone: str, cursor: Cursor = None, limit: Limit = 50) -> ConversationPage:
    needs = _keeping()
    number = _number(phone, needs)
    try:
        entries, following = warm.conversations().page(number, cursor, limit=limit)
    except CursorError as error:
        raise _invalid_cursor() from error
    return ConversationPage(
        phone=number,
        blocked=opt_outs.person(number, needs).blocked_by is not None,
        entries=[EntryView.of(each, link=warm.files().media_url) for each in entries],
        next_cursor=following,
    )


@api.get("/answers", summary="Show what is answered when somebody texts")
def show_answers() -> AnswerBookModel:
    return AnswerBookModel.of(read_answer_book())


@api.put("/answers", summary="Replace what is answered when somebody texts, within a minute")
def write_answers(request: Annotated[AnswerBookModel, Body()]) -> AnswerBookModel:
    warm.answer_books().put(request.book())
    return request


def _invalid_cursor() -> InvalidRequestError:
    return InvalidRequestError(
        Violation("cursor", "invalid_cursor", "must be the next_cursor of an earlier page")
    )
