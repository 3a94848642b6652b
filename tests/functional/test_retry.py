"""Those who failed for a reason that may pass are tried again, once each, and nobody else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from functions.broadcasts.app import lambda_handler as broadcasts
from sendpool.adapters import aws as clients
from sendpool.edge import warm
from sendpool.workflows import import_recipients
from tests.functional.aws import SERVICE_SID, Aws
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.requests import http
from tests.functional.rest import Deployment, killed_at
from tests.functional.twilio import Answer, FakeTwilio

# what each of ten people's messages comes to: an error at create, or in a callback
REFUSED = {2: 21211, 3: 21703}
FAILED = {4: 30003, 5: 30008, 6: 30034, 7: 30003, 8: 30004}
PASSES = ["4", "5", "7"]


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    return Deployment(flow, clock)


def number(n: int) -> str:
    return f"+1202555{1000 + n}"


def people(count: int = 10) -> list[dict[str, Any]]:
    return [
        {"to": number(n), "variables": {"name": f"Person {n}"}, "timezone": "America/Denver"}
        for n in range(count)
    ]


def failed(stack: Deployment, twilio: FakeTwilio, **request: Any) -> str:
    """A completed broadcast to ten people, row by row with the outcomes above, and one invalid number in front."""
    for n, code in REFUSED.items():
        twilio.answers[number(n)] = [Answer(400, code)]
    recipients = [{"to": "12"}, *people()]
    request = {"body": "Hi {{ name }}", "rate": 50, **request}
    broadcast_id = stack.flow.created(recipients=recipients, start="now", **request)
    stack.rest()
    for n, code in FAILED.items():
        *_, message = twilio.sent_to(number(n))
        stack.flow.call_back(callback(message, "undelivered", error_code=code))
    stack.flow.roll_up()
    return broadcast_id


def in_parts_of_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each row be a part of its own, with a checkpoint after it."""
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(import_recipients, "PART_BYTES", 1)
    monkeypatch.setattr(import_recipients, "PARTS_A_CHECKPOINT", 1)


def retry(flow: Flow, broadcast_id: str, **terms: Any) -> tuple[int, Mapping[str, Any]]:
    return flow.call("POST", f"/broadcasts/{broadcast_id}/retry-failed", terms)


def sent_by(twilio: FakeTwilio, broadcast_id: str) -> list[str]:
    """Whom a broadcast was sent to."""
    return sorted(
        message["body"].removeprefix("Hi Person ")
        for message in twilio.made
        if broadcast_id in message["fields"]["StatusCallback"]
    )


