"""What messages cost: Twilio's prices, estimates before sending, the price of what was sent, and a budget.

Money is counted in millionths of a currency unit. An estimate is a range: who carries a message, and which kind of
number sends it, is known only after Twilio took it. What Twilio charges for a message that fails is not part of it.

Twilio's Pricing API knows what a segment costs. What it leaves out stands in the two tables below, in US dollars:
MMS, and the fees of carriers, which Twilio passes on (help article 360016571913).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any, Final, Literal

from sendpool.domain.countries import country_of

Kind = Literal["sms", "mms"]

_MILLION: Final = 1_000_000
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,30})?(?:E-[0-9]{1,2})?", re.ASCII)
_EXTRA_CURRENCY: Final = "USD"

# An outbound MMS. US: Twilio's page "SMS pricing, United States", as of October 2026. CA: not confirmed; resellers of
# Twilio list both countries together. Elsewhere unknown.
_MMS: Final = {"US": 22_000, "CA": 22_000}

# The highest fee of any carrier, per segment or MMS; the lowest is none at all (charities, some carriers).
# US SMS: as read from Twilio's page in July 2026. US MMS: the highest found (T-Mobile, unregistered, March 2022);
# registered ones paid at most 10,000 in October 2026. CA: Twilio's notice of November 2019, not confirmed since.
_HIGHEST_CARRIER_FEE: Final[Mapping[tuple[str, Kind], int]] = {
    ("US", "sms"): 6_200,
    ("US", "mms"): 13_000,
    ("CA", "sms"): 5_500,
    ("CA", "mms"): 9_100,
}


def millionths(amount: object) -> int | None:
    """Read a decimal number into millionths, half a millionth rounded up; None when it is none.

    Twilio writes prices as text; a number of JSON must have been parsed as Decimal or int, for floats are not exact.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        return None
    if not _NUMBER.fullmatch(str(amount)):
        return None
    return int((Decimal(amount) * _MILLION).to_integral_value(ROUND_HALF_UP))


