"""How fast a campaign may send, and how much a day: by the trust score of its brand, and by what it is for.

Segments of SMS a second toward AT&T, T-Mobile and Verizon together, a third each; a campaign's numbers share it. The
day's cap is T-Mobile's, for all campaigns of the brand at all providers together, until midnight Pacific time. Where
Twilio tells a campaign's own limits, those hold. The limits between caps are not confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sendpool.domain.a2p.application import BrandKind

_BROAD: Final = {"MIXED", "MARKETING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What a score earns; `daily` are segments of all carriers together, where there is such a cap."""

    segments_per_second: float
    tmobile_daily: int
    daily: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What holds from a score on."""

    from_score: int
    throughput: Throughput


LOW_VOLUME: Final = Throughput(segments_per_second=3.75, tmobile_daily=2_000, daily=6_000)
SOLE_PROPRIETOR: Final = Throughput(segments_per_second=3.0, tmobile_daily=1_000, daily=3_000)
_TIERS: Final = (
    Tier(from_score=75, throughput=Throughput(segments_per_second=225, tmobile_daily=200_000)),
    Tier(from_score=50, throughput=Throughput(segments_per_second=120, tmobile_daily=40_000)),
    Tier(from_score=25, throughput=Throughput(segments_per_second=12, tmobile_daily=10_000)),
    Tier(from_score=0, throughput=Throughput(segments_per_second=12, tmobile_daily=2_000)),
)
HIGHEST_SCORE: Final = 100
_HIGHEST_CAP: Final = 200_000
_LOWEST_BROAD: Final = Throughput(segments_per_second=3.75, tmobile_daily=2_000)


def throughput(
    kind: BrandKind, use_case: str, score: int | None, *, is_russell_3000: bool = False
) -> Throughput | None:
    """Tell what a campaign may send; None while the brand has no score and it depends on that."""
    fixed = _fixed(kind, use_case)
    if fixed or score is None:
        return fixed
    earned = next(each for each in tiers(use_case) if score >= each.from_score).throughput
    # T-Mobile gives the largest companies its highest cap, whatever their score
    return replace(earned, tmobile_daily=_HIGHEST_CAP) if is_russell_3000 else earned


def tiers(use_case: str) -> Sequence[Tier]:
    """Return what each range of scores earns, the best first."""
    if use_case not in _BROAD:
        return _TIERS
    return (*_TIERS[:-1], Tier(from_score=0, throughput=_LOWEST_BROAD))


def _fixed(kind: BrandKind, use_case: str) -> Throughput | None:
    if kind is BrandKind.SOLE_PROPRIETOR or use_case == "SOLE_PROPRIETOR":
        return SOLE_PROPRIETOR
    return LOW_VOLUME if kind is BrandKind.LOW_VOLUME or use_case == "LOW_VOLUME" else None
