"""How fast a campaign may send: by the trust score of its brand, and by what it is for.

The numbers are SMS segments a second to AT&T, T-Mobile and Verizon together, a third to each.
"""

from dataclasses import dataclass
from typing import Any

from local.twilio.a2p.brand import Brand
from local.twilio.a2p.use_cases import BROAD, LOW_VOLUME, SOLE_PROPRIETOR

CARRIERS = 3
LOWEST_BROAD = 25  # below that score, MIXED and MARKETING have less than a declared use case


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What a score earns: AT&T's classes for declared use cases and for broad ones, T-Mobile's tier."""

    score: int
    rate: float
    att_classes: tuple[str, str]
    tmobile: str


TIERS = (
    Tier(score=75, rate=225, att_classes=("A", "B"), tmobile="TOP"),
    Tier(score=50, rate=120, att_classes=("C", "D"), tmobile="UPPER_MID"),
    Tier(score=25, rate=12, att_classes=("E", "F"), tmobile="LOWER_MID"),
    Tier(score=0, rate=12, att_classes=("E", "F"), tmobile="LOW"),
)
LOW_VOLUME_RATE = 3.75
SOLE_PROPRIETOR_RATE = 3.0
SOLE_PROPRIETOR_ATT_RATE = 0.25  # 15 a minute
# an externally registered campaign tells nothing of its brand
UNKNOWN_SCORE = 25


def segments_per_second(brand: Brand | None, use_case: str | None) -> float:
    """The throughput of a campaign."""
    if use_case == SOLE_PROPRIETOR:
        return SOLE_PROPRIETOR_RATE
    if _is_low_volume(brand, use_case):
        return LOW_VOLUME_RATE
    score = _score_of(brand)
    if use_case in BROAD and score < LOWEST_BROAD:
        return LOW_VOLUME_RATE
    return _tier_of(score).rate


def rate_limits(brand: Brand | None, use_case: str | None) -> dict[str, Any]:
    """What carriers grant a campaign, as its resource shows it."""
    rate = segments_per_second(brand, use_case) / CARRIERS
    tier = _tier_of(_score_of(brand))
    if use_case == SOLE_PROPRIETOR:
        return _show(SOLE_PROPRIETOR_ATT_RATE, "W", "LOW")
    if _is_low_volume(brand, use_case):
        return _show(rate, "T", "LOW")
    return _show(rate, tier.att_classes[use_case in BROAD], tier.tmobile)


def _show(per_second: float, att_class: str, tier: str) -> dict[str, Any]:
    return {"att": {"mps": per_second, "msg_class": att_class}, "tmobile": {"brand_tier": tier}}


def _is_low_volume(brand: Brand | None, use_case: str | None) -> bool:
    return use_case == LOW_VOLUME or (brand is not None and brand.is_low_volume)


def _score_of(brand: Brand | None) -> int:
    return UNKNOWN_SCORE if brand is None else brand.score or 0


def _tier_of(score: int) -> Tier:
    return next(tier for tier in TIERS if score >= tier.score)
