"""A broadcast pauses for an error that any further message would meet, before it burns what is left; nobody is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal

import pytest

from tests.functional.aws import Aws
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.rest import Deployment, killed_at
from tests.functional.twilio import Answer, FakeTwilio

EMPTY_POOL = Answer(400, 21704)


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    return Deployment(flow, clock)


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": f"+1202555{1000 + n}"} for n in range(count)]


def under_way(stack: Deployment, count: int, **request: Any) -> str:
    """A broadcast of which some chunks wait on the send queue."""
    request = {"body": "!" * 700, "rate": 10, "category": "transactional", **request}
    broadcast_id = stack.flow.created(recipients=people(count), start="now", **request)
    while not stack.chunks:
        stack.receive()
        stack.tick()
        stack.receive()
    return broadcast_id


def asked(flow: Flow, broadcast_id: str, what: str) -> None:
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/{what}")[0] == 202


def held(flow: Flow, broadcast_id: str) -> str | None:
    reason: str | None = flow.report(broadcast_id)["held_reason"]
    return reason


def each_once(twilio: FakeTwilio, recipients: list[dict[str, Any]]) -> bool:
    return Counter(message["to"] for message in twilio.made) == Counter(
        recipient["to"] for recipient in recipients
    )


def refuse_all(twilio: FakeTwilio, answer: Answer) -> None:
    twilio.answers["*"] = [answer] * 1_000


# ------------------------------------------------------------------------------------------------ at create


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (EMPTY_POOL, 21704),
        (Answer(404, 21701), 21701),
        (Answer(401, 20003), 20003),
        (Answer(403, 20005), 20005),
        (Answer(404), 404),
    ],
    ids=["empty pool", "service gone", "credentials", "suspended", "wrong address"],
)
def test_what_twilio_refuses_of_everybody_pauses_at_once_and_loses_nobody(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock, answer: Answer, code: int
) -> None:
    broadcast_id = under_way(stack, 60)
    refuse_all(twilio, answer)
    # WHEN one chunk meets it
    stack.send()
    tried = len(twilio.requests)
    report = flow.report(broadcast_id)
    assert report["state"] == "paused"
    assert report["held_reason"].startswith(f"error_{code}: refused {tried} times at create")
    assert tried <= 4
    # THEN nothing more is tried, however long it takes, and nobody failed
    clock.pass_by(days=2)
    stack.rest()
    assert len(twilio.requests) == tried
    report = flow.report(broadcast_id)
    assert (report["state"], report["outcomes"], report["errors"]) == ("paused", 0, [])
    # AND everybody gets it once it is mended
    twilio.answers.clear()
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(60))
    report = flow.report(broadcast_id)
    assert (report["state"], report["held_reason"]) == ("completed", None)


def test_a_resume_without_a_remedy_pauses_again_and_loses_nobody(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = under_way(stack, 60)
    refuse_all(twilio, EMPTY_POOL)
    for _ in range(3):
        stack.rest()
        assert flow.report(broadcast_id)["state"] == "paused"
        asked(flow, broadcast_id, "resume")
    assert len(twilio.requests) <= 3 * 4
    twilio.answers.clear()
    stack.rest()
    assert each_once(twilio, people(60))


def test_one_such_answer_among_messages_that_twilio_takes_is_a_mishap(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = under_way(stack, 60)
    for each in people(60)[4::10]:
        twilio.answers[each["to"]] = [Answer(401, 20003)]
    stack.rest()
    assert each_once(twilio, people(60))
    report = flow.report(broadcast_id)
    assert (report["state"], report["held_at"]) == ("completed", None)


def test_a_resume_while_a_sender_is_refused_is_not_undone_by_it(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, clock: Clock
) -> None:
    broadcast_id = under_way(stack, 60)
    refuse_all(twilio, EMPTY_POOL)

    def mend(_fields: Mapping[str, Any]) -> None:
        twilio.on_create = lambda _fields: None
        asked(flow, broadcast_id, "pause")
        clock.pass_by(seconds=1)
        asked(flow, broadcast_id, "resume")

    twilio.on_create = mend
    stack.send()
    assert held(flow, broadcast_id) is None
    twilio.answers.clear()
    stack.rest()
    assert each_once(twilio, people(60))


def test_a_canceled_broadcast_stays_so(flow: Flow, stack: Deployment, twilio: FakeTwilio) -> None:
    broadcast_id = under_way(stack, 60)
    refuse_all(twilio, EMPTY_POOL)
    twilio.on_create = lambda _fields: asked(flow, broadcast_id, "cancel")
    stack.send()
    stack.rest()
    report = flow.report(broadcast_id)
    assert (report["state"], report["held_reason"]) == ("canceled", "requested")
    assert report["skipped"] == {"canceled": 60}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sender_that_dies_while_it_pauses_loses_nobody(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, when: Literal["before", "after"]
) -> None:
    for call in count(1):
        twilio.made.clear()
        flow.aws.forget_items()
        refuse_all(twilio, EMPTY_POOL)
        broadcast_id = under_way(stack, 60)
        waiting = list(stack.chunks)
        with killed_at(call, when) as was_killed:
            stack.send()
        # the queue message that was worked on comes again
        stack.chunks = waiting
        stack.rest()
        assert flow.report(broadcast_id)["state"] == "paused"
        assert twilio.made == []
        twilio.answers.clear()
        asked(flow, broadcast_id, "resume")
        stack.rest()
        assert each_once(twilio, people(60))
        assert flow.report(broadcast_id)["state"] == "completed"
        if not was_killed():
            assert call > 5
            return


def test_a_single_message_that_meets_it_may_be_sent_again_under_its_key(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, aws: Aws
) -> None:
    # GIVEN a request on the send queue of which Twilio refuses everybody's
    body = '{"version": 1, "requests": [{"id": "order-7", "to": "+12025551000", "body": "Hi"}]}'
    aws.session.client("sqs").send_message(
        QueueUrl=aws.environment["SEND_QUEUE_URL"], MessageBody=body
    )
    twilio.answers["*"] = [EMPTY_POOL]
    flow.send_all()
    # THEN it is not given up
    assert [message["to"] for message in twilio.made] == ["+12025551000"]


# ------------------------------------------------------------------------------------------------ in callbacks


def out(stack: Deployment, twilio: FakeTwilio, sent: int, *, of: int = 100, **request: Any) -> str:
    """A broadcast that Twilio took so many messages of at least, while the rest waits."""
    broadcast_id = under_way(stack, of, **request)
    while len(twilio.made) < sent:
        stack.send()
    return broadcast_id


def fail(flow: Flow, messages: list[dict[str, Any]], code: int) -> None:
    flow.call_back(*(callback(each, "undelivered", error_code=code) for each in messages))
    flow.roll_up()


@pytest.mark.parametrize("code", [30034, 30023, 30037, 21704])
def test_ten_of_such_errors_pause_a_broadcast_and_say_what_to_do(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, code: int
) -> None:
    broadcast_id = out(stack, twilio, 20)
    fail(flow, twilio.made[:9], code)
    assert held(flow, broadcast_id) is None
    decided = len(twilio.made)
    fail(flow, twilio.made[9:10], code)
    report = flow.report(broadcast_id)
    assert report["state"] == "paused"
    [error] = report["errors"]
    assert report["held_reason"] == (
        f"error_{code}: 10 of {decided} messages failed. {error['remedy']}"
    )
    sent = len(twilio.made)
    stack.rest()
    assert len(twilio.made) == sent


def test_a_resume_is_not_undone_by_what_failed_before_and_is_by_what_fails_after(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN a broadcast that paused by an error, and was resumed
    broadcast_id = out(stack, twilio, 30, of=300)
    fail(flow, twilio.made[:12], 30034)
    asked(flow, broadcast_id, "resume")
    # WHEN the same is counted again, and a few callbacks of before come late
    flow.roll_up()
    fail(flow, twilio.made[12:16], 30034)
    assert held(flow, broadcast_id) is None
    # THEN it takes ten new ones
    fail(flow, twilio.made[16:22], 30034)
    report = flow.report(broadcast_id)
    assert report["state"] == "paused"
    assert report["held_reason"].startswith("error_30034: 10 of ")
    # AND in the end everybody has an outcome
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert each_once(twilio, people(300))
    assert flow.report(broadcast_id)["state"] == "completed"


def test_the_share_of_a_rule_and_the_errors_are_forgiven_together(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    rule = {"failure_share": 0.2, "after": 20}
    broadcast_id = out(stack, twilio, 30, auto_pause=rule)
    fail(flow, twilio.made[:12], 30023)
    assert (held(flow, broadcast_id) or "").startswith("error_30023")
    asked(flow, broadcast_id, "resume")
    flow.roll_up()
    assert held(flow, broadcast_id) is None


def test_who_resumes_despite_an_error_is_not_stopped_by_it_again_but_by_another(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    broadcast_id = out(stack, twilio, 60, of=300)
    fail(flow, twilio.made[:10], 30027)
    terms: dict[str, Any] = {"despite_errors": [30027]}
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/resume", terms)[0] == 202
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/resume", terms)[0] == 202
    fail(flow, twilio.made[10:40], 30027)
    assert held(flow, broadcast_id) is None
    fail(flow, twilio.made[40:50], 30454)
    assert (held(flow, broadcast_id) or "").startswith("error_30454: 10 of ")
    # AND what one goes on despite stays so
    asked(flow, broadcast_id, "resume")
    fail(flow, twilio.made[50:60], 30027)
    assert held(flow, broadcast_id) is None


def test_the_mix_of_a_common_broadcast_pauses_nothing(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN what the demo's recipients come to, of fewer people and all at the beginning
    mix = [30001] * 4 + [30003] * 12 + [30034] * 3 + [30005] * 8 + [30006] * 6 + [30007] * 5
    broadcast_id = out(stack, twilio, 50)
    for code, message in zip(mix, twilio.made, strict=False):
        fail(flow, [message], code)
        assert held(flow, broadcast_id) is None
    stack.rest()
    assert flow.report(broadcast_id)["state"] == "completed"


def test_a_pause_by_itself_is_told_once(
    flow: Flow,
    stack: Deployment,
    twilio: FakeTwilio,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broadcast_id = out(stack, twilio, 20)
    fail(flow, twilio.made[:12], 30034)
    flow.roll_up()
    [told] = [vars(each) for each in caplog.records if each.getMessage() == "broadcast paused"]
    assert told["broadcast_id"] == broadcast_id
    assert told["why"].startswith("error_30034")
    assert capsys.readouterr().out.count('"BroadcastsPaused":[1.0]') == 1
