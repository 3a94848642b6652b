"""Test credentials: magic numbers for buying and calling; nothing is kept, nothing else is open."""

import pytest
import requests

from local.twilio.tests.doors import TIMEOUT, Caller

pytestmark = pytest.mark.enable_socket

CALL = {"To": "+12025550123", "From": "+15005550006", "Url": "https://example.com/call"}


def pretend(
    twilio: Caller, resource: str, method: str = "POST", **fields: str
) -> requests.Response:
    sid, token = twilio.account.test_account_sid, twilio.account.test_auth_token
    url = f"{twilio.base_url}/2010-04-01/Accounts/{sid}/{resource}.json"
    return requests.request(method, url, data=fields, auth=(sid, token), timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"PhoneNumber": "+15005550000"}, 21422),
        ({"PhoneNumber": "+15005550001"}, 21421),
        ({"PhoneNumber": "+12025550199"}, 21422),
        ({"AreaCode": "533"}, 21452),
        ({"AreaCode": "202"}, 21452),
        ({"AreaCode": "5"}, 21451),
        ({}, 20001),
        ({"PhoneNumber": "+15005550006", "SmsUrl": "nonsense"}, 21402),
    ],
)
def test_magic_numbers_refuse_a_purchase(twilio: Caller, fields: dict[str, str], code: int) -> None:
    response = pretend(twilio, "IncomingPhoneNumbers", **fields)
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("fields", [{"PhoneNumber": "+15005550006"}, {"AreaCode": "500"}])
def test_a_pretended_purchase_keeps_nothing(twilio: Caller, fields: dict[str, str]) -> None:
    # WHEN a number is bought with test credentials
    response = pretend(twilio, "IncomingPhoneNumbers", **fields, FriendlyName="Mine")
    # THEN the answer shows it as the test account's
    assert response.status_code == 201
    number = response.json()
    assert (number["phone_number"], number["friendly_name"]) == ("+15005550006", "Mine")
    assert number["account_sid"] == twilio.account.test_account_sid
    # AND the account has no more than before
    path = f"/2010-04-01/Accounts/{twilio.account.account_sid}/IncomingPhoneNumbers.json"
    assert len(twilio.api("GET", path).json()["incoming_phone_numbers"]) == 5


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"From": "+15005550001"}, 21212),
        ({"From": "+12025550100"}, 21210),
        ({"To": "+15005550001"}, 21217),
        ({"To": "+15005550002"}, 21214),
        ({"To": "+15005550003"}, 21215),
        ({"To": "+15005550004"}, 21216),
        ({"To": "+1"}, 21217),
        ({"To": ""}, 20001),
        ({"From": ""}, 20001),
        ({"Url": ""}, 21205),
    ],
)
def test_magic_numbers_refuse_a_call(twilio: Caller, fields: dict[str, str], code: int) -> None:
    response = pretend(twilio, "Calls", **(CALL | fields))
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_pretended_call_is_queued(twilio: Caller) -> None:
    response = pretend(twilio, "Calls", **CALL)
    assert response.status_code == 201
    call = response.json()
    assert (call["status"], call["direction"]) == ("queued", "outbound-api")
    assert (call["to"], call["to_formatted"]) == ("+12025550123", "(202) 555-0123")
    assert call["account_sid"] == twilio.account.test_account_sid


def test_live_credentials_find_no_calls(twilio: Caller) -> None:
    path = f"/2010-04-01/Accounts/{twilio.account.account_sid}/Calls.json"
    response = twilio.api("POST", path, **CALL)
    assert (response.status_code, response.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("resource", "method"),
    [
        ("Balance", "GET"),
        ("Addresses", "POST"),
        ("IncomingPhoneNumbers", "GET"),
        ("SMS/ShortCodes", "GET"),
        ("Messages", "GET"),
    ],
)
def test_everything_else_is_closed(twilio: Caller, resource: str, method: str) -> None:
    response = pretend(twilio, resource, method)
    assert (response.status_code, response.json()["code"]) == (403, 20008)
