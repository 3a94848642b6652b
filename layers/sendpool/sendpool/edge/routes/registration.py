"""US A2P 10DLC: brands and campaigns are registered, campaigns judged before their fee, and who has to act is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from sendpool.domain.a2p.fees import VETTING
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord
from sendpool.domain.errors import ConflictError
from sendpool.domain.preflight.verdict import preflight
from sendpool.edge import http, seldom, warm
from sendpool.edge.observability import logger
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
from sendpool.workflows import register_brand, register_campaign
from sendpool.workflows.registering import Registering

BrandName = Annotated[
    str,
    Path(pattern="^[a-z0-9][a-z0-9-]{0,39}$", description="The team's own name of the brand"),
]
ServiceSid = Annotated[str, Path(pattern="^MG[0-9a-f]{32}$")]

api = APIGatewayHttpRouter()


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


@api.post("/compliance/campaigns/preflight", summary="Judge an A2P campaign before its fee")
def judge_campaign(request: Annotated[CampaignModel, Body()]) -> PreflightView:
    return PreflightView.of(preflight(request.campaign(brand_name=warm.settings().brand)))
