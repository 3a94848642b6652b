"""What a create answers: the resource, or Twilio's code for what is wrong with it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, SENDER, TIMEOUT, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket

MAGIC = json.loads((Path(__file__).parent / "magic-numbers.json").read_text())["messages"]
GOOD_MAGIC_SENDER = "+15005550006"
MAGIC_STATUS = {21611: 429}


def in_future(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_with_a_service_a_message_is_accepted_and_has_no_sender_yet(twilio: Caller) -> None:
    message = twilio.make(Body="Hi there")
    assert re.fullmatch(r"SM[0-9a-f]{32}", message["sid"])
    uri = f"{twilio.messages_path}/{message['sid']}"
    dates = {name: message[name] for name in ("date_created", "date_updated")}
    assert all(value.endswith("+0000") for value in dates.values())
    assert message == {
        "sid": message["sid"],
        "account_sid": twilio.account.account_sid,
        "messaging_service_sid": twilio.service_sid,
        "from": None,
        "to": ORDINARY,
        "body": "Hi there",
        "status": "accepted",
        "direction": "outbound-api",
        "num_segments": "0",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "api_version": "2010-04-01",
        **dates,
        "date_sent": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def test_with_a_bare_sender_a_message_is_queued_and_counted(twilio: Caller) -> None:
    message = twilio.make(From=SENDER, Body="x" * 161)
    assert (message["status"], message["from"]) == ("queued", SENDER)
    assert (message["num_segments"], message["messaging_service_sid"]) == ("2", None)


def test_a_service_sid_in_from_acts_as_the_service(twilio: Caller) -> None:
    message = twilio.make(From=twilio.service_sid)
    assert (message["status"], message["from"]) == ("accepted", None)
    assert message["messaging_service_sid"] == twilio.service_sid


def test_a_sender_beside_a_service_is_pinned(twilio: Caller) -> None:
    message = twilio.make(From=SENDER, MessagingServiceSid=twilio.service_sid)
    assert (message["status"], message["from"]) == ("accepted", SENDER)


def test_media_make_an_mms(twilio: Caller) -> None:
    message = twilio.make(Body=None, MediaUrl=["https://example.com/a.jpg"] * 10)
    assert message["sid"].startswith("MM")
    assert message["num_media"] == "10"


def test_a_json_body_counts_as_no_fields(twilio: Caller) -> None:
    url = f"{twilio.base_url}{twilio.messages_path}.json"
    auth = (twilio.account.account_sid, twilio.account.auth_token)
    response = requests.post(url, json={"To": ORDINARY}, auth=auth, timeout=TIMEOUT)
    assert response.json()["code"] == 21604


REFUSED: list[tuple[str, dict[str, Any], int, int]] = [
    ("no recipient", {"To": None}, 400, 21604),
    ("empty recipient", {"To": ""}, 400, 21604),
    ("no sender", {"MessagingServiceSid": None}, 400, 21603),
    ("nothing to say", {"Body": None}, 400, 21619),
    ("empty body", {"Body": ""}, 400, 21602),
    ("body too long", {"Body": "x" * 1601}, 400, 21617),
    ("recipient no number", {"To": "123"}, 400, 21211),
    ("recipient without plus", {"To": "12025550123"}, 400, 21211),
    ("recipient too short for the US", {"To": "+1202555012"}, 400, 21211),
    ("recipient with an area code that cannot be", {"To": "+11025550123"}, 400, 21211),
    ("recipient is a short code", {"To": "12345"}, 400, 21265),
    ("recipient is the sender", {"To": SENDER, "From": SENDER}, 400, 21266),
    ("region without permission", {"To": "+8501921234567"}, 400, 21408),
    ("too many media", {"MediaUrl": ["https://example.com/a.jpg"] * 11}, 400, 21623),
    ("media not on the web", {"MediaUrl": ["ftp://example.com/a.jpg"]}, 400, 21620),
    ("unknown service", {"MessagingServiceSid": "MG" + "0" * 32}, 404, 21701),
    ("malformed service", {"MessagingServiceSid": "MG123"}, 400, 21705),
    ("empty pool", {"MessagingServiceSid": "MG" + "e0e0" * 8}, 400, 21704),
    ("sender of someone else", {"From": "+13105550100"}, 400, 21606),
    ("sender malformed", {"From": "+1?"}, 400, 21212),
    ("validity zero", {"ValidityPeriod": "0"}, 400, 21624),
    ("validity too long", {"ValidityPeriod": "36001"}, 400, 21624),
    ("validity no number", {"ValidityPeriod": "soon"}, 400, 21624),
    ("content sid malformed", {"Body": None, "ContentSid": "HX1"}, 400, 21655),
    (
        "content variables no JSON",
        {"Body": None, "ContentSid": "HX" + "0" * 32, "ContentVariables": "{1"},
        400,
        21656,
    ),
    ("variables without template", {"Body": None, "ContentVariables": "{}"}, 400, 21654),
    (
        "variable no text",
        {"Body": None, "ContentSid": "HX" + "0" * 32, "ContentVariables": '{"1": 2}'},
        400,
        21656,
    ),
    ("premium number", {"To": "+19005550123"}, 400, 21268),
    ("another channel", {"From": SENDER, "To": "whatsapp:+12025550123"}, 400, 21910),
    (
        "channel unknown",
        {"From": "whatsapp:+12025550100", "To": "whatsapp:+12025550123"},
        400,
        63007,
    ),
    ("not a mobile", {"To": "+12025550194"}, 400, 21614),
    ("landline", {"To": "+12025550195"}, 400, 21635),
    ("no route", {"To": "+12025550196"}, 400, 21612),
    ("name to the US", {"From": "Acme"}, 400, 21612),
    (
        "name outside the pool",
        {"From": "Acme", "MessagingServiceSid": "MG" + "5e0d" * 8},
        400,
        21709,
    ),
    ("short code abroad", {"From": "55501", "To": "+447700900123"}, 400, 21612),
    (
        "media abroad",
        {"From": SENDER, "To": "+447700900123", "MediaUrl": "https://example.com/a"},
        400,
        21612,
    ),
    ("fallback with a sender", {"From": SENDER, "FallbackFrom": SENDER}, 400, 21664),
    ("fallback of no service", {"From": "MG" + "5e0d" * 8, "FallbackFrom": SENDER}, 400, 21666),
    ("fallback without RCS", {"FallbackFrom": SENDER}, 400, 21667),
    ("retention unknown", {"ContentRetention": "discard"}, 400, 30029),
    ("address retention", {"AddressRetention": "obfuscate"}, 400, 30030),
    ("price no number", {"MaxPrice": "cheap"}, 400, 21627),
    ("attempt no number", {"Attempt": "first"}, 400, 20001),
    ("risk check unknown", {"RiskCheck": "maybe"}, 400, 20001),
    ("intent unknown", {"MessageIntent": "spam"}, 400, 20001),
    ("flag unknown", {"ShortenUrls": "perhaps"}, 400, 20001),
    ("traffic type unknown", {"TrafficType": "paid"}, 400, 20001),
    ("callback relative", {"StatusCallback": "/status"}, 400, 21609),
    ("callback of another scheme", {"StatusCallback": "ftp://example.com/"}, 400, 21609),
    ("callback without host", {"StatusCallback": "https:///status"}, 400, 21609),
    ("callback with underscore", {"StatusCallback": "https://a_b.example.com/"}, 400, 21609),
    ("callback with a blank", {"StatusCallback": "https://example.com/a b"}, 400, 21609),
    ("callback too long", {"StatusCallback": "https://example.com/" + "x" * 4000}, 400, 21609),
    ("callback with a bad port", {"StatusCallback": "https://example.com:x/"}, 400, 21609),
    ("schedule type unknown", {"ScheduleType": "later", "SendAt": in_future(days=1)}, 400, 35126),
    ("time without type", {"SendAt": in_future(days=1)}, 400, 35126),
    ("schedule without time", {"ScheduleType": "fixed"}, 400, 35111),
    (
        "schedule without service",
        {"From": SENDER, "ScheduleType": "fixed", "SendAt": in_future(days=1)},
        400,
        35118,
    ),
    ("time unreadable", {"ScheduleType": "fixed", "SendAt": "tomorrow"}, 400, 35115),
    ("time impossible", {"ScheduleType": "fixed", "SendAt": "2026-13-01T00:00:00Z"}, 400, 35115),
    (
        "time without zone",
        {"ScheduleType": "fixed", "SendAt": in_future(days=1).rstrip("Z")},
        400,
        35115,
    ),
    ("too soon", {"ScheduleType": "fixed", "SendAt": in_future(seconds=-60)}, 400, 35114),
    ("too late", {"ScheduleType": "fixed", "SendAt": in_future(days=36)}, 400, 35117),
]


@pytest.mark.parametrize(
    ("fields", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_bad_create_is_refused_with_its_code_and_makes_nothing(
    twilio: Caller, fields: dict[str, Any], status: int, code: int
) -> None:
    response = twilio.create(**fields)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["status"] == status
    assert response.json()["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert twilio.control("GET", "truth")["total"] == 0


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("longest body", {"Body": "x" * 1600}),
    ("ten media without text", {"Body": None, "MediaUrl": ["https://example.com/a"] * 10}),
    ("content template", {"Body": None, "ContentSid": "HX" + "0" * 32}),
    ("longest validity", {"ValidityPeriod": "36000"}),
    ("shortest validity", {"ValidityPeriod": "1"}),
    ("number abroad", {"To": "+447700900123"}),
    (
        "callback on a literal address with $, query and overrides",
        {
            "StatusCallback": "http://127.0.0.1:9/_aws/execute-api/x/$default/status"
            "?m=1#rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"
        },
    ),
    ("name abroad", {"From": "Acme", "To": "+447700900123"}),
    ("a short code at home", {"From": "55501"}),
    (
        "every switch",
        {
            "SmartEncoded": "true",
            "SendAsMms": "false",
            "ShortenUrls": "false",
            "RiskCheck": "disable",
            "ProvideFeedback": "true",
            "Attempt": "2",
            "MaxPrice": "0.5",
            "MessageIntent": "otp",
            "TrafficType": "free",
            "ContentRetention": "retain",
            "AddressRetention": "retain",
        },
    ),
    ("soonest", {"ScheduleType": "fixed", "SendAt": in_future(hours=1)}),
    ("latest", {"ScheduleType": "fixed", "SendAt": in_future(days=34, hours=23)}),
]


@pytest.mark.parametrize("fields", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_create_at_the_edge_of_what_is_allowed_passes(
    twilio: Caller, fields: dict[str, Any]
) -> None:
    assert twilio.create(**fields).status_code == 201


def test_on_a_trial_account_only_verified_recipients_pass(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"trial": True, "verified_numbers": [ORDINARY]})
    assert twilio.create(To=ORDINARY).status_code == 201
    refused = twilio.create(To="+12025550124")
    assert (refused.status_code, refused.json()["code"]) == (400, 21608)


@pytest.mark.parametrize("row", MAGIC["From"], ids=lambda row: str(row["meaning"]))
def test_magic_senders_answer_test_credentials(twilio: Caller, row: dict[str, Any]) -> None:
    sender = "+15005550000" if row["number"] == "*" else row["number"]
    response = twilio.with_test_credentials().create(From=sender)
    assert response.json().get("code") == row["code"]
    expected = MAGIC_STATUS.get(row["code"], 400) if row["code"] else 201
    assert response.status_code == expected


@pytest.mark.parametrize("row", MAGIC["To"], ids=lambda row: str(row["meaning"]))
def test_magic_recipients_answer_test_credentials(twilio: Caller, row: dict[str, Any]) -> None:
    to = ORDINARY if row["number"] == "*" else row["number"]
    response = twilio.with_test_credentials().create(From=GOOD_MAGIC_SENDER, To=to)
    assert response.json().get("code") == row["code"]
    assert response.status_code == (400 if row["code"] else 201)


def test_test_credentials_keep_and_call_back_nothing(twilio: Caller, webhook: Webhook) -> None:
    testing = twilio.with_test_credentials()
    made = testing.create(From=GOOD_MAGIC_SENDER, StatusCallback=webhook.url)
    assert (made.json()["status"], made.json()["error_code"]) == ("queued", None)
    assert made.json()["account_sid"] == testing.account.account_sid
    assert twilio.control("GET", "truth")["total"] == 0
    refused = testing.api("GET", f"{testing.messages_path}.json")
    assert (refused.status_code, refused.json()["code"]) == (403, 20008)
    live_service = testing.create(MessagingServiceSid=twilio.service_sid)
    assert live_service.json()["code"] == 21701


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"From": GOOD_MAGIC_SENDER}, 21606), ({"To": "+15005550006"}, 21211)],
)
def test_live_credentials_know_no_magic(twilio: Caller, fields: dict[str, Any], code: int) -> None:
    assert twilio.create(**fields).json()["code"] == code


def test_an_opted_out_recipient_is_accepted_by_a_service_and_fails_later(twilio: Caller) -> None:
    message = twilio.make(To="+12025550190")
    assert message["status"] == "accepted"
    failed = twilio.wait_for(message["sid"], "failed")
    assert failed["error_code"] == 21610


def test_requests_above_the_limit_of_the_account_are_refused_and_make_nothing(
    twilio: Caller,
) -> None:
    # GIVEN a limit of one, and one request that hangs
    twilio.control("PATCH", "settings", {"max_concurrent_requests": 1})
    twilio.control("POST", "faults", {"kind": "made_then_hang", "seconds": 600})
    hanging = twilio.begin_create()
    eventually(lambda: twilio.control("GET", "truth")["total"] == 1)
    # WHEN another comes
    refused = twilio.create()
    # THEN it is told to come again later, and nothing was made
    assert (refused.status_code, refused.json()["code"]) == (429, 20429)
    assert twilio.control("GET", "truth")["total"] == 1
    # AND once the first is gone there is room again
    hanging.close()
    assert eventually(lambda: twilio.create().status_code == 201)
