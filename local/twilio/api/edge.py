"""What surrounds every Twilio route: credentials, scripted faults, error answers, request headers."""

import asyncio
import time
import uuid

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.account.credentials import Access
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.faults.script import BEFORE, CREATE, Fault, FaultKind
from local.twilio.simulator import Simulator

SIMULATOR = web.AppKey("simulator", Simulator)
ACCESS = web.RequestKey("access", Access)
API_PATHS = ("/2010-04-01/", "/v1/", "/v2/")
# the only route that test credentials open besides those that say so themselves
OPEN_TO_TESTS = frozenset({CREATE, "incoming_phone_numbers.create", "calls.create"})


@web.middleware
async def twilio_edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Surround the Twilio paths; the control paths pass untouched."""
    if not request.path.startswith(API_PATHS):
        return await handler(request)
    started = time.monotonic()
    simulator = request.app[SIMULATOR]
    simulator.requests_in_flight += 1
    busy = simulator.requests_in_flight
    try:
        response = await _answer(request, handler, busy)
    finally:
        simulator.requests_in_flight -= 1
    response.headers["Twilio-Concurrent-Requests"] = str(busy)
    response.headers["Twilio-Request-Id"] = f"RQ{uuid.uuid4().hex}"
    response.headers["Twilio-Request-Duration"] = f"{time.monotonic() - started:.3f}"
    return response


def operation_of(request: web.Request) -> str:
    """The name of the route that a request takes, such as `messages.create`."""
    return request.match_info.route.name or ""


def base_url(request: web.Request) -> str:
    """Scheme and host under which the caller reaches this server, for absolute URLs in answers."""
    return f"{request.scheme}://{request.host}"


async def _answer(request: web.Request, handler: Handler, busy: int) -> web.StreamResponse:
    try:
        _check_entry(request, busy)
        fault = await _find_fault(request)
        return await (handler(request) if fault is None else _strike(request, handler, fault))
    except ApiError as exc:
        return web.json_response(exc.to_json(), status=exc.status)
    except web.HTTPNotFound:
        return _refused(ApiError(20404, path=request.path))
    except web.HTTPMethodNotAllowed:
        return _refused(ApiError(20004, status=405))


def _refused(error: ApiError) -> web.Response:
    return web.json_response(error.to_json(), status=error.status)


def _check_entry(request: web.Request, busy: int) -> None:
    """Credentials first, then the room, then the account in the path."""
    simulator = request.app[SIMULATOR]
    access = simulator.credentials.access_of(request.headers.get("Authorization"))
    request[ACCESS] = access
    limit = simulator.behaviour.max_concurrent_requests
    if limit and busy > limit:
        raise ApiError(20429)
    own_sid = simulator.credentials.account_sid_of(access)
    if request.match_info.get("account", own_sid) != own_sid:
        raise ApiError(20404, path=request.path)
    if access is Access.TEST and operation_of(request) not in OPEN_TO_TESTS:
        raise ApiError(20008)


async def _find_fault(request: web.Request) -> Fault | None:
    faults = request.app[SIMULATOR].faults
    if not faults:
        return None
    form = await read_form(request)
    return faults.take(operation=operation_of(request), to=form.get("To"))


async def _strike(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    """Let a fault happen before, or after the request was carried out."""
    if fault.kind in BEFORE:
        return _refuse(request, fault)
    await request.read()  # a caller who gives up meanwhile does not take the request back
    delay = fault.ms / 1000 if fault.kind is FaultKind.LATENCY else 0
    work = asyncio.create_task(_carry_out(request, handler, delay))
    response = await asyncio.shield(work)
    if fault.kind is FaultKind.MADE_THEN_CUT:
        return _cut(request)
    if fault.kind is FaultKind.MADE_THEN_500:
        return _internal_error()
    if fault.kind is FaultKind.MADE_THEN_HANG:
        await asyncio.sleep(fault.seconds)
    return response


async def _carry_out(request: web.Request, handler: Handler, delay: float) -> web.StreamResponse:
    await asyncio.sleep(delay)
    return await handler(request)


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    if fault.kind is FaultKind.REFUSE_429:
        raise ApiError(20429)
    return _internal_error() if fault.kind is FaultKind.REFUSE_500 else _cut(request)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _internal_error() -> web.Response:
    """A gateway error: no Twilio code."""
    return web.json_response({"message": "Internal Server Error", "status": 500}, status=500)
