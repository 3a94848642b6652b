"""Addresses: where a customer of the account is; the trust hub takes them as documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from local.twilio.account.changes import read_name
from local.twilio.core.errors import invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.sids import new_sid

REQUIRED = ("CustomerName", "Street", "City", "Region", "PostalCode", "IsoCountry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address; `friendly_name` and `street_secondary` are None unless they were given."""

    sid: str
    created: datetime
    customer_name: str
    street: str
    street_secondary: str | None
    city: str
    region: str
    postal_code: str
    iso_country: str
    friendly_name: str | None
    emergency_enabled: bool


FILTERS: dict[str, Callable[[Address], str | None]] = {
    "CustomerName": lambda address: address.customer_name,
    "FriendlyName": lambda address: address.friendly_name,
    "IsoCountry": lambda address: address.iso_country,
    "EmergencyEnabled": lambda address: str(address.emergency_enabled).lower(),
}


class Addresses:
    """The addresses of the account, in order of making."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_sid: dict[str, Address] = {}

    def create(self, form: Form, now: datetime) -> Address:
        """An address from a form; 20001 if a field is missing or the country does not exist."""
        form.require(*REQUIRED)
        if form.get("IsoCountry") not in phonenumbers.SUPPORTED_REGIONS:
            raise invalid_parameter("IsoCountry", form.get("IsoCountry"))
        address = Address(
            sid=new_sid("AD"),
            created=now,
            customer_name=form.get("CustomerName"),
            street=form.get("Street"),
            street_secondary=form.get("StreetSecondary") or None,
            city=form.get("City"),
            region=form.get("Region"),
            postal_code=form.get("PostalCode"),
            iso_country=form.get("IsoCountry"),
            friendly_name=read_name(form.get("FriendlyName")) or None,
            emergency_enabled=form.flag("EmergencyEnabled"),
        )
        self._by_sid[address.sid] = address
        return address

    def find(self, sid: str) -> Address | None:
        """The address with that SID."""
        return self._by_sid.get(sid)

    def search(self, query: Mapping[str, str]) -> Sequence[Address]:
        """The addresses that all filters of a query fit."""
        wanted = {name: query[name] for name in FILTERS if name in query}
        return [
            address
            for address in self._by_sid.values()
            if all(FILTERS[name](address) == value for name, value in wanted.items())
        ]

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()
