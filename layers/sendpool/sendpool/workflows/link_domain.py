"""The domain of the service's short links: shown with the next step, and brought as far as it goes from here.

Nothing of it is kept here. Each step is one call that may be repeated; where one has to wait, the caller comes again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sendpool.adapters.twilio.link_domains import LinkDomains, UnknownDomainError
from sendpool.domain.errors import ConflictError, InvalidRequestError, Violation
from sendpool.domain.link_domain import (
    LinkDomain,
    LinkUse,
    Step,
    clicks_url,
    next_step,
    problems,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """What these stories need."""

    domains: LinkDomains
    service_sid: str
    public_url: str
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The domain, if the service has one, and what has to be done next."""

    domain: LinkDomain | None
    step: Step


def show(needs: Linking) -> Linked:
    return _linked(needs.domains.of(needs.service_sid), needs)


def use(wanted: LinkUse, needs: Linking) -> Linked:
    """Have the service shorten with a domain, and do what can be done now; a repeat goes on where this one ends.

    Raises InvalidRequestError for what is no domain of the organization, ConflictError while there is another one.
    """
    broken = problems(wanted)
    if broken:
        raise InvalidRequestError(*broken)
    found = needs.domains.of(needs.service_sid)
    if found and found.sid != wanted.domain_sid:
        if not wanted.replaces:
            raise ConflictError(
                f"The service shortens with {found.sid}.",
                code="other_link_domain",
                remedy='Repeat with {"replace": true}; links that were sent go on to work.',
            )
        # the old one goes only for one that there is
        if not needs.domains.is_there(wanted.domain_sid):
            raise _unknown()
        needs.domains.dissociate(found.sid, needs.service_sid)
        found = None
    if found is None:
        try:
            needs.domains.associate(wanted.domain_sid, needs.service_sid)
        except UnknownDomainError as error:
            raise _unknown() from error
    if wanted.tls_certificate is not None:
        needs.domains.upload_certificate(wanted.domain_sid, wanted.tls_certificate)
    return _go_on(wanted, needs)


def _go_on(wanted: LinkUse, needs: Linking) -> Linked:
    """Do what is ours to do; each step is done once, so that this ends whatever Twilio answers."""
    linked = show(needs)
    if linked.domain and linked.step is Step.CERTIFICATE:
        needs.domains.request_certificate(linked.domain.sid)
        linked = show(needs)
    # Twilio takes no configuration before there is a certificate
    if linked.domain and linked.step in {Step.CALLBACK, Step.NONE}:
        said: dict[str, Any] = dict(wanted.settings)
        after = replace(linked.domain, callback_url=clicks_url(needs.public_url), **said)
        if after != linked.domain:
            needs.domains.configure(linked.domain, after)
            linked = show(needs)
    return linked


def leave(needs: Linking) -> Linked:
    """Have the service shorten with no domain; what its messages link to stays as it is."""
    found = needs.domains.of(needs.service_sid)
    if found:
        needs.domains.dissociate(found.sid, needs.service_sid)
    return _linked(None, needs)


def _linked(domain: LinkDomain | None, needs: Linking) -> Linked:
    step = next_step(domain, callback_url=clicks_url(needs.public_url), now=needs.now())
    return Linked(domain=domain, step=step)


def _unknown() -> InvalidRequestError:
    words = "is no domain of this account's organization"
    return InvalidRequestError(Violation("domain_sid", "unknown_domain", words))
