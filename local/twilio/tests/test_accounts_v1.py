"""Accounts v1: auth tokens, consents and contacts, geo permissions, the safe list."""

import json
from typing import Any
from urllib.parse import quote

import pytest
import requests
from twilio.request_validator import RequestValidator

from local.twilio.account.geo import GeoPermissions
from local.twilio.tests.doors import ORDINARY, TIMEOUT, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket

SECONDARY = "/v1/AuthTokens/Secondary"
PROMOTE = "/v1/AuthTokens/Promote"
GEO = "/v1/Messaging/GeoPermissions"
SAFE_LIST = "/v1/SafeList/Numbers"
LOOSE = "+13125550100"
CONSENT = {
    "contact_id": ORDINARY,
    "correlation_id": "ad388b5a46b33b874b0d41f7226db2ef",
    "sender_id": LOOSE,
    "status": "opt-out",
    "source": "website",
}
CONTACT = {
    "contact_id": ORDINARY,
    "correlation_id": "ad388b5a46b33b874b0d41f7226db2ef",
    "country_iso_code": "US",
    "zip_code": "12345",
}


def status_with(twilio: Caller, token: str) -> int:
    auth = (twilio.account.account_sid, token)
    return requests.get(f"{twilio.base_url}/v1/Services", auth=auth, timeout=TIMEOUT).status_code


def bulk(twilio: Caller, kind: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    response = twilio.api("POST", f"/v1/{kind}/Bulk", Items=[json.dumps(each) for each in items])
    assert response.status_code == 201, response.text
    return list(response.json()["items"])


def test_a_secondary_token_opens_the_account_until_it_is_deleted(twilio: Caller) -> None:
    created = twilio.api("POST", SECONDARY)
    assert created.status_code == 201
    token = created.json()["secondary_auth_token"]
    assert created.json()["url"] == twilio.base_url + SECONDARY
    assert status_with(twilio, token) == status_with(twilio, twilio.account.auth_token) == 200
    assert twilio.api("DELETE", SECONDARY).status_code == 204
    assert (status_with(twilio, token), status_with(twilio, twilio.account.auth_token)) == (
        401,
        200,
    )


def test_a_promoted_token_is_the_only_one_and_signs(twilio: Caller, webhook: Webhook) -> None:
    # GIVEN a secondary token
    token = twilio.api("POST", SECONDARY).json()["secondary_auth_token"]
    # WHEN it is promoted
    promoted = twilio.api("POST", PROMOTE)
    assert (promoted.status_code, promoted.json()["auth_token"]) == (200, token)
    # THEN the old one opens nothing
    assert (status_with(twilio, token), status_with(twilio, twilio.account.auth_token)) == (
        200,
        401,
    )
    # AND webhooks are signed with the new one
    url = f"{webhook.url}/status"
    fields = {"To": ORDINARY, "Body": "x", "MessagingServiceSid": twilio.service_sid}
    requests.post(
        f"{twilio.base_url}{twilio.messages_path}.json",
        data=fields | {"StatusCallback": url},
        auth=(twilio.account.account_sid, token),
        timeout=TIMEOUT,
    ).raise_for_status()
    eventually(lambda: webhook.received)
    signed = webhook.received[0]
    signature = signed.headers["X-Twilio-Signature"]
    assert RequestValidator(token).validate(url, signed.params, signature)
    # AND a reset of the services brings the first token back
    twilio.control("POST", "reset", {"services": True})
    assert (status_with(twilio, token), status_with(twilio, twilio.account.auth_token)) == (
        401,
        200,
    )


def test_no_two_tokens_are_alike(twilio: Caller) -> None:
    tokens = [twilio.api("POST", SECONDARY).json()["secondary_auth_token"] for _ in range(3)]
    assert len(set(tokens)) == 3
    assert [status_with(twilio, token) for token in tokens] == [401, 401, 200]


@pytest.mark.parametrize(("method", "path"), [("DELETE", SECONDARY), ("POST", PROMOTE)])
def test_without_a_secondary_token_there_is_nothing(twilio: Caller, method: str, path: str) -> None:
    response = twilio.api(method, path)
    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_consents_block_and_unblock_a_number(twilio: Caller) -> None:
    # GIVEN a recipient who opted out of a number on a website
    assert bulk(twilio, "Consents", CONSENT) == [
        {"correlation_id": CONSENT["correlation_id"], "error_code": 0, "error_messages": []}
    ]
    # THEN that number may not write, others may
    assert twilio.create(From=LOOSE).json()["code"] == 21610
    twilio.make(From="+18885550100")
    # WHEN the recipient opts in again
    bulk(
        twilio,
        "Consents",
        CONSENT | {"status": "opt-in", "date_of_consent": "2024-02-28T10:05:27Z"},
    )
    # THEN it may
    twilio.make(From=LOOSE)


@pytest.mark.parametrize("sender_id", ["+12025550100", "MG" + "5e0d" * 8])
def test_a_consent_counts_for_the_whole_service(twilio: Caller, sender_id: str) -> None:
    bulk(twilio, "Consents", CONSENT | {"sender_id": sender_id})
    failed = twilio.wait_for(twilio.make()["sid"], "failed", "delivered")
    assert (failed["status"], failed["error_code"]) == ("failed", 21610)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"contact_id": "+19"}, "INVALID_CONTACT_ID"),
        ({"contact_id": 5}, "INVALID_CONTACT_ID"),
        ({"correlation_id": "short"}, "INVALID_CORRELATION_ID"),
        ({"sender_id": "MGshort"}, "INVALID_SENDER_ID"),
        ({"status": "maybe"}, "INVALID_STATUS"),
        ({"status": ["opt-in"]}, "INVALID_STATUS"),
        ({"source": "gossip"}, "INVALID_SOURCE"),
        ({"date_of_consent": "2025-03-25"}, "INVALID_DATE_OF_CONSENT"),
        ({"date_of_consent": "2999-01-01T00:00:00Z"}, "INVALID_DATE_OF_CONSENT"),
        ({"date_of_consent": "Tomorrow"}, "INVALID_DATE_OF_CONSENT"),
        ({"date_of_consent": {}}, "INVALID_DATE_OF_CONSENT"),
    ],
)
def test_a_wrong_consent_has_its_reason_and_no_effect(
    twilio: Caller, change: dict[str, Any], reason: str
) -> None:
    result = bulk(twilio, "Consents", CONSENT | change)[0]
    assert (result["error_code"], result["error_messages"]) == (30646, [reason])
    assert twilio.control("GET", "opt-outs") == []


