"""Alphanumeric sender IDs, which a service makes for itself: one as a default, one for each country."""

from datetime import datetime

import phonenumbers

from local.twilio.account.senders import Sender, SenderKind
from local.twilio.core.addresses import ALPHANUMERIC
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.sids import new_sid

COUNTRIES_WITHOUT_ALPHA = frozenset({"US", "CA", "PR"})


def new_alpha_sender(name: str, *, country: str, now: datetime) -> Sender:
    """A new ID for a country, or for all of them if it is empty; ApiError if it cannot be one."""
    if not name:
        raise ApiError(21708)
    if not ALPHANUMERIC.fullmatch(name) or country in COUNTRIES_WITHOUT_ALPHA:
        raise ApiError(21709)
    if country and country not in phonenumbers.SUPPORTED_REGIONS:
        raise invalid_parameter("IsoCountryCode", country)
    return Sender(
        sid=new_sid("AI"),
        kind=SenderKind.ALPHA,
        address=name,
        country=country,
        created=now,
        capabilities=("SMS",),
        friendly_name=name,
    )
