"""Money is exact, an estimate is a range that holds what will be paid, and a budget is not overdrawn."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.prices import (
    FREE,
    Budget,
    Cost,
    CountryPrices,
    Kind,
    PriceTable,
    Total,
    estimate,
    millionths,
    read_country,
    read_price,
    table_of,
    total,
)

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
US_FEE, US_MMS_FEE, MMS = 6_200, 13_000, 22_000

amounts = st.integers(0, 10**12)
costs = st.builds(lambda low, more: Cost(low, low + more), amounts, amounts)


def carrier(name: str, **prices: Any) -> dict[str, Any]:
    rows = [
        {"base_price": "9", "current_price": price, "number_type": kind.replace("_", "-")}
        for kind, price in prices.items()
    ]
    return {"carrier": name, "mcc": "311", "mnc": "480", "prices": rows}


def country(*carriers: dict[str, Any], unit: str = "usd") -> dict[str, Any]:
    return {
        "country": "Somewhere",
        "iso_country": "XX",
        "url": "https://pricing.twilio.com/v1/Messaging/Countries/XX",
        "outbound_sms_prices": list(carriers),
        "inbound_sms_prices": [],
        "price_unit": unit,
    }


def prices_of(iso: str, said: dict[str, Any], *, at: datetime = AT) -> CountryPrices:
    return read_country(said, country=iso, fetched_at=at)


US = prices_of(
    "US",
    country(
        carrier("AT&T", local="0.0083", toll_free="0.0083", shortcode="0.0079"),
        carrier("Verizon", local="0.0085", toll_free="0.0083", shortcode="0.0079"),
    ),
)
DE = prices_of("DE", country(carrier("O2", mobile="0.1040"), carrier("Telekom", mobile="0.1120")))
CA = prices_of("CA", country(carrier("Bell", local="0.0083")))


def table(*countries: CountryPrices) -> PriceTable:
    made = table_of(countries)
    assert made
    return made


PRICES = table(US, DE, CA)


# ---------------------------------------------------------------------------------------------- reading money


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0083", 8_300),
        ("-0.00830", -8_300),
        ("0", 0),
        ("12", 12_000_000),
        ("0.0000005", 1),
        ("0.0000004", 0),
        (Decimal("0.0083"), 8_300),
        (Decimal("8.3E-3"), 8_300),
        (Decimal("1E-7"), 0),
        (3, 3_000_000),
        ("", None),
        ("null", None),
        (None, None),
        (0.0083, None),
        (True, None),
        ("NaN", None),
        ("Infinity", None),
        ("1E+999999", None),
        ("0,0083", None),
        ("1_000", None),
        ("٣", None),
        (" 1", None),
    ],
)
def test_money_is_read_exactly_or_not_at_all(text: object, expected: int | None) -> None:
    assert millionths(text) == expected


@given(st.integers(-(10**14), 10**14))
def test_every_amount_of_millionths_is_read_back(amount: int) -> None:
    assert millionths(f"{Decimal(amount) / 1_000_000:f}") == amount


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("-0.00830", "USD", (8_300, "USD")),
        ("-0.00830", "usd", (8_300, "USD")),
        ("0.00000", "USD", (0, "USD")),
        ("0.5", "EUR", (-500_000, "EUR")),
        (None, "USD", None),
        ("", "USD", None),
        ("-0.0083", None, None),
        ("-0.0083", "", None),
        ("soon", "USD", None),
    ],
)
def test_what_a_message_cost_is_a_positive_amount_once_twilio_knows_it(
    text: str | None, unit: str | None, expected: tuple[int, str] | None
) -> None:
    assert read_price(text, unit) == expected


# ---------------------------------------------------------------------------------------------- reading prices


def test_the_price_list_is_what_its_carriers_ask_at_least_and_at_most() -> None:
    assert US.sms == {
        "local": Cost(8_300, 8_500),
        "toll-free": Cost(8_300, 8_300),
        "shortcode": Cost(7_900, 7_900),
    }
    assert (US.country, US.currency, US.fetched_at) == ("US", "USD", AT)


def test_prices_may_be_numbers_as_the_contract_says_or_texts_as_twilio_sends() -> None:
    said = json.loads(
        json.dumps(country(carrier("O2", mobile=0.104), carrier("Telekom", mobile="0.112"))),
        parse_float=Decimal,
    )
    assert prices_of("DE", said).sms == {"mobile": Cost(104_000, 112_000)}


@pytest.mark.parametrize(
    "carriers",
    [
        None,
        [],
        [{}],
        ["O2"],
        [{"prices": None}],
        [{"prices": [None, {}, {"number_type": "mobile"}]}],
        [carrier("O2", mobile=None)],
        [carrier("O2", mobile="free")],
        [carrier("O2", mobile="-0.1")],
        [{"prices": [{"number_type": None, "current_price": "0.1"}]}],
    ],
)
def test_prices_that_make_no_sense_are_left_out(carriers: Any) -> None:
    assert prices_of("DE", country() | {"outbound_sms_prices": carriers}).sms == {}


@pytest.mark.parametrize(
    "said", [None, [], "x", {}, {"price_unit": "USD"}, country() | {"price_unit": None}]
)
def test_what_is_no_price_list_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match="Messaging Country"):
        prices_of("DE", said)


def test_prices_survive_being_written_down() -> None:
    written = json.loads(json.dumps(PRICES.to_plain()))
    assert PriceTable.from_plain(written) == PRICES
    assert CountryPrices.from_plain(json.loads(json.dumps(US.to_plain()))) == US


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {**US.to_plain(), "fetched_at": "yesterday"},
        {**US.to_plain(), "sms": {"local": [1]}},
        {**US.to_plain(), "sms": {"local": ["x", 2]}},
        {**US.to_plain(), "sms": {"local": 1}},
    ],
)
def test_what_was_written_otherwise_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        CountryPrices.from_plain(plain)


# ---------------------------------------------------------------------------------------------- price table


@pytest.mark.parametrize(
    ("iso", "kind", "segments", "number_types", "expected"),
    [
        ("US", "sms", 1, None, Cost(7_900, 8_500 + US_FEE)),
        ("US", "sms", 3, None, Cost(3 * 7_900, 3 * (8_500 + US_FEE))),
        ("US", "sms", 1, {"toll-free"}, Cost(8_300, 8_300 + US_FEE)),
        ("US", "sms", 1, {"local", "toll-free"}, Cost(8_300, 8_500 + US_FEE)),
        ("US", "sms", 1, {"alphanumeric"}, Cost(7_900, 8_500 + US_FEE)),
        ("US", "mms", 1, None, Cost(MMS, MMS + US_MMS_FEE)),
        ("US", "mms", 7, {"local"}, Cost(MMS, MMS + US_MMS_FEE)),
        ("CA", "sms", 1, None, Cost(8_300, 8_300 + 5_500)),
        ("CA", "mms", 1, None, Cost(MMS, MMS + 9_100)),
        ("DE", "sms", 2, None, Cost(208_000, 224_000)),
        ("DE", "sms", 2, {"local"}, Cost(208_000, 224_000)),
        ("DE", "mms", 1, None, None),
        ("FR", "sms", 1, None, None),
        ("US", "sms", 0, None, None),
    ],
)
def test_an_sms_costs_by_the_segment_an_mms_by_the_message_and_carriers_may_add_to_it(
    iso: str, kind: Kind, segments: int, number_types: set[str] | None, expected: Cost | None
) -> None:
    kinds = frozenset(number_types) if number_types else None
    assert PRICES.of(iso, kind=kind, segments=segments, number_types=kinds) == expected


def test_fees_and_mms_are_known_in_dollars_only() -> None:
    euros = table(replace(US, currency="EUR"))
    assert euros.of("US", kind="sms", segments=1) == Cost(7_900, 8_500)
    assert euros.of("US", kind="mms", segments=1) is None


def test_a_country_without_prices_has_no_price() -> None:
    nothing = replace(US, sms={})
    assert nothing.a_segment(None) is None
    assert nothing.a_segment(frozenset({"local"})) is None


def test_a_table_is_as_old_as_its_oldest_prices() -> None:
    old = replace(DE, fetched_at=AT - timedelta(days=3))
    assert table(US, old).fetched_at == AT - timedelta(days=3)


def test_a_table_has_one_currency_and_no_country_without_prices() -> None:
    nothing = CountryPrices(country="KP", currency="", fetched_at=AT - timedelta(days=9), sms={})
    made = table(nothing, US, replace(DE, currency="EUR"))
    assert (made.currency, set(made.countries), made.fetched_at) == ("USD", {"US"}, AT)
    assert table_of([nothing]) is None
    assert table_of([]) is None


# ---------------------------------------------------------------------------------------------- estimates


@pytest.mark.parametrize(
    ("to", "is_mms", "expected"),
    [
        ("+12025550123", False, Cost(7_900, 8_500 + US_FEE)),
        ("+12025550123", True, Cost(MMS, MMS + US_MMS_FEE)),
        ("+14165550123", False, Cost(8_300, 8_300 + 5_500)),
        ("+4915123456789", False, Cost(104_000, 112_000)),
        ("+18765550123", False, None),
        ("+33612345678", False, None),
        ("+88213123456", False, None),
    ],
)
def test_a_message_is_estimated_by_the_country_of_its_number(
    to: str, is_mms: bool, expected: Cost | None
) -> None:
    assert estimate(to, segments=1, is_mms=is_mms, prices=PRICES) == expected


def test_without_prices_there_is_no_estimate() -> None:
    assert estimate("+12025550123", segments=1, is_mms=False, prices=None) is None


@given(costs, costs, st.integers(0, 1000))
def test_costs_add_up_and_stay_ranges(one: Cost, other: Cost, times: int) -> None:
    both = one + other
    assert (both.low, both.high) == (one.low + other.low, one.high + other.high)
    assert times * one == one * times == sum((one for _ in range(times)), start=FREE)
    assert both.low <= both.high


@given(st.lists(st.none() | costs), st.lists(st.none() | costs))
def test_a_total_counts_what_it_does_not_know_and_may_be_made_in_parts(
    some: list[Cost | None], others: list[Cost | None]
) -> None:
    whole = total(some + others)
    assert whole == total(some) + total(others)
    assert whole.unpriced == (some + others).count(None)
    assert whole.priced + whole.unpriced == len(some + others)
    assert total([]) == Total()


# ---------------------------------------------------------------------------------------------- budget


@pytest.mark.parametrize(
    ("limit", "spent", "cost", "fits"),
    [
        (100, 0, Cost(1, 100), True),
        (100, 0, Cost(1, 101), False),
        (100, 60, Cost(40, 40), True),
        (100, 60, Cost(1, 41), False),
        (100, 100, FREE, True),
        (100, 120, FREE, False),
        (0, 0, Cost(0, 1), False),
        (100, 0, None, False),
    ],
)
def test_only_what_can_be_paid_at_its_highest_fits(
    limit: int, spent: int, cost: Cost | None, fits: bool
) -> None:
    assert Budget(limit, spent).fits(cost) is fits


@given(amounts, st.lists(costs), st.data())
def test_whoever_spends_only_what_fits_never_pays_more_than_the_limit(
    limit: int, chunks: list[Cost], data: st.DataObject
) -> None:
    budget, paid = Budget(limit), 0
    for chunk in chunks:
        if budget.fits(chunk):
            budget = budget.after(chunk)
            paid += data.draw(st.integers(chunk.low, chunk.high))
    assert paid <= limit
    assert budget.left == limit - budget.spent


def test_an_overdrawn_budget_has_nothing_left() -> None:
    assert Budget(100, 120).left == 0
