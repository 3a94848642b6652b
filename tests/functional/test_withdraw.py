"""STOP withdraws: what waits for somebody who said stop does not go out, wherever anybody dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any, Literal

import pytest

from functions.inbound.app import lambda_handler as inbound
from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from functions.sender.app import lambda_handler as sender
from sendpool.adapters import aws as clients
from sendpool.adapters.ledger import items
from sendpool.adapters.ledger.messages import is_waiting
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError
from sendpool.domain.message import MessageRecord, OutboundMessage, SendResult, Status
from sendpool.domain.withdrawal import (
    MalformedWithdrawalError,
    Withdrawal,
    from_body,
    to_body,
)
from sendpool.edge import warm
from sendpool.workflows import withdraw
from tests.functional.aws import SERVICE_SID, Aws, Context, sqs_record
from tests.functional.conftest import NOW, Clock
from tests.functional.requests import http
from tests.functional.test_webhooks import text, webhook
from tests.functional.twilio import Answer, FakeTwilio

PERSON = "+12025550123"
OTHER = "+12025550124"


@pytest.fixture
def sending_context() -> Context:
    return Context(milliseconds=[60_000])


def schedule(context: Context, *, to: str = PERSON, **more: Any) -> str:
    """Schedule a message an hour from now."""
    body = {"to": to, "body": "Hi", "send_at": (NOW + timedelta(hours=1)).isoformat(), **more}
    answer = messages(http("POST", "/messages", body), context)
    assert answer["statusCode"] == 202, answer
    message_id: str = json.loads(answer["body"])["id"]
    return message_id


def stop(context: Context, body: str = "STOP", **more: str) -> None:
    answer = inbound(webhook("/webhooks/inbound", text(body, **more)), context)
    assert answer["statusCode"] == 200


def stands(message_id: str) -> tuple[str, str | None]:
    record, _ = warm.messages().find(message_id)
    assert record
    return str(record.result.status), record.result.reason


def work(aws: Aws, context: Context, *, most: int = 20) -> list[int]:
    """Let senders work until the send queue is empty; returns the passes that withdrawals went through."""
    passes = []
    for _ in range(most):
        records = aws.records("SEND_QUEUE")
        if not records:
            return passes
        bodies = [json.loads(record["body"]) for record in records]
        passes += [body["withdraw"]["passes"] for body in bodies if "withdraw" in body]
        assert sender({"Records": records}, context) == {"batchItemFailures": []}
    raise AssertionError("it comes to no rest")


# ------------------------------------------------------------------------------------------------ what waits


@pytest.mark.parametrize("category", ["transactional", "marketing"])
def test_stop_cancels_what_is_scheduled_at_twilio_and_nobody_elses(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context, category: str
) -> None:
    # GIVEN two scheduled messages of one person, one of another, and one that has gone
    hers = [schedule(context, category=category) for _ in range(2)]
    his = schedule(context, to=OTHER)
    gone = json.loads(
        messages(http("POST", "/messages", {"to": PERSON, "body": "Hi"}), context)["body"]
    )["id"]
    # WHEN she says stop
    stop(context)
    assert work(aws, sending_context) == [0, 1]
    # THEN
    assert [stands(each) for each in hers] == [("canceled", "opted_out")] * 2
    assert stands(his) == ("scheduled", None)
    assert stands(gone) == ("accepted", None)
    assert [message["status"] for message in twilio.made] == [
        "canceled",
        "canceled",
        "scheduled",
        "accepted",
    ]
    # AND nothing is left to look at
    assert not [
        each for each in aws.items(prefix="MSG#") if "open" in each and each["to"] == PERSON
    ]


def test_what_is_deferred_here_is_canceled_without_a_word_to_twilio(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    deferred = MessageRecord(
        id="msg_" + "d" * 32,
        to=PERSON,
        created_at=NOW,
        result=SendResult(status=Status("deferred"), reason="quiet_hours"),
        message=OutboundMessage(to=PERSON, body="Hi", category="marketing"),
        due_at=NOW + timedelta(hours=9),
    )
    warm.messages().settle([deferred])
    stop(context)
    work(aws, sending_context)
    assert stands(deferred.id) == ("canceled", "opted_out")
    assert twilio.requests == []
    assert "open" not in aws.items(prefix="MSG#")[0]


def test_a_deferred_message_that_somebody_is_working_on_is_left_to_them(
    aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    message = OutboundMessage(to=PERSON, body="Hi")
    record = MessageRecord(
        id="msg_" + "d" * 32,
        to=PERSON,
        created_at=NOW,
        result=SendResult(status=Status("deferred")),
        message=message,
    )
    item = items.of_message(record, expires_at=NOW + timedelta(days=1))
    lease = {"lease_until": items.milliseconds(NOW + timedelta(seconds=30))}
    warm.table().put_many([item | lease])
    assert not warm.messages().withdraw(record, reason="opted_out", now=clock())
    clock.pass_by(seconds=31)
    assert warm.messages().withdraw(record, reason="opted_out", now=clock())


def test_one_that_was_found_by_evidence_is_canceled_although_it_says_accepted(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    record, _ = warm.messages().find(message_id)
    assert record
    found = SendResult(status=Status.ACCEPTED, sid=record.result.sid, evidence="list")
    warm.messages().settle(
        [
            MessageRecord(
                id=record.id, to=PERSON, created_at=NOW, result=found, message=record.message
            )
        ]
    )
    stop(context)
    work(aws, sending_context)
    assert stands(message_id) == ("canceled", "opted_out")


def test_whoever_opts_in_again_before_the_withdrawal_keeps_the_message(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context, clock: Clock
) -> None:
    message_id = schedule(context)
    stop(context)
    clock.pass_by(seconds=1)
    stop(context, "START", MessageSid="SM" + "3" * 32)
    assert work(aws, sending_context) == [0]
    assert stands(message_id) == ("scheduled", None)
    assert twilio.canceled == []


def test_an_opt_out_from_another_service_withdraws_nothing_of_this_one(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    stop(context, MessagingServiceSid="MG" + "f" * 32)
    work(aws, sending_context)
    assert stands(message_id) == ("scheduled", None)


def test_a_failure_because_of_a_block_withdraws_too(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    callback = {
        "received_at": NOW.isoformat(),
        "message_id": "msg_" + "a" * 32,
        "fields": {
            "MessageSid": "SM" + "9" * 32,
            "MessageStatus": "failed",
            "ErrorCode": "21610",
            "To": PERSON,
            "MessagingServiceSid": SERVICE_SID,
        },
    }
    recorder({"Records": [{"messageId": "c", "body": json.dumps(callback)}]}, context)
    work(aws, sending_context)
    assert stands(message_id) == ("canceled", "opted_out")


# ------------------------------------------------------------------------------------------------ Twilio's answers

REPEATED = {
    "throttled": Answer(429, 20429),
    "down": Answer(503),
    "not reached": Answer(error=NeverSentError("no")),
    "no answer, and canceled": Answer(error=NoAnswerError("no"), made=True),
    "no answer, and not": Answer(error=NoAnswerError("no")),
    "5xx, and canceled": Answer(500, made=True),
    "wrong credentials": Answer(401, 20003),
    "a refusal that nobody expects": Answer(400, 20001),
}


@pytest.mark.parametrize("answer", REPEATED.values(), ids=REPEATED.keys())
def test_a_cancel_without_a_clear_answer_is_repeated_without_burning_a_receive(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context, answer: Answer
) -> None:
    message_id = schedule(context)
    twilio.cancel_answers = [answer, answer]
    stop(context)
    work(aws, sending_context)
    assert stands(message_id) == ("canceled", "opted_out")
    assert twilio.made[0]["status"] == "canceled"


def test_what_twilio_has_sent_already_stays_as_it_is(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    twilio.made[0]["status"] = "sent"
    stop(context)
    work(aws, sending_context)
    assert stands(message_id) == ("scheduled", None)


def test_what_twilio_does_not_know_stays_as_it_is(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    twilio.made.clear()
    stop(context)
    work(aws, sending_context)
    assert stands(message_id) == ("scheduled", None)


def test_a_withdrawal_that_never_succeeds_ends_with_the_dead_letters(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    schedule(context)
    twilio.cancel_answers = [Answer(503)] * 200
    stop(context)
    work(aws, sending_context, most=200)
    [letter] = aws.records("SEND_DEAD_LETTER_QUEUE")
    assert letter["messageAttributes"]["reason"]["StringValue"] == "too_many_rounds"
    assert json.loads(letter["body"])["withdraw"]["people"] == [PERSON]


def test_without_time_for_all_the_rest_is_handed_back(
    aws: Aws, twilio: FakeTwilio, context: Context
) -> None:
    people = [f"+1202555{1000 + n}" for n in range(5)]
    ids = [schedule(context, to=person) for person in people]
    for person in people:
        warm.opt_outs().record(person, SERVICE_SID, opted_out=True, source="test", at=NOW)
    warm.queues().withdraw([Withdrawal(people=tuple(people), scope=SERVICE_SID)])
    # time for one message in each invocation
    for _ in range(20):
        records = aws.records("SEND_QUEUE")
        for record in records:
            hurried = Context(milliseconds=[60_000, 60_000, 1_000])
            assert sender({"Records": [record]}, hurried) == {"batchItemFailures": []}
    assert {stands(each) for each in ids} == {("canceled", "opted_out")}


# ------------------------------------------------------------------------------------------------ races


def test_a_create_that_was_under_way_during_the_first_pass_is_withdrawn_by_the_second(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context, clock: Clock
) -> None:
    # GIVEN a STOP whose first pass runs while Twilio makes the message: its result is not written yet
    passes: list[dict[str, Any]] = []

    def stop_meanwhile(_fields: object) -> None:
        stop(context)
        [record] = aws.records("SEND_QUEUE")
        sender({"Records": [record]}, sending_context)
        passes.extend(aws.records("SEND_QUEUE"))

    twilio.on_made = stop_meanwhile
    message_id = schedule(context)
    # WHEN the second pass comes
    assert [json.loads(each["body"])["withdraw"]["passes"] for each in passes] == [1]
    clock.pass_by(seconds=90)
    sender({"Records": passes}, sending_context)
    work(aws, sending_context)
    # THEN
    assert stands(message_id) == ("canceled", "opted_out")
    assert twilio.made[0]["status"] == "canceled"


def test_the_second_pass_waits_90_seconds_in_a_group_of_its_own(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    stop(context)
    asked: list[dict[str, Any]] = []
    events = clients.sqs().meta.events
    events.register(
        "before-parameter-build.sqs.SendMessageBatch",
        lambda params, **_: asked.extend(params["Entries"]),
    )
    sender({"Records": aws.records("SEND_QUEUE")}, sending_context)
    [second] = asked
    assert (second["DelaySeconds"], second["MessageGroupId"]) == (90, "withdrawals")


def test_who_settles_a_waiting_message_of_somebody_who_opted_out_withdraws_it_first(
    aws: Aws, twilio: FakeTwilio, context: Context, sending_context: Context
) -> None:
    message_id = schedule(context)
    record, _ = warm.messages().find(message_id)
    assert record
    collaborators: dict[str, Any] = {
        "opt_outs": warm.opt_outs(),
        "queues": warm.queues(),
        "scope": SERVICE_SID,
        "now": NOW,
    }
    withdraw.before_settling(record, **collaborators)
    assert aws.records("SEND_QUEUE") == []
    warm.opt_outs().record(PERSON, SERVICE_SID, opted_out=True, source="test", at=NOW)
    withdraw.before_settling(record, **collaborators)
    work(aws, sending_context)
    assert stands(message_id) == ("canceled", "opted_out")


@pytest.mark.parametrize(
    ("status", "send_at", "waits"),
    [
        ("scheduled", 3600, True),
        ("accepted", 3600, True),
        ("deferred", None, True),
        ("accepted", None, False),
        ("scheduled", -1, False),
        ("skipped", 3600, False),
        ("canceled", 3600, False),
        ("unknown", 3600, False),
    ],
)
def test_what_waits_for_its_hour(status: str, send_at: int | None, waits: bool) -> None:
    at = NOW + timedelta(seconds=send_at) if send_at else None
    record = MessageRecord(
        id="msg_" + "a" * 32,
        to=PERSON,
        created_at=NOW,
        result=SendResult(status=Status(status)),
        message=OutboundMessage(to=PERSON, send_at=at),
    )
    assert is_waiting(record, NOW) is waits


# ------------------------------------------------------------------------------------------------ bodies


@pytest.mark.parametrize(
    "broken",
    [
        {"people": []},
        {"people": [1], "scope": SERVICE_SID},
        {"people": [PERSON]},
        {"people": [PERSON], "scope": None},
        {"people": [PERSON], "scope": SERVICE_SID, "passes": "x"},
        {"people": [PERSON], "scope": SERVICE_SID, "forward": {"status": "opt-in"}},
        [],
        None,
        "x",
    ],
)
def test_a_body_that_is_no_withdrawal_is_set_aside(
    aws: Aws, twilio: FakeTwilio, sending_context: Context, broken: Any
) -> None:
    with pytest.raises(MalformedWithdrawalError):
        from_body({"withdraw": broken})
    record = sqs_record(json.dumps({"version": 1, "withdraw": broken}))
    assert sender({"Records": [record]}, sending_context) == {"batchItemFailures": []}
    [letter] = aws.records("SEND_DEAD_LETTER_QUEUE")
    assert letter["messageAttributes"]["reason"]["StringValue"] == "malformed_body"


def test_a_withdrawal_is_read_back_as_it_was_written() -> None:
    withdrawal = Withdrawal(people=(PERSON,), scope="all", passes=1, rounds=3)
    assert from_body(json.loads(json.dumps(to_body(withdrawal)))) == withdrawal


# ------------------------------------------------------------------------------------------------ kills


# conversation and answers read, inbound kept; opt-out read, written, withdrawal queued; noted that somebody wrote;
# opt-outs read, messages read, canceled at Twilio, here, next pass queued; opt-outs and messages read again
CALLS = 14


class KilledError(BaseException):
    """What SIGKILL looks like from inside: nothing is caught, nothing is written."""


@contextmanager
def struck(twilio: FakeTwilio, call: int, when: Literal["before", "after"]) -> Iterator[list[str]]:
    """Kill whoever makes this outside call, to AWS or to Twilio, before it is heard or after it was done."""
    calls = count(1)
    struck_at: list[str] = []

    def strike(name: str) -> None:
        if next(calls) == call:
            struck_at.append(name)
            raise KilledError(name)

    def on_aws(event_name: str, **_: Any) -> None:
        strike(event_name)

    def on_request(*asked: Any, **more: Any) -> Any:
        if when == "before":
            strike("twilio")
        answer = request(*asked, **more)
        if when == "after":
            strike("twilio")
        return answer

    request = twilio.request
    events = [each.meta.events for each in (clients.dynamodb(), clients.sqs())]
    for each in events:
        each.register(f"{when}-call", on_aws)
    twilio.request = on_request  # type: ignore[method-assign]
    try:
        with suppress(KilledError):
            yield struck_at
    finally:
        twilio.request = request  # type: ignore[method-assign]
        for each in events:
            each.unregister(f"{when}-call", on_aws)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS + 2))
def test_wherever_one_dies_from_stop_to_canceled_the_message_is_canceled(
    aws: Aws,
    twilio: FakeTwilio,
    context: Context,
    sending_context: Context,
    call: int,
    when: Literal["before", "after"],
) -> None:
    message_id = schedule(context)
    # GIVEN a death at this call, of the webhook's function or of a sender
    queued: list[dict[str, Any]] = []
    with struck(twilio, call, when) as struck_at:
        stop(context)
        while queued := aws.records("SEND_QUEUE"):
            sender({"Records": queued}, sending_context)
    # WHEN Twilio, or the queue, repeats what did not end
    if queued:
        sender({"Records": queued}, sending_context)
    else:
        stop(context)
    work(aws, sending_context)
    # THEN
    assert stands(message_id) == ("canceled", "opted_out")
    assert twilio.made[0]["status"] == "canceled"
    [opt_out] = aws.items(prefix="OPTOUT#")
    assert (opt_out["opted_out"], len(opt_out["history"])) == (True, 1)
    assert aws.records("SEND_DEAD_LETTER_QUEUE") == []
    assert bool(struck_at) is (call <= CALLS), struck_at
