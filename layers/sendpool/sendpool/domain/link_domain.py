"""The domain of a service's short links: how far its setting up has come, and what comes next.

A domain is brought into the organization and shown to be one's own in the Twilio console, and pointed at Twilio in its
DNS; neither can be done from here. All else can: association, certificate, and the callback that tells of clicks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sendpool.domain.errors import Violation
from sendpool.domain.messaging_service import CALLBACK_OVERRIDES, is_web_url

DNS_TARGET: Final = "lsct.ashburn.us1.twilio.com"
_SID: Final = re.compile("DN[0-9a-f]{32}")
_PEM_MARKS: Final = ("-----BEGIN CERTIFICATE-----", "PRIVATE KEY-----")


class Step(StrEnum):
    """What has to be done next, in order."""

    ASSOCIATE = "associate"
    DNS = "dns"
    CERTIFICATE = "certificate"
    WAIT_FOR_CERTIFICATE = "wait_for_certificate"
    CALLBACK = "callback"
    NONE = "none"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Final = {
    Step.ASSOCIATE: "PUT /service/link-domain with the SID (DN…) of a domain that is verified in the Twilio console.",
    Step.DNS: f"Point the domain at Twilio: a CNAME to {DNS_TARGET}. Then PUT /service/link-domain again.",
    Step.CERTIFICATE: "PUT /service/link-domain again: Twilio is asked to get a certificate and to renew it.",
    Step.WAIT_FOR_CERTIFICATE: "Twilio is getting the certificate. PUT /service/link-domain again in some minutes.",
    Step.CALLBACK: "PUT /service/link-domain again: Twilio is told where to report clicks.",
    Step.NONE: "Nothing: links are shortened, and clicks reported here.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of a domain; one without an end is on its way. `is_managed`: Twilio gets and renews it."""

    is_managed: bool
    is_requested: bool
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.expires_at is not None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDomain:
    """A domain as Twilio has it; its name is known once there is a certificate."""

    sid: str
    name: str | None = None
    dns_problem: str | None = None
    certificate: Certificate | None = None
    callback_url: str | None = None
    fallback_url: str | None = None
    continue_on_failure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUse:
    """A domain to shorten links with. `settings`: fallback_url and continue_on_failure, as far as they are said.

    `tls_certificate` is one's own, chain and private key in PEM; without one Twilio gets and renews it. `replaces`: it
    may take the place of another domain.
    """

    domain_sid: str
    settings: Mapping[str, str | bool | None] = field(default_factory=dict)
    tls_certificate: str | None = field(default=None, repr=False)
    replaces: bool = False


def problems(use: LinkUse) -> tuple[Violation, ...]:
    """Tell what is wrong with what somebody wants of a domain."""
    return tuple(_problems(use))


def _problems(use: LinkUse) -> Iterator[Violation]:
    if not is_domain_sid(use.domain_sid):
        words = "must be the SID of a domain: DN and 32 hex digits"
        yield Violation("domain_sid", "unknown_domain", words)
    fallback = use.settings.get("fallback_url")
    if fallback is not None and not is_web_url(str(fallback)):
        words = "must be an absolute http or https URL, or null"
        yield Violation("fallback_url", "invalid_url", words)
    if not isinstance(use.settings.get("continue_on_failure", True), bool):
        yield Violation("continue_on_failure", "wrong_type", "must be true or false")
    pem = use.tls_certificate
    if pem is not None and not all(mark in pem for mark in _PEM_MARKS):
        words = "must have a certificate with its chain and a private key, in PEM"
        yield Violation("tls_certificate", "invalid_certificate", words)


def next_step(domain: LinkDomain | None, *, callback_url: str, now: datetime) -> Step:
    """Tell what has to be done next for short links whose clicks are reported to this URL."""
    if domain is None:
        return Step.ASSOCIATE
    if domain.dns_problem is not None:
        return Step.DNS
    certificate = domain.certificate
    if certificate is None or not certificate.holds(now):
        is_coming = certificate is not None and certificate.expires_at is None
        return Step.WAIT_FOR_CERTIFICATE if is_coming else Step.CERTIFICATE
    return Step.CALLBACK if domain.callback_url != callback_url else Step.NONE


def clicks_url(public_url: str) -> str:
    """Return where a stack that Twilio reaches at this URL wants to hear of clicks."""
    return f"{public_url}/webhooks/clicks#{CALLBACK_OVERRIDES}"


def is_domain_sid(sid: str) -> bool:
    return _SID.fullmatch(sid) is not None
