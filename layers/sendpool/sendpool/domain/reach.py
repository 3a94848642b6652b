"""Whether texts can reach a number, and whether it still belongs to the person who gave it to us.

All of it is dates of which the latest counts, so it may become known late, twice and in any order. A consent that is
later than the deactivation is the new owner's; a text that the person sent proves that the number takes texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is known of one number; `sources` tells for each of the dates where it comes from."""

    landline_since: datetime | None = None
    unreachable_since: datetime | None = None
    deactivated_on: date | None = None
    consented_at: datetime | None = None
    texted_at: datetime | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_landline(self) -> bool:
        return _stands(self.landline_since, self.texted_at)

    @property
    def is_unreachable(self) -> bool:
        """The carrier said that the number is unknown or out of service (30005)."""
        return _stands(self.unreachable_since, self.texted_at)

    @property
    def is_deactivated(self) -> bool:
        """The carrier gave the number up, and nobody has consented since; a consent of that very day may be older."""
        if self.deactivated_on is None:
            return False
        return self.consented_at is None or self.consented_at.date() <= self.deactivated_on


UNTOLD = Reach()


def _stands(since: datetime | None, lifted_at: datetime | None) -> bool:
    return since is not None and (lifted_at is None or lifted_at < since)
