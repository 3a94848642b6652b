"""The control API: what a test or the demo may see and change. README.md is its contract."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.clock import Clock
from local.twilio.core.reviews import Verdict
from local.twilio.inbound.attachments import read_attachments
from local.twilio.inbound.incoming import USUAL_NAME, Incoming
from local.twilio.messages.truth import tell_truth
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
            web.post(f"{PREFIX}/fates", script_fates),
            web.delete(f"{PREFIX}/fates", clear_fates),
            web.post(f"{PREFIX}/content", add_content),
            web.get(f"{PREFIX}/opt-outs", show_opt_outs),
            web.get(f"{PREFIX}/callbacks", show_callbacks),
            web.post(f"{PREFIX}/callbacks/pause", pause_callbacks),
            web.post(f"{PREFIX}/callbacks/resume", resume_callbacks),
            web.get(f"{PREFIX}/reviews", show_reviews),
            web.post(f"{PREFIX}/reviews/{{key}}", conclude_review),
            web.get(f"{PREFIX}/clock", show_clock),
            web.post(f"{PREFIX}/clock", move_clock),
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
    last = request.query.get("last")
    told = tell_truth(
        _simulator(request).store,
        to=request.query.get("to"),
        with_messages=request.query.get("messages") != "false",
        last=int(last) if last else None,
    )
    return web.json_response(told)


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


async def script_fates(request: web.Request) -> web.Response:
    """Say what becomes of the next messages to a recipient: one fate or several."""
    given = await request.json()
    fates = _simulator(request).fates
    for fate in given if isinstance(given, list) else [given]:
        fates.script(fate)
    return web.json_response({"status": "ok"}, status=201)


async def clear_fates(request: web.Request) -> web.Response:
    """Leave fates to magic and chance again."""
    _simulator(request).fates.clear()
    return web.json_response({"status": "ok"})


async def add_content(request: web.Request) -> web.Response:
    """Register a content template."""
    template = _simulator(request).templates.add(await _read_object(request))
    return web.json_response({"sid": template.sid}, status=201)


async def receive(request: web.Request) -> web.Response:
    """Play a person who writes to one of our numbers."""
    given = await _read_object(request)
    incoming = Incoming(
        person=str(given["from"]),
        to=given.get("to"),
        body=str(given.get("body", "")),
        base_url=base_url(request),
        attachments=read_attachments(given.get("media", ())),
        profile_name=str(given.get("profile_name", USUAL_NAME)),
    )
    inbound = await _simulator(request).receive(incoming)
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


async def show_reviews(request: web.Request) -> web.Response:
    """What waits for a verdict."""
    return web.json_response(_simulator(request).reviews.to_json())


async def conclude_review(request: web.Request) -> web.Response:
    """Approve or reject a brand, campaign, profile or verification."""
    given = await _read_object(request)
    score = given.get("score")
    verdict = Verdict(
        approved=given["approved"] is True,
        codes=tuple(int(code) for code in given.get("codes", ())),
        reason=str(given.get("reason", "")),
        score=None if score is None else int(score),
    )
    reviews = _simulator(request).reviews
    reviews.conclude(request.match_info["key"], verdict)
    return web.json_response(reviews.to_json())


async def show_clock(request: web.Request) -> web.Response:
    """The simulated time."""
    return web.json_response(_clock_json(_simulator(request).clock))


async def move_clock(request: web.Request) -> web.Response:
    """Freeze or thaw the simulated time, move it on by seconds or to a moment, or until nothing is planned."""
    clock = _simulator(request).clock
    given = await _read_object(request)
    unknown = set(given) - {"frozen", "advance_seconds", "to", "until_idle"}
    if unknown or not given:
        raise ValueError(
            f"advance_seconds, to, until_idle or frozen is wanted, not {sorted(given)}"
        )
    if given.get("frozen") is True:
        clock.freeze()
    if "advance_seconds" in given:
        clock.advance(float(given["advance_seconds"]))
    if "to" in given:
        moment = datetime.fromisoformat(str(given["to"]))
        clock.advance((moment - clock.now()).total_seconds())
    if given.get("until_idle") is True:
        clock.run_out()
    if given.get("frozen") is False:
        clock.thaw()
    return web.json_response(_clock_json(clock))


def _clock_json(clock: Clock) -> dict[str, Any]:
    return {
        "now": clock.now().isoformat(),
        "frozen": clock.is_frozen,
        "planned": len(clock),
        "next_due": clock.next_due.isoformat() if clock.next_due else None,
    }


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
