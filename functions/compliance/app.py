"""GET, PUT and DELETE /opt-outs/{phone} look up, opt out and opt in again; GET /opt-outs lists, POST …/import opts out.

GET /opt-outs/review lists the texts that read like an opt-out, PUT /opt-outs/review/{sid} decides about one.
GET /conversations/{phone} shows what passed between us and somebody; GET and PUT /answers, what we answer to whom.
POST /compliance/campaigns/preflight holds an A2P campaign against what gets campaigns rejected.
GET /compliance shows where US A2P 10DLC registration stands; …/brands/{name} and …/campaigns/{service_sid} register.
/compliance/toll-free submits toll-free numbers for verification, shows how reviews go, fixes and takes back.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters.ledger.listing import CursorError
from sendpool.domain.a2p.fees import VETTING
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord
from sendpool.domain.errors import ConflictError, InvalidRequestError, Violation
from sendpool.domain.preflight.verdict import preflight
from sendpool.edge import http, seldom, warm
from sendpool.edge.answers import read_answer_book
from sendpool.edge.conversation_models import AnswerBookModel, ConversationPage, EntryView
from sendpool.edge.observability import count, logger
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
from sendpool.edge.preflight_models import CampaignModel, PreflightView
from sendpool.edge.registering import registering
from sendpool.edge.registration_models import (
    Advance,
    BrandRegistration,
    CampaignRegistration,
    CompliancePage,
    DeclareBrand,
    DeclareCampaign,
    DeletedCampaign,
    ForgottenView,
    UseCasesView,
    UseCaseView,
    Vet,
)
from sendpool.edge.toll_free_models import (
    FixTollFree,
    RemovedTollFree,
    SubmittedTollFree,
    SubmitTollFree,
    TollFreeList,
    TollFreeSummary,
    TollFreeView,
)
from sendpool.edge.verifying import verifying
from sendpool.workflows import opt_outs, register_brand, register_campaign, toll_free
from sendpool.workflows.registering import Registering

# what Lambda takes: 6 MB
MAX_BYTES = 6_000_000

Cursor = Annotated[
    str | None, Query(max_length=512, description="next_cursor of the page before this one")
]
Limit = Annotated[int, Query(ge=1, le=1000)]
BrandName = Annotated[
    str,
    Path(pattern="^[a-z0-9][a-z0-9-]{0,39}$", description="The team's own name of the brand"),
]
ServiceSid = Annotated[str, Path(pattern="^MG[0-9a-f]{32}$")]

api = http.new_api()


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


@api.post("/compliance/campaigns/preflight", summary="Judge an A2P campaign before its fee")
def judge_campaign(request: Annotated[CampaignModel, Body()]) -> PreflightView:
    return PreflightView.of(preflight(request.campaign(brand_name=warm.settings().brand)))


# ------------------------------------------------------------------------------------------------ registration


def _registering() -> Registering:
    return registering(api.lambda_context)


def _brand(record: BrandRecord) -> Response[BrandRegistration]:
    """Answer 200 once campaigns may be registered, 202 with what is missing until then."""
    view = BrandRegistration.of(record)
    return http.json_answer(HTTPStatus.OK if view.ready else HTTPStatus.ACCEPTED, view)


def _campaign(record: CampaignRecord) -> Response[CampaignRegistration]:
    """Answer 200 once carriers take what the service sends, 202 with what is missing until then."""
    view = CampaignRegistration.of(record, seldom.a2p_records().brand(record.brand))
    return http.json_answer(HTTPStatus.OK if view.ready else HTTPStatus.ACCEPTED, view)


@api.get("/compliance", summary="Show where US A2P 10DLC registration stands, and who has to act")
def show_compliance() -> CompliancePage:
    return CompliancePage.of(seldom.a2p_records().all())


@api.get("/compliance/use-cases", summary="List what campaigns may be for, and how fast they are")
def list_use_cases(
    brand: Annotated[str | None, Query(description="The name of a brand")] = None,
    service_sid: Annotated[str | None, Query(pattern="^MG[0-9a-f]{32}$")] = None,
) -> UseCasesView:
    needs = _registering()
    record = register_brand.find(brand, needs) if brand else None
    sid = service_sid or warm.parameters().messaging_service_sid
    live = record.brand if record else None
    found = needs.a2p.use_cases(sid, live.sid if live else None)
    return UseCasesView(
        service_sid=sid,
        brand=brand,
        score=live.score if live else None,
        use_cases=[UseCaseView.of(each, record) for each in found],
    )


@api.put("/compliance/brands/<name>", summary="Declare a brand; again goes on registering it")
def declare_brand(
    name: BrandName, request: Annotated[DeclareBrand, Body()]
) -> Response[BrandRegistration]:
    record = register_brand.declare(
        name, request.application(), _registering(), accept_fees=request.accept_fees
    )
    return _brand(record)


@api.get("/compliance/brands/<name>", summary="Show a brand, and where its registration stands")
def show_brand(name: BrandName) -> BrandRegistration:
    return BrandRegistration.of(register_brand.find(name, _registering()))


@api.delete("/compliance/brands/<name>", summary="Forget a brand, and delete what can be")
def forget_brand(name: BrandName) -> ForgottenView:
    gone = register_brand.forget(name, _registering())
    logger.info("brand forgotten", extra={"left": len(gone.left)})
    return ForgottenView(name=gone.name, left=list(gone.left))


@api.post("/compliance/brands/<name>/advance", summary="Go on registering a brand")
def advance_brand(
    name: BrandName, request: Annotated[Advance | None, Body()] = None
) -> Response[BrandRegistration]:
    request = request or Advance()
    record = register_brand.advance(
        name, _registering(), accept_fees=request.accept_fees, resubmit=request.resubmit
    )
    return _brand(record)


@api.post("/compliance/brands/<name>/otp", summary="Send the SMS to a sole proprietor again")
def send_otp(name: BrandName) -> Response[BrandRegistration]:
    return _brand(register_brand.send_otp(name, _registering()))


@api.post("/compliance/brands/<name>/vettings", summary="Have a brand vetted, for a fee")
def vet(name: BrandName, request: Annotated[Vet, Body()]) -> Response[BrandRegistration]:
    if request.provider == "aegis" and not request.accept_fees:
        raise ConflictError(
            f"The {VETTING.name} costs about {VETTING.micros / 1_000_000:.2f} USD.",
            code="fee_not_accepted",
            remedy='Repeat with {"accept_fees": true}.',
        )
    return _brand(register_brand.vet(name, request.provider, request.vetting_id, _registering()))


@api.put("/compliance/campaigns/<service_sid>", summary="Declare a campaign; again goes on with it")
def declare_campaign(
    service_sid: ServiceSid, request: Annotated[DeclareCampaign, Body()]
) -> Response[CampaignRegistration]:
    record = register_campaign.declare(
        service_sid,
        request.brand,
        request.declared(),
        _registering(),
        accept_fees=request.accept_fees,
        force=request.force,
    )
    return _campaign(record)


@api.get("/compliance/campaigns/<service_sid>", summary="Show the campaign of a service")
def show_campaign(service_sid: ServiceSid) -> CampaignRegistration:
    record = register_campaign.find(service_sid, _registering())
    return CampaignRegistration.of(record, seldom.a2p_records().brand(record.brand))


@api.delete("/compliance/campaigns/<service_sid>", summary="Delete the campaign of a service")
def delete_campaign(
    service_sid: ServiceSid,
    stops_traffic: Annotated[
        bool | None,
        Query(description="Needed for an approved one: nothing goes out to the US after it"),
    ] = None,
) -> DeletedCampaign:
    gone = register_campaign.delete(service_sid, _registering(), stops_traffic=bool(stops_traffic))
    logger.info("campaign deleted")
    return DeletedCampaign(service_sid=gone.service_sid)


@api.post("/compliance/campaigns/<service_sid>/advance", summary="Go on registering a campaign")
def advance_campaign(
    service_sid: ServiceSid, request: Annotated[Advance | None, Body()] = None
) -> Response[CampaignRegistration]:
    request = request or Advance()
    record = register_campaign.advance(
        service_sid, _registering(), accept_fees=request.accept_fees, resubmit=request.resubmit
    )
    return _campaign(record)


@api.post("/compliance/toll-free", summary="Submit a toll-free number; again shows how it stands")
def submit_toll_free(request: Annotated[SubmitTollFree, Body()]) -> SubmittedTollFree:
    done = toll_free.submit(
        request.tollfree_phone_number_sid, request.submission(), verifying(), force=request.force
    )
    if done.is_new:
        logger.info("toll-free submitted", extra={"verification_sid": done.verification.sid})
    return SubmittedTollFree.told(done, now=warm.now())


@api.get("/compliance/toll-free", summary="List toll-free verifications, and who has to act")
def list_toll_free() -> TollFreeList:
    found = toll_free.listed(verifying())
    return TollFreeList(verifications=[TollFreeSummary.of(each, now=warm.now()) for each in found])


@api.get("/compliance/toll-free/<sid>", summary="Show a toll-free verification")
def show_toll_free(sid: str) -> TollFreeView:
    return TollFreeView.of(toll_free.show(sid, verifying()), now=warm.now())


@api.patch("/compliance/toll-free/<sid>", summary="Fix a rejected verification and submit it again")
def fix_toll_free(sid: str, request: Annotated[FixTollFree, Body()]) -> SubmittedTollFree:
    done = toll_free.fix(
        sid, request.changes(), verifying(), reason=request.edit_reason, force=request.force
    )
    if done.is_new:
        logger.info("toll-free submitted again", extra={"verification_sid": sid})
    return SubmittedTollFree.told(done, now=warm.now())


@api.delete("/compliance/toll-free/<sid>", summary="Take a toll-free verification back")
def remove_toll_free(
    sid: str,
    force: Annotated[bool, Query(description="Also one that is approved")] = False,  # noqa: FBT002
) -> RemovedTollFree:
    removed = toll_free.remove(sid, verifying(), force=force)
    if removed:
        logger.info("toll-free removed", extra={"verification_sid": sid})
    return RemovedTollFree(sid=sid, removed=removed)


def _invalid_cursor() -> InvalidRequestError:
    return InvalidRequestError(
        Violation("cursor", "invalid_cursor", "must be the next_cursor of an earlier page")
    )


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
