"""The toll-free verification resource."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from local.twilio.account.senders import Sender
from local.twilio.core.errors import title
from local.twilio.core.times import iso
from local.twilio.tollfree.judging import may_be_edited

EDIT_WINDOW = timedelta(days=7)


class VerificationStatus(StrEnum):
    """How far the review is."""

    PENDING_REVIEW = "PENDING_REVIEW"
    IN_REVIEW = "IN_REVIEW"
    TWILIO_APPROVED = "TWILIO_APPROVED"
    TWILIO_REJECTED = "TWILIO_REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why, when, and in the reviewer's own words if there are any."""

    codes: tuple[int, ...]
    at: datetime
    reason: str = ""

    @property
    def edit_expiration(self) -> datetime:
        """Until when an edit is taken."""
        return self.at + EDIT_WINDOW

    def allows_edit(self, now: datetime) -> bool:
        """The reasons can be mended, and there is still time."""
        return may_be_edited(self.codes) and now < self.edit_expiration

    def to_json(self, now: datetime) -> dict[str, Any]:
        """Its part of the resource."""
        reasons = [{"code": code, "reason": self.reason or title(code)} for code in self.codes]
        return {
            "rejection_reason": reasons[0]["reason"],
            "error_code": self.codes[0],
            "rejection_reasons": reasons,
            "edit_allowed": self.allows_edit(now),
            "edit_expiration": iso(self.edit_expiration) if may_be_edited(self.codes) else None,
        }


NOT_REJECTED = dict.fromkeys(
    ("rejection_reason", "error_code", "rejection_reasons", "edit_allowed", "edit_expiration")
)


@dataclass(slots=True, kw_only=True)
class Verification:
    """A request to verify a number; `submission` bears the names of the JSON, `round` counts the reviews.

    Twilio's own bundle and item for it come with the first look at it.
    """

    sid: str
    account_sid: str
    number: Sender
    submission: dict[str, object]
    created: datetime
    updated: datetime
    status: VerificationStatus = VerificationStatus.PENDING_REVIEW
    rejection: Rejection | None = None
    round: int = 1
    trust_product_sid: str | None = None
    regulated_item_sid: str | None = None

    def allows_edit(self, now: datetime) -> bool:
        """It was rejected, and may be sent in again."""
        return self.rejection is not None and self.rejection.allows_edit(now)

    def to_json(self, *, base_url: str, now: datetime) -> dict[str, Any]:
        """The resource as Messaging v1 shows it."""
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "trust_product_sid": self.trust_product_sid,
            "regulated_item_sid": self.regulated_item_sid,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            **self.submission,
            "tollfree_phone_number_sid": self.number.sid,
            "tollfree_phone_number": self.number.address,
            "status": self.status.value,
            **(self.rejection.to_json(now) if self.rejection else NOT_REJECTED),
            "resource_links": {},
            "vetting_id_expiration": None,
            "url": f"{base_url}/v1/Tollfree/Verifications/{self.sid}",
        }
