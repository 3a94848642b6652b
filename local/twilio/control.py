"""The control API: what a test or the demo may see and change. README.md is its contract."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.edge import SIMULATOR
from local.twilio.simulator import SERVICE_SETTINGS, Simulator

PREFIX = "/_control"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(f"{PREFIX}/health", health),
            web.get(f"{PREFIX}/truth", truth),
            web.post(f"{PREFIX}/reset", reset),
            web.get(f"{PREFIX}/settings", show_settings),
            web.patch(f"{PREFIX}/settings", change_settings),
            web.post(f"{PREFIX}/settings", change_settings),
            web.get(f"{PREFIX}/faults", show_faults),
            web.post(f"{PREFIX}/faults", add_faults),
            web.delete(f"{PREFIX}/faults", clear_faults),
            web.post(f"{PREFIX}/inbound", receive),
            web.get(f"{PREFIX}/opt-outs", show_opt_outs),
            web.get(f"{PREFIX}/callbacks", show_callbacks),
            web.post(f"{PREFIX}/callbacks/pause", pause_callbacks),
            web.post(f"{PREFIX}/callbacks/resume", resume_callbacks),
            web.post(f"{PREFIX}/clock", advance_clock),
        ]
    )


@web.middleware
async def control_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A mistake in a control request is answered with its reason."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    try:
        return await handler(request)
    except (ValueError, TypeError, KeyError) as exc:
        return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)


async def health(request: web.Request) -> web.Response:
    """How busy the server is."""
    simulator = _simulator(request)
    return web.json_response(
        {
            "status": "ok",
            "messages": len(simulator.store),
            "callbacks": simulator.callbacks.health(),
            "timers": len(simulator.clock),
        }
    )


async def truth(request: web.Request) -> web.Response:
    """What really happened."""
    with_messages = request.query.get("messages") != "false"
    return web.json_response(
        _simulator(request).truth(request.query.get("to"), with_messages=with_messages)
    )


async def reset(request: web.Request) -> web.Response:
    """Forget what happened."""
    given = await _read_object(request)
    _simulator(request).reset(
        services=given.get("services") is True, settings=given.get("settings") is True
    )
    return web.json_response({"status": "ok"})


async def show_settings(request: web.Request) -> web.Response:
    """Behaviour, and the webhooks of the default service."""
    return web.json_response(_settings_json(_simulator(request)))


async def change_settings(request: web.Request) -> web.Response:
    """Change the fields given."""
    simulator = _simulator(request)
    simulator.change(await _read_object(request))
    return web.json_response(_settings_json(simulator))


async def show_faults(request: web.Request) -> web.Response:
    """Faults still to come."""
    return web.json_response(_simulator(request).faults.to_json())


async def add_faults(request: web.Request) -> web.Response:
    """Add one fault or several."""
    given = await request.json()
    if isinstance(given, dict):
        given = given.get("faults", [given])
    simulator = _simulator(request)
    simulator.script(tuple(given))
    return web.json_response(simulator.faults.to_json(), status=201)


async def clear_faults(request: web.Request) -> web.Response:
    """Remove all faults."""
    _simulator(request).faults.clear()
    return web.json_response([])


async def receive(request: web.Request) -> web.Response:
    """Play a person who writes to one of our numbers."""
    given = await _read_object(request)
    inbound = await _simulator(request).receive(
        sender=str(given["from"]),
        to=given.get("to"),
        body=str(given.get("body", "")),
        media=tuple(given.get("media", ())),
    )
    return web.json_response(inbound.to_json())


async def show_opt_outs(request: web.Request) -> web.Response:
    """The block list."""
    return web.json_response(_simulator(request).blocks.to_json())


async def show_callbacks(request: web.Request) -> web.Response:
    """What became of status callbacks."""
    return web.json_response(_simulator(request).callbacks.to_json(request.query.get("sid")))


async def pause_callbacks(request: web.Request) -> web.Response:
    """Hold status callbacks back."""
    callbacks = _simulator(request).callbacks
    callbacks.pause()
    return web.json_response(callbacks.health())


async def resume_callbacks(request: web.Request) -> web.Response:
    """Let status callbacks go."""
    callbacks = _simulator(request).callbacks
    callbacks.resume()
    return web.json_response(callbacks.health())


async def advance_clock(request: web.Request) -> web.Response:
    """Move the simulated time on."""
    clock = _simulator(request).clock
    clock.advance(float((await _read_object(request))["advance_seconds"]))
    return web.json_response({"now": clock.now().isoformat()})


def _simulator(request: web.Request) -> Simulator:
    return request.app[SIMULATOR]


async def _read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object."""
    given = json.loads(await request.text() or "{}")
    if not isinstance(given, dict):
        raise TypeError("a JSON object is wanted")
    return given


def _settings_json(simulator: Simulator) -> dict[str, Any]:
    service = simulator.services.default
    return {
        **asdict(simulator.behaviour),
        **{name: getattr(service, name) for name in SERVICE_SETTINGS},
    }
