"""Look now and then how toll-free verifications stand, and write it down: whoever listens is told from the ledger.

Hourly while a review is open, else daily: one page of Twilio's list. Dying anywhere leaves the place where it was, and
the next one looks again; what is written twice is told once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.ledger.toll_free import TollFreeRecords
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.domain.errors import TwilioBusyError, TwilioRefusedError, TwilioUnavailableError
from sendpool.domain.toll_free.verification import Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What following needs."""

    records: TollFreeRecords
    verifications: Callable[[], TollFreeVerifications]
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How many verifications there are, how many stand otherwise than before; `remedy` if nobody may look."""

    verifications: int = 0
    changed: int = 0
    remedy: str | None = None


def follow_toll_free(needs: Following) -> Followed | None:
    """Look again if it is due; None if it is not, or Twilio cannot be asked: then the next minute asks."""
    place = needs.records.looked()
    now = needs.now()
    if (place and not place.is_due(now)) or not needs.may_go_on():
        return None
    try:
        standings = [each.standing for each in needs.verifications().listed()]
    except (TwilioBusyError, TwilioUnavailableError):
        return None
    except TwilioRefusedError as refused:  # no account that lacks this is asked every minute
        needs.records.move(place, Looked(now, is_any_open=False))
        return Followed(remedy=refused.remedy)
    known = needs.records.known(each.sid for each in standings)
    changed = [each for each in standings if not each.is_as(known.get(each.sid))]
    for standing in changed:
        if not needs.may_go_on():
            return None
        needs.records.put(standing)
    needs.records.move(place, Looked(now, is_any_open=any(each.is_open for each in standings)))
    return Followed(verifications=len(standings), changed=len(changed))
