"""Not registered: US numbers are not texted from a pool that carriers refuse, and are as soon as they take it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Literal

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.messages.app import lambda_handler as messages
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters import aws as clients
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.senders import SenderPool
from sendpool.edge import duties, warm
from tests.functional.aws import Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.twilio import FakeTwilio

LONG_CODE, TOLL_FREE, LONDON = "+12025550100", "+18885550100", "+447911123456"


def send(context: Context, to: str = "+12025551000") -> dict[str, Any]:
    answer = messages(http("POST", "/messages", {"to": to, "body": "Hello"}), context)
    body: dict[str, Any] = json.loads(answer["body"])
    return body


@pytest.mark.parametrize(
    ("numbers", "short_codes", "campaigns", "is_registered"),
    [
        ([], [], [], True),
        ([LONG_CODE], [], [], False),
        ([LONG_CODE], [], ["PENDING"], False),
        ([LONG_CODE], [], ["FAILED"], False),
        ([LONG_CODE], [], ["VERIFIED"], True),
        ([LONG_CODE, TOLL_FREE], [], [], True),
        ([LONG_CODE], ["55555"], [], True),
        ([LONDON], [], [], True),
        ([LONDON, LONG_CODE], [], [], False),
        ([TOLL_FREE], [], [], True),
    ],
)
def test_what_a_pool_can_do(
    context: Context,
    clock: Clock,
    twilio: FakeTwilio,
    numbers: list[str],
    short_codes: list[str],
    campaigns: list[str],
    is_registered: bool,
) -> None:
    twilio.numbers, twilio.short_codes, twilio.campaigns = numbers, short_codes, campaigns
    sweeper({}, context)
    clock.pass_by(minutes=2)
    message = send(context)
    assert (message["status"] == "accepted") is is_registered
    assert len(twilio.made) == is_registered


def test_who_is_not_registered_is_told_what_to_do_and_may_text_elsewhere(
    context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    twilio.numbers = [LONG_CODE, LONDON]
    sweeper({}, context)
    message = send(context)
    assert (message["status"], message["reason"]) == ("skipped", "sender_not_registered")
    assert "campaign" in message["decision"]["remedy"]
    assert send(context, LONDON)["status"] == "accepted"


def test_an_approval_counts_within_minutes(
    context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    twilio.numbers = [LONG_CODE]
    sweeper({}, context)
    assert send(context)["status"] == "skipped"
    twilio.campaigns = ["VERIFIED"]
    sweeper({}, context)
    assert send(context)["status"] == "skipped"
    clock.pass_by(minutes=5)
    sweeper({}, context)
    assert send(context)["status"] == "accepted"


def test_it_is_asked_for_once_an_hour_and_what_was_found_holds_meanwhile(
    context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    twilio.numbers, twilio.campaigns = [LONG_CODE], ["VERIFIED"]
    sweeper({}, context)
    asked = twilio.service_questions
    clock.pass_by(minutes=59)
    sweeper({}, context)
    assert twilio.service_questions == asked
    # WHEN Twilio cannot be asked
    clock.pass_by(minutes=1)
    twilio.service_error = NoAnswerError("late")
    sweeper({}, context)
    assert send(context)["status"] == "accepted"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sweeper_that_dies_at_any_call_leaves_what_was_found_and_the_next_one_asks(
    context: Context, clock: Clock, twilio: FakeTwilio, when: Literal["before", "after"]
) -> None:
    twilio.numbers, twilio.campaigns = [LONG_CODE], ["VERIFIED"]
    sweeper({}, context)
    for call in count(1):
        twilio.campaigns = [] if twilio.campaigns else ["VERIFIED"]
        clock.pass_by(hours=1)
        with killed_at(call, when) as was_killed:
            duties._check_registration(duties.Turn(Context()))
        duties._check_registration(duties.Turn(Context()))
        clock.pass_by(minutes=2)
        assert (send(context)["status"] == "accepted") is bool(twilio.campaigns), call
        if not was_killed():
            assert call > 2
            return


def test_a_sweep_that_fails_keeps_nobody_from_asking(
    context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    twilio.numbers = [LONG_CODE]

    def refuse(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")

    events = clients.dynamodb().meta.events
    events.register("before-call.dynamodb.Query", refuse)
    with pytest.raises(ReadTimeoutError):
        sweeper({}, context)
    events.unregister("before-call.dynamodb.Query", refuse)
    clock.pass_by(minutes=2)
    assert send(context)["reason"] == "sender_not_registered"


def test_as_long_as_nothing_is_known_everything_goes(context: Context, twilio: FakeTwilio) -> None:
    twilio.numbers = [LONG_CODE]
    assert send(context)["status"] == "accepted"


def test_accounts_that_know_better_switch_it_off(
    context: Context, clock: Clock, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.numbers = [LONG_CODE]
    sweeper({}, context)
    monkeypatch.setenv("REGISTRATION_CHECK", "off")
    warm.start_over(clock=clock)
    assert send(context)["status"] == "accepted"
    asked = twilio.service_questions
    clock.pass_by(hours=3)
    sweeper({}, context)
    assert twilio.service_questions == asked


def test_a_pool_of_nothing_is_registered() -> None:
    assert SenderPool(senders=()).may_text_us
