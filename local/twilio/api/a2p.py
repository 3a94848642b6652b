"""Control routes of A2P: what owners answer, and what carriers suspend."""

from collections.abc import Callable

from aiohttp import web

from local.twilio.a2p.brand import BrandStatus
from local.twilio.a2p.campaign import CampaignStatus
from local.twilio.api.brands import show_brand
from local.twilio.api.campaigns import show_campaign
from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.post(f"{PREFIX}/brands/{{sid}}", set_brand),
            web.post(f"{PREFIX}/brands/{{sid}}/otp", answer_otp),
            web.post(f"{PREFIX}/campaigns/{{service}}", set_campaign),
        ]
    )


async def set_brand(request: web.Request) -> web.Response:
    """Suspend an approved brand, and its campaigns with it, or end that."""
    brands = request.app[SIMULATOR].a2p.brands
    brand = _known(brands.get, request.match_info["sid"])
    status = (await request.json())["status"]
    if status not in {BrandStatus.SUSPENDED, BrandStatus.APPROVED}:
        raise ValueError(f"status: SUSPENDED or APPROVED is wanted, not {status}")
    brands.set_suspended(brand, suspended=status == BrandStatus.SUSPENDED)
    return web.json_response(show_brand(request, brand))


async def answer_otp(request: web.Request) -> web.Response:
    """Play the owner who answers the SMS."""
    brands = request.app[SIMULATOR].a2p.brands
    brand = _known(brands.get, request.match_info["sid"])
    brands.answer_otp(brand, str((await request.json())["answer"]))
    return web.json_response(show_brand(request, brand))


async def set_campaign(request: web.Request) -> web.Response:
    """Suspend the verified campaign of a service, or end that."""
    campaigns = request.app[SIMULATOR].a2p.campaigns
    campaign = _known(campaigns.get, request.match_info["service"])
    given = await request.json()
    status = given["status"]
    if status == CampaignStatus.SUSPENDED:
        campaigns.suspend(campaign, tuple(int(code) for code in given.get("codes", ())))
    elif status == CampaignStatus.VERIFIED:
        campaigns.reinstate(campaign)
    else:
        raise ValueError(f"status: SUSPENDED or VERIFIED is wanted, not {status}")
    return web.json_response(show_campaign(request, campaign))


def _known[T](look: Callable[[str], T | None], sid: str) -> T:
    found = look(sid)
    if found is None:
        raise KeyError(sid)
    return found
