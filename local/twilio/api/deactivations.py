"""Routes of deactivated numbers: Messaging v1, the file it leads to, and the control API that fills it."""

from datetime import date

from aiohttp import web

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR, base_url

FILE = r"/_files/deactivations/{date:\d{4}-\d\d-\d\d}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get("/v1/Deactivations", fetch, name="deactivations.fetch"),
            web.get(FILE, read_file, name="deactivations_file.fetch"),
            web.post(f"{PREFIX}/deactivations", add, name="deactivations.create"),
        ]
    )


async def fetch(request: web.Request) -> web.Response:
    """Where the list of a day lies."""
    simulator = request.app[SIMULATOR]
    day = request.query.get("Date", "")
    token = simulator.deactivations.sign(day, simulator.clock.now())
    url = f"{base_url(request)}/_files/deactivations/{day}?token={token}"
    return web.json_response({"redirect_to": url}, status=307, headers={"Location": url})


async def read_file(request: web.Request) -> web.Response:
    """The list of a day, for whoever has the signed URL."""
    simulator = request.app[SIMULATOR]
    text = simulator.deactivations.read(
        request.match_info["date"],
        token=request.query.get("token", ""),
        now=simulator.clock.now(),
    )
    return web.Response(status=403) if text is None else web.Response(text=text)


async def add(request: web.Request) -> web.Response:
    """Take numbers out of service."""
    given = await request.json()
    day = date.fromisoformat(str(given["date"]))
    numbers = request.app[SIMULATOR].deactivations.add(day, given["numbers"])
    return web.json_response({"date": str(day), "numbers": numbers})
