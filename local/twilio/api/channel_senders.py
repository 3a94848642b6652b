"""The control route that gives the account a WhatsApp, RCS or Messenger sender."""

from aiohttp import web

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR
from local.twilio.services.channels import channel_sender, sender_type


def add_routes(app: web.Application) -> None:
    """Hang the route into the application."""
    app.add_routes([web.post(f"{PREFIX}/channel-senders", add)])


async def add(request: web.Request) -> web.Response:
    """Take a channel sender into the account; the same address keeps its SID."""
    simulator = request.app[SIMULATOR]
    given = await request.json()
    sender = channel_sender(
        str(given["sender"]),
        country=str(given.get("country_code", "")),
        now=simulator.clock.now(),
    )
    if given.get("sender_type", sender_type(sender)) != sender_type(sender):
        raise ValueError(f"sender_type: {sender.address} is a {sender_type(sender)} sender")
    simulator.senders.add(sender)
    return web.json_response(
        {
            "sid": sender.sid,
            "sender": sender.address,
            "sender_type": sender_type(sender),
            "country_code": sender.country,
        },
        status=201,
    )
