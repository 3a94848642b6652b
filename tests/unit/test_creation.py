"""Our own create makes the request that the SDK makes, and reads its answers as the SDK reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.creation import outcome_of
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.message import (
    Accepted,
    OutboundMessage,
    Outcome,
    Refused,
    RefusedForNow,
    Status,
    Unknown,
    outcome_of_refusal,
)

ACCOUNT = "AC" + "1" * 32
SERVICE = "MG" + "1" * 32
CALLBACK = "https://sendpool.example.com/webhooks/status?m=msg_1#rc=3&rp=ct,rt,5xx"
MADE = {"sid": "SM" + "1" * 32, "status": "accepted"}


@dataclass
class Recorder(HttpClient):
    """Keeps what it is asked to send, and answers with one answer."""

    answer: Response
    asked: list[dict[str, Any]] = field(default_factory=list)

    def request(  # type: ignore[override]
        self,
        method: str,
        uri: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        **_: object,
    ) -> Response:
        fields = {"method": method, "uri": uri, "params": params, "data": data}
        self.asked.append({**fields, "headers": headers, "auth": auth})
        return self.answer


def ours(message: OutboundMessage) -> dict[str, Any]:
    recorder = Recorder(Response(201, json.dumps(MADE)))
    gateway = TwilioGateway(
        credentials=Credentials(account_sid=ACCOUNT, auth_tokens=("token",)),
        service_sid=SERVICE,
        http_client=recorder,
    )
    gateway.create(message, status_callback=CALLBACK)
    [asked] = recorder.asked
    return asked


def the_sdks(arguments: Mapping[str, Any]) -> dict[str, Any]:
    recorder = Recorder(Response(201, json.dumps(MADE)))
    Client(ACCOUNT, "token", http_client=recorder).messages.create(
        messaging_service_sid=SERVICE, status_callback=CALLBACK, **arguments
    )
    [asked] = recorder.asked
    return asked


SPELT = {
    "sender": "from_",
    "media_urls": "media_url",
    "intent": "message_intent",
}
OPTIONAL = {
    "body": st.text(min_size=1, max_size=40),
    "content_sid": st.just("HX" + "1" * 32),
    "content_variables": st.just('{"1": "Ann"}'),
    "media_urls": st.lists(st.just("https://example.com/a.png"), min_size=1, max_size=3),
    "sender": st.just("+12025550100"),
    "validity_period": st.integers(1, 36_000),
    "shorten_urls": st.booleans(),
    "smart_encoded": st.booleans(),
    "intent": st.sampled_from(["otp", "marketing"]),
    "send_at": st.datetimes(timezones=st.just(UTC)),
}


@settings(deadline=None)  # the first call imports the SDK
@given(st.fixed_dictionaries({"to": st.just("+12025550123")}, optional=OPTIONAL))
def test_the_request_is_the_sdks(fields: dict[str, Any]) -> None:
    tuples = {"media_urls": tuple(fields["media_urls"])} if "media_urls" in fields else {}
    arguments = {SPELT.get(name, name): value for name, value in fields.items()}
    if "send_at" in fields:
        arguments["schedule_type"] = "fixed"
    assert ours(OutboundMessage(**{**fields, **tuples})) == the_sdks(arguments)


# ------------------------------------------------------------------------------------------------ answers

RFC_9457 = {"type": "https://www.twilio.com/docs/errors/21211", "title": "No", "status": 400}
REFUSALS = [
    (400, json.dumps({"code": 21211, "message": "no", "status": 400})),
    (400, json.dumps({**RFC_9457, "code": 21211})),
    (400, json.dumps({"message": "no", "status": 400})),
    (400, json.dumps({"code": None})),
    (400, json.dumps({"code": 400})),
    (400, "[]"),
    (400, "<html>"),
    (401, json.dumps({"code": 20003})),
    (404, ""),
    (408, "timeout"),
    (429, json.dumps({"code": 20429})),
    (429, json.dumps({"code": 21611})),
    (302, ""),
    (500, json.dumps({"code": 20500})),
    (502, "<html>Bad gateway"),
    (503, json.dumps({"code": 20503})),
]


def as_the_sdk_reads(answer: Response) -> Outcome:
    with pytest.raises((TwilioRestException, TwilioServiceException)) as raised:
        Client(ACCOUNT, "token", http_client=Recorder(answer)).messages.create(to="+12025550123")
    code = raised.value.code
    return outcome_of_refusal(
        http_status=raised.value.status, code=code if code and code >= 10_000 else None
    )


@pytest.mark.parametrize(("status", "text"), REFUSALS)
def test_a_refusal_means_what_the_sdk_reads(status: int, text: str) -> None:
    answer = Response(status, text)
    assert outcome_of(answer) == as_the_sdk_reads(answer)


def test_a_429_without_a_code_is_twilios_20429() -> None:
    assert outcome_of(Response(429, "slow down")) == RefusedForNow(20429, 2)


@pytest.mark.parametrize(
    ("asked", "wait"), [("7", 7), ("1", 2), ("86400", 900), ("soon", 2), ("-1", 2)]
)
def test_a_wait_that_twilio_asks_for_is_heeded_within_what_a_queue_can_wait(
    asked: str, wait: int
) -> None:
    answer = Response(429, json.dumps({"code": 20429}), {"Retry-After": asked})
    assert outcome_of(answer) == RefusedForNow(20429, wait)


def test_a_wait_asked_for_with_a_refusal_for_good_changes_nothing() -> None:
    answer = Response(400, json.dumps({"code": 21211}), {"Retry-After": "7"})
    assert outcome_of(answer) == Refused(21211)


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null", "{}", '{"sid": null}', '{"sid": 1}'])
def test_a_success_that_names_no_message_proves_nothing(text: str) -> None:
    assert outcome_of(Response(200, text)) == Unknown("unreadable_answer")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", Status.ACCEPTED),
        ("queued", Status.QUEUED),
        ("scheduled", Status.SCHEDULED),
        ("a new word", Status.ACCEPTED),
        (None, Status.ACCEPTED),
    ],
)
def test_the_first_status_is_twilios_where_we_know_the_word(word: Any, status: Status) -> None:
    answer = Response(201, json.dumps({"sid": "SM1", "status": word}))
    assert outcome_of(answer) == Accepted("SM1", status)


def test_how_many_requests_the_account_has_in_flight_is_passed_on() -> None:
    heard: list[int] = []
    headers = {"Twilio-Concurrent-Requests": "17"}
    gateway = TwilioGateway(
        credentials=Credentials(account_sid=ACCOUNT, auth_tokens=("token",)),
        service_sid=SERVICE,
        http_client=Recorder(Response(201, json.dumps(MADE), headers)),
        heard=heard.append,
    )
    gateway.create(OutboundMessage(to="+12025550123", body="Hi"), status_callback=CALLBACK)
    assert heard == [17]
