"""The account itself: what it is, what is left of its money, its addresses and short codes."""

from decimal import Decimal

import pytest

from local.twilio.tests.doors import SENDER, Caller

pytestmark = pytest.mark.enable_socket

ADDRESS = {
    "CustomerName": "Ann Example",
    "Street": "1 Main St",
    "City": "Springfield",
    "Region": "IL",
    "PostalCode": "62701",
    "IsoCountry": "US",
}


def path(twilio: Caller, rest: str) -> str:
    return f"/2010-04-01/Accounts/{twilio.account.account_sid}{rest}.json"


def test_the_account_shows_its_token_and_where_its_resources_are(twilio: Caller) -> None:
    account = twilio.api("GET", path(twilio, "")).json()
    sid = twilio.account.account_sid
    assert (account["sid"], account["owner_account_sid"]) == (sid, sid)
    assert (account["status"], account["type"]) == ("active", "Full")
    assert account["auth_token"] == twilio.account.auth_token
    assert account["subresource_uris"]["short_codes"] == path(twilio, "/SMS/ShortCodes")
    assert len(account["subresource_uris"]) == 20
    assert account["date_created"].endswith("+0000")


def test_a_trial_account_says_so(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"trial": True})
    assert twilio.api("GET", path(twilio, "")).json()["type"] == "Trial"


def test_messages_are_paid_from_the_balance(twilio: Caller) -> None:
    # GIVEN a fresh balance
    before = twilio.api("GET", path(twilio, "/Balance")).json()
    assert before == {
        "account_sid": twilio.account.account_sid,
        "balance": "1000.00",
        "currency": "USD",
    }
    # WHEN a message of two segments has been sent and priced
    sid = twilio.make(From=SENDER, Body="x" * 161)["sid"]
    twilio.wait_for(sid, "delivered")
    twilio.control("POST", "clock", {"until_idle": True})
    # THEN its price is gone
    after = twilio.api("GET", path(twilio, "/Balance")).json()["balance"]
    assert Decimal(after) == Decimal("1000.00") + Decimal(twilio.fetch(sid)["price"])
    assert Decimal(after) == Decimal("999.9834")


@pytest.mark.undocumented_requests
def test_an_address_is_made_fetched_and_found(twilio: Caller) -> None:
    # GIVEN two addresses
    made = twilio.api(
        "POST",
        path(twilio, "/Addresses"),
        **ADDRESS,
        FriendlyName="Office",
        EmergencyEnabled="true",
    )
    other = ADDRESS | {"IsoCountry": "GB", "CustomerName": "Bob"}
    twilio.api("POST", path(twilio, "/Addresses"), **other, StreetSecondary="Flat 2")
    # THEN the first is as it was given
    assert made.status_code == 201
    address = made.json()
    assert (address["customer_name"], address["postal_code"]) == ("Ann Example", "62701")
    assert (address["friendly_name"], address["street_secondary"]) == ("Office", None)
    assert (address["emergency_enabled"], address["validated"]) == (True, False)
    assert twilio.api("GET", address["uri"]).json() == address

    # AND each filter finds the right one
    def found(**query: str) -> list[str]:
        filters = "&".join(f"{name}={value}" for name, value in query.items())
        page = twilio.api("GET", f"{path(twilio, '/Addresses')}?{filters}").json()
        return [each["customer_name"] for each in page["addresses"]]

    assert found() == ["Ann Example", "Bob"]
    assert found(IsoCountry="GB") == ["Bob"]
    assert found(CustomerName="Ann Example") == ["Ann Example"]
    assert found(FriendlyName="Office", EmergencyEnabled="true") == ["Ann Example"]
    assert found(EmergencyEnabled="false") == ["Bob"]


@pytest.mark.parametrize("missing", ADDRESS)
def test_an_address_without_a_required_field_is_refused(twilio: Caller, missing: str) -> None:
    response = twilio.api("POST", path(twilio, "/Addresses"), **(ADDRESS | {missing: ""}))
    assert (response.status_code, response.json()["code"]) == (400, 20001)
    assert missing in response.json()["message"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"IsoCountry": "XX"}, 20001),
        ({"FriendlyName": "n" * 65}, 20002),
        ({"EmergencyEnabled": "perhaps"}, 20001),
    ],
)
def test_a_wrong_address_is_not_kept(twilio: Caller, fields: dict[str, str], code: int) -> None:
    response = twilio.api("POST", path(twilio, "/Addresses"), **(ADDRESS | fields))
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert twilio.api("GET", path(twilio, "/Addresses")).json()["addresses"] == []


def test_pages_of_addresses_lead_to_the_next(twilio: Caller) -> None:
    for number in range(3):
        fields = ADDRESS | {"CustomerName": f"Customer {number}"}
        twilio.api("POST", path(twilio, "/Addresses"), **fields)
    first = twilio.api("GET", f"{path(twilio, '/Addresses')}?PageSize=2").json()
    second = twilio.api("GET", first["next_page_uri"]).json()
    names = [each["customer_name"] for page in (first, second) for each in page["addresses"]]
    assert names == ["Customer 0", "Customer 1", "Customer 2"]
    assert (second["page"], second["start"], second["next_page_uri"]) == (1, 2, None)


@pytest.mark.undocumented_requests
def test_short_codes_are_listed_fetched_and_changed(twilio: Caller) -> None:
    listed = twilio.api("GET", path(twilio, "/SMS/ShortCodes")).json()["short_codes"]
    assert [(each["short_code"], each["friendly_name"]) for each in listed] == [("55501", "55501")]
    uri = listed[0]["uri"]
    assert twilio.api("GET", uri).json() == listed[0]
    changed = twilio.api("POST", uri, FriendlyName="Alerts", SmsUrl="https://example.com/in")
    assert changed.json()["sms_url"] == "https://example.com/in"

    def found(query: str) -> int:
        page = twilio.api("GET", f"{path(twilio, '/SMS/ShortCodes')}?{query}").json()
        return len(page["short_codes"])

    assert (found("FriendlyName=Alerts"), found("FriendlyName=55501")) == (1, 0)
    assert (found("ShortCode=55501"), found("ShortCode=55502")) == (1, 0)


@pytest.mark.parametrize(
    "rest",
    [
        f"/Addresses/AD{'0' * 32}",
        f"/SMS/ShortCodes/SC{'0' * 32}",
        f"/IncomingPhoneNumbers/PN{'0' * 32}",
    ],
)
def test_what_the_account_does_not_have_gets_20404(twilio: Caller, rest: str) -> None:
    response = twilio.api("GET", path(twilio, rest))
    assert (response.status_code, response.json()["code"]) == (404, 20404)
