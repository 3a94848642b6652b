"""The bytes of media: what MediaUrlN of an inbound webhook leads to."""

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.api.edge import SIMULATOR, operation_of
from local.twilio.core.errors import ApiError
from local.twilio.messages.message import API_VERSION

CONTENT = "media.content"
MESSAGE = f"/{API_VERSION}/Accounts/{{account}}/Messages/{{sid}}"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes([web.get(f"{MESSAGE}/Media/{{media:ME[0-9a-f]{{32}}}}", fetch, name=CONTENT)])


@web.middleware
async def public_media(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Unless the account protects its media, who knows the URL needs no credentials."""
    is_protected = request.app[SIMULATOR].behaviour.protect_media
    if is_protected or operation_of(request) != CONTENT:
        return await handler(request)
    try:
        return await fetch(request)
    except ApiError as exc:
        return web.json_response(exc.to_json(), status=exc.status)


async def fetch(request: web.Request) -> web.Response:
    """The bytes themselves, or where they lie."""
    simulator = request.app[SIMULATOR]
    message_sid, sid = request.match_info["sid"], request.match_info["media"]
    media = simulator.media.find(message_sid, sid)
    if media is None or request.match_info["account"] != simulator.account.account_sid:
        raise ApiError(20404, path=request.path)
    if media.content is not None:
        return web.Response(body=media.content, headers={"Content-Type": media.content_type})
    if media.url is None:
        raise ApiError(20404, path=request.path)
    return web.Response(status=307, headers={"Location": media.url})
