"""Routes of the 2010 API: messages, their feedback, and what is known of their media."""

import asyncio
import time
from typing import Any

from aiohttp import web

from local.twilio.account.credentials import Access
from local.twilio.api.edge import ACCESS, SIMULATOR
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.paging import classic_envelope, cut_page, read_page_request
from local.twilio.core.times import rfc2822
from local.twilio.messages.listing import list_page
from local.twilio.messages.media import Media
from local.twilio.messages.message import API_VERSION, Message
from local.twilio.simulator import Simulator

ACCOUNT = f"/{API_VERSION}/Accounts/{{account}}"
MESSAGE = f"{ACCOUNT}/Messages/{{sid}}"
MEDIUM = f"{MESSAGE}/Media/{{media}}"
OUTCOMES = frozenset({"confirmed", "unconfirmed"})
LATEST_ANSWER = 10.0  # seconds that an answer is kept back at most
LOOK_AGAIN = 0.002


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.post(f"{ACCOUNT}/Messages.json", create, name="messages.create"),
            web.get(f"{ACCOUNT}/Messages.json", list_messages, name="messages.list"),
            web.get(f"{MESSAGE}.json", fetch, name="messages.fetch"),
            web.post(f"{MESSAGE}.json", update, name="messages.update"),
            web.delete(f"{MESSAGE}.json", delete, name="messages.delete"),
            web.post(f"{MESSAGE}/Feedback.json", give_feedback, name="feedback.create"),
            web.get(f"{MESSAGE}/Media.json", list_media, name="media.list"),
            web.get(f"{MEDIUM}.json", fetch_media, name="media.fetch"),
            web.delete(f"{MEDIUM}.json", delete_media, name="media.delete"),
        ]
    )


async def create(request: web.Request) -> web.Response:
    """Make a message."""
    simulator = request.app[SIMULATOR]
    form = await read_form(request)
    if request[ACCESS] is Access.TEST:
        return web.json_response(simulator.outbox.create_test(form).to_json(), status=201)
    message = simulator.outbox.create(form)
    body = message.to_json()
    if message.plan.answers_last:
        await _until_final(simulator, message)
    return web.json_response(body, status=201)


async def _until_final(simulator: Simulator, message: Message) -> None:
    """Wait until a message is final and its callbacks are answered, but not for ever."""
    deadline = time.monotonic() + LATEST_ANSWER
    while time.monotonic() < deadline:
        if message.status.is_terminal and not simulator.callbacks.has_pending(message.sid):
            return
        await asyncio.sleep(LOOK_AGAIN)


async def list_messages(request: web.Request) -> web.Response:
    """One page of messages, newest first."""
    simulator = request.app[SIMULATOR]
    page = list_page(simulator.store, request.query, made_until=simulator.listed_until())
    return web.json_response(
        classic_envelope(page, path=request.path, query=request.query, key="messages")
    )


async def fetch(request: web.Request) -> web.Response:
    """One message."""
    return web.json_response(_find(request).to_json())


async def update(request: web.Request) -> web.Response:
    """Cancel or redact one message."""
    message = _find(request)
    request.app[SIMULATOR].outbox.update(message, await read_form(request))
    return web.json_response(message.to_json())


async def delete(request: web.Request) -> web.Response:
    """Remove one finished message."""
    request.app[SIMULATOR].outbox.delete(_find(request))
    return web.Response(status=204)


async def give_feedback(request: web.Request) -> web.Response:
    """Note whether the recipient did what the message was for."""
    message = _find(request)
    form = await read_form(request)
    now = rfc2822(request.app[SIMULATOR].clock.now())
    return web.json_response(
        {
            "account_sid": message.account_sid,
            "message_sid": message.sid,
            "outcome": form.choice("Outcome", OUTCOMES, default="confirmed"),
            "date_created": now,
            "date_updated": now,
            "uri": request.path,
        }
    )


async def list_media(request: web.Request) -> web.Response:
    """The media of a message."""
    message = _find(request)
    found = request.app[SIMULATOR].media.of_message(message.sid)
    entries = [_media_json(request, media) for media in found]
    page = cut_page(entries, read_page_request(request.query))
    return web.json_response(
        classic_envelope(page, path=request.path, query=request.query, key="media_list")
    )


async def fetch_media(request: web.Request) -> web.Response:
    """What is known of one piece of media."""
    return web.json_response(_media_json(request, _find_media(request)))


async def delete_media(request: web.Request) -> web.Response:
    """Remove one piece of media."""
    request.app[SIMULATOR].media.delete(_find_media(request).sid)
    return web.Response(status=204)


def _find(request: web.Request) -> Message:
    return request.app[SIMULATOR].outbox.find(request.match_info["sid"])


def _find_media(request: web.Request) -> Media:
    message = _find(request)
    media = request.app[SIMULATOR].media.find(message.sid, request.match_info["media"])
    if media is None:
        raise ApiError(20404, path=request.path)
    return media


def _media_json(request: web.Request, media: Media) -> dict[str, Any]:
    account_sid = request.match_info["account"]
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{media.message_sid}/Media/{media.sid}"
    created = rfc2822(media.created)
    return {
        "sid": media.sid,
        "account_sid": account_sid,
        "parent_sid": media.message_sid,
        "content_type": media.content_type,
        "date_created": created,
        "date_updated": created,
        "uri": f"{uri}.json",
    }
