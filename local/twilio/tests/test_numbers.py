"""Incoming phone numbers: found, bought, changed, released."""

from typing import Any

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, Caller

pytestmark = pytest.mark.enable_socket


def numbers_path(twilio: Caller) -> str:
    return f"/2010-04-01/Accounts/{twilio.account.account_sid}/IncomingPhoneNumbers.json"


def buy(twilio: Caller, **fields: object) -> requests.Response:
    return twilio.api("POST", numbers_path(twilio), **fields)


def found(twilio: Caller, query: str = "") -> list[dict[str, Any]]:
    page = twilio.api("GET", f"{numbers_path(twilio)}?{query}").json()
    return list(page["incoming_phone_numbers"])


def test_a_number_tells_what_it_can_do(twilio: Caller) -> None:
    listed = {number["phone_number"]: number for number in found(twilio)}
    assert set(listed) == {
        "+12025550100",
        "+14155550100",
        "+12125550100",
        "+13125550100",
        "+18885550100",
    }
    number = listed["+12025550100"]
    assert number["capabilities"] == {"voice": True, "sms": True, "mms": True, "fax": False}
    assert (number["friendly_name"], number["type"]) == ("(202) 555-0100", "local")
    assert (number["origin"], number["status"], number["sms_url"]) == ("twilio", "in-use", None)
    assert listed["+18885550100"]["type"] == "toll-free"
    assert twilio.api("GET", number["uri"]).json() == number


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("PhoneNumber=%2B12025550100", 1),
        ("PhoneNumber=5550100", 5),
        pytest.param("PhoneNumber=%2B1*125550100", 2, marks=pytest.mark.undocumented_requests),
        ("PhoneNumber=999", 0),
        ("FriendlyName=(415) 555-0100", 1),
        ("FriendlyName=415", 0),
        ("Origin=twilio", 5),
        ("Origin=hosted", 0),
        ("Beta=false", 5),
        ("PhoneNumber=%2B1415&FriendlyName=(202) 555-0100", 0),
    ],
)
def test_numbers_are_found_by_filters(twilio: Caller, query: str, count: int) -> None:
    assert len(found(twilio, query)) == count


def test_pages_of_numbers_lead_to_the_next(twilio: Caller) -> None:
    uri, seen = f"{numbers_path(twilio)}?PageSize=2", []
    while uri:
        page = twilio.api("GET", uri).json()
        seen += [number["phone_number"] for number in page["incoming_phone_numbers"]]
        uri = page["next_page_uri"]
    assert seen == [number["phone_number"] for number in found(twilio)]


@pytest.mark.undocumented_requests
def test_a_bought_number_sends_and_once_released_does_not(twilio: Caller) -> None:
    # GIVEN a number of the market, put into a pool
    bought = buy(twilio, PhoneNumber="+15035550100", FriendlyName="Portland")
    assert bought.status_code == 201
    number = bought.json()
    assert (number["friendly_name"], number["phone_number"]) == ("Portland", "+15035550100")
    pool = f"/v1/Services/{twilio.empty_service_sid}/PhoneNumbers"
    assert twilio.api("POST", pool, PhoneNumberSid=number["sid"]).status_code == 201
    twilio.make(From="+15035550100")
    # WHEN it is released
    assert twilio.api("DELETE", number["uri"]).status_code == 204
    # THEN neither the account nor the pool has it
    assert twilio.api("GET", number["uri"]).status_code == 404
    assert twilio.api("GET", pool).json()["phone_numbers"] == []
    assert twilio.create(From="+15035550100").json()["code"] == 21606
    # AND who buys it again gets another SID
    assert buy(twilio, PhoneNumber="+15035550100").json()["sid"] != number["sid"]


def test_buying_an_own_number_only_changes_it(twilio: Caller) -> None:
    before = found(twilio, "PhoneNumber=%2B1202")[0]
    again = buy(twilio, PhoneNumber=before["phone_number"], SmsUrl="https://example.com/in")
    assert (again.status_code, again.json()["sid"]) == (201, before["sid"])
    assert found(twilio, "PhoneNumber=%2B1202")[0]["sms_url"] == "https://example.com/in"
    assert len(found(twilio)) == 5


def test_an_area_code_buys_the_first_free_number_there(twilio: Caller) -> None:
    numbers = [buy(twilio, AreaCode="202").json()["phone_number"] for _ in range(2)]
    assert numbers == ["+12025550101", "+12025550102"]


def test_a_number_abroad_takes_no_media(twilio: Caller) -> None:
    number = buy(twilio, PhoneNumber="+447700900100").json()
    assert (number["friendly_name"], number["capabilities"]["mms"]) == ("+447700900100", False)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 20001),
        ({"PhoneNumber": "12345"}, 21421),
        ({"PhoneNumber": "+1202555010"}, 21421),
        ({"AreaCode": "20"}, 21451),
        ({"AreaCode": "533"}, 21452),
        ({"PhoneNumber": "+15035550100", "SmsUrl": "nonsense"}, 21402),
        ({"PhoneNumber": "+15035550100", "SmsMethod": "PUT"}, 21403),
        ({"PhoneNumber": "+15035550100", "FriendlyName": "n" * 65}, 20002),
        ({"PhoneNumber": "+15035550100", "SmsFallbackUrl": "https://example.com/"}, 21406),
    ],
)
def test_a_wrong_purchase_buys_nothing(twilio: Caller, fields: dict[str, str], code: int) -> None:
    response = buy(twilio, **fields)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert len(found(twilio)) == 5


def test_an_area_may_be_sold_out(twilio: Caller) -> None:
    for _ in range(99):
        buy(twilio, AreaCode="202")
    assert buy(twilio, AreaCode="202").json()["code"] == 21452


@pytest.mark.undocumented_requests
def test_an_update_changes_only_the_fields_sent(twilio: Caller) -> None:
    twilio.control("POST", "clock", {"advance_seconds": 5})
    before = found(twilio)[0]
    fields = {
        "FriendlyName": "Support",
        "SmsUrl": "https://example.com/in",
        "SmsMethod": "GET",
        "SmsFallbackUrl": "https://example.com/fallback",
        "SmsFallbackMethod": "GET",
        "StatusCallback": "https://example.com/status",
        "StatusCallbackMethod": "GET",
    }
    answer = twilio.api("POST", before["uri"], **fields)
    assert answer.status_code == 200
    after = answer.json()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "friendly_name",
        "sms_url",
        "sms_method",
        "sms_fallback_url",
        "sms_fallback_method",
        "status_callback",
        "status_callback_method",
        "date_updated",
    }
    # an empty value takes a webhook away
    emptied = twilio.api("POST", before["uri"], SmsUrl="", SmsFallbackUrl="").json()
    assert (emptied["sms_url"], emptied["sms_fallback_url"]) == (None, None)


def test_a_wrong_update_changes_nothing(twilio: Caller) -> None:
    before = found(twilio)[0]
    response = twilio.api("POST", before["uri"], FriendlyName="New", SmsUrl="ftp://example.com/")
    assert (response.status_code, response.json()["code"]) == (400, 21402)
    assert found(twilio)[0] == before


@pytest.mark.undocumented_requests
def test_a_reset_of_services_gives_the_numbers_back(twilio: Caller) -> None:
    buy(twilio, PhoneNumber="+15035550100")
    twilio.api("DELETE", found(twilio)[0]["uri"])
    twilio.control("POST", "reset", {"services": True})
    assert found(twilio)[0]["phone_number"] == "+12025550100"
    assert len(found(twilio)) == 5
    assert twilio.make(From="+12025550100", To=ORDINARY)["from"] == "+12025550100"
