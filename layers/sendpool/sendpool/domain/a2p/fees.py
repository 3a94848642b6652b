"""What registration costs, named before it is due.

Twilio's list prices of September 2026, in millionths of a US dollar. They change often and are no promise; carriers'
fees for each message come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sendpool.domain.a2p.application import BrandKind

AS_OF: Final = "2026-09"
_DOLLAR: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee: `micros` are millionths of a US dollar."""

    name: str
    micros: int
    period: Literal["once", "month"]


_BRAND: Final = {
    BrandKind.STANDARD: Fee("brand registration with secondary vetting", 46 * _DOLLAR, "once"),
    BrandKind.LOW_VOLUME: Fee("brand registration", 4_500_000, "once"),
    BrandKind.SOLE_PROPRIETOR: Fee("brand registration", 4_500_000, "once"),
}
_CAMPAIGN: Final = Fee("campaign vetting", 15 * _DOLLAR, "once")
_MONTHLY: Final = {"LOW_VOLUME": 1_500_000, "SOLE_PROPRIETOR": 2 * _DOLLAR}
_USUAL_MONTHLY: Final = 10 * _DOLLAR
VETTING: Final = Fee("secondary vetting", 41_500_000, "once")


def brand_fees(kind: BrandKind) -> tuple[Fee, ...]:
    """Due when a brand is registered, even if it fails; corrections are free, but few."""
    return (_BRAND[kind],)


def campaign_fees(use_case: str | None) -> tuple[Fee, ...]:
    """Due when a campaign is handed in, once, and each month of its life."""
    monthly = _MONTHLY.get(use_case or "", _USUAL_MONTHLY)
    return (_CAMPAIGN, Fee("campaign", monthly, "month"))