def test_those_who_failed_for_a_reason_that_passes_get_it_once_more(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = failed(stack, twilio)
    report = flow.report(broadcast_id)
    assert {each["code"] for each in report["errors"] if each["retryable"]} == {30003, 30008}
    # WHEN it is tried again, and asked for twice
    status, answer = retry(flow, broadcast_id)
    assert (status, answer["state"], answer["retry_of"]) == (201, "importing", broadcast_id)
    assert retry(flow, broadcast_id) == (201, answer)
    stack.rest()
    # THEN
    assert sent_by(twilio, answer["id"]) == PASSES
    child = flow.report(answer["id"])
    assert (child["state"], child["total"], child["name"]) == ("completed", 3, "Sale")
    # AND the rows are those of the first file
    rows = Counter(
        item["row"] for item in flow.aws.items(prefix=f"BC#{answer['id']}#") if "row" in item
    )
    assert rows == Counter(int(n) + 2 for n in PASSES)
    # AND nothing has changed in the one before
    assert flow.report(broadcast_id) == report
    assert retry(flow, broadcast_id)[1]["id"] == answer["id"]
    stack.rest()
    assert sent_by(twilio, answer["id"]) == PASSES


def test_a_retry_may_be_tried_again_and_keeps_the_rows(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    first = retry(flow, failed(stack, twilio))[1]["id"]
    stack.rest()
    *_, message = twilio.sent_to(number(7))
    flow.call_back(callback(message, "undelivered", error_code=30003))
    flow.roll_up()
    status, second = retry(flow, first)
    assert (status, second["retry_of"]) == (201, first)
    stack.rest()
    assert sent_by(twilio, second["id"]) == ["7"]
    assert {
        item["row"] for item in flow.aws.items(prefix=f"BC#{second['id']}#") if "row" in item
    } == {9}


def test_what_the_operator_has_mended_is_tried_again_by_its_code(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = failed(stack, twilio)
    status, answer = retry(flow, broadcast_id, codes=[30034, 21703, 30008])
    assert status == 201
    stack.rest()
    assert sent_by(twilio, answer["id"]) == ["3", "5", "6"]
    # and other terms are another request
    assert (retry(flow, broadcast_id)[0], retry(flow, broadcast_id)[1]["code"]) == (
        422,
        "idempotency_key_reused",
    )


def test_a_body_is_not_needed(flow: Flow, stack: Deployment, twilio: FakeTwilio) -> None:
    broadcast_id = failed(stack, twilio)
    answer = broadcasts(http("POST", f"/broadcasts/{broadcast_id}/retry-failed"), flow.context)
    assert (answer["statusCode"], json.loads(answer["body"])["state"]) == (201, "importing")


def test_who_stopped_meanwhile_is_skipped(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock
) -> None:
    broadcast_id = failed(stack, twilio)
    warm.opt_outs().record(number(4), SERVICE_SID, opted_out=True, source="keyword", at=clock())
    child = retry(flow, broadcast_id)[1]["id"]
    stack.rest()
    assert sent_by(twilio, child) == ["5", "7"]
    assert flow.report(child)["skipped"] == {"opted_out": 1}


def test_it_may_start_later_or_by_hand(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock
) -> None:
    by_hand = failed(stack, twilio)
    status, answer = retry(flow, by_hand, start="manual", rate=1)
    assert (status, answer["state"]) == (201, "created")
    stack.rest()
    assert sent_by(twilio, answer["id"]) == []
    assert flow.call("POST", f"/broadcasts/{answer['id']}/start")[0] == 202
    stack.rest()
    assert sent_by(twilio, answer["id"]) == PASSES
    # AND at a time
    later = failed(stack, twilio)
    at = clock() + timedelta(hours=1)
    status, answer = retry(flow, later, start=at.isoformat())
    assert (status, answer["state"]) == (201, "scheduled")
    stack.rest()
    assert sent_by(twilio, answer["id"]) == PASSES
    assert clock() >= at


# ------------------------------------------------------------------------------------------------ refusals


def test_a_retry_is_refused_until_everybody_has_an_outcome(flow: Flow, stack: Deployment) -> None:
    broadcast_id = flow.created(recipients=people(), body="Hi", start="now")
    status, answer = retry(flow, broadcast_id)
    assert (status, answer["code"]) == (409, "broadcast_not_completed")
    stack.rest()
    # and when nobody failed
    status, answer = retry(flow, broadcast_id)
    assert (status, answer["code"]) == (409, "nothing_to_retry")
    assert "codes" in answer["remedy"]


def test_a_canceled_one_a_strangers_and_one_without_its_list_are_refused(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, aws: Aws
) -> None:
    assert retry(flow, "bc_" + "0" * 32)[0] == 404
    canceled = flow.created(recipients=people(), body="Hi")
    assert flow.call("POST", f"/broadcasts/{canceled}/cancel")[0] == 202
    assert retry(flow, canceled)[1]["code"] == "broadcast_canceled"
    expired = failed(stack, twilio)
    clients.s3().delete_object(Bucket="files", Key=f"rows/{expired}")
    assert retry(flow, expired)[1]["code"] == "recipients_gone"


def test_a_list_that_expires_before_the_retry_starts_fails_it(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = failed(stack, twilio)
    child = retry(flow, broadcast_id, start="manual")[1]["id"]
    clients.s3().delete_object(Bucket="files", Key=f"rows/{broadcast_id}")
    assert flow.call("POST", f"/broadcasts/{child}/start")[0] == 202
    stack.rest()
    report = flow.report(child)
    assert (report["state"], report["problem"]["code"]) == ("failed", "recipients_gone")


def test_an_expired_broadcast_needs_a_later_expiry(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock
) -> None:
    soon = clock() + timedelta(hours=1)
    broadcast_id = failed(stack, twilio, expire_at=soon.isoformat())
    clock.pass_by(hours=2)
    status, answer = retry(flow, broadcast_id)
    assert (status, answer["code"]) == (422, "expire_at_has_passed")
    later = clock() + timedelta(hours=1)
    status, answer = retry(flow, broadcast_id, expire_at=later.isoformat())
    assert status == 201
    stack.rest()
    assert sent_by(twilio, answer["id"]) == PASSES


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"codes": [21211]}, "code_not_retryable"),
        ({"codes": [30007]}, "code_not_retryable"),
        ({"codes": []}, "too_short"),
        ({"codes": ["30003"]}, "wrong_type"),
        ({"rate": 0}, "greater_than"),
        ({"start": "soon"}, "invalid_start"),
        ({"body": "Hello"}, "unknown_field"),
        (
            {"start": "2026-12-02T00:00:00Z", "expire_at": "2026-12-01T00:00:00Z"},
            "expires_before_start",
        ),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, terms: dict[str, Any], code: str
) -> None:
    broadcast_id = failed(stack, twilio)
    status, answer = retry(flow, broadcast_id, **terms)
    assert (status, answer["code"]) == (422, code)
    stack.rest()
    assert all(broadcast_id in message["fields"]["StatusCallback"] for message in twilio.made)


# ------------------------------------------------------------------------------------------------ long and dying


def test_who_fails_while_a_long_retry_is_read_is_no_part_of_it(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN ticks with no time for more than a row
    broadcast_id = failed(stack, twilio)
    child = retry(flow, broadcast_id)[1]["id"]
    in_parts_of_one_row(monkeypatch)
    monkeypatch.setattr(import_recipients, "_TICK_TIME", timedelta())
    stack.receive()
    stack.tick()
    # WHEN another message fails between two ticks
    [message] = twilio.sent_to(number(9))
    flow.call_back(callback(message, "undelivered", error_code=30003))
    flow.roll_up()
    stack.rest()
    # THEN
    assert sent_by(twilio, child) == PASSES
    assert flow.report(child)["state"] == "completed"


def test_dying_at_any_call_of_its_import_tries_everybody_again_once(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts_of_one_row(monkeypatch)
    for call in count(1):
        broadcast_id = failed(stack, twilio)
        child = retry(flow, broadcast_id)[1]["id"]
        stack.receive()
        with killed_at(call, "before") as was_killed:
            stack.tick()
        # WHEN it stands still, and somebody looks
        clock.pass_by(minutes=11)
        stack.rest()
        # THEN
        assert sent_by(twilio, child) == PASSES, call
        assert flow.report(child)["state"] == "completed"
        flow.aws.forget_items()
        if not was_killed():
            break
    assert call > 15
