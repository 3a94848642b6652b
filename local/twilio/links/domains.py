"""Domains for shortened links: what the organization owns, how each is configured, which services use it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.sids import is_sid, new_sid
from local.twilio.links.certificates import Certificate
from local.twilio.links.urls import is_web_address
from local.twilio.services.services import Service

HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
DOMAIN_SID_INVALID = 30100
UNVERIFIED = 30101
CALLBACK_URL_INVALID = 30109
FALLBACK_URL_INVALID = 30122
OTHER_DOMAIN = 30130
NO_DOMAIN = 30137
NO_SENDERS = 21704


@dataclass(slots=True, kw_only=True)
class Config:
    """How a domain deals with clicks and with failures."""

    created: datetime
    updated: datetime
    sid: str = field(default_factory=lambda: new_sid("ZK"))
    fallback_url: str | None = None
    callback_url: str | None = None
    continue_on_failure: bool = True
    disable_https: bool = False

    def change(self, form: Form, now: datetime) -> None:
        """Take over the fields that were sent; nothing changes if one is wrong."""
        fallback_url = _read_url(form, "FallbackUrl", self.fallback_url, FALLBACK_URL_INVALID)
        callback_url = _read_url(form, "CallbackUrl", self.callback_url, CALLBACK_URL_INVALID)
        goes_on = form.flag("ContinueOnFailure", default=self.continue_on_failure)
        self.disable_https = form.flag("DisableHttps", default=self.disable_https)
        self.fallback_url, self.callback_url = fallback_url, callback_url
        self.continue_on_failure, self.updated = goes_on, now


def _read_url(form: Form, name: str, current: str | None, code: int) -> str | None:
    """A URL, or nothing in its place."""
    if name not in form:
        return current
    if form.get(name) and not is_web_address(form.get(name)):
        raise ApiError(code)
    return form.get(name) or None


@dataclass(slots=True, kw_only=True)
class Domain:
    """A domain; `pending` is a certificate that is being issued or validated while another may be in force.

    `is_failing` is an outage of Twilio's own; `warned` is the code last noted about the certificate.
    """

    sid: str
    name: str
    created: datetime
    is_verified: bool = True
    is_dns_valid: bool = True
    is_failing: bool = False
    certificate: Certificate | None = None
    pending: Certificate | None = None
    warned: int = 0
    config: Config | None = None

    @property
    def is_requesting(self) -> bool:
        """A managed certificate has been asked for and is not there yet."""
        return self.pending is not None and self.pending.is_managed

    def require_verified(self) -> None:
        """Refuse with 30101 unless the organization has shown that the domain is its own."""
        if not self.is_verified:
            raise ApiError(UNVERIFIED)

    def configure(self, form: Form, now: datetime) -> bool:
        """Change the configuration; says whether it is new."""
        config = self.config or Config(created=now, updated=now)
        config.change(form, now)
        is_new, self.config = self.config is None, config
        return is_new


class Domains:
    """All domains of the organization, and the services associated with them."""

    def __init__(self) -> None:
        """Start with none: domains come from the Console."""
        self._by_sid: dict[str, Domain] = {}
        self._of_service: dict[str, str] = {}

    def __iter__(self) -> Iterator[Domain]:
        """All domains."""
        return iter(list(self._by_sid.values()))

    def take(self, name: str, *, sid: str | None, now: datetime) -> Domain:
        """The domain with that name, made if there is none; ValueError if name or SID will not do."""
        known = self.with_name(name)
        if known is not None and sid in {None, known.sid}:
            return known
        is_new_sid = sid is None or (is_sid(sid, "DN") and sid not in self._by_sid)
        if known is not None or not is_new_sid or not HOST.fullmatch(name):
            raise ValueError(f"no domain can be made with this name and SID: {name} {sid}")
        domain = Domain(sid=sid or new_sid("DN"), name=name, created=now)
        self._by_sid[domain.sid] = domain
        return domain

    def find(self, sid: str, *, path: str) -> Domain:
        """A domain; ApiError 30100 if that is no SID, 20404 if there is none."""
        if not is_sid(sid, "DN"):
            raise ApiError(DOMAIN_SID_INVALID)
        if sid not in self._by_sid:
            raise ApiError(20404, path=path)
        return self._by_sid[sid]

    def with_name(self, name: str) -> Domain | None:
        """The domain with that name."""
        return next((domain for domain in self if domain.name == name), None)

    def of_service(self, service_sid: str) -> Domain | None:
        """The domain that a service shortens with."""
        return self._by_sid.get(self._of_service.get(service_sid, ""))

    def require_of_service(self, service_sid: str) -> Domain:
        """The same; ApiError 30137 if it has none."""
        domain = self.of_service(service_sid)
        if domain is None:
            raise ApiError(NO_DOMAIN)
        return domain

    def services_of(self, domain: Domain) -> list[str]:
        """The services that shorten with a domain."""
        return [service for service, sid in self._of_service.items() if sid == domain.sid]

    def associate(self, domain: Domain, service: Service) -> None:
        """Let a service shorten with a domain; once more is no mistake."""
        domain.require_verified()
        if not service.pool:
            raise ApiError(NO_SENDERS)
        if self._of_service.setdefault(service.sid, domain.sid) != domain.sid:
            raise ApiError(OTHER_DOMAIN)

    def dissociate(self, domain: Domain, service: Service) -> None:
        """Take a domain from a service; ApiError 30137 if it has another or none."""
        if self._of_service.get(service.sid) != domain.sid:
            raise ApiError(NO_DOMAIN)
        del self._of_service[service.sid]

    def clear(self) -> None:
        """Remove everything."""
        self._by_sid.clear()
        self._of_service.clear()
