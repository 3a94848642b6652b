"""Magic numbers for buying and calling: what test credentials are answered. Nothing is kept.

Those for messages are in messages/magic.py.
"""

from datetime import datetime

from local.twilio.account.changes import change_sender
from local.twilio.account.numbers import read_area_code
from local.twilio.account.senders import Sender, is_phone_number, make_number
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.sids import new_sid

GOOD_NUMBER = "+15005550006"
GOOD_AREA_CODE = "500"
INVALID = "+15005550001"
NOT_CALLABLE = {
    INVALID: 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}


def pretend_to_buy(form: Form, now: datetime) -> Sender:
    """The number that a purchase would give, or the error of the magic number or area code."""
    number = form.get("PhoneNumber")
    if number == INVALID:
        raise ApiError(21421)
    if number and number != GOOD_NUMBER:
        raise ApiError(21422)
    if not number and read_area_code(form) != GOOD_AREA_CODE:
        raise ApiError(21452)
    bought = make_number(GOOD_NUMBER, sid=new_sid("PN"), now=now)
    change_sender(bought, form, now)
    return bought


def check_call(form: Form) -> None:
    """Refuse a call as its magic numbers say; others may be called, but only one number may call."""
    form.require("To", "From")
    sender = form.get("From")
    if sender == INVALID:
        raise ApiError(21212, sender=sender)
    if sender != GOOD_NUMBER:
        raise ApiError(21210)
    if not any(form.get(name) for name in ("Url", "Twiml", "ApplicationSid")):
        raise ApiError(21205)
    _check_callable(form.get("To"))


def _check_callable(to: str) -> None:
    """Clients and SIP addresses, which have a colon, may be called besides numbers."""
    if to in NOT_CALLABLE:
        raise ApiError(NOT_CALLABLE[to])
    if not is_phone_number(to) and ":" not in to:
        raise ApiError(21217)