def test_each_item_of_a_bulk_has_its_own_fate(twilio: Caller) -> None:
    # GIVEN the example of Twilio's own description, and a repeated correlation ID
    good = CONSENT | {"contact_id": "+19999999999", "date_of_consent": "2025-02-28T10:05:27Z"}
    bad = CONSENT | {
        "contact_id": "+19",
        "correlation_id": "02520cfa6c432f0e3ec3a38c122d428d",
        "sender_id": "123456",
        "date_of_consent": "2025-03-25",
        "status": "opt-in",
        "source": "opt-in-message",
    }
    results = bulk(twilio, "Consents", good, bad, CONSENT)
    assert [(each["error_code"], each["error_messages"]) for each in results] == [
        (0, []),
        (30646, ["INVALID_CONTACT_ID", "INVALID_DATE_OF_CONSENT"]),
        (30646, ["INVALID_CORRELATION_ID"]),
    ]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"country_iso_code": "CA", "zip_code": "K1A 0B1"}, []),
        ({"country_iso_code": "GB", "zip_code": "SW1A 1AA"}, []),
        ({"contact_id": "+19"}, ["INVALID_CONTACT_ID"]),
        ({"country_iso_code": "us"}, ["INVALID_COUNTRY_ISO_CODE"]),
        ({"zip_code": "1234"}, ["INVALID_ZIP_CODE"]),
        ({"correlation_id": "short"}, ["INVALID_CORRELATION_ID"]),
    ],
)
def test_contacts_are_judged_one_by_one(
    twilio: Caller, change: dict[str, Any], reasons: list[str]
) -> None:
    result = bulk(twilio, "Contacts", CONTACT | change)[0]
    assert result["error_messages"] == reasons
    assert result["error_code"] == (30647 if reasons else 0)


@pytest.mark.parametrize("kind", ["Consents", "Contacts"])
@pytest.mark.parametrize("items", [[], ["no JSON"], ["[]"], ["{}"] * 26])
def test_a_bulk_that_cannot_be_read_is_refused(twilio: Caller, kind: str, items: list[str]) -> None:
    response = twilio.api("POST", f"/v1/{kind}/Bulk", Items=items)
    assert (response.status_code, response.json()["code"]) == (400, 20001)


