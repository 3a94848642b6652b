"""The brand registration resource: a business as carriers know it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from local.twilio.a2p.rejections import show_errors
from local.twilio.a2p.vetting import Provider, Vetting, VettingStatus
from local.twilio.core.errors import title
from local.twilio.core.times import iso

ANSWER_WINDOW = timedelta(hours=24)
ANSWER_EXPIRED = 30752
UNVETTED_MAXIMUM = 49
FEEDBACK = {30795: "TAX_ID", 30796: "STOCK_SYMBOL", 30797: "GOVERNMENT_ENTITY", 30798: "NONPROFIT"}
OTHER_FEEDBACK = "OTHERS"
FIELDS = {
    30703: ("customer_profile_bundle_sid",),
    30747: ("address",),
    30749: ("email",),
    30750: ("mobile_phone_number",),
    30751: ("mobile_phone_number",),
    30757: ("business_registration_number",),
    30793: ("customer_profile_bundle_sid", "a2p_profile_bundle_sid"),
    30795: ("business_name", "business_registration_number"),
    30796: ("stock_exchange", "stock_ticker"),
    30797: ("company_type",),
    30798: ("company_type",),
    21740: ("brand_contact_email",),
}


class BrandType(StrEnum):
    """With or without a tax ID."""

    STANDARD = "STANDARD"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR"


class BrandStatus(StrEnum):
    """Where the registration stands."""

    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    FAILED = "FAILED"
    SUSPENDED = "SUSPENDED"


class Identity(StrEnum):
    """How sure it is that the business is who it says."""

    UNVERIFIED = "UNVERIFIED"
    VERIFIED = "VERIFIED"
    VETTED_VERIFIED = "VETTED_VERIFIED"


@dataclass(slots=True, kw_only=True)
class Brand:
    """`company_type` is known once it is registered; `resubmissions` counts the free tries used.

    `promised_score` is what a secondary vetting will find.
    """

    sid: str
    type: BrandType
    customer_profile_sid: str
    a2p_profile_sid: str
    skip_automatic_sec_vet: bool
    mock: bool
    created: datetime
    updated: datetime
    status: BrandStatus = BrandStatus.PENDING
    identity: Identity | None = None
    tcr_id: str | None = None
    company_type: str | None = None
    score: int | None = None
    promised_score: int | None = None
    errors: tuple[int, ...] = ()
    reason: str = ""
    resubmissions: int = 0
    answer_until: datetime | None = None
    vettings: dict[str, Vetting] = field(default_factory=dict)

    @property
    def is_sole_proprietor(self) -> bool:
        """There is no tax ID behind it."""
        return self.type is BrandType.SOLE_PROPRIETOR

    @property
    def is_low_volume(self) -> bool:
        """A standard brand that nobody has scored."""
        return (
            not self.is_sole_proprietor
            and self.skip_automatic_sec_vet
            and not self.has_passed(Provider.AEGIS)
        )

    @property
    def may_campaign(self) -> bool:
        """It is approved, and a sole proprietor has said yes."""
        return self.status is BrandStatus.APPROVED and self.identity is not Identity.UNVERIFIED

    def has_passed(self, provider: Provider) -> bool:
        """A vetting by this provider succeeded."""
        return any(self.vettings_of(provider, VettingStatus.SUCCESS))

    def vettings_of(self, provider: Provider, status: VettingStatus) -> list[Vetting]:
        """The vettings by a provider that stand so."""
        return [
            each
            for each in self.vettings.values()
            if each.provider is provider and each.status is status
        ]

    def errors_at(self, now: datetime) -> tuple[int, ...]:
        """The codes of the rejection; also that of an owner who has not answered in time."""
        is_late = self.answer_until is not None and now >= self.answer_until
        return (*self.errors, ANSWER_EXPIRED) if is_late else self.errors

    def to_json(self, *, account_sid: str, url: str, now: datetime) -> dict[str, Any]:
        """The resource, under its URL."""
        errors = self.errors_at(now)
        failed = self.errors if self.status is BrandStatus.FAILED else ()
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "customer_profile_bundle_sid": self.customer_profile_sid,
            "a2p_profile_bundle_sid": self.a2p_profile_sid,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            "brand_type": self.type.value,
            "status": self.status.value,
            "tcr_id": self.tcr_id,
            "failure_reason": "; ".join(title(code) for code in failed) or None,
            "errors": show_errors(errors, fields=FIELDS, reason=self.reason),
            "url": url,
            "brand_score": self.score,
            "brand_feedback": _feedback(failed),
            "identity_status": self.identity.value if self.identity else None,
            **self._register_json(),
            "skip_automatic_sec_vet": self.skip_automatic_sec_vet,
            "mock": self.mock,
            "links": {
                "brand_vettings": f"{url}/Vettings",
                "brand_registration_otps": f"{url}/SmsOtp",
            },
        }

    def _register_json(self) -> dict[str, Any]:
        """What the registry knows of a company; nothing before it is registered."""
        kind = self.company_type
        return {
            "russell_3000": None if kind is None else kind == "public",
            "government_entity": None if kind is None else kind == "government",
            "tax_exempt_status": "501c3" if kind == "non-profit" else None,
        }


def _feedback(codes: tuple[int, ...]) -> list[str] | None:
    words = dict.fromkeys(FEEDBACK.get(code, OTHER_FEEDBACK) for code in codes)
    return list(words) or None
