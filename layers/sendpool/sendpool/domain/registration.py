"""What the sweeper finds out about the pool now and then, for everybody who sends (senders.py says how it is judged).

May it text US numbers? Without an approved A2P 10DLC campaign carriers refuse every message of a long code with 30034,
and Twilio charges for it. And how many segments a second do its senders pass on?
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# +1 800, 888, 877, ...
_TOLL_FREE: Final = frozenset({"800", "822", "833", "844", "855", "866", "877", "888"})
_LOOK_AGAIN = timedelta(hours=1)
# an approval that somebody waits for shall be seen soon
_LOOK_AGAIN_SOON = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Registration:
    """What was found when it was looked at last; `segments_per_second` is None when that is not known."""

    is_registered: bool
    checked_at: datetime
    segments_per_second: float | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether somebody should look again."""
        age = _LOOK_AGAIN if self.is_registered else _LOOK_AGAIN_SOON
        return now - self.checked_at >= age


def is_toll_free(number: str) -> bool:
    """Tell whether an E.164 number is one of North America's toll-free ones."""
    return number.startswith("+1") and number[2:5] in _TOLL_FREE
