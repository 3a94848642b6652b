"""Routes of the 2010 API: incoming phone numbers."""

from typing import Any

from aiohttp import web

from local.twilio.account.changes import change_sender
from local.twilio.account.credentials import Access
from local.twilio.account.magic import pretend_to_buy
from local.twilio.account.numbers import ORIGIN
from local.twilio.account.senders import Sender, SenderKind
from local.twilio.api.account import account_uri, classic_page
from local.twilio.api.edge import ACCESS, SIMULATOR
from local.twilio.api.messages import ACCOUNT
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.times import rfc2822
from local.twilio.messages.message import API_VERSION

NUMBERS = f"{ACCOUNT}/IncomingPhoneNumbers.json"
NUMBER = f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.post(NUMBERS, create, name="incoming_phone_numbers.create"),
            web.get(NUMBERS, list_numbers, name="incoming_phone_numbers.list"),
            web.get(NUMBER, fetch, name="incoming_phone_numbers.fetch"),
            web.post(NUMBER, update, name="incoming_phone_numbers.update"),
            web.delete(NUMBER, delete, name="incoming_phone_numbers.delete"),
        ]
    )


async def create(request: web.Request) -> web.Response:
    """Buy a number; test credentials only pretend to."""
    simulator = request.app[SIMULATOR]
    form, now = await read_form(request), simulator.clock.now()
    buy = pretend_to_buy if request[ACCESS] is Access.TEST else simulator.numbers.buy
    number = buy(form, now)
    return web.json_response(_number_json(request, number), status=201)


async def list_numbers(request: web.Request) -> web.Response:
    """A page of numbers."""
    found = request.app[SIMULATOR].numbers.search(request.query)
    entries = [_number_json(request, number) for number in found]
    return classic_page(request, "incoming_phone_numbers", entries)


async def fetch(request: web.Request) -> web.Response:
    """One number."""
    return web.json_response(_number_json(request, _find(request)))


async def update(request: web.Request) -> web.Response:
    """Change the fields sent."""
    simulator = request.app[SIMULATOR]
    number = _find(request)
    change_sender(number, await read_form(request), simulator.clock.now())
    return web.json_response(_number_json(request, number))


async def delete(request: web.Request) -> web.Response:
    """Release a number."""
    request.app[SIMULATOR].numbers.release(_find(request))
    return web.Response(status=204)


def _find(request: web.Request) -> Sender:
    number = request.app[SIMULATOR].numbers.find(request.match_info["sid"])
    if number is None:
        raise ApiError(20404, path=request.path)
    return number


def _number_json(request: web.Request, number: Sender) -> dict[str, Any]:
    account_sid = request.match_info["account"]
    return {
        "sid": number.sid,
        "account_sid": account_sid,
        "phone_number": number.address,
        "friendly_name": number.friendly_name,
        "api_version": API_VERSION,
        "origin": ORIGIN,
        "beta": False,
        "status": "in-use",
        "type": "toll-free" if number.kind is SenderKind.TOLL_FREE else "local",
        "capabilities": {
            "voice": True,
            "sms": "SMS" in number.capabilities,
            "mms": number.can_mms,
            "fax": False,
        },
        "sms_url": number.sms_url or None,
        "sms_method": number.sms_method,
        "sms_fallback_url": number.sms_fallback_url or None,
        "sms_fallback_method": number.sms_fallback_method,
        "status_callback": number.status_callback or None,
        "status_callback_method": number.status_callback_method,
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated or number.created),
        "uri": f"{account_uri(account_sid)}/IncomingPhoneNumbers/{number.sid}.json",
        **NOT_SIMULATED,
    }


# voice, regulation and emergency calls: as on a number that was never set up for them
NOT_SIMULATED: dict[str, Any] = {
    "address_requirements": "none",
    "address_sid": None,
    "bundle_sid": None,
    "emergency_address_sid": None,
    "emergency_address_status": "unregistered",
    "emergency_status": "Inactive",
    "identity_sid": None,
    "sms_application_sid": None,
    "trunk_sid": None,
    "voice_application_sid": None,
    "voice_caller_id_lookup": False,
    "voice_fallback_method": "POST",
    "voice_fallback_url": None,
    "voice_method": "POST",
    "voice_receive_mode": "voice",
    "voice_url": None,
}
