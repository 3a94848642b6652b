"""Shortened links: made from the links of a message, kept, and found again by their ten letters and digits."""

import hashlib
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.twilio.links.domains import UNVERIFIED, Domain, Domains
from local.twilio.links.issuing import Issuer
from local.twilio.links.urls import find_links, is_web_address, replace_links

CODE_LENGTH = 10
LIFE = timedelta(days=90)
LETTERS = string.digits + string.ascii_letters
APPLICATION_FAILURE = 30103
DOMAIN_NOT_SET_UP = 30106
NOT_A_LINK = 30139


class ShorteningError(Exception):
    """Links that could not be shortened; the code tells why."""

    def __init__(self, code: int) -> None:
        """Keep the code for the message, should it fail for that."""
        self.code = code
        super().__init__(str(code))


@dataclass(slots=True, kw_only=True)
class Link:
    """One link of one message; `sender` is what the message came from."""

    code: str
    original: str
    domain: Domain
    disable_https: bool
    service_sid: str
    message_sid: str
    to: str
    sender: str
    created: datetime
    clicks: int = 0
    previews: int = 0

    @property
    def short(self) -> str:
        """The link as it stands in the message."""
        return f"{'' if self.disable_https else 'https://'}{self.domain.name}/{self.code}"

    def is_expired(self, now: datetime) -> bool:
        """Twilio has forgotten the link."""
        return now >= self.created + LIFE


class Links:
    """Shortens, and remembers what it shortened."""

    def __init__(self, domains: Domains, issuer: Issuer) -> None:
        """Shorten with the domains that are associated and certified."""
        self._domains = domains
        self._issuer = issuer
        self._by_code: dict[str, Link] = {}

    def __iter__(self) -> Iterator[Link]:
        """All links, oldest first."""
        return iter(list(self._by_code.values()))

    def is_ready(self, service_sid: str) -> bool:
        """The service has a domain, and that a valid certificate."""
        domain = self._domains.of_service(service_sid)
        return domain is not None and self._fault_of(domain) is None

    def continue_on_failure(self, service_sid: str) -> bool:
        """A message whose links cannot be shortened goes out with the long ones."""
        domain = self._domains.of_service(service_sid)
        return domain is None or domain.config is None or domain.config.continue_on_failure

    def shorten(
        self, body: str, *, service_sid: str, message_sid: str, to: str, sender: str, now: datetime
    ) -> str:
        """The text with its links shortened, all or none; ShorteningError tells why they cannot be."""
        originals = find_links(body)
        if not originals:
            return body
        domain = self._require_domain(service_sid)
        if not all(map(is_web_address, originals)):
            raise ShorteningError(NOT_A_LINK)
        links = [
            Link(
                code=derive_code(message_sid, place),
                original=original,
                domain=domain,
                disable_https=domain.config is not None and domain.config.disable_https,
                service_sid=service_sid,
                message_sid=message_sid,
                to=to,
                sender=sender,
                created=now,
            )
            for place, original in enumerate(originals)
        ]
        self._by_code.update({link.code: link for link in links})
        return replace_links(body, [link.short for link in links])

    def find(self, code: str) -> Link | None:
        """The link with that code, also an expired one."""
        return self._by_code.get(code)

    def clear(self) -> None:
        """Forget all links; domains stay."""
        self._by_code.clear()

    def _require_domain(self, service_sid: str) -> Domain:
        domain = self._domains.of_service(service_sid)
        if domain is None:
            raise ShorteningError(DOMAIN_NOT_SET_UP)
        fault = APPLICATION_FAILURE if domain.is_failing else self._fault_of(domain)
        if fault is not None:
            raise ShorteningError(fault)
        return domain

    def _fault_of(self, domain: Domain) -> int | None:
        return self._issuer.fault_of(domain) if domain.is_verified else UNVERIFIED


def derive_code(message_sid: str, place: int) -> str:
    """Ten letters and digits, always the same for a message and a link's place in it."""
    digest = hashlib.sha256(f"{message_sid}:{place}".encode()).digest()
    return "".join(LETTERS[each % len(LETTERS)] for each in digest[:CODE_LENGTH])
