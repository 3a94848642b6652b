"""Pricing v1: what messages cost, and that they are charged so."""

from decimal import Decimal
from typing import Any

import pytest

from local.twilio.account.senders import SenderKind
from local.twilio.pricing.prices import PriceList
from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

COUNTRIES = "/v1/Messaging/Countries"


def test_countries_are_listed_page_by_page(twilio: Caller) -> None:
    page = twilio.api("GET", f"{COUNTRIES}?PageSize=20").json()
    assert page["meta"]["key"] == "countries"
    rest = twilio.api("GET", page["meta"]["next_page_url"].removeprefix(twilio.base_url)).json()
    listed = page["countries"] + rest["countries"]
    codes = [each["iso_country"] for each in listed]
    assert codes == sorted(codes)
    assert {"US", "CA", "GB", "DE", "FR", "AU", "IN", "BR", "MX"} < set(codes)
    assert len(codes) >= 30
    assert listed[-2] == {
        "country": "United States",
        "iso_country": "US",
        "url": f"{twilio.base_url}{COUNTRIES}/US",
    }


def rows(prices: list[dict[str, Any]]) -> dict[str, str]:
    assert all(each["base_price"] == each["current_price"] for each in prices)
    return {each["number_type"]: each["current_price"] for each in prices}


def test_a_country_has_prices_by_carrier_and_number_type(twilio: Caller) -> None:
    country = twilio.api("GET", f"{COUNTRIES}/US").json()
    assert (country["country"], country["price_unit"]) == ("United States", "USD")
    carriers = {each["carrier"]: each for each in country["outbound_sms_prices"]}
    assert set(carriers) == {"AT&T", "T-Mobile", "Verizon"}
    assert (carriers["Verizon"]["mcc"], carriers["Verizon"]["mnc"]) == ("311", "480")
    assert rows(carriers["Verizon"]["prices"]) == {
        "local": "0.0083",
        "mobile": "0.0083",
        "toll-free": "0.0083",
        "shortcode": "0.0083",
    }
    assert set(rows(country["inbound_sms_prices"])) == {"local", "toll-free", "shortcode"}


def test_every_country_has_both_kinds_of_prices(twilio: Caller) -> None:
    for listed in twilio.api("GET", f"{COUNTRIES}?PageSize=100").json()["countries"]:
        country = twilio.api("GET", f"{COUNTRIES}/{listed['iso_country']}").json()
        assert rows(country["inbound_sms_prices"])
        assert all(rows(each["prices"]) for each in country["outbound_sms_prices"])
        assert len(country["outbound_sms_prices"]) >= 2


def test_a_country_may_be_written_small_but_must_exist(twilio: Caller) -> None:
    assert twilio.api("GET", f"{COUNTRIES}/de").json()["iso_country"] == "DE"
    response = twilio.api("GET", f"{COUNTRIES}/XX")
    assert (response.status_code, response.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("country", "kind", "is_mms", "price"),
    [
        ("US", SenderKind.LONG_CODE, False, "0.0083"),
        ("US", SenderKind.SHORT_CODE, False, "0.0083"),
        ("US", SenderKind.TOLL_FREE, True, "0.022"),
        ("GB", SenderKind.LONG_CODE, False, "0.0524"),
        ("GB", SenderKind.ALPHA, False, "0.0524"),
        ("DE", SenderKind.TOLL_FREE, False, "0.104"),
        ("AQ", SenderKind.LONG_CODE, False, "0.1"),
        ("", SenderKind.CHANNEL, False, "0.1"),
        ("DE", SenderKind.LONG_CODE, True, "0.022"),
    ],
)
def test_the_price_list_knows_a_price_for_every_sender_and_country(
    country: str, kind: SenderKind, is_mms: bool, price: str
) -> None:
    assert PriceList().outbound(country, kind=kind, is_mms=is_mms) == Decimal(price)


@pytest.mark.parametrize(("country", "price"), [("US", "0.0083"), ("GB", "0.0075"), ("", "0.0075")])
def test_receiving_has_its_price_too(country: str, price: str) -> None:
    assert PriceList().inbound(country, kind=SenderKind.LONG_CODE) == Decimal(price)
