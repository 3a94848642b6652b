"""May a pool text US numbers? Long codes need an approved A2P 10DLC campaign; toll-free numbers and short codes do not.

Without one, carriers refuse every message with 30034, and Twilio charges for it. A pool with both kinds may: Twilio
picks the sender. One of which nothing is known may as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sendpool.domain.countries import country_of

# +1 800, 888, 877, ...
_TOLL_FREE: Final = frozenset({"800", "822", "833", "844", "855", "866", "877", "888"})
_LOOK_AGAIN = timedelta(hours=1)
# an approval that somebody waits for shall be seen soon
_LOOK_AGAIN_SOON = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What a Messaging Service sends with, as Twilio says: numbers in E.164."""

    numbers: tuple[str, ...]
    short_codes: int
    has_approved_campaign: bool

    @property
    def is_registered(self) -> bool:
        """Tell whether something in it may text US numbers, or nothing in it could."""
        american = [number for number in self.numbers if country_of(number) == "US"]
        only_long_codes = american and not any(map(is_toll_free, american))
        return self.has_approved_campaign or bool(self.short_codes) or not only_long_codes


@dataclass(frozen=True, slots=True)
class Registration:
    """What was found when it was looked at last."""

    is_registered: bool
    checked_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Tell whether somebody should look again."""
        age = _LOOK_AGAIN if self.is_registered else _LOOK_AGAIN_SOON
        return now - self.checked_at >= age


def is_toll_free(number: str) -> bool:
    """Tell whether an E.164 number is one of North America's toll-free ones."""
    return number.startswith("+1") and number[2:5] in _TOLL_FREE
