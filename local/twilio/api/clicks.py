"""Shortened links as a browser sees them, at the root of the server, and the control API's handset."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.links.clicks import EventType, Visit, event_type_of
from local.twilio.links.links import Link

USER_AGENTS = {
    EventType.CLICK: "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Mobile Safari/537.36",
    EventType.PREVIEW: "facebookexternalhit/1.1",
}


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get("/{code:[A-Za-z0-9]{10}}", follow, name="short_links.follow"),
            web.get(f"{PREFIX}/links", show_links, name="short_links.list"),
            web.post(f"{PREFIX}/clicks", play_click, name="clicks.create"),
        ]
    )


async def follow(request: web.Request) -> web.Response:
    """Lead a visitor on; a HEAD is answered the same, without an event."""
    user_agent = request.headers.get("User-Agent", "")
    visit = Visit(
        code=request.match_info["code"],
        host=request.host.partition(":")[0],
        user_agent=user_agent,
        event_type=event_type_of(user_agent) if request.method == "GET" else None,
    )
    target = request.app[SIMULATOR].clicks.follow(visit)
    headers = {"Cache-Control": "no-store"}
    if target is None:
        return web.Response(status=404, text="This link is not known.", headers=headers)
    return web.Response(status=307, headers={**headers, "Location": target})


async def show_links(request: web.Request) -> web.Response:
    """All links made."""
    links = request.app[SIMULATOR].links
    return web.json_response([_link_json(request, link) for link in links])


async def play_click(request: web.Request) -> web.Response:
    """Play a handset, or a program that unfurls a link."""
    given = await request.json()
    parts = urlsplit(str(given["url"] if "url" in given else f"//_/{given['code']}"))
    event_type = EventType(given.get("event_type", EventType.CLICK))
    visit = Visit(
        code=parts.path.rpartition("/")[2],
        host=parts.hostname or "",
        user_agent=str(given.get("user_agent", USER_AGENTS[event_type])),
        event_type=event_type,
    )
    target = request.app[SIMULATOR].clicks.follow(visit)
    return web.json_response({"code": visit.code, "location": target})


def _link_json(request: web.Request, link: Link) -> dict[str, Any]:
    return {
        "code": link.code,
        "original": link.original,
        "short": link.short,
        "local": f"{base_url(request)}/{link.code}",
        "message_sid": link.message_sid,
        "messaging_service_sid": link.service_sid,
        "to": link.to,
        "from": link.sender,
        "created": link.created.isoformat(),
        "clicks": link.clicks,
        "previews": link.previews,
    }
