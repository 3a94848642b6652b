"""Routes of the 2010 API: messages and the account."""

import asyncio
from typing import Any

from aiohttp import web

from local.twilio.edge import SIMULATOR
from local.twilio.errors import ApiError
from local.twilio.faults import Fault, FaultKind
from local.twilio.forms import Form, read_form
from local.twilio.listing import list_page
from local.twilio.messages import API_VERSION, Message
from local.twilio.simulator import Simulator

ACCOUNT = f"/{API_VERSION}/Accounts/{{account}}"
MESSAGE = f"{ACCOUNT}/Messages/{{sid}}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(f"{ACCOUNT}.json", fetch_account),
            web.post(f"{ACCOUNT}/Messages.json", create),
            web.get(f"{ACCOUNT}/Messages.json", list_messages),
            web.get(f"{MESSAGE}.json", fetch),
            web.post(f"{MESSAGE}.json", update),
            web.delete(f"{MESSAGE}.json", delete),
            web.get(f"{MESSAGE}/Media.json", list_media),
        ]
    )


async def create(request: web.Request) -> web.StreamResponse:
    """Make a message, unless a scripted fault strikes before or after."""
    simulator = request.app[SIMULATOR]
    form = await read_form(request)
    fault = simulator.faults.take(form.get("To"))
    if fault is None:
        return web.json_response(simulator.create(form).to_json(), status=201)
    if fault.kind is FaultKind.REFUSE_429:
        raise ApiError(20429)
    if fault.kind is FaultKind.REFUSE_500:
        return _internal_error()
    if fault.kind is FaultKind.CUT_BEFORE:
        return _cut(request)
    return await _make_with_fault(request, fault, form)


async def _make_with_fault(request: web.Request, fault: Fault, form: Form) -> web.StreamResponse:
    """The message is made; the caller may not learn of it."""
    simulator = request.app[SIMULATOR]
    if fault.kind is FaultKind.LATENCY:
        # a caller who gives up meanwhile does not keep the message from being made
        late = asyncio.create_task(_make_late(simulator, form, seconds=fault.ms / 1000))
        return web.json_response(await asyncio.shield(late), status=201)
    body = simulator.create(form).to_json()
    if fault.kind is FaultKind.MADE_THEN_CUT:
        return _cut(request)
    if fault.kind is FaultKind.MADE_THEN_500:
        return _internal_error()
    await asyncio.sleep(fault.seconds)
    return web.json_response(body, status=201)


async def _make_late(simulator: Simulator, form: Form, *, seconds: float) -> dict[str, Any]:
    await asyncio.sleep(seconds)
    return simulator.create(form).to_json()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _internal_error() -> web.Response:
    """A gateway error: no Twilio code."""
    return web.json_response({"message": "Internal Server Error", "status": 500}, status=500)


async def list_messages(request: web.Request) -> web.Response:
    """One page of messages, newest first."""
    simulator = request.app[SIMULATOR]
    page = list_page(simulator.store, request.query, simulator.account.account_sid)
    return web.json_response(page)


async def fetch(request: web.Request) -> web.Response:
    """One message."""
    return web.json_response(_find(request).to_json())


async def update(request: web.Request) -> web.Response:
    """Cancel or redact one message."""
    message = _find(request)
    request.app[SIMULATOR].update(message, await read_form(request))
    return web.json_response(message.to_json())


async def delete(request: web.Request) -> web.Response:
    """Remove one finished message."""
    request.app[SIMULATOR].delete(_find(request))
    return web.Response(status=204)


async def list_media(request: web.Request) -> web.Response:
    """Media are not kept: the list is always empty."""
    _find(request)
    uri = request.path
    return web.json_response(
        {
            "media_list": [],
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": 0,
            "uri": uri,
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
        }
    )


async def fetch_account(request: web.Request) -> web.Response:
    """The account, enough to check credentials."""
    account_sid = request.app[SIMULATOR].account.account_sid
    return web.json_response(
        {
            "sid": account_sid,
            "friendly_name": "local.twilio",
            "status": "active",
            "type": "Full",
            "uri": f"/{API_VERSION}/Accounts/{account_sid}.json",
        }
    )


def _find(request: web.Request) -> Message:
    return request.app[SIMULATOR].find_message(request.match_info["sid"])
