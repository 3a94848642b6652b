"""Routes of Messaging v1: services and the numbers in their pools."""

from typing import Any

from aiohttp import web

from local.twilio.edge import SIMULATOR
from local.twilio.errors import ApiError
from local.twilio.forms import read_form
from local.twilio.services import Number, Service, iso

SERVICE = "/v1/Services/{service}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get("/v1/Services", list_services),
            web.post("/v1/Services", create),
            web.get(SERVICE, fetch),
            web.post(SERVICE, update),
            web.delete(SERVICE, delete),
            web.get(f"{SERVICE}/PhoneNumbers", list_numbers),
            web.post(f"{SERVICE}/PhoneNumbers", attach_number),
            web.delete(f"{SERVICE}/PhoneNumbers/{{number}}", detach_number),
        ]
    )


async def list_services(request: web.Request) -> web.Response:
    """All services, on one page."""
    services = request.app[SIMULATOR].services
    return _page(request, "services", [_service_json(request, each) for each in services])


async def create(request: web.Request) -> web.Response:
    """Make a service."""
    simulator = request.app[SIMULATOR]
    service = simulator.services.create(await read_form(request), simulator.clock.now())
    return web.json_response(_service_json(request, service), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One service."""
    return web.json_response(_service_json(request, _find(request)))


async def update(request: web.Request) -> web.Response:
    """Change the fields sent."""
    service = _find(request)
    service.change(await read_form(request), request.app[SIMULATOR].clock.now())
    return web.json_response(_service_json(request, service))


async def delete(request: web.Request) -> web.Response:
    """Remove a service."""
    request.app[SIMULATOR].services.delete(_find(request).sid)
    return web.Response(status=204)


async def list_numbers(request: web.Request) -> web.Response:
    """The numbers of a pool, on one page."""
    service = _find(request)
    numbers = [_number_json(request, service, number) for number in service.pool]
    return _page(request, "phone_numbers", numbers)


async def attach_number(request: web.Request) -> web.Response:
    """Put a number of the account into the pool."""
    service = _find(request)
    form = await read_form(request)
    number = request.app[SIMULATOR].services.attach(service, form.get("PhoneNumberSid"))
    return web.json_response(_number_json(request, service, number), status=201)


async def detach_number(request: web.Request) -> web.Response:
    """Take a number out of the pool; it stays on the account."""
    service = _find(request)
    sid = request.match_info["number"]
    number = next((each for each in service.pool if each.sid == sid), None)
    if number is None:
        raise ApiError(20404, path=request.path)
    service.pool.remove(number)
    return web.Response(status=204)


def _find(request: web.Request) -> Service:
    service = request.app[SIMULATOR].services.find(request.match_info["service"])
    if service is None:
        raise ApiError(20404, path=request.path)
    return service


def _base_url(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _service_json(request: web.Request, service: Service) -> dict[str, Any]:
    account_sid = request.app[SIMULATOR].account.account_sid
    return service.to_json(account_sid=account_sid, base_url=_base_url(request))


def _number_json(request: web.Request, service: Service, number: Number) -> dict[str, Any]:
    return {
        "sid": number.sid,
        "account_sid": request.app[SIMULATOR].account.account_sid,
        "service_sid": service.sid,
        "date_created": iso(service.created),
        "date_updated": iso(service.created),
        "phone_number": number.phone_number,
        "country_code": "US",
        "capabilities": ["SMS", "MMS"],
        "url": f"{_base_url(request)}/v1/Services/{service.sid}/PhoneNumbers/{number.sid}",
    }


def _page(request: web.Request, key: str, entries: list[dict[str, Any]]) -> web.Response:
    url = _base_url(request) + request.path
    meta = {
        "page": 0,
        "page_size": 50,
        "first_page_url": f"{url}?PageSize=50&Page=0",
        "previous_page_url": None,
        "url": f"{url}?PageSize=50&Page=0",
        "next_page_url": None,
        "key": key,
    }
    return web.json_response({"meta": meta, key: entries})
