"""Routes of Accounts v1: auth tokens, consents and contacts, geo permissions, the safe list."""

from typing import Any

from aiohttp import web

from local.twilio.account.bulk import MAX_ITEMS, read_objects
from local.twilio.account.contacts import upsert_contacts
from local.twilio.account.credentials import AuthToken
from local.twilio.account.safe_list import SafeEntry
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.errors import ApiError, missing_parameter
from local.twilio.core.forms import read_form
from local.twilio.core.times import iso

SECONDARY = "/v1/AuthTokens/Secondary"
GEO = "/v1/Messaging/GeoPermissions"
SAFE_LIST = "/v1/SafeList/Numbers"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.post(SECONDARY, create_token, name="secondary_auth_token.create"),
            web.delete(SECONDARY, delete_token, name="secondary_auth_token.delete"),
            web.post("/v1/AuthTokens/Promote", promote_token, name="auth_token_promotion.update"),
            web.post("/v1/Consents/Bulk", upsert_consents, name="bulk_consents.create"),
            web.post("/v1/Contacts/Bulk", create_contacts, name="bulk_contacts.create"),
            web.get(GEO, fetch_geo, name="messaging_geopermissions.fetch"),
            web.patch(GEO, update_geo, name="messaging_geopermissions.update"),
            web.post(SAFE_LIST, add_safe, name="safelist.create"),
            web.get(SAFE_LIST, fetch_safe, name="safelist.fetch"),
            web.delete(SAFE_LIST, delete_safe, name="safelist.delete"),
        ]
    )


async def create_token(request: web.Request) -> web.Response:
    """Make a secondary auth token."""
    (await read_form(request)).flag("SuppressEmailNotification")
    simulator = request.app[SIMULATOR]
    token = simulator.credentials.create_secondary(simulator.clock.now())
    answer = _token_json(request, token, updated=iso(token.created))
    return web.json_response(answer | {"secondary_auth_token": token.value}, status=201)


async def delete_token(request: web.Request) -> web.Response:
    """Withdraw the secondary auth token."""
    if request.app[SIMULATOR].credentials.withdraw_secondary() is None:
        raise ApiError(20404, path=request.path)
    return web.Response(status=204)


async def promote_token(request: web.Request) -> web.Response:
    """Make the secondary auth token the primary one."""
    (await read_form(request)).flag("SuppressEmailNotification")
    simulator = request.app[SIMULATOR]
    token = simulator.credentials.promote()
    if token is None:
        raise ApiError(20404, path=request.path)
    answer = _token_json(request, token, updated=iso(simulator.clock.now()))
    return web.json_response(answer | {"auth_token": token.value})


async def upsert_consents(request: web.Request) -> web.Response:
    """Block and unblock recipients as they wish."""
    simulator = request.app[SIMULATOR]
    items = read_objects(await read_form(request), "Items", most=MAX_ITEMS)
    results = simulator.consents.upsert(items, simulator.clock.now())
    return web.json_response({"items": results}, status=201)


async def create_contacts(request: web.Request) -> web.Response:
    """Take note of where recipients live."""
    items = read_objects(await read_form(request), "Items", most=MAX_ITEMS)
    return web.json_response({"items": upsert_contacts(items)}, status=201)


async def fetch_geo(request: web.Request) -> web.Response:
    """The permissions of all countries, or of those that are named, with commas between them."""
    named = [code for code in request.query.get("CountryCode", "").split(",") if code]
    return web.json_response({"permissions": request.app[SIMULATOR].geo.to_json(named)})


async def update_geo(request: web.Request) -> web.Response:
    """Switch countries on and off, each with a result of its own."""
    geo = request.app[SIMULATOR].geo
    wanted = read_objects(await read_form(request), "Permissions")
    return web.json_response({"permissions": [geo.change(each) for each in wanted]})


async def add_safe(request: web.Request) -> web.Response:
    """Put a number or prefix on the safe list."""
    form = await read_form(request)
    form.require("PhoneNumber")
    entry = request.app[SIMULATOR].safe_list.add(form.get("PhoneNumber"))
    return web.json_response(_safe_json(entry), status=201)


async def fetch_safe(request: web.Request) -> web.Response:
    """One entry of the safe list."""
    return web.json_response(_safe_json(_find_safe(request)))


async def delete_safe(request: web.Request) -> web.Response:
    """Take a number or prefix off the safe list."""
    request.app[SIMULATOR].safe_list.remove(_find_safe(request).phone_number)
    return web.Response(status=204)


def _find_safe(request: web.Request) -> SafeEntry:
    number = request.query.get("PhoneNumber", "")
    if not number:
        raise missing_parameter("PhoneNumber")
    entry = request.app[SIMULATOR].safe_list.find(number)
    if entry is None:
        raise ApiError(20404, path=request.path)
    return entry


def _safe_json(entry: SafeEntry) -> dict[str, Any]:
    return {"sid": entry.sid, "phone_number": entry.phone_number}


def _token_json(request: web.Request, token: AuthToken, *, updated: str) -> dict[str, Any]:
    return {
        "account_sid": request.app[SIMULATOR].account.account_sid,
        "date_created": iso(token.created),
        "date_updated": updated,
        "url": base_url(request) + request.path,
    }
