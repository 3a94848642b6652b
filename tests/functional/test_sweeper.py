"""The sweeper goes on with what nobody goes on with, however often it runs and wherever it dies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Literal

import pytest
from botocore.exceptions import ClientError

from functions.messages.app import lambda_handler as messages
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters import aws as clients
from sendpool.adapters.ledger.keys import OPEN_SHARDS
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError
from sendpool.edge import duties, outbound, warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.requests import http
from tests.functional.rest import Deployment, KilledError, killed_at
from tests.functional.twilio import Answer, FakeTwilio

# every shard, for each of four kinds
_QUERIES_OF_A_SWEEP = 4 * OPEN_SHARDS
BOTH = pytest.mark.parametrize("made", [True, False], ids=["made", "not made"])


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


def number(n: int) -> str:
    return f"+1202555{1000 + n}"


def people(many: int) -> list[dict[str, Any]]:
    return [{"to": number(n)} for n in range(many)]


def post(n: int = 0) -> dict[str, Any]:
    answer = messages(http("POST", "/messages", {"to": number(n), "body": "Hi"}), Context())
    assert answer["statusCode"] == 202
    sent: dict[str, Any] = json.loads(answer["body"])
    return sent


def get(message_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        messages(http("GET", f"/messages/{message_id}"), Context())["body"]
    )
    return found


def sweep(context: Context | None = None) -> None:
    sweeper({}, context or Context())


def take_up() -> None:
    """Let the sweeper do its part for messages and broadcasts, and no other."""
    duties._sweep(duties.Turn(Context()))


def open_items(aws: Aws) -> list[dict[str, Any]]:
    return [item for item in aws.items() if "open" in item]


def unknown(twilio: FakeTwilio, *, made: bool, of: int = 1) -> list[str]:
    """So many messages to as many people, none of them answered; their ids."""
    lost = Answer(0, error=NoAnswerError("ReadTimeoutError"), made=made)
    twilio.answers |= {number(n): [lost] for n in range(of)}
    return [post(n)["id"] for n in range(of)]


def each_once(twilio: FakeTwilio, people: int) -> bool:
    return Counter(message["to"] for message in twilio.made) == Counter(map(number, range(people)))


# ------------------------------------------------------------------------------------------------ messages


@BOTH
def test_an_unknown_message_is_found_out_although_nobody_asks_again(
    aws: Aws, twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    [message_id] = unknown(twilio, made=made)
    # WHEN it is swept before Twilio's list counts
    clock.pass_by(seconds=59)
    sweep()
    assert (twilio.lists, get(message_id)["status"]) == (0, "unknown")
    # WHEN it is swept after
    clock.pass_by(seconds=2)
    sweep()
    # THEN there is one message, and nothing is open any more
    found = get(message_id)
    assert (found["status"], found["evidence"]) == ("accepted", "list" if made else None)
    assert [message["sid"] for message in twilio.made] == [found["sid"]]
    assert open_items(aws) == []


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_claim_that_was_abandoned_is_gone_on_with(
    aws: Aws, twilio: FakeTwilio, clock: Clock, where: str
) -> None:
    # GIVEN a function that died at create, with nobody to ask again
    def die(_fields: Mapping[str, Any]) -> None:
        twilio.on_create = twilio.on_made = lambda _fields: None
        raise KilledError

    if where == "before":
        twilio.on_create = die
    else:
        twilio.on_made = die
    with pytest.raises(KilledError):
        post()
    [claimed] = open_items(aws)
    # WHEN its claim and the age of evidence are over
    for _ in range(4):
        clock.pass_by(minutes=1)
        sweep()
    # THEN it is sent once, as its caller wanted
    assert each_once(twilio, 1)
    assert get(claimed["id"])["sid"] == twilio.made[0]["sid"]
    assert open_items(aws) == []


def test_what_is_due_is_read_from_all_shards_oldest_first(twilio: FakeTwilio, clock: Clock) -> None:
    expected = []
    for n in range(20):
        twilio.answers[number(n)] = [Answer(500)]
        expected.append(post(n)["id"])
        clock.pass_by(seconds=1)
    assert list(warm.due().ids("unknown", now=clock())) == []
    clock.pass_by(minutes=2)
    assert list(warm.due().ids("unknown", now=clock())) == expected


@BOTH
def test_two_sweepers_at_once_do_the_work_of_one(
    aws: Aws, twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    # GIVEN a second sweeper begins in the middle of the first one's call to Twilio
    ids = unknown(twilio, made=made, of=3)
    clock.pass_by(minutes=2)
    began = count()

    def meanwhile(_params: object) -> None:
        if next(began) == 0:
            outbound.use_transport(lambda: twilio)  # another process has a pool of its own
            sweep()

    twilio.on_create = twilio.on_list = meanwhile
    sweep()
    # THEN
    assert each_once(twilio, 3)
    assert {get(each)["status"] for each in ids} == {"accepted"}
    assert open_items(aws) == []


@BOTH
def test_dying_at_any_call_sends_once(
    aws: Aws, twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    """One sweeper is killed before its first call for a message, the next after it, and so on, until none is left."""
    turns: list[Literal["before", "after"]] = ["before", "after"]
    for n in count():
        call, when = _QUERIES_OF_A_SWEEP + n // 2, turns[n % 2]
        twilio.answers[number(n)] = [Answer(0, error=NoAnswerError("ReadTimeoutError"), made=made)]
        message_id = post(n)["id"]
        clock.pass_by(minutes=2)
        with killed_at(call, when) as was_killed:
            take_up()
        # the next sweepers do the rest
        for _ in range(2):
            clock.pass_by(minutes=2)
            take_up()
        assert len(twilio.sent_to(number(n))) == 1, (call, when)
        assert get(message_id)["status"] == "accepted"
        assert open_items(aws) == []
        if not was_killed():
            break
    assert n > 10


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_sweeper_that_dies_at_create_is_found_out_by_the_next(
    aws: Aws, twilio: FakeTwilio, clock: Clock, where: str
) -> None:
    unknown(twilio, made=False)
    clock.pass_by(minutes=2)

    def die(_fields: Mapping[str, Any]) -> None:
        twilio.on_create = twilio.on_made = lambda _fields: None
        raise KilledError

    if where == "before":
        twilio.on_create = die
    else:
        twilio.on_made = die
    with pytest.raises(KilledError):
        sweep()
    # WHEN the next ones come THEN nothing is sent while that call may be under way, and once in all
    clock.pass_by(seconds=60)
    sweep()
    assert len(twilio.made) == (where == "after")
    clock.pass_by(minutes=2)
    sweep()
    assert each_once(twilio, 1)
    assert open_items(aws) == []


@pytest.mark.parametrize(
    "busy", ["at the list", "at create", "no connection"], ids=lambda busy: busy
)
def test_a_sweeper_stops_when_twilio_is_busy_and_the_next_goes_on(
    aws: Aws, twilio: FakeTwilio, clock: Clock, busy: str
) -> None:
    unknown(twilio, made=False, of=20)
    clock.pass_by(minutes=2)
    match busy:
        case "at the list":
            twilio.list_answer = Answer(429, 20429)
        case "at create":
            twilio.answers = {"*": [Answer(429, 20429)] * 20}
        case _:
            twilio.answers = {"*": [Answer(0, error=NeverSentError("ConnectTimeoutError"))] * 20}
    sweep()
    # THEN it asked for no more than it had in hand, and all are still open
    assert twilio.lists <= 2 * 4
    assert twilio.made == []
    assert len(open_items(aws)) == 20
    # WHEN Twilio takes messages again
    twilio.list_answer, twilio.answers = Answer(200), {}
    clock.pass_by(minutes=2)
    sweep()
    assert each_once(twilio, 20)
    assert open_items(aws) == []


def test_one_question_that_twilio_does_not_answer_holds_up_no_other(
    aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    ids = unknown(twilio, made=True, of=6)
    clock.pass_by(minutes=2)
    asked = count()

    def fail_first(_params: object) -> None:
        if next(asked) == 0:
            raise NoAnswerError("ReadTimeoutError")

    twilio.on_list = fail_first
    sweep()
    assert Counter(get(each)["status"] for each in ids) == {"accepted": 5, "unknown": 1}
    clock.pass_by(minutes=2)
    sweep()
    assert each_once(twilio, 6)
    assert open_items(aws) == []


def test_without_time_nothing_is_begun(aws: Aws, twilio: FakeTwilio, clock: Clock) -> None:
    unknown(twilio, made=False, of=3)
    clock.pass_by(minutes=2)
    sweep(Context(milliseconds=[20_000]))
    assert (twilio.lists, len(open_items(aws))) == (0, 3)


def test_a_callback_that_came_first_needs_no_question_to_twilio(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    [message_id] = unknown(twilio, made=True)
    flow.call_back(callback(twilio.made[0], "delivered"))
    clock.pass_by(minutes=2)
    sweep()
    found = get(message_id)
    assert (found["status"], found["evidence"]) == ("delivered", "callback")
    assert twilio.lists == 0
    assert open_items(aws) == []


def test_messages_of_chunks_are_not_the_sweepers(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    flow.created(body="Hi", recipients=[{"to": number(0)}], start="now")
    flow.dispatch()
    twilio.answers[number(0)] = [Answer(500)]
    flow.send(aws.records("SEND_QUEUE"))
    clock.pass_by(minutes=5)
    sweep()
    assert twilio.lists == 0
    flow.send_all()
    assert each_once(twilio, 1)


# ------------------------------------------------------------------------------------------------ broadcasts


def test_a_broadcast_that_cannot_be_woken_does_not_stand_before_the_others_for_ever(
    flow: Flow, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN two broadcasts that stand still, and the queue takes nothing of the older one
    poison = flow.created(body="Hi", recipients=[{"to": number(0)}], start="now")
    clock.pass_by(seconds=1)
    other = flow.created(body="Hi", recipients=[{"to": number(1)}], start="now")
    flow.aws.records("DISPATCH_QUEUE")

    def refuse(params: Mapping[str, Any], **_: Any) -> None:
        if poison.encode() in params["body"]:
            error = {"Code": "AccessDenied", "Message": "no"}
            raise ClientError({"Error": error}, "SendMessageBatch")  # type: ignore[typeddict-item]

    events = clients.sqs().meta.events
    events.register("before-call.sqs.SendMessageBatch", refuse)
    # WHEN the sweeper comes, and again a minute later
    clock.pass_by(minutes=11)
    for _ in range(2):
        with suppress(ClientError):
            sweep()
        clock.pass_by(seconds=30)
    # THEN the other one is sent
    flow.dispatch()
    flow.send_all()
    assert twilio.sent_to(number(1))
    assert flow.report(other)["state"] == "dispatched"
    # AND the first one too, once it can be
    events.unregister("before-call.sqs.SendMessageBatch", refuse)
    clock.pass_by(minutes=2)
    sweep()
    Deployment(flow, clock).rest()
    assert each_once(twilio, 2)


@pytest.mark.parametrize("lost_after", [1, 2, 3])
def test_a_broadcast_whose_next_tick_never_came_goes_on(
    flow: Flow, clock: Clock, twilio: FakeTwilio, lost_after: int
) -> None:
    # GIVEN a broadcast at one segment a second that lost its tick after so many
    broadcast_id = flow.created(body="Hi", recipients=people(100), start="now", rate=1)
    stack = Deployment(flow, clock)
    for _ in range(lost_after):
        stack.receive()
        stack.tick()
        clock.pass_by(seconds=30)
    stack.receive()
    assert len(stack.ticks) == 1
    stack.ticks.clear()
    # WHEN ten minutes pass in which nothing happens, and no less
    clock.pass_by(minutes=5)
    sweep()
    stack.receive()
    assert stack.ticks == []
    clock.pass_by(minutes=6)
    sweep()
    # THEN a tick stands where the broadcast stands, and everybody gets the text once
    stack.receive()
    assert len(stack.ticks) == 1
    stack.rest()
    assert each_once(twilio, 100)
    assert flow.report(broadcast_id)["state"] == "completed"


def test_a_dispatcher_that_died_for_good_after_any_call_is_not_the_end_of_its_broadcast(
    flow: Flow, clock: Clock, twilio: FakeTwilio
) -> None:
    """Killed after each of its calls in turn, among them the one that moves the cursor; its tick is gone."""
    for n in count(1):
        twilio.made.clear()
        flow.aws.forget_items()
        recipients = people(40)
        broadcast_id = flow.created(body="Hi", recipients=recipients, start="now", rate=1)
        stack = Deployment(flow, clock)
        stack.receive()
        stack.tick()
        stack.receive()
        with killed_at(n, "after") as was_killed:
            stack.tick()
        clock.pass_by(minutes=11)
        sweep()
        stack.rest()
        assert Counter(message["to"] for message in twilio.made) == Counter(
            each["to"] for each in recipients
        )
        assert flow.report(broadcast_id)["state"] == "completed"
        if not was_killed():
            break
    assert n > 4


def test_a_broadcast_starts_at_its_time(flow: Flow, clock: Clock, twilio: FakeTwilio) -> None:
    at = "2026-11-23T17:00:00Z"
    flow.created(body="Hi", recipients=[{"to": number(0)}], start=at)
    clock.pass_by(minutes=119)
    sweep()
    assert flow.aws.records("DISPATCH_QUEUE") == []
    clock.pass_by(minutes=1)
    sweep()
    flow.dispatch()
    flow.send_all()
    assert each_once(twilio, 1)


def test_chunks_that_a_resume_left_parked_are_released(
    flow: Flow, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN a paused broadcast with a parked chunk, and a resume that died before it released it
    broadcast_id = flow.created(body="Hi", recipients=[{"to": number(0)}], start="now")
    flow.dispatch()
    flow.call("POST", f"/broadcasts/{broadcast_id}/pause")
    flow.send_all()
    assert twilio.made == []
    with killed_at(4, "before") as was_killed:
        flow.call("POST", f"/broadcasts/{broadcast_id}/resume")
    assert was_killed()
    # WHEN the sweeper comes
    clock.pass_by(minutes=2)
    sweep()
    flow.send_all()
    # THEN
    assert each_once(twilio, 1)


def test_a_broadcast_that_cannot_be_woken_keeps_no_message_waiting(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN a broadcast whose item nobody can read, and an unknown message
    broadcast_id = flow.created(body="Hi", recipients=[{"to": number(9)}], start="now")
    aws.session.client("dynamodb").update_item(
        TableName="ledger",
        Key={"pk": {"S": f"BC#{broadcast_id}"}, "sk": {"S": "META"}},
        UpdateExpression="REMOVE content",
    )
    unknown(twilio, made=False)
    clock.pass_by(minutes=15)
    # WHEN it is swept THEN the sweep fails, for the alarm, and the message is sent
    with pytest.raises(KeyError):
        sweep()
    assert each_once(twilio, 1)


# ------------------------------------------------------------------------------------------------ duties


def test_what_a_duty_raises_keeps_no_other_back_and_fails_the_sweep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN three duties, the first two of which fail
    done: list[str] = []

    def first(_turn: duties.Turn) -> None:
        done.append("first")
        raise OSError("first")

    def second(_turn: duties.Turn) -> None:
        done.append("second")
        raise OSError("second")

    monkeypatch.setattr(duties, "DUTIES", (first, second, lambda _turn: done.append("third")))
    # WHEN
    with pytest.raises(OSError, match="second"):
        sweep()
    # THEN all had their turn, in order, and each failure is in the log
    assert done == ["first", "second", "third"]
    failed = [each.duty for each in caplog.records if each.msg == "duty failed"]  # type: ignore[attr-defined]
    assert failed == ["first", "second"]
