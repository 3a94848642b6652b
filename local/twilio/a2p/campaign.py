"""The campaign resource (`Usa2p`): what a service sends to the US, and how far it is approved."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.twilio.a2p.brand import Brand, BrandStatus
from local.twilio.a2p.campaign_judging import FIELDS
from local.twilio.a2p.rejections import show_errors
from local.twilio.a2p.submission import Submission
from local.twilio.a2p.throughput import rate_limits, segments_per_second
from local.twilio.core.times import iso

# Twilio gives every campaign the same SID; the service tells them apart
CAMPAIGN_SID = "QE2c6890da8086d771620e9b13fadeba0b"
EXTENDED = ("privacy_policy_url", "terms_and_conditions_url")
DEFAULT_REPLIES: dict[str, Any] = {
    "opt_out_message": "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    "opt_out_keywords": ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"],
    "help_message": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "help_keywords": ["HELP", "INFO"],
}
NOTHING: dict[str, Any] = {each.name: None for each in fields(Submission)}


class CampaignStatus(StrEnum):
    """How far the review is."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    SUSPENDED = "SUSPENDED"


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One campaign; one that was registered elsewhere has neither brand nor submission here.

    `round` counts the reviews.
    """

    service_sid: str
    brand: Brand | None
    submission: Submission | None
    created: datetime
    updated: datetime
    status: CampaignStatus = CampaignStatus.PENDING
    campaign_id: str | None = None
    errors: tuple[int, ...] = ()
    reason: str = ""
    verified: datetime | None = None
    round: int = 0

    @property
    def is_external(self) -> bool:
        """It was registered elsewhere."""
        return self.brand is None

    @property
    def is_mock(self) -> bool:
        """It belongs to a mock brand, so carriers know nothing of it."""
        return self.brand is not None and self.brand.mock

    @property
    def is_suspended(self) -> bool:
        """It is suspended itself, or with its brand."""
        brand_status = self.brand.status if self.brand else None
        return self.status is CampaignStatus.SUSPENDED or brand_status is BrandStatus.SUSPENDED

    @property
    def use_case(self) -> str | None:
        """What it is for, if that is known here."""
        return self.submission.us_app_to_person_usecase if self.submission else None

    @property
    def segments_per_second(self) -> float:
        """How fast it may send."""
        return segments_per_second(self.brand, self.use_case)

    @property
    def _shown_status(self) -> CampaignStatus:
        is_stopped = self.status is CampaignStatus.VERIFIED and self.is_suspended
        return CampaignStatus.SUSPENDED if is_stopped else self.status

    def to_json(self, *, account_sid: str, url: str, extended: bool) -> dict[str, Any]:
        """The resource, under its URL; the extended form tells the two policies too."""
        submission = asdict(self.submission) if self.submission else NOTHING
        shown = {
            "sid": CAMPAIGN_SID,
            "account_sid": account_sid,
            "brand_registration_sid": self.brand.sid if self.brand else None,
            "messaging_service_sid": self.service_sid,
            **submission,
            **DEFAULT_REPLIES,
            "campaign_status": self._shown_status.value,
            "campaign_id": self.campaign_id,
            "is_externally_registered": self.is_external,
            "rate_limits": rate_limits(self.brand, self.use_case) if self.campaign_id else None,
            "mock": self.is_mock,
            "errors": show_errors(self.errors, fields=FIELDS, reason=self.reason),
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            "url": url,
        }
        return shown if extended else {n: v for n, v in shown.items() if n not in EXTENDED}
