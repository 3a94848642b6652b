"""Routes of Messaging v1: the A2P campaign of a service (`Usa2p`), and what it may be for."""

from typing import Any

from aiohttp import web

from local.twilio.a2p.campaign import CAMPAIGN_SID, Campaign
from local.twilio.a2p.campaigns import Campaigns
from local.twilio.a2p.use_cases import goes_with_service, use_cases_of
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.api.listing import list_answer
from local.twilio.api.services import SERVICE, SERVICES, find_service
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.times import iso

CAMPAIGNS = f"{SERVICE}/Compliance/Usa2p"
CAMPAIGN = f"{CAMPAIGNS}/{{sid}}"
VERSION_HEADER = "X-Twilio-Api-Version"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.post(
                f"{SERVICES}/PreregisteredUsa2p",
                import_external,
                name="preregistered_us_app_to_person.create",
            ),
            web.get(
                f"{CAMPAIGNS}/Usecases", list_use_cases, name="us_app_to_person_usecases.fetch"
            ),
            web.get(CAMPAIGNS, list_campaigns, name="us_app_to_person.list"),
            web.post(CAMPAIGNS, create, name="us_app_to_person.create"),
            web.get(CAMPAIGN, fetch, name="us_app_to_person.fetch"),
            web.post(CAMPAIGN, update, name="us_app_to_person.update"),
            web.delete(CAMPAIGN, delete, name="us_app_to_person.delete"),
        ]
    )


async def import_external(request: web.Request) -> web.Response:
    """Take over a campaign that was registered elsewhere."""
    simulator = request.app[SIMULATOR]
    form = await read_form(request)
    form.require("CampaignId", "MessagingServiceSid")
    form.flag("CnpMigration")
    service = simulator.services.find(form.get("MessagingServiceSid"))
    if service is None:
        raise ApiError(20404, path=form.get("MessagingServiceSid"))
    campaign = simulator.a2p.campaigns.import_external(service.sid, form.get("CampaignId"))
    shown = {
        "sid": CAMPAIGN_SID,
        "account_sid": simulator.account.account_sid,
        "campaign_id": campaign.campaign_id,
        "messaging_service_sid": service.sid,
        "date_created": iso(campaign.created),
    }
    return web.json_response(shown, status=201)


async def list_use_cases(request: web.Request) -> web.Response:
    """What a campaign of this service may be for, and of this brand if the query names one."""
    service = find_service(request)
    brand_sid = request.query.get("BrandRegistrationSid")
    brand = _campaigns(request).find_brand(brand_sid) if brand_sid else None
    shown = [
        each.to_json()
        for each in use_cases_of(brand)
        if goes_with_service(each.code, service.usecase)
    ]
    return web.json_response({"us_app_to_person_usecases": shown})


async def list_campaigns(request: web.Request) -> web.Response:
    """The campaign of a service, as a list of one or none."""
    campaign = _campaigns(request).get(find_service(request).sid)
    shown = [show_campaign(request, campaign)] if campaign else []
    return list_answer(request, shown, key="compliance")


async def create(request: web.Request) -> web.Response:
    """Hand a campaign in."""
    service = find_service(request)
    campaign = _campaigns(request).create(
        service.sid, await read_form(request), service_use_case=service.usecase
    )
    return web.json_response(show_campaign(request, campaign), status=201)


async def fetch(request: web.Request) -> web.Response:
    """The campaign."""
    return web.json_response(show_campaign(request, _find(request)))


async def update(request: web.Request) -> web.Response:
    """Hand a failed campaign in again."""
    campaign = _find(request)
    _campaigns(request).update(campaign, await read_form(request))
    return web.json_response(show_campaign(request, campaign))


async def delete(request: web.Request) -> web.Response:
    """Remove the campaign; carriers refuse the service's numbers then."""
    _campaigns(request).delete(_find(request))
    return web.Response(status=204)


def show_campaign(request: web.Request, campaign: Campaign) -> dict[str, Any]:
    """The resource of a campaign, extended if the request names a version of the API."""
    path = f"{SERVICES}/{campaign.service_sid}/Compliance/Usa2p/{CAMPAIGN_SID}"
    return campaign.to_json(
        account_sid=request.app[SIMULATOR].account.account_sid,
        url=base_url(request) + path,
        extended=bool(request.headers.get(VERSION_HEADER)),
    )


def _find(request: web.Request) -> Campaign:
    service = find_service(request)
    if request.match_info["sid"] != CAMPAIGN_SID:
        raise ApiError(20404, path=request.path)
    return _campaigns(request).find(service.sid, path=request.path)


def _campaigns(request: web.Request) -> Campaigns:
    return request.app[SIMULATOR].a2p.campaigns
