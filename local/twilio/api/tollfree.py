"""Routes of Messaging v1: toll-free verifications."""

from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.errors import invalid_parameter
from local.twilio.core.forms import read_form
from local.twilio.core.paging import cut_page, product_envelope, read_page_request
from local.twilio.tollfree.verification import Verification, VerificationStatus

VERIFICATIONS = "/v1/Tollfree/Verifications"
VERIFICATION = f"{VERIFICATIONS}/{{sid}}"
# filter: field of the JSON; several values of one filter are alternatives
FILTERS = {
    "TollfreePhoneNumberSid": "tollfree_phone_number_sid",
    "Status": "status",
    "ExternalReferenceId": "external_reference_id",
    "TrustProductSid": "trust_product_sid",
}


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(VERIFICATIONS, list_verifications, name="tollfree_verifications.list"),
            web.post(VERIFICATIONS, create, name="tollfree_verifications.create"),
            web.get(VERIFICATION, fetch, name="tollfree_verifications.fetch"),
            web.post(VERIFICATION, update, name="tollfree_verifications.update"),
            web.delete(VERIFICATION, delete, name="tollfree_verifications.delete"),
        ]
    )


async def list_verifications(request: web.Request) -> web.Response:
    """One page of verifications, newest first."""
    status = request.query.get("Status")
    if status is not None and status not in set(VerificationStatus):
        raise invalid_parameter("Status", status)
    entries = [_json(request, each) for each in request.app[SIMULATOR].tollfree]
    for name in FILTERS.keys() & request.query.keys():
        wanted = set(request.query.getall(name))
        entries = [entry for entry in entries if entry[FILTERS[name]] in wanted]
    page = cut_page(entries, read_page_request(request.query))
    url = base_url(request) + request.path
    return web.json_response(
        product_envelope(page, url=url, query=request.query, key="verifications")
    )


async def create(request: web.Request) -> web.Response:
    """Submit a number for verification."""
    verification = request.app[SIMULATOR].tollfree.create(await read_form(request))
    return web.json_response(_json(request, verification), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One verification."""
    return web.json_response(_json(request, _find(request)))


async def update(request: web.Request) -> web.Response:
    """Edit a rejected verification, which submits it again."""
    verification = _find(request)
    request.app[SIMULATOR].tollfree.edit(verification, await read_form(request))
    return web.json_response(_json(request, verification), status=202)


async def delete(request: web.Request) -> web.Response:
    """Remove a verification."""
    request.app[SIMULATOR].tollfree.delete(_find(request))
    return web.Response(status=204)


def _find(request: web.Request) -> Verification:
    return request.app[SIMULATOR].tollfree.find(request.match_info["sid"], path=request.path)


def _json(request: web.Request, verification: Verification) -> dict[str, Any]:
    now = request.app[SIMULATOR].clock.now()
    return verification.to_json(base_url=base_url(request), now=now)
