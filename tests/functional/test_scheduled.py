"""Scheduled messages whose hour is over: what no callback told is asked for, oldest first, and once in a while."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any, Literal

import pytest

from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.errors import TwilioBusyError
from sendpool.edge import outbound, warm
from sendpool.workflows.follow_scheduled import Followed, Following, follow_scheduled
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.twilio import FakeTwilio

NEXT_WEEK = timedelta(days=7)


def schedule(clock: Clock, n: int = 0, *, after: timedelta = NEXT_WEEK) -> str:
    """Schedule a message; returns its id."""
    request = {
        "to": f"+1202555{1000 + n}",
        "body": "See you",
        "send_at": (clock() + after).isoformat(),
    }
    answer = json.loads(messages(http("POST", "/messages", request), Context())["body"])
    assert answer["status"] == "scheduled", answer
    message_id: str = answer["id"]
    return message_id


def follow() -> Followed:
    return follow_scheduled(
        Following(
            due=warm.due(),
            messages=warm.messages(),
            gateway=outbound.gateway(),
            queues=warm.queues(),
            now=warm.now,
            may_go_on=lambda: True,
        )
    )


def record(aws: Aws) -> None:
    answer = recorder({"Records": aws.records("CALLBACKS_QUEUE")}, Context())
    assert answer == {"batchItemFailures": []}


def status(message_id: str) -> tuple[str, int | None]:
    body: dict[str, Any] = json.loads(
        messages(http("GET", f"/messages/{message_id}"), Context())["body"]
    )
    return body["status"], body["error"] and body["error"]["code"]


def is_open(aws: Aws) -> bool:
    return any("open" in item for item in aws.items())


@pytest.mark.parametrize(("ends", "code"), [("delivered", None), ("undelivered", 30003)])
def test_a_lost_callback_of_a_message_of_last_week_is_made_good(
    aws: Aws, clock: Clock, twilio: FakeTwilio, ends: str, code: int | None
) -> None:
    message_id = schedule(clock)
    clock.pass_by(days=7, minutes=59)
    assert follow() == Followed()
    twilio.end(twilio.made[0], ends, error_code=code)
    clock.pass_by(minutes=1)
    assert follow() == Followed(asked=1, told=1)
    record(aws)
    assert status(message_id) == (ends, code)
    # AND nobody looks again
    assert not is_open(aws)
    clock.pass_by(days=1)
    assert follow() == Followed()


def test_who_was_told_by_a_callback_asks_nothing(
    aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    message_id = schedule(clock)
    clock.pass_by(days=7)
    body = {
        "received_at": clock().isoformat(),
        "message_id": message_id,
        "fields": {"MessageSid": twilio.made[0]["sid"], "MessageStatus": "delivered"},
    }
    recorder({"Records": [{"messageId": "1", "body": json.dumps(body)}]}, Context())
    clock.pass_by(hours=1)
    assert follow() == Followed()
    assert not is_open(aws)


def test_what_is_still_on_its_way_is_asked_for_every_six_hours_for_two_days(
    aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    message_id = schedule(clock)
    twilio.made[0]["status"] = "sent"
    clock.pass_by(days=7, hours=1)
    asked: list[datetime] = []
    for _ in range(24 * 4):
        if follow().asked:
            asked.append(clock())
        record(aws)
        clock.pass_by(hours=1)
    assert {later - before for before, later in pairwise(asked)} == {timedelta(hours=6)}
    assert len(asked) == 9
    assert not is_open(aws)
    assert status(message_id) == ("sent", None)


def test_a_message_that_twilio_does_not_have_any_more_is_let_go(
    aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    message_id = schedule(clock)
    twilio.made.clear()
    clock.pass_by(days=7, hours=1)
    assert follow() == Followed(asked=1)
    assert not is_open(aws)
    assert status(message_id) == ("scheduled", None)


def test_one_that_was_canceled_meanwhile_is_left_alone(
    aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    message_id = schedule(clock)
    record_, _ = warm.messages().find(message_id)
    assert record_
    assert warm.messages().withdraw(record_, reason="opted_out", now=clock())
    clock.pass_by(days=7, hours=1)
    assert follow() == Followed()
    assert status(message_id)[0] == "canceled"


@pytest.mark.parametrize("error", [NoAnswerError("late"), TwilioBusyError(20429, retry_after=2)])
def test_when_twilio_cannot_be_asked_the_rest_waits(
    aws: Aws,
    clock: Clock,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    ids = [schedule(clock, n) for n in range(3)]
    clock.pass_by(days=7, hours=1)
    for message in twilio.made:
        twilio.end(message, "delivered")

    def refuse(_sid: str) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(twilio, "_fetch", refuse)
        assert follow() == Followed(asked=1, is_stopped=True)
    assert follow() == Followed(asked=3, told=3)
    record(aws)
    assert {status(each)[0] for each in ids} == {"delivered"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_at_any_call_tells_everybody_in_the_end(
    aws: Aws, clock: Clock, twilio: FakeTwilio, when: Literal["before", "after"]
) -> None:
    for call in count(1):
        message_id = schedule(clock, call)
        clock.pass_by(days=7, hours=1)
        twilio.end(twilio.made[-1], "delivered")
        with killed_at(call, when) as was_killed:
            follow()
        follow()
        record(aws)
        assert status(message_id) == ("delivered", None), call
        assert not is_open(aws)
        if not was_killed():
            assert call > 8
            return
