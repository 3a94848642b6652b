"""Messaging Services: their settings and their life."""

import pytest

from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

NAME_OF_64 = "n" * 64


def test_a_service_made_with_a_name_alone_has_the_defaults(twilio: Caller) -> None:
    response = twilio.api("POST", "/v1/Services", FriendlyName="Plain")
    made = response.json()
    assert response.status_code == 201
    url = f"{twilio.base_url}/v1/Services/{made['sid']}"
    assert made == {
        "sid": made["sid"],
        "account_sid": twilio.account.account_sid,
        "date_created": made["date_created"],
        "date_updated": made["date_created"],
        "friendly_name": "Plain",
        "inbound_request_url": None,
        "inbound_method": "POST",
        "fallback_url": None,
        "fallback_method": "POST",
        "status_callback": None,
        "sticky_sender": True,
        "mms_converter": True,
        "smart_encoding": True,
        "scan_message_content": "inherit",
        "fallback_to_long_code": True,
        "area_code_geomatch": True,
        "validity_period": 36000,
        "synchronous_validation": False,
        "usecase": "undeclared",
        "use_inbound_webhook_on_number": False,
        "us_app_to_person_registered": False,
        "url": url,
        "links": {
            "phone_numbers": f"{url}/PhoneNumbers",
            "short_codes": f"{url}/ShortCodes",
            "alpha_senders": f"{url}/AlphaSenders",
            "messages": f"{url}/Messages",
            "us_app_to_person": f"{url}/Compliance/Usa2p",
            "us_app_to_person_usecases": f"{url}/Compliance/Usa2p/Usecases",
            "channel_senders": f"{url}/ChannelSenders",
            "destination_alpha_senders": f"{url}/DestinationAlphaSenders",
        },
    }
    assert twilio.api("GET", f"/v1/Services/{made['sid']}").json() == made


def test_every_field_can_be_set_on_creation(twilio: Caller) -> None:
    fields = {
        "FriendlyName": NAME_OF_64,
        "InboundRequestUrl": "https://example.com/in",
        "InboundMethod": "GET",
        "FallbackUrl": "https://example.com/fallback",
        "FallbackMethod": "GET",
        "StatusCallback": "https://example.com/status",
        "StickySender": "false",
        "MmsConverter": "false",
        "SmartEncoding": "false",
        "ScanMessageContent": "disable",
        "FallbackToLongCode": "false",
        "AreaCodeGeomatch": "false",
        "ValidityPeriod": "600",
        "SynchronousValidation": "true",
        "Usecase": "poll",
        "UseInboundWebhookOnNumber": "true",
    }
    made = twilio.api("POST", "/v1/Services", **fields).json()
    assert {
        "friendly_name": NAME_OF_64,
        "inbound_request_url": "https://example.com/in",
        "inbound_method": "GET",
        "fallback_url": "https://example.com/fallback",
        "fallback_method": "GET",
        "status_callback": "https://example.com/status",
        "sticky_sender": False,
        "mms_converter": False,
        "smart_encoding": False,
        "scan_message_content": "disable",
        "fallback_to_long_code": False,
        "area_code_geomatch": False,
        "validity_period": 600,
        "synchronous_validation": True,
        "usecase": "poll",
        "use_inbound_webhook_on_number": True,
    }.items() <= made.items()


def test_an_update_changes_only_the_fields_sent(twilio: Caller) -> None:
    twilio.control("POST", "clock", {"frozen": True})
    path = f"/v1/Services/{twilio.service_sid}"
    before = twilio.api("GET", path).json()
    twilio.control("POST", "clock", {"advance_seconds": 60})
    response = twilio.api(
        "POST",
        path,
        InboundRequestUrl="https://example.com/in",
        StickySender="false",
        ValidityPeriod="600",
        Usecase="marketing",
    )
    after = response.json()
    changed = {name for name in before if before[name] != after[name]}
    assert response.status_code == 200
    assert changed == {
        "date_updated",
        "inbound_request_url",
        "sticky_sender",
        "validity_period",
        "usecase",
    }
    assert twilio.api("GET", path).json() == after


def test_an_empty_url_takes_it_away(twilio: Caller) -> None:
    path = f"/v1/Services/{twilio.service_sid}"
    twilio.api("POST", path, InboundRequestUrl="https://example.com/in")
    assert twilio.api("POST", path, InboundRequestUrl="").json()["inbound_request_url"] is None


