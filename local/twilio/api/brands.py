"""Routes of Messaging v1: A2P brand registrations, their vettings and one-time passwords."""

from typing import Any

from aiohttp import web

from local.twilio.a2p.brand import Brand
from local.twilio.a2p.brands import Brands
from local.twilio.a2p.vetting import Provider, Vetting
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.api.listing import list_answer
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import read_form

BRANDS = "/v1/a2p/BrandRegistrations"
BRAND = f"{BRANDS}/{{brand}}"
VETTINGS = f"{BRAND}/Vettings"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(BRANDS, list_brands, name="brand_registrations.list"),
            web.post(BRANDS, create, name="brand_registrations.create"),
            web.get(BRAND, fetch, name="brand_registrations.fetch"),
            web.post(BRAND, update, name="brand_registrations.update"),
            web.post(f"{BRAND}/SmsOtp", send_otp, name="brand_registration_otps.create"),
            web.get(VETTINGS, list_vettings, name="brand_vettings.list"),
            web.post(VETTINGS, vet, name="brand_vettings.create"),
            web.get(f"{VETTINGS}/{{sid}}", fetch_vetting, name="brand_vettings.fetch"),
        ]
    )


async def list_brands(request: web.Request) -> web.Response:
    """A page of brands, newest first."""
    return list_answer(
        request, [show_brand(request, each) for each in _brands(request)], key="data"
    )


async def create(request: web.Request) -> web.Response:
    """Register a brand."""
    brand = _brands(request).create(await read_form(request))
    return web.json_response(show_brand(request, brand), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One brand."""
    return web.json_response(show_brand(request, find_brand(request)))


async def update(request: web.Request) -> web.Response:
    """Register a failed brand anew, with what its bundles say now."""
    brand = find_brand(request)
    _brands(request).resubmit(brand)
    return web.json_response(show_brand(request, brand), status=202)


async def send_otp(request: web.Request) -> web.Response:
    """Ask the owner of a sole proprietor's brand once more by SMS."""
    brand = find_brand(request)
    _brands(request).send_otp(brand)
    return web.json_response(
        {"account_sid": _account_sid(request), "brand_registration_sid": brand.sid}, status=201
    )


async def list_vettings(request: web.Request) -> web.Response:
    """A page of the vettings of a brand, of one provider if the query names it."""
    brand = find_brand(request)
    provider = request.query.get("VettingProvider")
    if provider is not None and provider not in set(Provider):
        raise invalid_parameter("VettingProvider", provider)
    shown = [
        _show_vetting(request, brand, each)
        for each in brand.vettings.values()
        if provider in {None, each.provider}
    ]
    return list_answer(request, shown, key="data", entry_key="brand_vetting_sid")


async def vet(request: web.Request) -> web.Response:
    """Have a brand vetted, or import what was found out."""
    brand = find_brand(request)
    vetting = _brands(request).vettings.create(brand, await read_form(request))
    return web.json_response(_show_vetting(request, brand, vetting), status=201)


async def fetch_vetting(request: web.Request) -> web.Response:
    """One vetting."""
    brand = find_brand(request)
    sid = request.match_info["sid"]
    if sid not in brand.vettings:
        raise ApiError(20404, path=request.path)
    return web.json_response(_show_vetting(request, brand, brand.vettings[sid]))


def find_brand(request: web.Request) -> Brand:
    """The brand named in the path; ApiError 20404 if there is none."""
    return _brands(request).find(request.match_info["brand"], path=request.path)


def show_brand(request: web.Request, brand: Brand) -> dict[str, Any]:
    """The resource of a brand."""
    return brand.to_json(
        account_sid=_account_sid(request),
        url=f"{base_url(request)}{BRANDS}/{brand.sid}",
        now=request.app[SIMULATOR].clock.now(),
    )


def _show_vetting(request: web.Request, brand: Brand, vetting: Vetting) -> dict[str, Any]:
    return vetting.to_json(
        account_sid=_account_sid(request),
        brand_sid=brand.sid,
        url=f"{base_url(request)}{BRANDS}/{brand.sid}/Vettings/{vetting.sid}",
    )


def _account_sid(request: web.Request) -> str:
    return request.app[SIMULATOR].account.account_sid


def _brands(request: web.Request) -> Brands:
    return request.app[SIMULATOR].a2p.brands
