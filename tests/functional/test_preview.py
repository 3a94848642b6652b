"""POST /messages/preview: what would become of a message, without any of it happening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.messages.app import lambda_handler as messages
from sendpool.adapters import aws as clients
from sendpool.adapters.twilio.transport import NeverSentError
from sendpool.edge import prices as edge
from sendpool.edge import warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.test_prices import FakePriceList, country
from tests.functional.twilio import FakeTwilio

TO = "+12025551000"
AT_NIGHT = "2026-11-24T02:30:00Z"


@pytest.fixture(autouse=True)
def price_list(twilio: FakeTwilio) -> Iterator[FakePriceList]:
    fake = FakePriceList({"US": country("US", local="0.0083")})
    edge.use_transport(lambda: fake)
    yield fake
    edge.use_transport()
    assert twilio.made == []


def preview(context: Context, **fields: Any) -> tuple[int, dict[str, Any]]:
    request = {"to": TO, "body": "Your table is ready.", **fields}
    answer = messages(http("POST", "/messages/preview", request), context)
    body: dict[str, Any] = json.loads(answer["body"])
    return answer["statusCode"], body


def test_a_plain_text_is_told_whole(context: Context) -> None:
    status, told = preview(context)
    assert status == 200
    assert told == {
        "decision": "send",
        "reasons": [],
        "earliest": "2026-11-23T15:00:00Z",
        "rule": None,
        "rules": None,
        "remedy": None,
        "encoding": "GSM-7",
        "segments": 1,
        "unicode_characters": [],
        "estimate": {"currency": "USD", "low": "0.0083", "high": "0.0145"},
        "findings": [],
    }


def test_marketing_at_night_says_when_it_may_go(context: Context) -> None:
    _, told = preview(context, category="marketing", at=AT_NIGHT)
    assert (told["decision"], told["reasons"]) == ("defer", ["quiet_hours"])
    assert (told["earliest"], told["rule"]) == ("2026-11-24T13:00:00Z", "US")
    assert told["rules"]
    assert told["estimate"] is None


def test_the_state_where_somebody_lives_decides(context: Context) -> None:
    in_the_evening = "2026-11-24T01:30:00Z"
    _, at_home = preview(context, category="marketing", at=in_the_evening)
    _, in_florida = preview(context, category="marketing", at=in_the_evening, state="FL")
    assert at_home["decision"] == "send"
    assert (in_florida["decision"], in_florida["rule"]) == ("defer", "US-FL")


def test_every_reason_against_it_is_named(
    context: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_COUNTRIES", "CA")
    warm.start_over(clock=clock)
    warm.opt_outs().record(TO, "all", opted_out=True, source="test", at=clock())
    _, told = preview(context)
    assert told["decision"] == "skip"
    assert told["reasons"] == ["opted_out", "country_not_allowed"]
    assert told["earliest"] is None


def test_what_makes_a_text_dear_is_named_with_its_place(context: Context) -> None:
    body = "It\u2019s ready " + "x" * 70
    _, told = preview(context, body=body)
    assert (told["encoding"], told["segments"]) == ("UCS-2", 2)
    [character] = told["unicode_characters"]
    assert (character["character"], character["position"]) == ("\u2019", 2)
    assert (character["segments"], character["replacement"]) == (1, "'")
    # WHEN Twilio swaps look-alikes
    _, told = preview(context, body=body, smart_encoded=True)
    assert (told["encoding"], told["segments"], told["unicode_characters"]) == ("GSM-7", 1, [])


def test_links_count_as_twilio_will_shorten_them(
    context: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_DOMAIN", "go.example.com")
    warm.start_over(clock=clock)
    body = "See https://www.example.com/" + "a" * 150
    assert preview(context, body=body)[1]["segments"] == 2
    assert preview(context, body=body, shorten_urls=True)[1]["segments"] == 1


def test_a_first_marketing_text_needs_its_sender_and_a_way_out(
    context: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch, aws: Aws
) -> None:
    monkeypatch.setenv("BRAND_NAME", "Owl Shop")
    warm.start_over(clock=clock)

    def errors(body: str) -> set[str]:
        _, told = preview(context, body=body, category="marketing")
        return {each["rule"] for each in told["findings"] if each["severity"] == "error"}

    assert errors("20% off this week!") == {"L-BRAND-MISSING", "L-OPTOUT-MISSING"}
    assert errors("Owl Shop: 20% off this week! Reply STOP to opt out") == set()
    # WHEN they were texted before
    clients.dynamodb().put_item(
        TableName="ledger",
        Item={
            "pk": {"S": "MSG#msg_1"},
            "sk": {"S": "MSG"},
            "person": {"S": TO},
            "created_at": {"S": "2026-11-01T00:00:00.000+00:00"},
        },
    )
    assert errors("20% off this week!") == set()


def test_a_public_shortener_is_found_where_it_stands(context: Context) -> None:
    _, told = preview(context, body="Look: https://bit.ly/3xYz")
    [finding] = [each for each in told["findings"] if each["rule"] == "L-URL-SHORTENER"]
    assert finding["severity"] == "error"
    assert finding["text"].startswith("https://bit.ly")
    assert finding["start"] == 6


def test_without_prices_there_is_no_estimate_and_the_rest_is_told(
    context: Context, price_list: FakePriceList
) -> None:
    price_list.trouble = NeverSentError("down")
    status, told = preview(context)
    assert (status, told["estimate"], told["segments"]) == (200, None, 1)


def test_an_mms_is_one_message_and_costs_more(context: Context) -> None:
    _, told = preview(context, media_urls=["https://example.com/a.jpg"], body="x" * 400)
    assert told["segments"] == 1
    assert float(told["estimate"]["low"]) > 0.0083


def test_nothing_is_kept(context: Context, aws: Aws) -> None:
    preview(context, category="marketing", state="FL")
    assert aws.items() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "12"}, "invalid_phone"),
        ({"at": "tomorrow"}, "wrong_type"),
        ({"at": 5}, "wrong_type"),
        ({"state": "Florida"}, "unknown_state"),
        ({"when": AT_NIGHT}, "unknown_field"),
        ({"body": None}, "content_missing"),
    ],
)
def test_bad_input_is_refused(context: Context, fields: dict[str, Any], code: str) -> None:
    status, told = preview(context, **fields)
    assert status == 422
    assert code in {each["code"] for each in told["errors"]}