def permissions(twilio: Caller, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
    fields = [json.dumps(each) for each in wanted]
    response = twilio.api("PATCH", GEO, Permissions=fields)
    assert response.status_code == 200
    return list(response.json()["permissions"])


def test_every_country_is_on_but_the_one_nobody_gets(twilio: Caller) -> None:
    listed = twilio.api("GET", GEO).json()["permissions"]
    assert len(listed) > 200
    assert [each["country_code"] for each in listed if not each["enabled"]] == ["KP"]


def test_countries_of_blocked_prefixes_start_switched_off() -> None:
    geo = GeoPermissions(("+44", "+850"))
    assert [geo.allows(country) for country in ("GB", "KP", "US", "")] == [False, False, True, True]


def test_some_countries_can_be_asked_for(twilio: Caller) -> None:
    listed = twilio.api("GET", f"{GEO}?CountryCode=IN,PK,XX").json()["permissions"]
    assert listed == [
        {"country_code": "IN", "type": "country", "enabled": True, "prefix": "+91", "message": ""},
        {
            "country_code": "PK",
            "type": "country",
            "enabled": True,
            "prefix": "+92",
            "message": "High Risk Country",
        },
    ]


def test_a_country_that_is_off_gets_no_messages(twilio: Caller) -> None:
    british = "+447700900123"
    # WHEN a country is switched off
    off = {"country_code": "GB", "type": "country", "enabled": False}
    assert permissions(twilio, off) == [off | {"error_code": 0, "error_messages": []}]
    # THEN nothing goes there
    refused = twilio.create(To=british)
    assert (refused.status_code, refused.json()["code"]) == (400, 21408)
    # AND it does once it is on again, or after a reset
    permissions(twilio, off | {"enabled": True})
    twilio.make(To=british)
    permissions(twilio, off)
    twilio.control("POST", "reset", {"services": True})
    twilio.make(To=british)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"country_code": "PK"}, "High risk country permission cannot be updated"),
        ({"country_code": "XX"}, "Invalid country code"),
        ({"country_code": None}, "Invalid country code"),
        ({"type": "city"}, "Invalid permission type"),
        ({"enabled": "no"}, "Invalid value of enabled"),
    ],
)
def test_a_permission_that_cannot_change_says_why(
    twilio: Caller, change: dict[str, Any], message: str
) -> None:
    off = {"country_code": "GB", "type": "country", "enabled": False} | change
    result = permissions(twilio, off)[0]
    assert (result["error_code"], result["error_messages"]) == (30649, [message])
    named = twilio.api("GET", f"{GEO}?CountryCode=GB,PK").json()["permissions"]
    assert [each["enabled"] for each in named] == [True, True]


def test_permissions_must_be_sent(twilio: Caller) -> None:
    assert twilio.api("PATCH", GEO).json()["code"] == 20001


def safe(twilio: Caller, method: str, number: str) -> requests.Response:
    return twilio.api(method, f"{SAFE_LIST}?PhoneNumber={quote(number)}")


@pytest.mark.parametrize("number", ["+18001234567", "+18001234xxx"])
def test_the_safe_list_keeps_numbers_and_prefixes(twilio: Caller, number: str) -> None:
    added = twilio.api("POST", SAFE_LIST, PhoneNumber=number)
    assert (added.status_code, added.json()["phone_number"]) == (201, number)
    assert safe(twilio, "GET", number).json() == added.json()
    again = twilio.api("POST", SAFE_LIST, PhoneNumber=number)
    assert (again.status_code, again.json()["code"]) == (400, 20001)
    assert safe(twilio, "DELETE", number).status_code == 204
    gone = [safe(twilio, method, number).json()["code"] for method in ("GET", "DELETE")]
    assert gone == [20404, 20404]


@pytest.mark.parametrize("number", ["", "12345", "+1800123456", "+1xxx", "+1800xxx4567"])
def test_the_safe_list_takes_nothing_else(twilio: Caller, number: str) -> None:
    response = twilio.api("POST", SAFE_LIST, PhoneNumber=number)
    assert (response.status_code, response.json()["code"]) == (400, 20001)


def test_the_safe_list_must_be_told_which_number(twilio: Caller) -> None:
    assert twilio.api("GET", SAFE_LIST).json()["code"] == 20001


@pytest.mark.parametrize("entry", [ORDINARY, ORDINARY[:-3] + "xxx"])
def test_who_is_on_the_safe_list_is_not_taken_for_a_fraud(twilio: Caller, entry: str) -> None:
    # GIVEN a suspicious range
    twilio.control("PATCH", "settings", {"pumping_prefixes": [ORDINARY[:5]]})
    blocked = twilio.wait_for(twilio.make()["sid"], "failed", "undelivered", "delivered")
    assert blocked["error_code"] == 30450
    # WHEN the recipient is put on the safe list
    twilio.api("POST", SAFE_LIST, PhoneNumber=entry)
    # THEN messages arrive
    assert twilio.wait_for(twilio.make()["sid"], "failed", "delivered")["error_code"] is None
