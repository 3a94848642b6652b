"""Routes of the 2010 API: the account itself, its balance, addresses and short codes."""

from typing import Any

from aiohttp import web

from local.twilio.account.addresses import Address
from local.twilio.account.balance import CURRENCY, balance_after
from local.twilio.account.changes import change_sender
from local.twilio.account.senders import Sender, SenderKind
from local.twilio.api.edge import SIMULATOR
from local.twilio.api.messages import ACCOUNT
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.paging import classic_envelope, cut_page, read_page_request
from local.twilio.core.times import rfc2822
from local.twilio.messages.message import API_VERSION

ADDRESSES = f"{ACCOUNT}/Addresses"
SHORT_CODES = f"{ACCOUNT}/SMS/ShortCodes"
SUBRESOURCES = {
    "addresses": "Addresses",
    "applications": "Applications",
    "authorized_connect_apps": "AuthorizedConnectApps",
    "available_phone_numbers": "AvailablePhoneNumbers",
    "balance": "Balance",
    "calls": "Calls",
    "conferences": "Conferences",
    "connect_apps": "ConnectApps",
    "incoming_phone_numbers": "IncomingPhoneNumbers",
    "keys": "Keys",
    "messages": "Messages",
    "notifications": "Notifications",
    "outgoing_caller_ids": "OutgoingCallerIds",
    "queues": "Queues",
    "recordings": "Recordings",
    "short_codes": "SMS/ShortCodes",
    "signing_keys": "SigningKeys",
    "sip": "SIP",
    "transcriptions": "Transcriptions",
    "usage": "Usage",
}


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    short_code = f"{SHORT_CODES}/{{sid}}.json"
    app.add_routes(
        [
            web.get(f"{ACCOUNT}.json", fetch_account, name="account.fetch"),
            web.get(f"{ACCOUNT}/Balance.json", fetch_balance, name="balance.fetch"),
            web.post(f"{ADDRESSES}.json", create_address, name="addresses.create"),
            web.get(f"{ADDRESSES}.json", list_addresses, name="addresses.list"),
            web.get(f"{ADDRESSES}/{{sid}}.json", fetch_address, name="addresses.fetch"),
            web.get(f"{SHORT_CODES}.json", list_short_codes, name="short_codes.list"),
            web.get(short_code, fetch_short_code, name="short_codes.fetch"),
            web.post(short_code, update_short_code, name="short_codes.update"),
        ]
    )


def account_uri(account_sid: str) -> str:
    """The path of an account, without the ending."""
    return f"/{API_VERSION}/Accounts/{account_sid}"


def classic_page(request: web.Request, key: str, entries: list[dict[str, Any]]) -> web.Response:
    """The page of a list that a request asks for, as the 2010 API wraps it."""
    page = cut_page(entries, read_page_request(request.query))
    envelope = classic_envelope(page, path=request.path, query=request.query, key=key)
    return web.json_response(envelope)


async def fetch_account(request: web.Request) -> web.Response:
    """The account."""
    simulator = request.app[SIMULATOR]
    account_sid = simulator.account.account_sid
    uri = account_uri(account_sid)
    return web.json_response(
        {
            "sid": account_sid,
            "owner_account_sid": account_sid,
            "friendly_name": "local.twilio",
            "status": "active",
            "type": "Trial" if simulator.behaviour.trial else "Full",
            "auth_token": simulator.credentials.primary,
            "date_created": rfc2822(simulator.started),
            "date_updated": rfc2822(simulator.started),
            "uri": f"{uri}.json",
            "subresource_uris": {name: f"{uri}/{path}.json" for name, path in SUBRESOURCES.items()},
        }
    )


async def fetch_balance(request: web.Request) -> web.Response:
    """What is left of the balance."""
    simulator = request.app[SIMULATOR]
    balance = balance_after(message.price for message in simulator.store)
    return web.json_response(
        {
            "account_sid": simulator.account.account_sid,
            "balance": str(balance),
            "currency": CURRENCY,
        }
    )


async def create_address(request: web.Request) -> web.Response:
    """Make an address."""
    simulator = request.app[SIMULATOR]
    address = simulator.addresses.create(await read_form(request), simulator.clock.now())
    return web.json_response(_address_json(request, address), status=201)


async def list_addresses(request: web.Request) -> web.Response:
    """A page of addresses."""
    found = request.app[SIMULATOR].addresses.search(request.query)
    return classic_page(request, "addresses", [_address_json(request, each) for each in found])


async def fetch_address(request: web.Request) -> web.Response:
    """One address."""
    address = request.app[SIMULATOR].addresses.find(request.match_info["sid"])
    if address is None:
        raise ApiError(20404, path=request.path)
    return web.json_response(_address_json(request, address))


async def list_short_codes(request: web.Request) -> web.Response:
    """A page of short codes."""
    name, code = request.query.get("FriendlyName"), request.query.get("ShortCode")
    found = [
        _short_code_json(request, each)
        for each in request.app[SIMULATOR].senders.of_kinds(SenderKind.SHORT_CODE)
        if name in {None, each.friendly_name} and code in {None, each.address}
    ]
    return classic_page(request, "short_codes", found)


async def fetch_short_code(request: web.Request) -> web.Response:
    """One short code."""
    return web.json_response(_short_code_json(request, _find_short_code(request)))


async def update_short_code(request: web.Request) -> web.Response:
    """Change the fields sent."""
    short_code = _find_short_code(request)
    change_sender(short_code, await read_form(request), request.app[SIMULATOR].clock.now())
    return web.json_response(_short_code_json(request, short_code))


def _find_short_code(request: web.Request) -> Sender:
    sender = request.app[SIMULATOR].senders.with_sid(request.match_info["sid"])
    if sender is None or sender.kind is not SenderKind.SHORT_CODE:
        raise ApiError(20404, path=request.path)
    return sender


def _address_json(request: web.Request, address: Address) -> dict[str, Any]:
    account_sid = request.match_info["account"]
    return {
        "sid": address.sid,
        "account_sid": account_sid,
        "customer_name": address.customer_name,
        "friendly_name": address.friendly_name,
        "street": address.street,
        "street_secondary": address.street_secondary,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "iso_country": address.iso_country,
        "emergency_enabled": address.emergency_enabled,
        "validated": False,
        "verified": False,
        "date_created": rfc2822(address.created),
        "date_updated": rfc2822(address.created),
        "uri": f"{account_uri(account_sid)}/Addresses/{address.sid}.json",
    }


def _short_code_json(request: web.Request, sender: Sender) -> dict[str, Any]:
    account_sid = request.match_info["account"]
    return {
        "sid": sender.sid,
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "short_code": sender.address,
        "friendly_name": sender.friendly_name,
        "sms_url": sender.sms_url or None,
        "sms_method": sender.sms_method,
        "sms_fallback_url": sender.sms_fallback_url or None,
        "sms_fallback_method": sender.sms_fallback_method,
        "date_created": rfc2822(sender.created),
        "date_updated": rfc2822(sender.updated or sender.created),
        "uri": f"{account_uri(account_sid)}/SMS/ShortCodes/{sender.sid}.json",
    }
