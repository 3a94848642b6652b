"""A broadcast under control: started at a time, paused, resumed, canceled, expired, capped; nobody lost or doubled."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any, Literal

import pytest

from sendpool.adapters import aws as clients
from sendpool.adapters.queues import MAX_DELAY_SECONDS
from sendpool.edge.control import controlling
from sendpool.workflows import control
from sendpool.workflows.control import wake
from tests.functional.aws import Aws
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.rest import Deployment, KilledError, killed_at
from tests.functional.twilio import Answer, FakeTwilio

BODY = "Hi {{ name }}"
FIVE_SEGMENTS = BODY + "!" * 700


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    return Deployment(flow, clock)


def people(count: int, *, area: int = 202) -> list[dict[str, Any]]:
    return [
        {"to": f"+1{area}555{1000 + n}", "variables": {"name": f"Person {n}"}} for n in range(count)
    ]


def asked(flow: Flow, broadcast_id: str, what: str) -> tuple[int, str]:
    """Ask for something, and return the status with the state or the code of the refusal."""
    status, answer = flow.call("POST", f"/broadcasts/{broadcast_id}/{what}")
    return status, answer.get("code") or answer["state"]


def half_out(stack: Deployment, recipients: list[dict[str, Any]], **request: Any) -> str:
    """A broadcast of which two chunks of five wait on the send queue, and a tick for the rest."""
    request = {"body": FIVE_SEGMENTS, "rate": 1, "category": "transactional", **request}
    broadcast_id = stack.flow.created(recipients=recipients, start="now", **request)
    for _ in range(2):
        stack.receive()
        stack.tick()
    stack.receive()
    assert stack.ticks
    assert stack.chunks
    return broadcast_id


def each_once(twilio: FakeTwilio, recipients: list[dict[str, Any]]) -> bool:
    return Counter(message["to"] for message in twilio.made) == Counter(
        recipient["to"] for recipient in recipients
    )


def parked(aws: Aws) -> int:
    return sum(item["sk"].startswith("PARK#") for item in aws.items(prefix="BC#"))


# ------------------------------------------------------------------------------------------------ starting


def test_a_broadcast_starts_at_its_time(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    start_at = clock() + timedelta(hours=2)
    broadcast_id = flow.created(body=BODY, recipients=people(3), start=start_at.isoformat())
    report = flow.report(broadcast_id)
    assert (report["state"], report["start_at"]) == ("scheduled", "2026-11-23T17:00:00Z")
    # WHEN the sweeper looks before its time
    clock.pass_by(hours=1)
    stack.sweep()
    wake(broadcast_id, controlling())
    assert flow.report(broadcast_id)["state"] == "scheduled"
    # WHEN it looks after, more than once
    clock.pass_by(hours=1)
    stack.sweep()
    wake(broadcast_id, controlling())
    assert flow.report(broadcast_id)["state"] == "importing"
    stack.rest()
    # THEN
    assert each_once(twilio, people(3))
    assert flow.report(broadcast_id)["state"] == "completed"


def test_a_scheduled_broadcast_can_be_started_by_hand_and_starts_once(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    start_at = clock() + timedelta(hours=2)
    broadcast_id = flow.created(body=BODY, recipients=people(3), start=start_at.isoformat())
    assert asked(flow, broadcast_id, "start") == (202, "importing")
    stack.rest()
    clock.pass_by(hours=3)
    stack.rest()
    assert each_once(twilio, people(3))


def test_an_upload_can_be_scheduled_and_fails_if_it_is_not_there_in_time(
    flow: Flow, aws: Aws, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    start_at = (clock() + timedelta(minutes=10)).isoformat()
    there = flow.created(body="Hi", upload=True, start=start_at)
    missing = flow.created(body="Hi", upload=True, start=start_at)
    aws.session.client("s3").put_object(
        Bucket="files", Key=f"uploads/{there}", Body=b"to\n+12025551000\n"
    )
    clock.pass_by(minutes=11)
    stack.rest()
    assert each_once(twilio, people(1))
    assert flow.report(there)["state"] == "completed"
    report = flow.report(missing)
    assert (report["state"], report["problem"]["code"]) == ("failed", "recipients_missing")
    assert asked(flow, missing, "cancel") == (409, "broadcast_failed")


BAD_TIMES: dict[str, tuple[dict[str, Any], str]] = {
    "a start that has passed": ({"start": "2026-11-23T14:59:59Z"}, "start_has_passed"),
    "a start in words": ({"start": "soon"}, "invalid_start"),
    "a start as a number": ({"start": 1_795_446_000}, "invalid_start"),
    "a start without its offset": ({"start": "2026-11-24T15:00:00"}, "invalid_start"),
    "an end that has passed": ({"expire_at": "2026-11-23T15:00:00Z"}, "expire_at_has_passed"),
    "an end before the start": (
        {"start": "2026-11-24T15:00:00Z", "expire_at": "2026-11-24T15:00:00Z"},
        "expires_before_start",
    ),
    "a cap of nobody": ({"first": 0}, "greater_than_equal"),
    "a share of nothing": ({"auto_pause": {"failure_share": 0}}, "greater_than"),
    "a share above all": ({"auto_pause": {"failure_share": 1.1}}, "less_than_equal"),
}


@pytest.mark.parametrize(("fields", "code"), BAD_TIMES.values(), ids=BAD_TIMES.keys())
def test_a_broadcast_with_times_or_limits_that_make_no_sense_is_not_kept(
    flow: Flow, aws: Aws, fields: dict[str, Any], code: str
) -> None:
    request = {"name": "Sale", "body": "Hi", "recipients": people(1), **fields}
    status, problem = flow.call("POST", "/broadcasts", request)
    assert (status, problem["code"]) == (422, code)
    assert len(problem["errors"]) == 1
    assert aws.items() == []


def test_a_repeated_request_gets_its_broadcast_also_after_its_start_has_passed(
    flow: Flow, clock: Clock
) -> None:
    start_at = (clock() + timedelta(minutes=10)).isoformat()
    request = {"name": "Sale", "body": "Hi", "recipients": people(1), "start": start_at}
    first = flow.call("POST", "/broadcasts", request, key="k")
    clock.pass_by(hours=1)
    again = flow.call("POST", "/broadcasts", request, key="k")
    assert (again[0], again[1]["id"]) == (201, first[1]["id"])


def test_a_late_start_is_refused(flow: Flow, stack: Deployment, clock: Clock) -> None:
    broadcast_id = flow.created(
        body=BODY, recipients=people(3), expire_at=(clock() + timedelta(hours=1)).isoformat()
    )
    clock.pass_by(hours=1)
    assert asked(flow, broadcast_id, "start") == (409, "broadcast_expired")
    stack.receive()
    assert stack.ticks == []


def test_only_the_first_are_sent_to_and_the_others_have_the_reason(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    bad = [{"to": "12345", "variables": {"name": "Short"}}]
    broadcast_id = flow.created(body=BODY, recipients=bad + people(30), start="now", first=12)
    stack.rest()
    assert each_once(twilio, people(12))
    report = flow.report(broadcast_id)
    assert report["skipped"] == {"invalid_phone": 1, "capped": 18}
    assert report["state"] == "completed"


# ------------------------------------------------------------------------------------------------ pausing


def test_a_pause_stops_dispatcher_and_senders_and_a_resume_lets_everybody_have_it_once(
    flow: Flow, aws: Aws, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN one chunk is out, others are on the queue, and the rest is still to be read
    broadcast_id = half_out(stack, people(20))
    stack.send()
    sent = len(twilio.made)
    assert 0 < sent < 10
    # WHEN it is paused
    assert asked(flow, broadcast_id, "pause") == (202, "paused")
    clock.pass_by(minutes=1)
    stack.tick()
    while stack.chunks:
        stack.send()
    stack.receive()
    # THEN nothing more goes out, nothing waits on a queue, and nothing is lost
    assert len(twilio.made) == sent
    assert (stack.ticks, stack.chunks) == ([], [])
    assert parked(aws) > 0
    clock.pass_by(days=1)
    stack.rest()
    assert len(twilio.made) == sent
    report = flow.report(broadcast_id)
    assert (report["state"], report["held_reason"]) == ("paused", "requested")
    # WHEN it goes on
    assert asked(flow, broadcast_id, "resume") == (202, "sending")
    stack.rest()
    # THEN
    assert each_once(twilio, people(20))
    assert parked(aws) == 0
    report = flow.report(broadcast_id)
    assert (report["state"], report["outcomes"], report["held_reason"]) == ("completed", 20, None)


def test_parked_chunks_come_back_at_the_broadcasts_pace(flow: Flow, stack: Deployment) -> None:
    broadcast_id = half_out(stack, people(20))
    chunks = len(stack.chunks)
    asked(flow, broadcast_id, "pause")
    while stack.chunks:
        stack.send()
    asked(flow, broadcast_id, "resume")
    sqs = flow.aws.session.client("sqs")
    waiting = sqs.get_queue_attributes(
        QueueUrl=flow.aws.environment["SEND_QUEUE_URL"], AttributeNames=["All"]
    )["Attributes"]
    assert waiting["ApproximateNumberOfMessages"] == "1"
    assert waiting["ApproximateNumberOfMessagesDelayed"] == str(chunks - 1)


def test_what_is_asked_twice_is_done_once(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = half_out(stack, people(20))
    for what, state in (("pause", "paused"), ("resume", "sending"), ("start", "sending")):
        assert asked(flow, broadcast_id, what) == (202, state)
        assert asked(flow, broadcast_id, what) == (202, state)
    stack.rest()
    assert each_once(twilio, people(20))
    assert asked(flow, broadcast_id, "resume") == (202, "completed")
    assert asked(flow, broadcast_id, "start") == (202, "completed")


def test_a_copy_of_a_chunk_that_is_done_is_not_kept_for_the_end_of_a_pause(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, aws: Aws
) -> None:
    # GIVEN a broadcast of two chunks that is paused when one is done, and the queue delivers both again
    broadcast_id = flow.created(body=BODY, recipients=people(150), start="now", rate=100)
    while not stack.chunks and (stack.receive() or stack.ticks):
        stack.tick()
        stack.receive()
    first, second = stack.chunks
    stack.send()
    assert asked(flow, broadcast_id, "pause") == (202, "paused")
    stack.chunks = [first, second]
    stack.send()
    stack.send()
    # THEN only what is left waits
    assert parked(aws) == 1
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(150))


def test_a_pause_and_a_resume_while_the_recipients_are_read_lose_nobody(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(5), start="now")
    assert asked(flow, broadcast_id, "pause") == (202, "paused")
    stack.rest()
    assert twilio.made == []
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(5))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_resume_in_the_middle_of_parking_loses_nothing(
    flow: Flow,
    aws: Aws,
    stack: Deployment,
    clock: Clock,
    twilio: FakeTwilio,
    when: Literal["before", "after"],
) -> None:
    # GIVEN a paused broadcast, and somebody who resumes it while a sender writes its chunk down
    broadcast_id = half_out(stack, people(20))
    asked(flow, broadcast_id, "pause")
    stack.ticks.clear()
    events = clients.dynamodb().meta.events
    moment = f"{when}-call.dynamodb.BatchWriteItem"

    def resume(**_: Any) -> None:
        events.unregister(moment, resume)
        asked(flow, broadcast_id, "resume")

    events.register(moment, resume)
    # WHEN
    stack.send()
    # THEN the sender notices, and nothing stays parked
    assert len(twilio.made) == 5
    assert parked(aws) == 0
    stack.rest()
    assert each_once(twilio, people(20))


def test_a_chunk_that_was_parked_anew_is_not_removed_by_who_released_the_copy_before(
    flow: Flow, aws: Aws, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN a parked chunk, and a resume that has put it on the queue and not yet removed it
    broadcast_id = half_out(stack, people(20))
    asked(flow, broadcast_id, "pause")
    stack.send()
    events = clients.dynamodb().meta.events
    moment = "before-call.dynamodb.DeleteItem"

    def pause_and_park(**_: Any) -> None:
        events.unregister(moment, pause_and_park)
        asked(flow, broadcast_id, "pause")
        stack.receive()
        while stack.chunks:
            stack.send()

    # WHEN meanwhile it is paused again and the chunk parked again
    events.register(moment, pause_and_park)
    asked(flow, broadcast_id, "resume")
    # THEN the chunk is still there for the next resume
    assert parked(aws) > 0
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(20))


# ------------------------------------------------------------------------------------------------ canceling, expiring


@pytest.mark.parametrize("paused", [False, True])
def test_a_canceled_broadcast_gives_everybody_an_outcome_and_nobody_more(
    flow: Flow, aws: Aws, stack: Deployment, twilio: FakeTwilio, paused: bool
) -> None:
    broadcast_id = half_out(stack, people(20))
    stack.send()
    if paused:
        asked(flow, broadcast_id, "pause")
        stack.send()
        assert parked(aws) == 1
    # WHEN
    sent = len(twilio.made)
    assert asked(flow, broadcast_id, "cancel") == (202, "canceled")
    assert asked(flow, broadcast_id, "cancel") == (202, "canceled")
    stack.rest()
    # THEN
    assert len(twilio.made) == sent
    assert parked(aws) == 0
    report = flow.report(broadcast_id)
    assert (report["state"], report["outcomes"]) == ("canceled", 20)
    assert report["completed_at"]
    assert report["skipped"] == {"canceled": 20 - sent}


def test_a_cancel_needs_no_pace(flow: Flow, stack: Deployment) -> None:
    broadcast_id = half_out(stack, people(20), rate=0.1)
    asked(flow, broadcast_id, "cancel")
    stack.receive()
    stack.tick(len(stack.ticks) - 1)
    assert (
        flow.aws.session.client("sqs").get_queue_attributes(
            QueueUrl=flow.aws.environment["SEND_QUEUE_URL"], AttributeNames=["All"]
        )["Attributes"]["ApproximateNumberOfMessagesDelayed"]
        == "0"
    )
    stack.receive()
    assert sum(len(chunk["body"]) > 0 for chunk in stack.chunks) == 20


def test_a_broadcast_that_has_not_started_is_canceled_for_good(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    start_at = (clock() + timedelta(hours=1)).isoformat()
    broadcast_id = flow.created(body=BODY, recipients=people(3), start=start_at)
    assert asked(flow, broadcast_id, "cancel") == (202, "canceled")
    assert asked(flow, broadcast_id, "start") == (409, "broadcast_canceled")
    clock.pass_by(hours=2)
    stack.rest()
    wake(broadcast_id, controlling())
    assert twilio.made == []
    assert flow.report(broadcast_id)["state"] == "canceled"


def test_a_cancel_believes_that_something_went_out_before_it_skips_it(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN a sender that was killed after Twilio had made three messages of its chunk
    broadcast_id = flow.created(body=BODY, recipients=people(20), start="now")
    flow.dispatch()
    stack.receive()

    def kill(_fields: object) -> None:
        if len(twilio.made) == 3:
            raise KilledError

    twilio.on_create = kill
    chunk = stack.chunks[0]
    with pytest.raises(KilledError):
        stack.send()
    twilio.on_create = lambda _fields: None
    stack.chunks.append(chunk)
    # WHEN the broadcast is canceled before the chunk comes again
    asked(flow, broadcast_id, "cancel")
    clock.pass_by(minutes=3)
    stack.rest()
    # THEN what was made is accepted, and only the rest is canceled
    made = len(twilio.made)
    report = flow.report(broadcast_id)
    assert report["counters"] == {"accepted": made, "skipped": 20 - made}
    assert report["completed_at"]


def test_an_expired_broadcast_gives_everybody_an_outcome(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    expire_at = (clock() + timedelta(minutes=1)).isoformat()
    broadcast_id = half_out(stack, people(20), expire_at=expire_at)
    stack.send()
    sent = len(twilio.made)
    clock.pass_by(minutes=1)
    stack.rest()
    report = flow.report(broadcast_id)
    assert (report["state"], report["skipped"]) == ("completed", {"expired": 20 - sent})
    assert len(twilio.made) == sent


@pytest.mark.parametrize("all_dispatched", [False, True])
def test_a_paused_broadcast_that_expires_comes_to_its_end_by_itself(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, all_dispatched: bool
) -> None:
    expire_at = (clock() + timedelta(hours=1)).isoformat()
    rate = 1_000 if all_dispatched else 1
    broadcast_id = flow.created(
        body=BODY, recipients=people(20), start="now", rate=rate, expire_at=expire_at
    )
    for _ in range(2):
        stack.receive()
        stack.tick()
    asked(flow, broadcast_id, "pause")
    stack.rest()
    report = flow.report(broadcast_id)
    assert (report["state"], report["skipped"]) == ("completed", {"expired": 20})
    assert twilio.made == []


REFUSALS = {
    "not started": ({}, [("pause", "broadcast_not_started"), ("resume", "broadcast_not_started")]),
    "canceled": (
        {"then": "cancel"},
        [(what, "broadcast_canceled") for what in ("start", "pause", "resume")],
    ),
    "completed": (
        {"start": "now"},
        [(what, "broadcast_completed") for what in ("pause", "cancel")],
    ),
}


@pytest.mark.parametrize(("given", "refusals"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_a_state_does_not_allow_is_refused_with_a_code_and_a_remedy(
    flow: Flow,
    stack: Deployment,
    given: dict[str, str],
    refusals: list[tuple[str, str]],
) -> None:
    start = given.get("start", "manual")
    broadcast_id = flow.created(body=BODY, recipients=people(1), start=start)
    if "then" in given:
        asked(flow, broadcast_id, given["then"])
    stack.rest()
    for what, code in refusals:
        status, problem = flow.call("POST", f"/broadcasts/{broadcast_id}/{what}")
        assert (status, problem["code"], problem["retryable"]) == (409, code, False)
        assert problem["remedy"]


@pytest.mark.parametrize("what", ["start", "pause", "resume", "cancel"])
def test_a_broadcast_that_is_not_there_cannot_be_controlled(flow: Flow, what: str) -> None:
    assert asked(flow, "bc_0", what) == (404, "not_found")
    wake("bc_0", controlling())


# ------------------------------------------------------------------------------------------------ pausing by itself


def failing(flow: Flow, stack: Deployment, twilio: FakeTwilio, failed: int, of: int) -> str:
    """A broadcast of which so many of its first messages fail, while the rest waits."""
    broadcast_id = half_out(
        stack, people(100), rate=4, auto_pause={"failure_share": 0.2, "after": 20}
    )
    for each in people(failed):
        twilio.answers[each["to"]] = [Answer(400, 21211)]
    while stack.chunks and len(twilio.requests) < of:
        stack.send()
    flow.roll_up()
    return broadcast_id


def test_a_broadcast_that_fails_too_often_pauses_by_itself_and_says_why(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = failing(flow, stack, twilio, failed=8, of=40)
    report = flow.report(broadcast_id)
    assert report["state"] == "paused"
    assert report["held_reason"] == "failure_share: 8 of 40 messages failed"
    # WHEN somebody resumes it, what failed before is forgiven
    asked(flow, broadcast_id, "resume")
    flow.roll_up()
    stack.rest()
    assert flow.report(broadcast_id)["state"] == "completed"
    assert Counter(m["to"] for m in twilio.made) == Counter(p["to"] for p in people(100)[8:])


@pytest.mark.parametrize(("failed", "of"), [(7, 40), (19, 19)], ids=["too few", "too early"])
def test_a_broadcast_goes_on_below_the_share_or_before_enough_is_decided(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, failed: int, of: int
) -> None:
    broadcast_id = (
        half_out(stack, people(of), rate=1, auto_pause={"failure_share": 0.2, "after": 20})
        if of == 40
        else flow.created(
            body=BODY,
            recipients=people(of),
            start="now",
            auto_pause={"failure_share": 0.2, "after": 20},
        )
    )
    for each in people(failed):
        twilio.answers[each["to"]] = [Answer(400, 21211)]
    stack.rest()
    assert flow.report(broadcast_id)["state"] == "completed"


def test_people_who_had_opted_out_do_not_pause_a_broadcast(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = half_out(
        stack, people(100), rate=4, auto_pause={"failure_share": 0.2, "after": 20}
    )
    while len(twilio.made) < 40:
        stack.send()
    for message in twilio.made:
        flow.call_back(callback(message, "failed", error_code=21610))
    flow.roll_up()
    assert flow.report(broadcast_id)["state"] == "sending"


def test_a_rollup_that_read_before_a_resume_does_not_pause_after_it(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN a broadcast that paused by itself, and a rollup that reads the same counters again
    broadcast_id = failing(flow, stack, twilio, failed=8, of=40)
    asked(flow, broadcast_id, "resume")
    stack.receive()
    events = clients.dynamodb().meta.events
    moment = "before-call.dynamodb.UpdateItem"

    def pause_and_resume(**_: Any) -> None:
        events.unregister(moment, pause_and_resume)
        stack.clock.pass_by(seconds=1)
        asked(flow, broadcast_id, "pause")
        asked(flow, broadcast_id, "resume")

    while stack.chunks:
        stack.send()
    for message in twilio.made:
        flow.call_back(callback(message, "failed", error_code=30005))
    # WHEN somebody pauses and resumes between its look and its write
    events.register(moment, pause_and_resume)
    flow.roll_up()
    # THEN it stays resumed
    assert flow.report(broadcast_id)["state"] == "sending"


# ------------------------------------------------------------------------------------------------ dying in between


def _park(stack: Deployment, broadcast_id: str) -> None:
    stack.receive()
    while stack.chunks:
        stack.send()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["pause", "resume", "cancel", "park"])
def test_dying_at_any_call_loses_and_doubles_nobody(
    stack: Deployment,
    twilio: FakeTwilio,
    what: str,
    when: Literal["before", "after"],
) -> None:
    flow = stack.flow
    for call in count(1):
        twilio.made.clear()
        flow.aws.forget_items()
        broadcast_id = half_out(stack, people(20))
        # GIVEN all is ready for it
        if what in {"resume", "park"}:
            control.pause(broadcast_id, controlling())
        waiting = list(stack.chunks)
        if what == "resume":
            _park(stack, broadcast_id)
        # WHEN whoever does it is killed at this call
        with killed_at(call, when) as was_killed:
            if what == "park":
                _park(stack, broadcast_id)
            else:
                getattr(control, what)(broadcast_id, controlling())
        # THEN the queue message that was worked on comes again, and who asked may never come again
        if what == "park":
            stack.chunks = waiting
        stack.rest()
        if flow.report(broadcast_id)["state"] == "paused":
            assert asked(flow, broadcast_id, "resume")[0] == 202
            stack.rest()
        report = flow.report(broadcast_id)
        assert report["completed_at"], (call, report)
        skipped = report["skipped"].get("canceled", 0)
        assert len(twilio.made) + skipped == 20
        assert max(Counter(m["to"] for m in twilio.made).values(), default=1) == 1
        assert not skipped or report["state"] == "canceled"
        if not was_killed():
            assert call > 2
            return


def test_a_tick_whose_move_of_the_cursor_was_answered_too_late_goes_on(
    stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN the client repeats the write because its answer was lost
    broadcast_id = half_out(stack, people(20))
    events = clients.dynamodb().meta.events
    moment = "after-call.dynamodb.UpdateItem"

    def again(**_: Any) -> None:
        raise KilledError

    stack.clock.pass_by(minutes=1)
    [tick] = stack.ticks
    events.register(moment, again)
    with pytest.raises(KilledError):
        stack.tick()
    events.unregister(moment, again)
    # WHEN the tick comes again
    stack.ticks = [tick]
    stack.rest()
    # THEN
    assert each_once(twilio, people(20))
    assert stack.flow.report(broadcast_id)["state"] == "completed"


# ------------------------------------------------------------------------------------------------ pace, size


def test_without_a_rate_no_more_than_the_look_ahead_is_released(
    flow: Flow, aws: Aws, stack: Deployment
) -> None:
    # GIVEN 8,000 people and a text of 10 segments: 40 seconds of what a Twilio account takes
    broadcast_id = flow.created(body="x" * 1_500, upload=True)
    rows = "".join(f"+1202{5550000 + n}\n" for n in range(8_000))
    aws.session.client("s3").put_object(
        Bucket="files", Key=f"uploads/{broadcast_id}", Body=f"to\n{rows}".encode()
    )
    flow.call("POST", f"/broadcasts/{broadcast_id}/start")
    # WHEN the dispatcher has worked as long as it may at this moment
    for _ in range(4):
        stack.receive()
        stack.tick()
    stack.receive()
    # THEN some 30 seconds of it are released
    assert 60 <= len(stack.chunks) <= 62
    assert stack.ticks


def test_at_the_lowest_rate_a_tick_waits_no_longer_than_the_queue_can_hold_it(
    flow: Flow, aws: Aws, stack: Deployment, twilio: FakeTwilio
) -> None:
    flow.created(body=BODY, recipients=people(3), start="now", rate=0.001)
    stack.rest()
    assert each_once(twilio, people(3))
    assert MAX_DELAY_SECONDS == 900


def test_a_chunk_of_the_longest_texts_fits_the_queue_and_the_ledger(
    flow: Flow, aws: Aws, stack: Deployment, twilio: FakeTwilio
) -> None:
    recipients = [{"to": each["to"], "variables": {"name": "😀"}} for each in people(100)]
    broadcast_id = flow.created(
        body="{{ name }}" + "😀" * 1_500, recipients=recipients, start="now"
    )
    flow.dispatch()
    stack.receive()
    assert len(stack.chunks) > 5
    assert all(len(chunk["body"]) < 256_000 for chunk in stack.chunks)
    asked(flow, broadcast_id, "pause")
    _park(stack, broadcast_id)
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(100))


def test_variables_that_no_template_takes_are_skipped_with_the_reason(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    too_long = [{"to": "+12025559999", "variables": {"name": "é" * 20_000}}]
    broadcast_id = flow.created(
        content_sid="HX" + "0" * 32, recipients=people(2) + too_long, start="now"
    )
    stack.rest()
    assert each_once(twilio, people(2))
    assert flow.report(broadcast_id)["skipped"] == {"variables_too_long": 1}
