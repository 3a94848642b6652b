"""Find out now and then whether the Messaging Service may text US numbers, so that nothing is sent into 30034.

What is found is written for everybody who decides. When Twilio cannot be asked, what was found last goes on to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.ledger.registrations import RegistrationRecords
from sendpool.adapters.twilio.products import Registrations
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.registration import Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """What checking needs."""

    records: RegistrationRecords
    registrations: Callable[[], Registrations]
    service_sid: str
    now: Callable[[], datetime]


def check_registration(needs: Checking) -> Registration | None:
    """Look again if it is due; returns what is found then, None if it is not due or Twilio cannot be asked."""
    known = needs.records.get(needs.service_sid)
    if known and not known.is_due(needs.now()):
        return None
    try:
        pool = needs.registrations().of(needs.service_sid)
    except (TwilioBusyError, TwilioUnavailableError):
        return None
    found = Registration(pool.is_registered, needs.now())
    needs.records.put(needs.service_sid, found)
    return found