WRONG_FIELDS = [
    ({"Usecase": "spam"}, 21713),
    ({"Usecase": ""}, 21713),
    ({"Usecase": "MARKETING"}, 21713),
    ({"ValidityPeriod": "0"}, 21624),
    ({"ValidityPeriod": "36001"}, 21624),
    ({"ValidityPeriod": "soon"}, 21624),
    ({"InboundMethod": "PUT"}, 20001),
    ({"FallbackMethod": "post"}, 20001),
    ({"ScanMessageContent": "maybe"}, 20001),
    ({"FriendlyName": ""}, 20001),
    ({"FriendlyName": NAME_OF_64 + "n"}, 20001),
    ({"StickySender": "perhaps"}, 20001),
    ({"InboundRequestUrl": "not a URL"}, 20001),
    ({"FallbackUrl": "ftp://example.com/"}, 20001),
    ({"StatusCallback": "/relative"}, 20001),
]


@pytest.mark.parametrize(("fields", "code"), WRONG_FIELDS)
def test_a_wrong_field_changes_nothing(twilio: Caller, fields: dict[str, str], code: int) -> None:
    path = f"/v1/Services/{twilio.service_sid}"
    before = twilio.api("GET", path).json()
    wanted = {"SmartEncoding": "false"} | fields
    response = twilio.api("POST", path, **wanted)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert twilio.api("GET", path).json() == before


@pytest.mark.parametrize(("fields", "code"), [*WRONG_FIELDS, ({}, 20001)])
def test_a_wrong_service_is_not_made(twilio: Caller, fields: dict[str, str], code: int) -> None:
    name = {"FriendlyName": "New"} if fields and "FriendlyName" not in fields else {}
    response = twilio.api("POST", "/v1/Services", **name, **fields)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert len(twilio.api("GET", "/v1/Services").json()["services"]) == 2


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_service_is_not_found(twilio: Caller, method: str) -> None:
    response = twilio.api(method, "/v1/Services/MG" + "0" * 32)
    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_an_account_has_room_for_so_many_services(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"max_services": 3})
    assert twilio.api("POST", "/v1/Services", FriendlyName="Third").status_code == 201
    full = twilio.api("POST", "/v1/Services", FriendlyName="Fourth")
    assert (full.status_code, full.json()["code"]) == (400, 21102)


def test_the_list_comes_in_pages(twilio: Caller) -> None:
    # GIVEN five services
    for place in range(3):
        twilio.api("POST", "/v1/Services", FriendlyName=f"Service {place}")
    # WHEN they are read two at a time
    path: str | None = "/v1/Services?PageSize=2"
    sizes, sids = [], []
    while path:
        page = twilio.api("GET", path).json()
        sizes.append(len(page["services"]))
        sids += [service["sid"] for service in page["services"]]
        following = page["meta"]["next_page_url"]
        path = following and following.removeprefix(twilio.base_url)
    # THEN each comes once
    assert sizes == [2, 2, 1]
    assert len(set(sids)) == 5
    assert page["meta"]["key"] == "services"


def test_the_use_cases_are_listed(twilio: Caller) -> None:
    found = twilio.api("GET", "/v1/Services/Usecases").json()["usecases"]
    names = [each["usecase"] for each in found]
    assert names == [
        "notifications",
        "marketing",
        "verification",
        "discussion",
        "poll",
        "undeclared",
    ]
    assert all(each["description"] and each["purpose"] for each in found)


def test_a_deleted_service_is_unknown_and_frees_its_senders(twilio: Caller) -> None:
    # GIVEN the numbers of the default service
    path = f"/v1/Services/{twilio.service_sid}"
    numbers = twilio.api("GET", f"{path}/PhoneNumbers").json()["phone_numbers"]
    # WHEN the service is deleted
    assert twilio.api("DELETE", path).status_code == 204
    # THEN it is unknown
    assert twilio.api("GET", path).status_code == 404
    assert twilio.create().json()["code"] == 21701
    listed = twilio.api("GET", "/v1/Services").json()["services"]
    assert [service["sid"] for service in listed] == [twilio.empty_service_sid]
    # AND its numbers may go elsewhere
    pool = f"/v1/Services/{twilio.empty_service_sid}/PhoneNumbers"
    for number in numbers:
        assert twilio.api("POST", pool, PhoneNumberSid=number["sid"]).status_code == 201


def test_a_reset_brings_the_services_of_the_start_back(twilio: Caller) -> None:
    twilio.api("DELETE", f"/v1/Services/{twilio.service_sid}")
    twilio.api("POST", "/v1/Services", FriendlyName="Another")
    twilio.control("POST", "reset", {"services": True})
    services = twilio.api("GET", "/v1/Services").json()["services"]
    assert [service["sid"] for service in services] == [
        twilio.service_sid,
        twilio.empty_service_sid,
    ]
    assert [service["us_app_to_person_registered"] for service in services] == [True, False]
