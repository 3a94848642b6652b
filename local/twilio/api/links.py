"""Routes of link shortening (Messaging v1): configuration, DNS, services; and the domains of the control API."""

from typing import Any

from aiohttp import web

from local.twilio.api.control import PREFIX
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.sids import is_sid
from local.twilio.core.times import iso
from local.twilio.links.domains import Config, Domain
from local.twilio.services.services import Service

ROOT = "/v1/LinkShortening"
DOMAIN = f"{ROOT}/Domains/{{domain}}"
CONFIG = f"{DOMAIN}/Config"
ASSOCIATION = f"{DOMAIN}/MessagingServices/{{service}}"
SERVICE_SID_INVALID = 30127
DNS_TARGET = "lsct.ashburn.us1.twilio.com"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(CONFIG, fetch_config, name="domain_configs.fetch"),
            web.post(CONFIG, update_config, name="domain_configs.update"),
            web.get(
                f"{ROOT}/MessagingService/{{service}}/DomainConfig",
                fetch_config_of_service,
                name="service_domain_configs.fetch",
            ),
            web.get(f"{DOMAIN}/ValidateDns", validate_dns, name="domain_dns.fetch"),
            web.post(ASSOCIATION, associate, name="domain_services.create"),
            web.delete(ASSOCIATION, dissociate, name="domain_services.delete"),
            web.get(
                f"{ROOT}/MessagingServices/{{service}}/Domain",
                fetch_domain_of_service,
                name="service_domains.fetch",
            ),
            web.get(f"{PREFIX}/domains", show_domains, name="domains.list"),
            web.post(f"{PREFIX}/domains", put_domain, name="domains.create"),
        ]
    )


async def fetch_config(request: web.Request) -> web.Response:
    """How the domain deals with clicks and failures."""
    domain = find_domain(request)
    config = _config_json(request, domain, _config(request, domain))
    return web.json_response(config)


async def update_config(request: web.Request) -> web.Response:
    """Change the fields sent."""
    domain = find_domain(request)
    now = request.app[SIMULATOR].clock.now()
    is_new = domain.configure(await read_form(request), now)
    config = _config_json(request, domain, _config(request, domain))
    return web.json_response(config, status=201 if is_new else 200)


async def fetch_config_of_service(request: web.Request) -> web.Response:
    """The configuration of the domain that a service shortens with."""
    service = _service(request)
    domain = request.app[SIMULATOR].domains.require_of_service(service.sid)
    config = _config_json(request, domain, _config(request, domain))
    del config["disable_https"]
    return web.json_response({**config, "messaging_service_sid": service.sid})


async def validate_dns(request: web.Request) -> web.Response:
    """Whether the domain points to Twilio."""
    domain = find_domain(request)
    reason = "" if domain.is_dns_valid else f"{domain.name} has no CNAME to {DNS_TARGET}"
    return web.json_response(
        {
            "domain_sid": domain.sid,
            "is_valid": domain.is_dns_valid,
            "reason": reason,
            "url": url_of(request),
        }
    )


async def associate(request: web.Request) -> web.Response:
    """Let a service shorten with a domain."""
    domain, service = find_domain(request), _service(request)
    request.app[SIMULATOR].domains.associate(domain, service)
    return web.json_response(_association_json(request, domain, service), status=201)


async def dissociate(request: web.Request) -> web.Response:
    """Take the domain from the service."""
    request.app[SIMULATOR].domains.dissociate(find_domain(request), _service(request))
    return web.Response(status=204)


async def fetch_domain_of_service(request: web.Request) -> web.Response:
    """Which domain a service shortens with."""
    service = _service(request)
    domain = request.app[SIMULATOR].domains.require_of_service(service.sid)
    return web.json_response(_association_json(request, domain, service))


async def show_domains(request: web.Request) -> web.Response:
    """All domains of the organization."""
    domains = request.app[SIMULATOR].domains
    return web.json_response([_domain_json(request, domain) for domain in domains])


async def put_domain(request: web.Request) -> web.Response:
    """Play the Console: bring a domain into the organization, or change it."""
    simulator = request.app[SIMULATOR]
    given = await request.json()
    now = simulator.clock.now()
    domain = simulator.domains.take(str(given["domain"]), sid=given.get("sid"), now=now)
    domain.is_dns_valid = given.get("dns_valid", domain.is_dns_valid) is True
    domain.is_verified = given.get("verified", domain.is_verified) is True
    domain.is_failing = given.get("failing", domain.is_failing) is True
    if given.get("certified") is True:
        simulator.issuer.provide(domain)
    return web.json_response(_domain_json(request, domain))


def find_domain(request: web.Request) -> Domain:
    """The domain in the path; ApiError if there is none."""
    sid = request.match_info["domain"]
    return request.app[SIMULATOR].domains.find(sid, path=request.path)


def _service(request: web.Request) -> Service:
    sid = request.match_info["service"]
    if not is_sid(sid, "MG"):
        raise ApiError(SERVICE_SID_INVALID)
    service = request.app[SIMULATOR].services.find(sid)
    if service is None:
        raise ApiError(20404, path=request.path)
    return service


def _config(request: web.Request, domain: Domain) -> Config:
    if domain.config is None:
        raise ApiError(20404, path=request.path)
    return domain.config


def url_of(request: web.Request) -> str:
    """The URL of the resource itself."""
    return base_url(request) + request.path


def _config_json(request: web.Request, domain: Domain, config: Config) -> dict[str, Any]:
    return {
        "domain_sid": domain.sid,
        "config_sid": config.sid,
        "fallback_url": config.fallback_url,
        "callback_url": config.callback_url,
        "continue_on_failure": config.continue_on_failure,
        "disable_https": config.disable_https,
        "date_created": iso(config.created),
        "date_updated": iso(config.updated),
        "url": url_of(request),
    }


def _association_json(request: web.Request, domain: Domain, service: Service) -> dict[str, Any]:
    return {
        "domain_sid": domain.sid,
        "messaging_service_sid": service.sid,
        "url": url_of(request),
    }


def _domain_json(request: web.Request, domain: Domain) -> dict[str, Any]:
    simulator = request.app[SIMULATOR]
    return {
        "sid": domain.sid,
        "domain": domain.name,
        "dns_valid": domain.is_dns_valid,
        "verified": domain.is_verified,
        "failing": domain.is_failing,
        "certified": simulator.issuer.fault_of(domain) is None,
        "services": simulator.domains.services_of(domain),
    }
