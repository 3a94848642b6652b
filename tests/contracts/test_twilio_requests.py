"""What the layer sends to Twilio is what Twilio's OpenAPI documents describe."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.message import Accepted, OutboundMessage
from tests.functional.twilio import FakeTwilio

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
STATUS_CALLBACK = "https://hooks.example.com/$default/status?m=msg%201#rc=5"
PLAIN = OutboundMessage(to="+12025550123", body="Hello")

# every field that goes to Twilio, with a value and how Twilio spells it
SENT: dict[str, tuple[Any, dict[str, str | list[str]]]] = {
    "to": ("+14155550123", {"To": "+14155550123"}),
    "body": ("Good morning", {"Body": "Good morning"}),
    "content_sid": ("HX" + "1" * 32, {"ContentSid": "HX" + "1" * 32}),
    "content_variables": ('{"1": "Ann"}', {"ContentVariables": '{"1": "Ann"}'}),
    "media_urls": (
        ("https://example.com/a.png", "https://example.com/b.png"),
        {"MediaUrl": ["https://example.com/a.png", "https://example.com/b.png"]},
    ),
    "sender": ("+12025550100", {"From": "+12025550100"}),
    "send_at": (
        datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=-5))),
        {"SendAt": "2026-11-24T14:30:00Z", "ScheduleType": "fixed"},
    ),
    "validity_period": (300, {"ValidityPeriod": "300"}),
    "shorten_urls": (True, {"ShortenUrls": "true"}),
    "smart_encoded": (False, {"SmartEncoded": "false"}),
    "intent": ("otp", {"MessageIntent": "otp"}),
}
OURS = {"category", "timezone", "state", "tags"}


@pytest.fixture
def twilio() -> FakeTwilio:
    return FakeTwilio(lambda: NOW)


@pytest.fixture
def gateway(twilio: FakeTwilio) -> TwilioGateway:
    return TwilioGateway(
        credentials=Credentials(account_sid="AC" + "1" * 32, auth_tokens=("token",)),
        service_sid="MG" + "1" * 32,
        http_client=twilio,
    )


def test_each_field_of_a_message_is_sent_or_ours() -> None:
    assert {field.name for field in fields(OutboundMessage)} == set(SENT) | OURS


@pytest.mark.parametrize("name", SENT)
def test_a_create_is_documented_with_each_field(
    gateway: TwilioGateway, twilio: FakeTwilio, name: str
) -> None:
    # GIVEN a message with one field more, or another one
    value, spelled = SENT[name]
    message = replace(PLAIN, **{name: value})
    # WHEN it is offered to Twilio
    outcome = gateway.create(message, status_callback=STATUS_CALLBACK)
    # THEN the field goes out, and nothing that Twilio does not know
    assert isinstance(outcome, Accepted)
    assert twilio.requests[-1].form.items() >= _as_lists(spelled).items()
    assert twilio.violations == []


def test_a_create_is_documented_with_all_fields(gateway: TwilioGateway, twilio: FakeTwilio) -> None:
    everything = replace(PLAIN, **{name: value for name, (value, _) in SENT.items()})
    assert isinstance(gateway.create(everything, status_callback=STATUS_CALLBACK), Accepted)
    spelled = {name for _, each in SENT.values() for name in each}
    assert set(twilio.requests[-1].form) == spelled | {"MessagingServiceSid", "StatusCallback"}
    assert twilio.violations == []


def test_a_question_for_messages_is_documented(gateway: TwilioGateway, twilio: FakeTwilio) -> None:
    gateway.create(PLAIN, status_callback=STATUS_CALLBACK)
    [found] = gateway.messages_to(PLAIN.to, since=NOW - timedelta(minutes=1))
    assert found.body == "Hello"
    assert set(twilio.requests[-1].query) == {"To", "PageSize"}
    assert twilio.violations == []


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("content_sid", "HX1", "form/ContentSid"),
        ("validity_period", "soon", "form/ValidityPeriod"),
        ("sender", "+", "form/From"),
    ],
)
def test_what_is_not_documented_would_be_seen(
    gateway: TwilioGateway, twilio: FakeTwilio, name: str, value: Any, where: str
) -> None:
    gateway.create(replace(PLAIN, **{name: value}), status_callback=STATUS_CALLBACK)
    assert {violation.where for violation in twilio.violations} == {where}


def _as_lists(spelled: dict[str, str | list[str]]) -> dict[str, list[str]]:
    return {name: each if isinstance(each, list) else [each] for name, each in spelled.items()}
