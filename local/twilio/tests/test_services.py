"""Messaging Services and their pools."""

import pytest

from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket


def test_an_update_changes_only_the_fields_sent(twilio: Caller) -> None:
    path = f"/v1/Services/{twilio.service_sid}"
    before = twilio.api("GET", path).json()
    after = twilio.api(
        "POST",
        path,
        InboundRequestUrl="https://example.com/in",
        StickySender="false",
        ValidityPeriod="600",
        Usecase="marketing",
    ).json()
    changed = {name for name in before if before[name] != after[name]} - {"date_updated"}
    assert changed == {"inbound_request_url", "sticky_sender", "validity_period", "usecase"}
    assert twilio.api("GET", path).json() == after


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Usecase": "spam"}, 21713),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"InboundMethod": "PUT"}, 20001),
        ({"FriendlyName": ""}, 20001),
    ],
)
def test_a_wrong_field_changes_nothing(twilio: Caller, fields: dict[str, str], code: int) -> None:
    path = f"/v1/Services/{twilio.service_sid}"
    before = twilio.api("GET", path).json()
    response = twilio.api("POST", path, StatusCallback="https://example.com/", **fields)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert twilio.api("GET", path).json() == before


def test_the_pool_is_listed(twilio: Caller) -> None:
    page = twilio.api("GET", f"/v1/Services/{twilio.service_sid}/PhoneNumbers").json()
    assert page["meta"]["key"] == "phone_numbers"
    numbers = [number["phone_number"] for number in page["phone_numbers"]]
    assert numbers == ["+12025550100", "+14155550100", "+12125550100"]


def test_a_service_lives_from_creation_to_deletion(twilio: Caller) -> None:
    # GIVEN a new service, which has no numbers
    service_sid = twilio.api("POST", "/v1/Services", FriendlyName="Second").json()["sid"]
    path = f"/v1/Services/{service_sid}"
    assert twilio.create(MessagingServiceSid=service_sid).json()["code"] == 21704
    # WHEN a number moves over
    old_pool = f"/v1/Services/{twilio.service_sid}/PhoneNumbers"
    number = twilio.api("GET", old_pool).json()["phone_numbers"][0]
    taken = twilio.api("POST", f"{path}/PhoneNumbers", PhoneNumberSid=number["sid"])
    assert (taken.status_code, taken.json()["code"]) == (409, 21712)
    assert twilio.api("DELETE", f"{old_pool}/{number['sid']}").status_code == 204
    moved = twilio.api("POST", f"{path}/PhoneNumbers", PhoneNumberSid=number["sid"])
    assert (moved.status_code, moved.json()["service_sid"]) == (201, service_sid)
    again = twilio.api("POST", f"{path}/PhoneNumbers", PhoneNumberSid=number["sid"])
    assert again.json()["code"] == 21710
    # THEN the service sends from it
    sid = twilio.make(MessagingServiceSid=service_sid)["sid"]
    assert twilio.wait_for(sid, "delivered")["from"] == number["phone_number"]
    # AND after its deletion it is unknown
    assert twilio.api("DELETE", path).status_code == 204
    assert twilio.create(MessagingServiceSid=service_sid).json()["code"] == 21701
    listed = twilio.api("GET", "/v1/Services").json()["services"]
    assert [service["sid"] for service in listed] == [
        twilio.service_sid,
        twilio.empty_service_sid,
    ]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_unknown_number_is_not_found(twilio: Caller, method: str) -> None:
    path = f"/v1/Services/{twilio.service_sid}/PhoneNumbers"
    unknown = "PN" + "0" * 31 + "1"
    response = (
        twilio.api("POST", path, PhoneNumberSid=unknown)
        if method == "POST"
        else twilio.api("DELETE", f"{path}/{unknown}")
    )
    assert (response.status_code, response.json()["code"]) == (404, 20404)
