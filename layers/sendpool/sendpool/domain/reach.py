"""Whether texts can reach a number, and whether it still belongs to the person who gave it to us.

All of it is dates of which the latest counts, so it may become known late, twice and in any order. A consent that is
later than the deactivation is the new owner's; a text that the person sent proves that the number takes texts.

A carrier that does not know a number (30005) may be wrong, or know it again in a while: marketing to it rests for a
month and is tried again then. What is delivered meanwhile lifts nothing: it would have to be looked up for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

UNREACHABLE_RESTS: Final = timedelta(days=30)


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
    def unreachable_until(self) -> datetime | None:
        """Until when marketing rests because the carrier did not know the number; None if nothing stands against it.

        A text from it proves that it is there, a consent that somebody says so.
        """
        since = self.unreachable_since
        stands = _stands(since, self.texted_at) and _stands(since, self.consented_at)
        return since + UNREACHABLE_RESTS if since and stands else None

    @property
    def is_deactivated(self) -> bool:
        """The carrier gave the number up, and nobody has consented since; a consent of that very day may be older."""
        if self.deactivated_on is None:
            return False
        return self.consented_at is None or self.consented_at.date() <= self.deactivated_on


UNTOLD = Reach()


def _stands(since: datetime | None, lifted_at: datetime | None) -> bool:
    return since is not None and (lifted_at is None or lifted_at < since)
