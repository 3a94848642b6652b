"""Incoming phone numbers: searching, buying, changing and releasing the numbers of the account."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import phonenumbers

from local.twilio.account.changes import change_sender
from local.twilio.account.senders import (
    AccountSenders,
    Sender,
    SenderKind,
    is_phone_number,
    make_number,
)
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.sids import new_sid

NUMBER_KINDS = (SenderKind.LONG_CODE, SenderKind.TOLL_FREE)
ORIGIN = "twilio"
AREA_CODE = re.compile(r"[2-9]\d{2}")
ANY_DIGIT = r"\d"
NORTH_AMERICA = frozenset({"US", "CA"})
SOLD_TYPES = frozenset(
    {phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE, phonenumbers.PhoneNumberType.TOLL_FREE}
)


class IncomingPhoneNumbers:
    """The phone numbers among the senders of the account."""

    def __init__(self, senders: AccountSenders, detach: Callable[[str], None]) -> None:
        """Work on these senders; `detach` takes a SID out of the service that has it, if any."""
        self._senders = senders
        self._detach = detach

    def search(self, query: Mapping[str, str]) -> Sequence[Sender]:
        """The numbers that all filters of a query fit; `PhoneNumber` may be a part, `*` any digit."""
        part = re.escape(query.get("PhoneNumber", "")).replace(r"\*", ANY_DIGIT)
        name = query.get("FriendlyName")
        if query.get("Origin", ORIGIN) != ORIGIN:
            return ()
        return [
            number
            for number in self._senders.of_kinds(*NUMBER_KINDS)
            if re.search(part, number.address) and name in {None, number.friendly_name}
        ]

    def find(self, sid: str) -> Sender | None:
        """The number with that SID."""
        sender = self._senders.with_sid(sid)
        return sender if sender and sender.kind in NUMBER_KINDS else None

    def buy(self, form: Form, now: datetime) -> Sender:
        """A number of the market; one that the account has already is only changed."""
        number = self._wanted(form)
        own = self._senders.with_address(number)
        sender = own or make_number(number, sid=new_sid("PN"), now=now)
        change_sender(sender, form, now)
        return own or self._senders.add(sender)

    def release(self, number: Sender) -> None:
        """Give a number back to the market."""
        self._detach(number.sid)
        self._senders.remove(number)

    def _wanted(self, form: Form) -> str:
        number = form.get("PhoneNumber")
        if not number:
            return self._first_free(read_area_code(form))
        if not is_phone_number(number):
            raise ApiError(21421)
        return number

    def _first_free(self, area_code: str) -> str:
        """The first fictitious number of an area that the account does not have."""
        if not _is_assigned(area_code):
            raise ApiError(21452)
        for line in range(100, 200):
            number = f"+1{area_code}5550{line}"
            if self._senders.with_address(number) is None:
                return number
        raise ApiError(21452)


def read_area_code(form: Form) -> str:
    """The area code that a form asks for; 20001 if it names neither that nor a number, 21451 if it is none."""
    area_code = form.get("AreaCode")
    if not area_code:
        raise ApiError(20001, detail="PhoneNumber or AreaCode is required")
    if not AREA_CODE.fullmatch(area_code):
        raise ApiError(21451)
    return area_code


def _is_assigned(area_code: str) -> bool:
    """The area is one of the US or Canada, or toll-free; personal codes such as 533 are not sold."""
    example = phonenumbers.parse(f"+1{area_code}2345678")
    is_sold = phonenumbers.number_type(example) in SOLD_TYPES
    return is_sold and phonenumbers.region_code_for_number(example) in NORTH_AMERICA
