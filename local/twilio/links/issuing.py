"""How a domain comes by its certificate, and what becomes of it as time goes by.

Issuing a managed certificate and validating an uploaded one take a while, or a word of the control API (the key of
the review is the SID of the domain). A managed certificate is renewed in its last month while the DNS setup is right.
Renewal is looked at when the domain is, so no timer runs for months.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from local.twilio.core.clock import Clock
from local.twilio.core.debugger import Debugger
from local.twilio.core.errors import ApiError
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour
from local.twilio.core.sids import new_sid
from local.twilio.links.certificates import EXPIRED, NOT_VALIDATED, Certificate, check_upload
from local.twilio.links.domains import Domain

MANAGED_LIFE = timedelta(days=90)
WARNING_TIME = timedelta(days=30)
NOT_UPLOADED = 30107
NOT_THERE_TO_SHORTEN = 30120
EXPIRES_SOON = 30131
UPLOAD_FAILED = 30133
DNS_INVALID = 30134
NOT_ISSUED = 30135
NOT_RENEWED = 30136


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Issues, validates and renews; what fails without a request is noted in the debugger."""

    clock: Clock
    reviews: Reviews
    debugger: Debugger
    behaviour: Callable[[], Behaviour]

    def request_managed(self, domain: Domain) -> bool:
        """Ask for a certificate on a domain's behalf; says whether it is the first. Asking again changes nothing."""
        domain.require_verified()
        if not domain.is_dns_valid:
            raise ApiError(DNS_INVALID)
        is_first = domain.certificate is None and domain.pending is None
        if not domain.is_requesting:
            self._await(domain, self._managed())
        return is_first

    def upload(self, domain: Domain, pem: str) -> bool:
        """Take the owner's own certificate and key; says whether it is the first."""
        domain.require_verified()
        if domain.is_requesting:
            raise ApiError(UPLOAD_FAILED)
        now = self.clock.now()
        expires = check_upload(pem, host=domain.name, now=now)
        is_first = domain.certificate is None and domain.pending is None
        self._await(domain, _new(now=now, expires=expires, managed=False))
        return is_first

    def provide(self, domain: Domain) -> None:
        """Give a domain a managed certificate at once."""
        self.reviews.withdraw(domain.sid)
        domain.certificate, domain.pending, domain.warned = self._managed(), None, 0

    def delete(self, domain: Domain) -> None:
        """Drop the certificate, and one that is on its way; ApiError 30107 if there is neither."""
        self.shown(domain)
        self.reviews.withdraw(domain.sid)
        domain.certificate = domain.pending = None

    def shown(self, domain: Domain) -> Certificate:
        """The certificate in force, else the one on its way; ApiError 30107 if there is neither."""
        self._keep_up(domain)
        certificate = domain.certificate or domain.pending
        if certificate is None:
            raise ApiError(NOT_UPLOADED)
        return certificate

    def fault_of(self, domain: Domain) -> int | None:
        """Why the domain cannot serve links over TLS, as a code; None if it can."""
        self._keep_up(domain)
        if domain.certificate is None:
            return NOT_THERE_TO_SHORTEN
        return EXPIRED if domain.certificate.expires <= self.clock.now() else None

    def resume(self, domains: Iterable[Domain]) -> None:
        """Ask anew for what was on its way when all reviews were forgotten."""
        for domain in domains:
            if domain.pending is not None:
                self._await(domain, domain.pending)

    def _managed(self) -> Certificate:
        now = self.clock.now()
        return _new(now=now, expires=now + MANAGED_LIFE, managed=True)

    def _await(self, domain: Domain, certificate: Certificate) -> None:
        domain.pending = certificate
        self.reviews.open(
            domain.sid,
            kind="certificate",
            seconds=self.behaviour().certificate_seconds,
            decide=lambda verdict: self._decide(domain, certificate, verdict),
        )

    def _decide(self, domain: Domain, certificate: Certificate, verdict: Verdict | None) -> None:
        now = self.clock.now()
        domain.pending = None
        if verdict is None:
            verdict = Verdict(approved=domain.is_dns_valid or not certificate.is_managed)
        if not verdict.approved:
            usual = NOT_ISSUED if certificate.is_managed else NOT_VALIDATED
            self._note(domain, next(iter(verdict.codes), usual))
            return
        expires = now + MANAGED_LIFE if certificate.is_managed else certificate.expires
        domain.certificate = replace(certificate, updated=now, expires=expires)
        domain.warned = 0

    def _keep_up(self, domain: Domain) -> None:
        """Renew, or warn once, as far as time has gone."""
        held = domain.certificate
        now = self.clock.now()
        if held is None or now < held.expires - WARNING_TIME:
            return
        if held.is_managed and domain.is_dns_valid:
            domain.certificate = replace(held, updated=now, expires=now + MANAGED_LIFE)
            domain.warned = 0
            return
        code = NOT_RENEWED if held.is_managed else EXPIRES_SOON
        code = EXPIRED if held.expires <= now else code
        if domain.warned != code:
            domain.warned = code
            self._note(domain, code)

    def _note(self, domain: Domain, code: int) -> None:
        self.debugger.note(code, url=f"https://{domain.name}", sid=domain.sid)


def _new(*, now: datetime, expires: datetime, managed: bool) -> Certificate:
    return Certificate(
        sid=new_sid("CW"), created=now, updated=now, expires=expires, is_managed=managed
    )
