"""POST /messages and GET /messages/{id}: one message, sent once; nothing for a request that breaks its contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.messages.app import lambda_handler
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.twilio import Answer, FakeTwilio

TO = "+12025550123"


def post(context: Context, body: object, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = lambda_handler(http("POST", "/messages", body, **more), context)
    return answer["statusCode"], json.loads(answer["body"])


def get(context: Context, message_id: str) -> tuple[int, dict[str, Any]]:
    answer = lambda_handler(http("GET", f"/messages/{message_id}"), context)
    return answer["statusCode"], json.loads(answer["body"])


# ------------------------------------------------------------------------------------------------ sending


def test_a_text_goes_through_the_service_with_our_id_in_its_callback(
    twilio: FakeTwilio, context: Context
) -> None:
    # WHEN a text is sent
    status, answer = post(context, {"to": TO, "body": "Your table is ready."})
    # THEN Twilio got it once, through the service, and the callback URL names our message
    assert status == 202
    assert answer["status"] == "accepted"
    assert (answer["segments"], answer["encoding"]) == (1, "GSM-7")
    [made] = twilio.made
    assert made["sid"] == answer["sid"]
    assert made["fields"]["MessagingServiceSid"] == SERVICE_SID
    assert made["fields"]["StatusCallback"].startswith(
        f"https://sendpool.example.com/webhooks/status?m={answer['id']}#"
    )


def test_an_mms_carries_its_media(twilio: FakeTwilio, context: Context) -> None:
    urls = ["https://example.com/1.jpg", "https://example.com/2.png"]
    status, _ = post(context, {"to": TO, "media_urls": urls})
    assert status == 202
    assert twilio.made[0]["fields"]["MediaUrl"] == urls


def test_a_scheduled_message_is_given_to_twilio_with_its_time(
    twilio: FakeTwilio, context: Context
) -> None:
    status, answer = post(
        context, {"to": TO, "body": "Soon", "send_at": "2026-11-24T09:00:00-05:00"}
    )
    assert (status, answer["status"]) == (202, "scheduled")
    fields = twilio.made[0]["fields"]
    assert fields["SendAt"] == "2026-11-24T14:00:00Z"
    assert fields["ScheduleType"] == "fixed"


def test_what_was_sent_can_be_fetched(twilio: FakeTwilio, context: Context) -> None:
    _, sent = post(context, {"to": TO, "body": "Hi", "tags": {"order": "7"}})
    status, found = get(context, sent["id"])
    assert status == 200
    assert found == sent


@pytest.mark.parametrize("message_id", ["msg_" + "0" * 32, "nonsense", "bc_0-1-2"])
def test_a_message_that_is_not_there_is_not_found(
    twilio: FakeTwilio, context: Context, message_id: str
) -> None:
    status, problem = get(context, message_id)
    assert (status, problem["code"]) == (404, "not_found")


# ------------------------------------------------------------------------------------------------ once


def test_the_same_key_and_request_is_sent_once(twilio: FakeTwilio, context: Context) -> None:
    headers = {"idempotency-key": "order-7"}
    first = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    second = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    assert first == second
    assert len(twilio.made) == 1


def test_the_same_key_with_another_request_is_refused(twilio: FakeTwilio, context: Context) -> None:
    headers = {"idempotency-key": "order-7"}
    post(context, {"to": TO, "body": "Hi"}, headers=headers)
    status, problem = post(context, {"to": TO, "body": "Other"}, headers=headers)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert len(twilio.made) == 1


def test_an_answer_that_never_came_leaves_the_message_unknown_and_is_not_repeated(
    twilio: FakeTwilio, context: Context
) -> None:
    # GIVEN Twilio makes the message, but the connection is cut before it answers
    twilio.answers[TO] = [Answer(500, error=NoAnswerError("ProtocolError"), made=True)]
    headers = {"idempotency-key": "order-7"}
    # WHEN the caller sends, and repeats
    first = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    second = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    # THEN there is one message, and both answers say that its fate is not known
    assert first == second
    assert (first[0], first[1]["status"], first[1]["reason"]) == (202, "unknown", "ProtocolError")
    assert len(twilio.made) == 1


@pytest.mark.parametrize("made", [True, False])
def test_a_crash_between_claim_and_result_is_resolved_by_twilios_list(
    twilio: FakeTwilio, context: Context, clock: Clock, made: bool
) -> None:
    # GIVEN the function is killed inside the call to Twilio, before or after Twilio made the message
    class Killed(BaseException):
        pass

    def kill(_fields: object) -> None:
        twilio.on_create = lambda _fields: None
        if made:
            twilio._make({"To": TO, "Body": "Hi", "MessagingServiceSid": SERVICE_SID})
        raise Killed

    twilio.on_create = kill
    headers = {"idempotency-key": "order-7"}
    with pytest.raises(Killed):
        post(context, {"to": TO, "body": "Hi"}, headers=headers)
    # WHEN the caller repeats at once
    status, problem = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    # THEN it may still be under way
    assert (status, problem["code"], problem["retryable"]) == (409, "in_progress", True)
    # WHEN the caller repeats after the claim is over, and before Twilio's list counts
    clock.pass_by(minutes=1)
    status, answer = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    # THEN nobody knows, and nothing is sent
    assert (status, answer["status"], answer["reason"]) == (202, "unknown", "no_result")
    assert len(twilio.made) == made
    # WHEN the caller repeats later
    clock.pass_by(minutes=1)
    status, answer = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    # THEN there is exactly one message, and the answer names it
    assert (status, answer["status"]) == (202, "accepted")
    assert [message["sid"] for message in twilio.made] == [answer["sid"]]


# ------------------------------------------------------------------------------------------------ refused


def test_what_twilio_refuses_is_answered_with_its_remedy_and_kept(
    twilio: FakeTwilio, context: Context
) -> None:
    twilio.answers[TO] = [Answer(400, 21211)]
    status, problem = post(context, {"to": TO, "body": "Hi"}, headers={"idempotency-key": "k"})
    assert (status, problem["code"], problem["twilio_code"]) == (
        422,
        "twilio_invalid_recipient",
        21211,
    )
    assert problem["remedy"]
    message_id = problem["detail"].split("; ")[1].split()[0]
    _, kept = get(context, message_id)
    assert (kept["status"], kept["error"]["code"]) == ("failed", 21211)


@pytest.mark.parametrize(
    "answer", [Answer(429, 20429), Answer(0, error=NeverSentError("ConnectTimeoutError"))]
)
def test_when_twilio_took_nothing_the_same_key_may_come_again(
    twilio: FakeTwilio, context: Context, answer: Answer
) -> None:
    twilio.answers[TO] = [answer]
    headers = {"idempotency-key": "k"}
    status, problem = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    assert status in {429, 503}
    assert problem["retryable"] is True
    status, _ = post(context, {"to": TO, "body": "Hi"}, headers=headers)
    assert status == 202
    assert len(twilio.made) == 1


# ------------------------------------------------------------------------------------------------ bad input

BAD_REQUESTS = {
    "no recipient": ({"body": "Hi"}, "missing_field", "to"),
    "number without plus": ({"to": "12025550123", "body": "Hi"}, "invalid_phone", "to"),
    "number with spaces": ({"to": "+1 202 555 0123", "body": "Hi"}, "invalid_phone", "to"),
    "number as number": ({"to": 12025550123, "body": "Hi"}, "wrong_type", "to"),
    "empty body": ({"to": TO, "body": ""}, "body_empty", "body"),
    "blank body": ({"to": TO, "body": " \n"}, "body_empty", "body"),
    "body of 1,601": ({"to": TO, "body": "x" * 1601}, "body_too_long", "body"),
    "body as list": ({"to": TO, "body": ["Hi"]}, "wrong_type", "body"),
    "unknown field": ({"to": TO, "body": "Hi", "form": "x"}, "unknown_field", "form"),
    "nothing to say": ({"to": TO}, "content_missing", "body"),
    "body and template": (
        {"to": TO, "body": "Hi", "content_sid": "HX" + "0" * 32},
        "content_conflict",
        "body",
    ),
    "send_at in 300 s": (
        {"to": TO, "body": "Hi", "send_at": "2026-11-23T15:05:00Z"},
        "send_at_out_of_range",
        "send_at",
    ),
    "send_at in 35 days and a second": (
        {"to": TO, "body": "Hi", "send_at": "2026-12-28T15:00:01Z"},
        "send_at_out_of_range",
        "send_at",
    ),
    "send_at without offset": (
        {"to": TO, "body": "Hi", "send_at": "2026-11-24T15:05:00"},
        "timezone_aware",
        "send_at",
    ),
    "send_at as number": ({"to": TO, "body": "Hi", "send_at": 1795532400}, "wrong_type", "send_at"),
    "11 media": (
        {"to": TO, "media_urls": [f"https://example.com/{n}.jpg" for n in range(11)]},
        "too_many_media",
        "media_urls",
    ),
    "media by http": (
        {"to": TO, "media_urls": ["http://example.com/1.jpg"]},
        "media_not_https",
        "media_urls",
    ),
    "validity of 36,001 s": (
        {"to": TO, "body": "Hi", "validity_period": 36_001},
        "less_than_equal",
        "validity_period",
    ),
    "flag as text": ({"to": TO, "body": "Hi", "shorten_urls": "yes"}, "wrong_type", "shorten_urls"),
    "intent that is none": ({"to": TO, "body": "Hi", "intent": "spam"}, "literal_error", "intent"),
}


@pytest.mark.parametrize(
    ("request_body", "code", "field"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys()
)
def test_a_request_that_breaks_its_contract_sends_and_keeps_nothing(
    twilio: FakeTwilio, aws: Aws, context: Context, request_body: object, code: str, field: str
) -> None:
    answer = lambda_handler(http("POST", "/messages", request_body), context)
    problem = json.loads(answer["body"])
    assert answer["statusCode"] == 422
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert problem["code"] == code
    assert problem["request_id"] == "request-1"
    assert field in {error["field"] for error in problem["errors"]}
    assert twilio.made == []
    assert aws.items() == []


@pytest.mark.parametrize(
    "raw", ['{"to": ', "[]", '[{"to": "+12025550123", "body": "Hi"}]', '"Hi"', "7"]
)
def test_a_body_that_is_no_json_object_is_malformed(
    twilio: FakeTwilio, aws: Aws, context: Context, raw: str
) -> None:
    answer = lambda_handler(http("POST", "/messages", raw=raw), context)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_json")
    assert aws.items() == []


def test_a_request_that_is_too_large_is_refused_unread(
    twilio: FakeTwilio, aws: Aws, context: Context
) -> None:
    answer = lambda_handler(http("POST", "/messages", {"to": TO, "body": "x" * 70_000}), context)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (413, "payload_too_large")
    assert aws.items() == []


def test_a_route_that_is_not_there_is_a_problem_too(twilio: FakeTwilio, context: Context) -> None:
    answer = lambda_handler(http("GET", "/nowhere"), context)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")
