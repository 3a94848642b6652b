"""Quiet hours: marketing waits for the hour at which its recipient may be texted; nobody lost, doubled or woken up."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

import pytest

from functions.messages.app import lambda_handler as messages
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters import aws as clients
from sendpool.edge import warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.requests import http
from tests.functional.rest import Deployment, killed_at
from tests.functional.test_control import asked, each_once, parked, people
from tests.functional.twilio import Answer, FakeTwilio

BODY = "Hi {{ name }}"
# Monday, 21:30 in New York, 18:30 in San Francisco
NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
EIGHT_IN_NEW_YORK = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
WASHINGTON, SAN_FRANCISCO, MIAMI = 202, 415, 305


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    clock.at = NIGHT
    return Deployment(flow, clock)


def settle_down(stack: Deployment) -> None:
    """Work off the queues, and let no time pass."""
    for _ in range(20):
        stack.receive()
        while stack.ticks:
            stack.tick()
        while stack.chunks:
            stack.send()
    stack.flow.roll_up()


# ------------------------------------------------------------------------------------------------ broadcasts


def test_who_may_be_texted_now_is_and_the_others_are_when_they_wake_up(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, aws: Aws
) -> None:
    # GIVEN a broadcast at night in Washington and in the evening in San Francisco
    awake, asleep = people(3, area=SAN_FRANCISCO), people(4, area=WASHINGTON)
    mixed = [asleep[0], *awake, *asleep[1:]]
    broadcast_id = flow.created(body=BODY, recipients=mixed, start="now")
    # WHEN it goes out
    settle_down(stack)
    # THEN those who may be texted were, to arrive before 21:00
    assert each_once(twilio, awake)
    until_nine = int(timedelta(hours=2, minutes=30).total_seconds())
    assert {message["fields"]["ValidityPeriod"] for message in twilio.made} == {until_nine}
    report = flow.report(broadcast_id)
    assert report["counters"] == {"accepted": 3, "deferred": 4}
    assert (report["state"], report["outcomes"]) == ("dispatched", 3)
    # AND nothing more goes out for the rest of the night
    clock.at = EIGHT_IN_NEW_YORK - timedelta(seconds=1)
    stack.sweep()
    settle_down(stack)
    assert len(twilio.made) == 3
    # WHEN the day begins
    stack.rest()
    # THEN
    assert clock() >= EIGHT_IN_NEW_YORK
    assert each_once(twilio, mixed)
    assert parked(aws) == 0
    assert flow.report(broadcast_id)["state"] == "completed"


def test_a_chunk_of_sleepers_waits_without_a_sender(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, aws: Aws
) -> None:
    flow.created(body=BODY, recipients=people(250), start="now")
    while not stack.chunks and (stack.receive() or stack.ticks):
        stack.tick()
        stack.receive()
    assert stack.chunks == []
    assert parked(aws) == 3
    stack.rest()
    assert each_once(twilio, people(250))
    assert parked(aws) == 0


def test_what_waits_for_its_hour_goes_out_at_the_broadcasts_pace(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, aws: Aws
) -> None:
    # GIVEN 600 segments that wait, at two a second
    flow.created(body=BODY, recipients=people(600), start="now", rate=2)
    settle_down(stack)
    waiting = parked(aws)
    assert waiting == 60
    # WHEN their hour comes
    clock.at = EIGHT_IN_NEW_YORK
    stack.sweep()
    # THEN a minute's worth is released
    assert parked(aws) == waiting - 12
    sqs = aws.session.client("sqs")
    url = aws.environment["SEND_QUEUE_URL"]
    of_queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert int(of_queue["ApproximateNumberOfMessagesDelayed"]) >= 10
    # AND the next minute's a minute later
    clock.pass_by(seconds=60)
    stack.sweep()
    assert parked(aws) == waiting - 24
    stack.rest()
    assert each_once(twilio, people(600))


@pytest.mark.parametrize(("mps", "a_minute"), [(1.0, [2, 2, 2, 2]), (0.25, [1, 0, 0, 1])])
def test_what_waits_for_its_hour_goes_out_as_fast_as_the_pool_passes_on(
    flow: Flow,
    stack: Deployment,
    clock: Clock,
    twilio: FakeTwilio,
    aws: Aws,
    mps: float,
    a_minute: list[int],
) -> None:
    # GIVEN chunks of a hundred that wait, a pool of three segments a second, or of less than one
    twilio.numbers, twilio.campaigns, twilio.campaign_mps = ["+12025550100"], ["VERIFIED"], mps
    sweeper({}, Context())
    clock.pass_by(minutes=2)
    flow.created(body=BODY, recipients=people(900), start="now")
    settle_down(stack)
    assert parked(aws) == 9
    # WHEN their hour comes THEN of each minute a minute's worth is released
    clock.at = EIGHT_IN_NEW_YORK
    released = []
    for _ in a_minute:
        before = parked(aws)
        stack.sweep()
        released.append(before - parked(aws))
        clock.pass_by(seconds=60)
    assert released == a_minute
    stack.rest()
    assert each_once(twilio, people(900))


def test_a_pause_and_a_resume_wake_nobody_up(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(5), start="now")
    settle_down(stack)
    assert asked(flow, broadcast_id, "pause") == (202, "paused")
    assert asked(flow, broadcast_id, "resume") == (202, "dispatched")
    settle_down(stack)
    assert twilio.made == []
    # WHEN it is paused over the morning
    asked(flow, broadcast_id, "pause")
    clock.at = EIGHT_IN_NEW_YORK + timedelta(hours=1)
    stack.rest()
    assert twilio.made == []
    # THEN it goes on when it may
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(5))


def test_a_cancellation_reaches_those_who_wait(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, aws: Aws
) -> None:
    mixed = people(2, area=SAN_FRANCISCO) + people(3)
    broadcast_id = flow.created(body=BODY, recipients=mixed, start="now")
    settle_down(stack)
    asked(flow, broadcast_id, "cancel")
    settle_down(stack)
    report = flow.report(broadcast_id)
    assert report["skipped"] == {"canceled": 3}
    assert (report["state"], report["outcomes"]) == ("canceled", 5)
    assert parked(aws) == 0
    clock.at = EIGHT_IN_NEW_YORK
    stack.rest()
    assert len(twilio.made) == 2


def test_whoever_could_only_be_texted_after_the_broadcast_expires_is_skipped_at_once(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    mixed = people(2, area=SAN_FRANCISCO) + people(3)
    expire_at = (EIGHT_IN_NEW_YORK - timedelta(hours=1)).isoformat()
    broadcast_id = flow.created(body=BODY, recipients=mixed, start="now", expire_at=expire_at)
    settle_down(stack)
    report = flow.report(broadcast_id)
    assert (report["state"], report["skipped"]) == ("completed", {"expired": 3})
    assert each_once(twilio, mixed[:2])


def test_a_broadcasts_own_window_holds_beside_the_law(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    window = {"opens": "10:00", "closes": "12:00"}
    flow.created(body=BODY, recipients=people(2), start="now", window=window)
    clock.at = EIGHT_IN_NEW_YORK + timedelta(hours=1, minutes=59)
    stack.sweep()
    settle_down(stack)
    assert twilio.made == []
    stack.rest()
    assert clock() >= EIGHT_IN_NEW_YORK + timedelta(hours=2)
    assert each_once(twilio, people(2))
    assert all(int(message["fields"]["ValidityPeriod"]) <= 7_200 for message in twilio.made)


def test_a_zone_or_state_that_is_given_counts(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN a number of San Francisco whose owner lives in Florida, and one of Washington who is in Honolulu
    recipients = people(1, area=SAN_FRANCISCO) + people(1, area=WASHINGTON)
    recipients[0]["variables"]["state"] = "FL"
    recipients[1]["timezone"] = "Pacific/Honolulu"
    flow.created(body=BODY, recipients=recipients, start="now")
    settle_down(stack)
    assert each_once(twilio, recipients[1:])
    stack.rest()
    assert each_once(twilio, recipients)


def test_a_zone_that_does_not_exist_skips_its_row(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    rows = "to,timezone,name\n+14155551000,America/Los_Angeles,Ann\n+14155551001,Mars/Olympus,Bob\n"
    status, broadcast = flow.call(
        "POST", "/broadcasts", {"name": "Sale", "body": BODY, "upload": True}
    )
    assert status == 201
    clients.s3().put_object(Bucket="files", Key=f"uploads/{broadcast['id']}", Body=rows.encode())
    asked(flow, broadcast["id"], "start")
    stack.rest()
    assert flow.report(broadcast["id"])["skipped"] == {"unknown_timezone": 1}
    assert len(twilio.made) == 1


def test_transactional_messages_keep_no_hours(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    flow.created(body=BODY, recipients=people(2), start="now", category="transactional")
    settle_down(stack)
    assert each_once(twilio, people(2))


def test_without_quiet_hours_marketing_goes_at_night(
    flow: Flow,
    stack: Deployment,
    clock: Clock,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QUIET_HOURS", "off")
    warm.start_over(clock=clock)
    flow.created(body=BODY, recipients=people(2), start="now")
    settle_down(stack)
    assert each_once(twilio, people(2))


def test_who_opts_out_while_waiting_is_not_texted(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(3), start="now")
    settle_down(stack)
    opt_out(people(3)[1]["to"])
    stack.rest()
    assert each_once(twilio, people(3)[::2])
    assert flow.report(broadcast_id)["skipped"] == {"opted_out": 1}


def opt_out(person: str) -> None:
    warm.opt_outs().record(person, "all", opted_out=True, source="test", at=warm.now())


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_while_a_chunk_is_put_off_loses_and_doubles_nobody(
    flow: Flow,
    stack: Deployment,
    clock: Clock,
    twilio: FakeTwilio,
    aws: Aws,
    when: Literal["before", "after"],
) -> None:
    for call in count(1):
        # GIVEN another night, and others of whom some may be texted
        clock.at = NIGHT + timedelta(days=call)
        numbers = [f"+1{SAN_FRANCISCO}5551{call:02}{n}" for n in range(2)]
        numbers += [f"+1{WASHINGTON}5551{call:02}{n}" for n in range(3)]
        recipients = [{"to": to, "variables": {"name": "Ann"}} for to in numbers]
        broadcast_id = flow.created(body=BODY, recipients=recipients, start="now")
        stack.receive()
        while stack.ticks:
            stack.tick()
            stack.receive()
        [chunk] = stack.chunks
        # WHEN its sender is killed at this call
        with killed_at(call, when) as was_killed:
            stack.send()
        # THEN what was worked on comes again
        if was_killed():
            stack.chunks = [chunk]
        clock.pass_by(minutes=20)
        settle_down(stack)
        stack.rest()
        made = [message for message in twilio.made if message["to"] in numbers]
        assert sorted(message["to"] for message in made) == sorted(numbers), call
        assert parked(aws) == 0
        assert flow.report(broadcast_id)["state"] == "completed"
        if not was_killed():
            assert call > 8
            return


@pytest.mark.parametrize("is_late", [False, True])
def test_a_sweeper_that_dies_while_it_looks_at_sleepers_forgets_none(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, is_late: bool
) -> None:
    for call in count(1):
        # GIVEN another night, and somebody awake and somebody asleep in one chunk
        clock.at = NIGHT + timedelta(days=call)
        numbers = [f"+1{area}5551{call:03}" for area in (SAN_FRANCISCO, WASHINGTON)]
        recipients = [{"to": to, "variables": {"name": "Ann"}} for to in numbers]
        flow.created(body=BODY, recipients=recipients, start="now")
        stack.receive()
        while stack.ticks:
            stack.tick()
            stack.receive()
        # WHEN a sweeper dies at this call, and the sleeper is put off before it began or just before that call
        if not is_late:
            stack.send()
        clock.pass_by(minutes=20)
        with killed_at(call, "after", beside=stack.send if is_late else None) as was_killed:
            stack.sweep()
        # THEN both are texted, the sleeper in the morning
        settle_down(stack)
        assert sorted(message["to"] for message in twilio.made[-2:]) != sorted(numbers)
        stack.rest()
        assert sorted(message["to"] for message in twilio.made[-2:]) == sorted(numbers), call
        if not was_killed():
            assert call > 5
            return


# ------------------------------------------------------------------------------------------------ single messages


def sent(context: Context, **fields: Any) -> dict[str, Any]:
    request = {"to": "+12025551000", "body": "Sale!", "category": "marketing", **fields}
    answer = messages(http("POST", "/messages", request, headers={"idempotency-key": "k"}), context)
    body: dict[str, Any] = json.loads(answer["body"])
    assert answer["statusCode"] == 202, body
    return body


def fetched(context: Context, message_id: str) -> dict[str, Any]:
    answer = messages(http("GET", f"/messages/{message_id}"), context)
    body: dict[str, Any] = json.loads(answer["body"])
    return body


@pytest.fixture
def night(clock: Clock, twilio: FakeTwilio) -> None:
    clock.at = NIGHT


def test_a_message_at_night_is_deferred_says_until_when_and_goes_in_the_morning(
    context: Context, clock: Clock, twilio: FakeTwilio, night: None
) -> None:
    message = sent(context)
    assert (message["status"], message["reason"]) == ("deferred", "quiet_hours")
    assert message["decision"]["until"] == "2026-11-24T13:00:00Z"
    assert message["decision"]["rule"] == "US"
    assert sent(context)["status"] == "deferred"
    # WHEN the sweeper comes too early
    clock.at = EIGHT_IN_NEW_YORK - timedelta(minutes=1)
    sweeper({}, context)
    assert twilio.made == []
    # WHEN it comes in time, twice
    clock.at = EIGHT_IN_NEW_YORK
    sweeper({}, context)
    sweeper({}, context)
    # THEN
    assert len(twilio.made) == 1
    assert fetched(context, message["id"])["status"] == "accepted"
    assert sent(context)["status"] == "accepted"


def test_a_deferred_message_whose_person_opts_out_is_skipped(
    context: Context, clock: Clock, twilio: FakeTwilio, night: None
) -> None:
    message = sent(context)
    opt_out("+12025551000")
    clock.at = EIGHT_IN_NEW_YORK
    sweeper({}, context)
    assert twilio.made == []
    assert fetched(context, message["id"])["reason"] == "opted_out"


def test_a_deferred_message_that_twilio_does_not_take_now_stays_deferred(
    context: Context, clock: Clock, twilio: FakeTwilio, night: None
) -> None:
    message = sent(context)
    clock.at = EIGHT_IN_NEW_YORK
    twilio.answers["*"] = [Answer(429, 20429)]
    sweeper({}, context)
    assert fetched(context, message["id"])["status"] == "deferred"
    clock.pass_by(minutes=5)
    sweeper({}, context)
    assert len(twilio.made) == 1


def test_a_late_copy_of_the_write_that_deferred_it_again_does_not_send_it_twice(
    context: Context, clock: Clock, twilio: FakeTwilio, night: None
) -> None:
    # GIVEN the write by which a message became deferred again, whose copy is still on its way
    message = sent(context)
    clock.at = EIGHT_IN_NEW_YORK
    twilio.answers["*"] = [Answer(429, 20429)]
    dynamodb = clients.dynamodb()
    writes: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        writes.append(copy.deepcopy(params))

    dynamodb.meta.events.register("provide-client-params.dynamodb.PutItem", note)
    sweeper({}, context)
    dynamodb.meta.events.unregister("provide-client-params.dynamodb.PutItem", note)
    [again] = [each for each in writes if each["Item"]["pk"]["S"] == f"MSG#{message['id']}"]
    clock.pass_by(minutes=5)
    sweeper({}, context)
    assert fetched(context, message["id"])["status"] == "accepted"
    # WHEN it arrives
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(**again)
    clock.pass_by(minutes=5)
    sweeper({}, context)
    # THEN
    assert len(twilio.made) == 1


def test_a_time_to_send_at_night_waits_for_the_morning(
    context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN an afternoon, and a message for the night
    message = sent(context, send_at=NIGHT.isoformat())
    assert message["status"] == "deferred"
    clock.at = EIGHT_IN_NEW_YORK
    sweeper({}, context)
    assert len(twilio.made) == 1
    assert "SendAt" not in twilio.made[0]["fields"]
    assert fetched(context, message["id"])["status"] == "accepted"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 10))
def test_dying_while_a_deferred_message_is_taken_up_sends_it_once(
    context: Context,
    clock: Clock,
    twilio: FakeTwilio,
    night: None,
    call: int,
    when: Literal["before", "after"],
) -> None:
    message = sent(context)
    clock.at = EIGHT_IN_NEW_YORK
    with killed_at(call, when):
        sweeper({}, context)
    for _ in range(4):
        clock.pass_by(minutes=15)
        sweeper({}, context)
    assert len(twilio.made) == 1
    assert fetched(context, message["id"])["status"] == "accepted"


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"timezone": "Mars/Olympus"}, "unknown_timezone"), ({"state": "XX"}, "unknown_state")],
)
def test_a_place_that_does_not_exist_is_refused(
    context: Context, twilio: FakeTwilio, fields: dict[str, str], code: str
) -> None:
    request = {"to": "+12025551000", "body": "Sale!", **fields}
    answer = messages(http("POST", "/messages", request), context)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["code"] == code


# ------------------------------------------------------------------------------------------------ caps and countries


def test_the_fourth_marketing_message_in_a_day_is_not_sent_where_the_law_caps_them(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    clock.at = EIGHT_IN_NEW_YORK
    both = people(1, area=MIAMI) + people(1, area=WASHINGTON)
    ids = []
    for _ in range(4):
        ids.append(flow.created(body=BODY, recipients=both, start="now"))
        settle_down(stack)
    assert [len([m for m in twilio.made if m["to"] == each["to"]]) for each in both] == [3, 4]
    report = flow.report(ids[-1])
    assert (report["state"], report["skipped"]) == ("completed", {"frequency_cap": 1})
    # WHEN a day has passed
    clock.pass_by(days=1)
    flow.created(body=BODY, recipients=both, start="now")
    settle_down(stack)
    assert len(twilio.made) == 9


def test_a_cap_of_the_account_counts_marketing_alone(
    context: Context,
    clock: Clock,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MARKETING_PER_WEEK", "1")
    warm.start_over(clock=clock)

    def send(category: str) -> Any:
        request = {"to": "+12025551000", "body": "Hello", "category": category}
        return json.loads(messages(http("POST", "/messages", request), context)["body"])

    assert send("transactional")["status"] == "accepted"
    assert send("marketing")["status"] == "accepted"
    refused = send("marketing")
    assert (refused["status"], refused["reason"]) == ("skipped", "frequency_cap")
    assert refused["decision"]["rule"] == "week"
    assert send("transactional")["status"] == "accepted"
    clock.pass_by(days=7)
    assert send("marketing")["status"] == "accepted"


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_at_any_call_of_a_message_that_a_cap_counts_counts_it_once(
    context: Context,
    clock: Clock,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
    when: Literal["before", "after"],
) -> None:
    monkeypatch.setenv("MARKETING_PER_DAY", "1")
    warm.start_over(clock=clock)

    def send(to: str, key: str) -> dict[str, Any]:
        request = {"to": to, "body": "Hello", "category": "marketing"}
        answer = messages(
            http("POST", "/messages", request, headers={"idempotency-key": f"{to}{key}"}), context
        )
        body: dict[str, Any] = json.loads(answer["body"])
        return body

    for call in count(1):
        # GIVEN a function that dies while it sends somebody a message
        to = f"+1202555{call:04}"
        with killed_at(call, when) as was_killed:
            send(to, "first")
        # WHEN the request is repeated
        clock.pass_by(minutes=10)
        assert send(to, "first")["status"] == "accepted", call
        # THEN it went out once, and another does not
        assert send(to, "second")["reason"] == "frequency_cap", call
        assert [message["to"] for message in twilio.made].count(to) == 1
        if not was_killed():
            assert call > 5
            return


def test_what_twilio_refused_counts_for_no_cap(
    context: Context, clock: Clock, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETING_PER_DAY", "1")
    warm.start_over(clock=clock)
    request = {"to": "+12025551000", "body": "Hello", "category": "marketing"}
    twilio.answers["*"] = [Answer(400, 21612)]
    assert messages(http("POST", "/messages", request), context)["statusCode"] != 202
    answer = json.loads(messages(http("POST", "/messages", request), context)["body"])
    assert answer["status"] == "accepted"


def test_countries_that_are_not_allowed_are_skipped(
    context: Context, clock: Clock, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_COUNTRIES", "US,CA")
    warm.start_over(clock=clock)
    for to, reason in (("+442079460123", "country_not_allowed"), ("+14165550123", None)):
        answer = messages(http("POST", "/messages", {"to": to, "body": "Hello"}), context)
        assert json.loads(answer["body"])["reason"] == reason
