"""A vetting: what a third party finds out about a brand, or has found out and is imported."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.twilio.core.times import iso

CAMPAIGN_VERIFY_TOKEN = re.compile(r"cv\|[\d.]+\|tcr\|10dlc\|[^|\s]+\|[^|\s]+")


class Provider(StrEnum):
    """Who vets: Aegis scores businesses, Campaign Verify vouches for political organisations."""

    CAMPAIGN_VERIFY = "campaign-verify"
    AEGIS = "aegis"


class VettingStatus(StrEnum):
    """How far it is."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


CLASSES = {Provider.CAMPAIGN_VERIFY: "POLITICAL", Provider.AEGIS: "STANDARD"}


@dataclass(slots=True, kw_only=True)
class Vetting:
    """One vetting of one brand; `vetting_id` is the token of Campaign Verify."""

    sid: str
    provider: Provider
    vetting_id: str | None
    created: datetime
    updated: datetime
    status: VettingStatus = VettingStatus.PENDING

    def to_json(self, *, account_sid: str, brand_sid: str, url: str) -> dict[str, Any]:
        """The resource, under its URL."""
        return {
            "account_sid": account_sid,
            "brand_sid": brand_sid,
            "brand_vetting_sid": self.sid,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            "vetting_id": self.vetting_id,
            "vetting_class": CLASSES[self.provider],
            "vetting_status": self.status.value,
            "vetting_provider": self.provider.value,
            "url": url,
        }
