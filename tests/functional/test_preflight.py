"""A campaign is judged through the API: by our names or Twilio's, whatever it lacks, and from the form alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.compliance.app import lambda_handler
from sendpool.edge import warm
from tests.functional.aws import Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.rest import killed_at

pytestmark = pytest.mark.usefixtures("aws")

PATH = "/compliance/campaigns/preflight"
SAMPLES = [
    "Owl Shop: We have your order 4471. Reply STOP to opt out",
    "Owl Shop: Your receipt is ready at the counter.",
]


def judge(body: object = None, *, raw: str | None = None) -> tuple[int, dict[str, Any]]:
    answer = lambda_handler(http("POST", PATH, body, raw=raw), Context())
    return answer["statusCode"], json.loads(answer["body"])


def told(body: object) -> dict[str, dict[str, Any]]:
    status, answer = judge(body)
    assert status == 200
    return {each["rule"]: each for each in answer["findings"]}


def test_a_finding_says_where_what_why_and_what_to_do() -> None:
    samples = [SAMPLES[0], "Owl Shop: Your receipt is at http://owl.shop/r/1"]

    assert told({"message_samples": samples, "has_embedded_links": True})["P-HTTP"] == {
        "rule": "P-HTTP",
        "codes": [30964],
        "field": "message_samples.1",
        "severity": "reject",
        "message": "the link is not secured",
        "fix": "Use https.",
        "text": "http://owl.shop/r/1",
    }


def test_fields_may_bear_the_names_that_twilio_gives_them() -> None:
    ours = {"message_samples": SAMPLES, "us_app_to_person_usecase": "2FA", "age_gated": True}
    twilios = {"MessageSamples": SAMPLES, "UsAppToPersonUsecase": "2FA", "AgeGated": True}

    assert judge(ours) == judge(twilios)
    assert "P-SAMPLE-USE-CASE" in told(twilios)


def test_nobody_is_asked() -> None:
    with killed_at(1, "before") as killed:
        status, _ = judge({"privacy_policy_url": "https://owl.shop/privacy"})

    assert (status, killed()) == (200, False)


def test_what_is_missing_is_a_finding() -> None:
    status, answer = judge({"description": None})

    assert (status, answer["verdict"]) == (200, "reject")
    missing = {each["field"] for each in answer["findings"] if each["rule"] == "P-MISSING"}
    assert missing >= {"description", "message_flow", "has_embedded_links"}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"description": 7}, 422, "wrong_type", "description"),
        ({"MessageSamples": "one"}, 422, "wrong_type", "MessageSamples"),
        ({"message_samples": ["one", None]}, 422, "wrong_type", "message_samples.1"),
        ({"has_embedded_links": "true"}, 422, "wrong_type", "has_embedded_links"),
        ({"messaging_service_sid": "MG1"}, 422, "unknown_field", "messaging_service_sid"),
    ],
)
def test_only_what_is_no_form_is_refused(body: object, status: int, code: str, field: str) -> None:
    got, problem = judge(body)

    assert (got, problem["code"]) == (status, code)
    assert [each["field"] for each in problem["errors"]] == [field]


@pytest.mark.parametrize("raw", ["", "{", "[]", '"a"'])
def test_a_body_that_is_no_object_is_refused(raw: str) -> None:
    status, _ = judge(raw=raw)

    assert status in {400, 422}


def test_the_brand_is_the_accounts_own_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("BRAND_NAME", "Eagle Shop")
    warm.start_over(clock=clock)

    assert "P-SAMPLE-BRAND" in told({"message_samples": SAMPLES})
    assert "P-SAMPLE-BRAND" not in told({"message_samples": SAMPLES, "brand_name": "Owl Shop"})