def read_price(text: str | None, unit: str | None) -> tuple[int, str] | None:
    """Read `price` and `price_unit` of a Message: what it cost, in millionths, and in which currency.

    Twilio writes what it took as a negative number, and null until it knows, sometimes a day after the delivery;
    carriers' fees are in it (help article 46871410243099). None when it is not known.
    """
    taken = millionths(text)
    return None if taken is None or not unit else (-taken, unit.upper())


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs at least and at most, in millionths of a currency unit."""

    low: int
    high: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.low + other.low, self.high + other.high)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.low * times, self.high * times)

    __rmul__ = __mul__


FREE: Final = Cost(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryPrices:
    """What a segment to a country costs, over all its carriers, by the kind of number that sends it.

    `sms` is empty when Twilio has no prices for the country. The kinds are Twilio's: `local`, `mobile`, `toll-free`,
    `shortcode`. The prices are the account's own, discounts included.
    """

    country: str
    currency: str
    fetched_at: datetime
    sms: Mapping[str, Cost]

    def a_segment(self, number_types: frozenset[str] | None) -> Cost | None:
        """Return what a segment costs from numbers of these kinds; of all kinds, when none of these has a price."""
        wanted = self.sms.keys() & (number_types or frozenset()) or self.sms.keys()
        costs = [self.sms[each] for each in wanted]
        if not costs:
            return None
        return Cost(min(each.low for each in costs), max(each.high for each in costs))

    def to_plain(self) -> dict[str, Any]:
        return {
            "country": self.country,
            "currency": self.currency,
            "fetched_at": self.fetched_at.isoformat(),
            "sms": {kind: [cost.low, cost.high] for kind, cost in self.sms.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> CountryPrices:
        """Read what `to_plain` made; raises KeyError, TypeError or ValueError when it is something else."""
        return cls(
            country=plain["country"],
            currency=plain["currency"],
            fetched_at=datetime.fromisoformat(plain["fetched_at"]),
            sms={kind: Cost(int(low), int(high)) for kind, (low, high) in plain["sms"].items()},
        )


def read_country(said: Any, *, country: str, fetched_at: datetime) -> CountryPrices:
    """Read Twilio's Messaging Country (Pricing v1). Raises ValueError when it is none.

    The price is `current_price`, after discounts; one that cannot be read is left out.
    """
    match said:
        case {"price_unit": str(unit), "outbound_sms_prices": [*carriers]}:
            pass
        case {"price_unit": str(unit), "outbound_sms_prices": None}:
            carriers = []
        case _:
            raise ValueError("not a Messaging Country")
    sms: dict[str, Cost] = {}
    for kind, price in _segment_prices(carriers):
        known = sms.get(kind, Cost(price, price))
        sms[kind] = Cost(min(known.low, price), max(known.high, price))
    return CountryPrices(country=country, currency=unit.upper(), fetched_at=fetched_at, sms=sms)


def _segment_prices(carriers: Iterable[Any]) -> Iterator[tuple[str, int]]:
    for row in chain.from_iterable(_rows(each) for each in carriers):
        match row:
            case {"number_type": str(kind), "current_price": current}:
                price = millionths(current)
                if price is not None and price >= 0:
                    yield kind, price


def _rows(carrier: Any) -> list[Any]:
    match carrier:
        case {"prices": [*rows]}:
            return rows
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of several countries in one currency; `fetched_at` is when the oldest of them was asked for."""

    currency: str
    fetched_at: datetime
    countries: Mapping[str, CountryPrices]

    def of(
        self,
        country: str,
        *,
        kind: Kind,
        segments: int,
        number_types: frozenset[str] | None = None,
    ) -> Cost | None:
        """Return what one message costs: an SMS by its segments (1 or more), an MMS by the message.

        `number_types` are those of the senders, as far as known. None when no price is known for the country, or
        the number of segments is not. In another currency than dollars MMS has no price, and carriers' fees, not
        known in it, are missing at the high end.
        """
        known = self.countries.get(country)
        if known is None or segments < 1:
            return None
        if kind == "mms":
            price = _MMS.get(country) if self.currency == _EXTRA_CURRENCY else None
            base, times = (None if price is None else Cost(price, price)), 1
        else:
            base, times = known.a_segment(number_types), segments
        return None if base is None else (base + self._fees(country, kind)) * times

    def _fees(self, country: str, kind: Kind) -> Cost:
        if self.currency != _EXTRA_CURRENCY:
            return FREE
        return Cost(0, _HIGHEST_CARRIER_FEE.get((country, kind), 0))

    def to_plain(self) -> dict[str, Any]:
        return {"countries": [each.to_plain() for each in self.countries.values()]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PriceTable | None:
        """Read what `to_plain` made; raises KeyError, TypeError or ValueError when it is something else."""
        return table_of(CountryPrices.from_plain(each) for each in plain["countries"])


def table_of(countries: Iterable[CountryPrices]) -> PriceTable | None:
    """Put countries together; None when none of them has prices.

    An account has one currency: whatever comes in another one than the first is left out.
    """
    priced = [each for each in countries if each.sms]
    same = [each for each in priced if each.currency == priced[0].currency]
    if not same:
        return None
    return PriceTable(
        currency=same[0].currency,
        fetched_at=min(each.fetched_at for each in same),
        countries={each.country: each for each in same},
    )


def estimate(
    to: str,
    *,
    segments: int,
    is_mms: bool,
    prices: PriceTable | None,
    number_types: frozenset[str] | None = None,
) -> Cost | None:
    """Estimate what a message to an E.164 number will cost; None when no price is known."""
    country = country_of(to)
    if country is None or prices is None:
        return None
    kind: Kind = "mms" if is_mms else "sms"
    return prices.of(country, kind=kind, segments=segments, number_types=number_types)


@dataclass(frozen=True, slots=True)
class Total:
    """What many messages cost together: `cost` is that of the priced ones, `unpriced` counts the others."""

    cost: Cost = FREE
    priced: int = 0
    unpriced: int = 0

    def __add__(self, other: Total) -> Total:
        return Total(
            self.cost + other.cost, self.priced + other.priced, self.unpriced + other.unpriced
        )


def total(costs: Iterable[Cost | None]) -> Total:
    """Add up estimates, and count those that have no price."""
    low = high = priced = unpriced = 0
    for cost in costs:
        if cost is None:
            unpriced += 1
        else:
            low, high, priced = low + cost.low, high + cost.high, priced + 1
    return Total(Cost(low, high), priced, unpriced)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent, and how much was, both in millionths and by high estimates.

    So what is really paid stays within the limit, as far as the prices are right.
    """

    limit: int
    spent: int = 0

    @property
    def left(self) -> int:
        return max(self.limit - self.spent, 0)

    def fits(self, cost: Cost | None) -> bool:
        """Tell whether this can be paid at its highest. What has no price is not known to fit."""
        return cost is not None and self.spent + cost.high <= self.limit

    def after(self, cost: Cost) -> Budget:
        """Return the budget once this is spent."""
        return Budget(self.limit, self.spent + cost.high)
