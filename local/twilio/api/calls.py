"""The one route of calls: magic numbers for test credentials. There is no voice here."""

from typing import Any

from aiohttp import web

from local.twilio.account.credentials import Access
from local.twilio.account.magic import check_call
from local.twilio.account.senders import display_form
from local.twilio.api.account import account_uri
from local.twilio.api.edge import ACCESS, SIMULATOR
from local.twilio.api.messages import ACCOUNT
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form, read_form
from local.twilio.core.sids import new_sid
from local.twilio.core.times import rfc2822
from local.twilio.messages.message import API_VERSION

SUBRESOURCES = {
    "events": "Events",
    "notifications": "Notifications",
    "payments": "Payments",
    "recordings": "Recordings",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}
NOT_YET = (
    "answered_by",
    "caller_name",
    "duration",
    "end_time",
    "forwarded_from",
    "group_sid",
    "parent_call_sid",
    "phone_number_sid",
    "price",
    "start_time",
    "stir_verstat",
    "trunk_sid",
)


def add_routes(app: web.Application) -> None:
    """Hang the route into the application."""
    app.add_routes([web.post(f"{ACCOUNT}/Calls.json", create, name="calls.create")])


async def create(request: web.Request) -> web.Response:
    """Pretend to call; live credentials find nothing here."""
    if request[ACCESS] is not Access.TEST:
        raise ApiError(20404, path=request.path)
    form = await read_form(request)
    check_call(form)
    now = rfc2822(request.app[SIMULATOR].clock.now())
    return web.json_response(_call_json(request.match_info["account"], form, now), status=201)


def _call_json(account_sid: str, form: Form, now: str) -> dict[str, Any]:
    sid = new_sid("CA")
    uri = f"{account_uri(account_sid)}/Calls/{sid}"
    return {
        "sid": sid,
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "to": form.get("To"),
        "to_formatted": display_form(form.get("To")),
        "from": form.get("From"),
        "from_formatted": display_form(form.get("From")),
        "status": "queued",
        "direction": "outbound-api",
        "price_unit": "USD",
        "queue_time": "0",
        "date_created": now,
        "date_updated": now,
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{path}.json" for name, path in SUBRESOURCES.items()},
        **dict.fromkeys(NOT_YET),
    }
