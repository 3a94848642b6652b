"""What surrounds every Twilio route: credentials, error answers, request headers."""

import base64
import time
import uuid

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from local.twilio.errors import ApiError
from local.twilio.settings import Account
from local.twilio.simulator import Simulator

SIMULATOR = web.AppKey("simulator", Simulator)
API_PATHS = ("/2010-04-01/", "/v1/")


def accepted_credentials(account: Account) -> frozenset[str]:
    """The Authorization headers that open the account: auth token or API key."""
    pairs = (
        (account.account_sid, account.auth_token),
        (account.api_key_sid, account.api_key_secret),
    )
    return frozenset(
        "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        for user, password in pairs
    )


def twilio_edge(account: Account) -> Middleware:
    """Middleware for the Twilio paths; the control paths pass untouched."""
    accepted = accepted_credentials(account)
    in_flight = 0

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal in_flight
        if not request.path.startswith(API_PATHS):
            return await handler(request)
        started = time.monotonic()
        in_flight += 1
        busy = in_flight
        try:
            response = await _answer(request, handler, accepted, busy)
        finally:
            in_flight -= 1
        response.headers["Twilio-Concurrent-Requests"] = str(busy)
        response.headers["Twilio-Request-Id"] = f"RQ{uuid.uuid4().hex}"
        response.headers["Twilio-Request-Duration"] = f"{time.monotonic() - started:.3f}"
        return response

    return middleware


async def _answer(
    request: web.Request, handler: Handler, accepted: frozenset[str], busy: int
) -> web.StreamResponse:
    try:
        _check_entry(request, accepted, busy)
        return await handler(request)
    except ApiError as exc:
        return web.json_response(exc.to_json(), status=exc.status)
    except web.HTTPNotFound:
        missing = ApiError(20404, path=request.path)
        return web.json_response(missing.to_json(), status=missing.status)


def _check_entry(request: web.Request, accepted: frozenset[str], busy: int) -> None:
    """Credentials first, then the room, then the account in the path."""
    simulator = request.app[SIMULATOR]
    if request.headers.get("Authorization") not in accepted:
        raise ApiError(20003)
    limit = simulator.behaviour.max_concurrent_requests
    if limit and busy > limit:
        raise ApiError(20429)
    own_sid = simulator.account.account_sid
    if request.match_info.get("account", own_sid) != own_sid:
        raise ApiError(20404, path=request.path)
