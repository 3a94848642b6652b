"""Domains of link shortening, through Twilio's library. Every call may be repeated.

What Twilio refuses raises TwilioRefusedError by its code; what else there is stands in answered.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library, moment
from sendpool.domain.errors import TwilioRefusedError
from sendpool.domain.link_domain import Certificate, LinkDomain

_NO_CERTIFICATE, _NOT_ASSOCIATED = 30107, 30137
_ABSENT: Final = frozenset({_NO_CERTIFICATE, _NOT_ASSOCIATED})


class UnknownDomainError(Exception):
    """The organization has no domain with this SID."""


class LinkDomains:
    """The link domains of the organization that an account is in."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        self._messaging = library(credentials=credentials, http_client=http_client).messaging

    def of(self, service_sid: str) -> LinkDomain | None:
        """Return the domain of a service, as far as it is set up; None if it has none."""
        associated = self._messaging.v1.linkshortening_messaging_service_domain_association
        found = _if_there(associated(service_sid).fetch)
        return self._read(str(found.domain_sid)) if found else None

    def _read(self, sid: str) -> LinkDomain:
        dns = _asked(self._messaging.v1.domain_validate_dns(sid).fetch)
        certificate = _if_there(self._messaging.v2.domain_certs(sid).fetch)
        config = _if_there(self._messaging.v1.domain_config(sid).fetch)
        return LinkDomain(
            sid=sid,
            name=_host(certificate.domain_name) if certificate else None,
            dns_problem=None
            if dns.is_valid
            else dns.reason or "The DNS of the domain is not right.",
            certificate=_certificate(certificate) if certificate else None,
            callback_url=config.callback_url if config else None,
            fallback_url=config.fallback_url if config else None,
            continue_on_failure=config.continue_on_failure is not False if config else True,
        )

    def is_there(self, sid: str) -> bool:
        """Tell whether the organization has a domain with this SID."""
        return _if_there(self._messaging.v1.domain_validate_dns(sid).fetch) is not None

    def associate(self, sid: str, service_sid: str) -> None:
        """Let a service shorten with a domain; again changes nothing. Raises UnknownDomainError."""
        try:
            self._messaging.v1.linkshortening_messaging_service(sid, service_sid).create()
        except RefusedError as error:
            if error.is_missing:
                raise UnknownDomainError from error
            raise TwilioRefusedError(error.code) from error

    def dissociate(self, sid: str, service_sid: str) -> None:
        """Take a domain from a service, which it need not have."""
        _if_there(self._messaging.v1.linkshortening_messaging_service(sid, service_sid).delete)

    def request_certificate(self, sid: str) -> None:
        """Have Twilio get a certificate and renew it; again changes nothing."""
        _asked(self._messaging.v1.request_managed_cert(sid).update)

    def upload_certificate(self, sid: str, pem: str) -> None:
        """Use a certificate of one's own: chain and private key in PEM, which are written nowhere else."""
        certificate = self._messaging.v1.domain_certs(sid)
        _asked(lambda: certificate.update(tls_cert=pem))

    def configure(self, before: LinkDomain, after: LinkDomain) -> None:
        """Set where clicks are reported, where forgotten links lead and what happens on failure; all of it is said."""
        # whether Twilio keeps what is left out is not documented, nor whether an empty URL was ever taken
        is_said = before.fallback_url or after.fallback_url
        fallback = {"fallback_url": after.fallback_url or ""} if is_said else {}
        config = self._messaging.v1.domain_config(after.sid)
        _asked(
            lambda: config.update(
                callback_url=after.callback_url,
                continue_on_failure=after.continue_on_failure,
                **fallback,
            )
        )


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except RefusedError as error:
        raise TwilioRefusedError(error.code) from error


def _if_there(ask: Callable[[], Any]) -> Any | None:
    """Ask for something that need not be there."""
    try:
        return ask()
    except RefusedError as error:
        if error.is_missing or error.code in _ABSENT:
            return None
        raise TwilioRefusedError(error.code) from error


def _certificate(found: Any) -> Certificate:
    return Certificate(
        is_managed=bool(found.managed),
        is_requested=bool(found.requesting),
        expires_at=moment(found.date_expires),
    )


def _host(name: str | None) -> str | None:
    """Twilio names a domain by its URL."""
    return name.removeprefix("https://").rstrip("/") if name else None
