"""Routes of Messaging v1: services and their use cases."""

from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.paging import cut_page, product_envelope, read_page_request
from local.twilio.services.service import Service
from local.twilio.services.use_cases import USE_CASES

SERVICES = "/v1/Services"
SERVICE = f"{SERVICES}/{{service}}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(f"{SERVICES}/Usecases", list_use_cases, name="service_usecases.fetch"),
            web.get(SERVICES, list_services, name="services.list"),
            web.post(SERVICES, create, name="services.create"),
            web.get(SERVICE, fetch, name="services.fetch"),
            web.post(SERVICE, update, name="services.update"),
            web.delete(SERVICE, delete, name="services.delete"),
        ]
    )


async def list_use_cases(_: web.Request) -> web.Response:
    """What a service may be for."""
    return web.json_response({"usecases": USE_CASES})


async def list_services(request: web.Request) -> web.Response:
    """A page of all services."""
    services = [_show(request, each) for each in request.app[SIMULATOR].services]
    page = cut_page(services, read_page_request(request.query))
    url = base_url(request) + request.path
    return web.json_response(product_envelope(page, url=url, query=request.query, key="services"))


async def create(request: web.Request) -> web.Response:
    """Make a service."""
    simulator = request.app[SIMULATOR]
    service = simulator.services.create(await read_form(request), simulator.clock.now())
    return web.json_response(_show(request, service), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One service."""
    return web.json_response(_show(request, find_service(request)))


async def update(request: web.Request) -> web.Response:
    """Change the fields sent."""
    service = find_service(request)
    service.change(await read_form(request), request.app[SIMULATOR].clock.now())
    return web.json_response(_show(request, service))


async def delete(request: web.Request) -> web.Response:
    """Remove a service."""
    request.app[SIMULATOR].services.delete(find_service(request).sid)
    return web.Response(status=204)


def find_service(request: web.Request) -> Service:
    """The service named in the path; ApiError 20404 if there is none."""
    service = request.app[SIMULATOR].services.find(request.match_info["service"])
    if service is None:
        raise ApiError(20404, path=request.path)
    return service


def _show(request: web.Request, service: Service) -> dict[str, Any]:
    simulator = request.app[SIMULATOR]
    return service.to_json(
        account_sid=simulator.account.account_sid,
        base_url=base_url(request),
        is_registered=simulator.services.is_registered(service.sid),
    )
