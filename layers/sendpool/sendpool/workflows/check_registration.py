"""Find out now and then whether the Messaging Service may text US numbers, and how fast its senders are.

So that nothing is sent into 30034, and broadcasts go as fast as the pool passes on.

What is found is written for everybody who decides. When Twilio cannot be asked, what was found last goes on to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.ledger.registrations import RegistrationRecords
from sendpool.adapters.twilio.services import Services
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.domain.errors import TwilioBusyError, TwilioRefusedError, TwilioUnavailableError
from sendpool.domain.registration import Registration
from sendpool.workflows.look_at_pool import look_at_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """What checking needs."""

    records: RegistrationRecords
    services: Callable[[], Services]
    verifications: Callable[[], TollFreeVerifications]
    service_sid: str
    now: Callable[[], datetime]


def check_registration(needs: Checking) -> Registration | None:
    """Look again if it is due; returns what is found then, None if it is not due or Twilio cannot be asked."""
    known = needs.records.get(needs.service_sid)
    if known and not known.is_due(needs.now()):
        return None
    try:
        pool = look_at_pool(needs.service_sid, needs.services(), needs.verifications())
    except (TwilioRefusedError, TwilioBusyError, TwilioUnavailableError):
        return None
    found = Registration(pool.may_text_us, needs.now(), pool.pace)
    needs.records.put(needs.service_sid, found)
    return found
