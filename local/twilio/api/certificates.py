"""Routes of the certificates of link shortening domains (Messaging v1 and v2)."""

from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR
from local.twilio.api.links import DOMAIN, find_domain, url_of
from local.twilio.core.forms import read_form
from local.twilio.core.times import iso
from local.twilio.links.certificates import Certificate
from local.twilio.links.domains import Domain

CERTIFICATE = f"{DOMAIN}/Certificate"
CERTIFICATE_V2 = CERTIFICATE.replace("/v1/", "/v2/")


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(CERTIFICATE, fetch_certificate, name="domain_certificates.fetch"),
            web.post(CERTIFICATE, upload_certificate, name="domain_certificates.update"),
            web.delete(CERTIFICATE, delete_certificate, name="domain_certificates.delete"),
            web.get(CERTIFICATE_V2, fetch_certificate_v2, name="domain_certificates_v2.fetch"),
            web.post(
                f"{DOMAIN}/RequestManagedCert", request_managed, name="managed_certificates.update"
            ),
        ]
    )


async def fetch_certificate(request: web.Request) -> web.Response:
    """The certificate in force, or the first one on its way."""
    return web.json_response(_certificate_json(request, find_domain(request)))


async def fetch_certificate_v2(request: web.Request) -> web.Response:
    """The same, with who manages it."""
    domain = find_domain(request)
    certificate = _certificate_json(request, domain)
    return web.json_response({**certificate, **_managed_json(request, domain)})


async def upload_certificate(request: web.Request) -> web.Response:
    """Take a certificate with its chain and private key."""
    domain = find_domain(request)
    form = await read_form(request)
    form.require("TlsCert")
    is_first = request.app[SIMULATOR].issuer.upload(domain, form.get("TlsCert"))
    status = 201 if is_first else 200
    return web.json_response(_certificate_json(request, domain), status=status)


async def delete_certificate(request: web.Request) -> web.Response:
    """Drop the certificate."""
    request.app[SIMULATOR].issuer.delete(find_domain(request))
    return web.Response(status=204)


async def request_managed(request: web.Request) -> web.Response:
    """Ask Twilio to get a certificate and to renew it."""
    domain = find_domain(request)
    is_first = request.app[SIMULATOR].issuer.request_managed(domain)
    answer = {**_dates_json(request, domain), **_managed_json(request, domain)}
    return web.json_response(answer, status=201 if is_first else 200)


def _dates_json(request: web.Request, domain: Domain) -> dict[str, Any]:
    """What all answers about certificates share; only one in force has a date of expiry."""
    shown = request.app[SIMULATOR].issuer.shown(domain)
    return {
        "domain_sid": domain.sid,
        "domain_name": f"https://{domain.name}",
        "certificate_sid": shown.sid,
        "date_created": iso(shown.created),
        "date_updated": iso(shown.updated),
        "date_expires": iso(shown.expires) if domain.certificate else None,
        "url": url_of(request),
    }


def _certificate_json(request: web.Request, domain: Domain) -> dict[str, Any]:
    pending = domain.pending
    is_uploaded = pending is not None and not pending.is_managed
    return {
        **_dates_json(request, domain),
        "cert_in_validation": _validation_json(pending) if pending and is_uploaded else None,
    }


def _validation_json(pending: Certificate) -> dict[str, Any]:
    return {"date_expires": iso(pending.expires), "status": "pending"}


def _managed_json(request: web.Request, domain: Domain) -> dict[str, Any]:
    shown = request.app[SIMULATOR].issuer.shown(domain)
    return {
        "managed": shown.is_managed or domain.is_requesting,
        "requesting": domain.is_requesting,
    }
