"""Control routes of opt-outs, which Twilio shows in its Console only, and of the debugger."""

from aiohttp import web

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR

ADVANCED = f"{PREFIX}/advanced-opt-out/{{service}}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(ADVANCED, fetch_advanced, name="advanced_opt_out.fetch"),
            web.put(ADVANCED, change_advanced, name="advanced_opt_out.update"),
            web.get(f"{PREFIX}/debugger", list_alerts, name="debugger.list"),
        ]
    )


async def fetch_advanced(request: web.Request) -> web.Response:
    """The keywords and texts that hold for a service."""
    rules = request.app[SIMULATOR].advanced_opt_out.rules_of(_service_sid(request))
    return web.json_response(rules.to_json())


async def change_advanced(request: web.Request) -> web.Response:
    """Switch Advanced Opt-Out on or off for a service, with its keywords and texts."""
    service_sid = _service_sid(request)
    advanced = request.app[SIMULATOR].advanced_opt_out
    given = await request.json()
    if not isinstance(given, dict):
        raise TypeError("a JSON object is wanted")
    advanced.configure(service_sid, given)
    return web.json_response(advanced.rules_of(service_sid).to_json())


async def list_alerts(request: web.Request) -> web.Response:
    """What went wrong with webhooks and their answers, oldest first."""
    return web.json_response(request.app[SIMULATOR].debugger.to_json())


def _service_sid(request: web.Request) -> str:
    sid = request.match_info["service"]
    if request.app[SIMULATOR].services.find(sid) is None:
        raise ValueError(f"{sid} is no service of this account")
    return sid
