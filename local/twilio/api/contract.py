"""The contract check around the Twilio routes, and its record in the control API."""

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import API_PATHS, SIMULATOR
from local.twilio.contract.answers import GATEWAY, REFUSED, Answer
from local.twilio.contract.requests import Request
from local.twilio.core.forms import Form, read_form


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(f"{PREFIX}/contract", show),
            web.delete(f"{PREFIX}/contract", clear),
        ]
    )


@web.middleware
async def contract_check(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Watch the Twilio paths while the setting `contract` is on; nothing is changed."""
    response = await handler(request)
    simulator = request.app[SIMULATOR]
    if simulator.behaviour.contract and _is_answered(request):
        simulator.contract.check(await _seen(request, response), _answer(response))
    return response


async def show(request: web.Request) -> web.Response:
    """What was checked, what broke the contract, and which operations were seen."""
    return web.json_response(request.app[SIMULATOR].contract.to_json())


async def clear(request: web.Request) -> web.Response:
    """Forget what was checked."""
    request.app[SIMULATOR].contract.clear()
    return await show(request)


def _is_answered(request: web.Request) -> bool:
    """It is one for Twilio, and a scripted fault did not cut the connection."""
    transport = request.transport
    cut = transport is None or transport.is_closing()
    return request.path.startswith(API_PATHS) and not cut


async def _seen(request: web.Request, response: web.StreamResponse) -> Request:
    """The request; its form is left unread where it was refused, as the handler may have left it."""
    refused = REFUSED <= response.status < GATEWAY
    form = Form({}) if refused else await read_form(request)
    return Request(
        method=request.method,
        path=request.path,
        query={name: request.query.getall(name) for name in request.query},
        form={name: form.get_all(name) for name in form.names()},
    )


def _answer(response: web.StreamResponse) -> Answer:
    body = response.body if isinstance(response, web.Response) else None
    return Answer(
        status=response.status,
        content_type=response.content_type,
        body=bytes(body) if isinstance(body, (bytes, bytearray)) else b"",
    )
