"""The price list: what a segment or an MMS costs, by country and sender (data/prices.json).

The figures are illustrative: plausible, but not Twilio's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from local.twilio.account.senders import SenderKind
from local.twilio.core.errors import DATA

PRICE_UNIT = "USD"
# how Pricing v1 names the number types of our senders; the others pay what a country's first type pays
NUMBER_TYPES = {
    SenderKind.LONG_CODE: "local",
    SenderKind.TOLL_FREE: "toll-free",
    SenderKind.SHORT_CODE: "shortcode",
}

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A mobile network."""

    carrier: str
    mcc: str
    mnc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryPrices:
    """The prices of one country by number type; `iso_country` is empty for all that have no row."""

    iso_country: str
    name: str
    outbound: Mapping[str, str]
    inbound: Mapping[str, str]
    mms: str
    carriers: Sequence[Carrier]

    def outbound_json(self) -> list[Json]:
        """`outbound_sms_prices` of the resource; all carriers cost the same here."""
        return [
            {
                "carrier": each.carrier,
                "mcc": each.mcc,
                "mnc": each.mnc,
                "prices": _price_rows(self.outbound),
            }
            for each in self.carriers
        ]

    def inbound_json(self) -> list[Json]:
        """`inbound_sms_prices` of the resource."""
        return _price_rows(self.inbound)


def _price_rows(prices: Mapping[str, str]) -> list[Json]:
    return [
        {"number_type": number_type, "base_price": price, "current_price": price}
        for number_type, price in prices.items()
    ]


class PriceList:
    """All prices, in US dollars."""

    def __init__(self) -> None:
        """Read the list."""
        rows = _rows()
        self._elsewhere = _country("", rows["elsewhere"], mms="")
        self._by_country = {
            iso_country: _country(iso_country, row, mms=self._elsewhere.mms)
            for iso_country, row in rows["countries"].items()
        }

    def countries(self) -> Sequence[CountryPrices]:
        """The countries that have a row, by their ISO 3166 letters."""
        return list(self._by_country.values())

    def find(self, iso_country: str) -> CountryPrices | None:
        """The row of a country."""
        return self._by_country.get(iso_country)

    def outbound(self, country: str, *, kind: SenderKind, is_mms: bool) -> Decimal:
        """What a segment to that country costs, or an MMS."""
        prices = self._by_country.get(country, self._elsewhere)
        return Decimal(prices.mms) if is_mms else _price(prices.outbound, kind)

    def inbound(self, country: str, *, kind: SenderKind) -> Decimal:
        """What a segment costs that a number of that country receives."""
        return _price(self._by_country.get(country, self._elsewhere).inbound, kind)


def _price(prices: Mapping[str, str], kind: SenderKind) -> Decimal:
    first = next(iter(prices.values()))
    return Decimal(prices.get(NUMBER_TYPES.get(kind, ""), first))


@cache
def _rows() -> Json:
    rows: Json = json.loads((DATA / "prices.json").read_text(encoding="utf-8"))
    return rows


def _country(iso_country: str, row: Json, *, mms: str) -> CountryPrices:
    return CountryPrices(
        iso_country=iso_country,
        name=row.get("country", ""),
        outbound=row["outbound"],
        inbound=row["inbound"],
        mms=row.get("mms", mms),
        carriers=[Carrier(**each) for each in row.get("carriers", ())],
    )
