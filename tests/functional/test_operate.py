"""What an operator does by hand: dead letters by class, putting them back, counting a broadcast again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ReadTimeoutError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from rich.console import Console

from functions.recorder.app import lambda_handler as recorder
from local.client import Sendpool
from local.operate import __main__ as operate
from local.operate.target import QUEUES, QueuePair, Target, in_aws
from sendpool.adapters import aws as clients
from sendpool.domain.books import REMEDIES, Cause, Day, Entry, Known, Shown, booked, compared
from sendpool.domain.message import Delivery, Status
from sendpool.edge import warm
from tests.functional.aws import Aws, Context
from tests.functional.flow import Flow, callback
from tests.functional.twilio import Answer, FakeTwilio

QUEUE_NAMES = {
    "dispatch": ("DISPATCH_QUEUE", "DISPATCH_DEAD_LETTER_QUEUE"),
    "send": ("SEND_QUEUE", "SEND_DEAD_LETTER_QUEUE"),
    "callbacks": ("CALLBACKS_QUEUE", "CALLBACKS_DEAD_LETTER_QUEUE"),
    "event_webhooks": ("EVENT_WEBHOOKS_QUEUE", "EVENT_WEBHOOKS_DEAD_LETTER_QUEUE"),
}


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def target(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Target:
    sqs = clients.sqs()
    for _, name in QUEUE_NAMES.values():
        sqs.create_queue(QueueName=name.lower())
    monkeypatch.setattr("sendpool.adapters.dead_letters._WAIT_SECONDS", 0)
    pairs = {
        queue: QueuePair(
            *(sqs.get_queue_url(QueueName=name.lower())["QueueUrl"] for name in QUEUE_NAMES[queue])
        )
        for queue in QUEUES
    }
    made = Target(
        "the local stack",
        "python -m local.operate",
        pairs,
        "ledger",
        clients.dynamodb(),
        sqs,
        api=Sendpool("http://localhost", Credentials("a", "b"), "us-east-1"),
    )
    monkeypatch.setattr(operate, "local", lambda: made)
    monkeypatch.setattr(operate, "Console", lambda **_: Console(width=200, highlight=False))
    return made


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": f"+1202555{1000 + n}"} for n in range(count)]


def bury(target: Target, queue: str, record: dict[str, Any], *, reason: str | None = None) -> None:
    """Let a body stand among the dead letters, by SQS or with our reason."""
    said: Any = (
        {"MessageAttributes": {"reason": {"DataType": "String", "StringValue": reason}}}
        if reason
        else {}
    )
    target.sqs.send_message(
        QueueUrl=target.queues[queue].dead_letter_url, MessageBody=record["body"], **said
    )


def waiting(target: Target, queue: str) -> tuple[int, int]:
    """How many wait on a queue, and among its dead letters."""
    pair = target.queues[queue]

    def count(url: str) -> int:
        answer = target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    return count(pair.url), count(pair.dead_letter_url)


# ------------------------------------------------------------------------------------------------ dead letters


def test_without_dead_letters_it_says_so(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate.main(["dead-letters"]) == 0
    assert capsys.readouterr().out == "no dead letters in the local stack\n"


def test_dead_letters_are_shown_by_class_without_numbers_and_texts(
    target: Target, flow: Flow, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a chunk that went too many rounds, one that SQS set aside, requests that break the contract, a callback
    ids = [flow.created(body="Secret", recipients=people(2), start="now") for _ in range(2)]
    flow.dispatch()
    first, second = aws.records("SEND_QUEUE")
    bury(target, "send", first, reason="too_many_rounds")
    bury(target, "send", second)
    for n in range(3):
        body = {"version": 1, "requests": [{"id": f"a{n}", "to": "+12025550123", "body": "Secret"}]}
        bury(target, "send", {"body": json.dumps(body)}, reason=f"wrong_type at requests.{n}.to")
    bury(target, "callbacks", {"body": "{"})
    # WHEN
    assert operate.main(["dead-letters"]) == 0
    # THEN
    told = capsys.readouterr().out
    rows = [
        [cell.strip() for cell in line.split("│")[1:5]] for line in told.splitlines() if "│" in line
    ]
    assert [row for row in rows if row[0]] == [
        ["send", "requests", "wrong_type", "3"],
        ["send", "chunk", "too_many_rounds", "1"],
        ["send", "chunk", "not_worked_off", "1"],
        ["callbacks", "unreadable", "not_worked_off", "1"],
    ]
    for expected in (*ids, "req_a0", "redrive send --class wrong_type"):
        assert expected in told
    assert "Secret" not in told
    assert "+1202" not in told
    # AND they are there for others
    assert waiting(target, "send") == (0, 5)


def test_a_class_is_put_back_and_the_others_stay(
    target: Target, flow: Flow, aws: Aws, twilio: FakeTwilio, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a chunk that went too many rounds, and another that failed
    for _ in range(2):
        flow.created(body="Hi", recipients=people(3), start="now")
    flow.dispatch()
    first, second = aws.records("SEND_QUEUE")
    body = json.loads(first["body"])
    body["chunk"]["rounds"] = 151
    bury(target, "send", {"body": json.dumps(body)}, reason="too_many_rounds")
    bury(target, "send", second)
    # WHEN
    assert operate.main(["redrive", "send", "--class", "too_many_rounds"]) == 0
    # THEN it is worked off, with its rounds forgotten
    assert "1 put back onto the send queue" in capsys.readouterr().out
    assert waiting(target, "send") == (1, 1)
    [back] = aws.records("SEND_QUEUE")
    assert json.loads(back["body"])["chunk"]["rounds"] == 0
    assert flow.send([back]) == []
    assert len(twilio.made) == 3
    # AND so are the others
    assert operate.main(["redrive", "send", "--all"]) == 0
    flow.send_all()
    assert waiting(target, "send") == (0, 0)
    assert len(twilio.made) == 6


def test_putting_back_what_was_done_sends_nobody_twice(
    target: Target, flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    # GIVEN dead letters whose work was done all the same, half of it or whole
    broadcast_id = flow.created(body="Hi", recipients=people(4), start="now")
    ticks = aws.records("DISPATCH_QUEUE")
    for tick in ticks:
        bury(target, "dispatch", tick)
    target.sqs.send_message(QueueUrl=target.queues["dispatch"].url, MessageBody=ticks[0]["body"])
    flow.dispatch()
    [chunk] = aws.records("SEND_QUEUE")
    twilio.answers[people(4)[1]["to"]] = [Answer(429, 20429)]
    assert flow.send([chunk]) == []
    bury(target, "send", chunk)
    request = {"version": 1, "requests": [{"id": "a", "to": "+12025550123", "body": "Hi"}]}
    assert flow.send([{**chunk, "body": json.dumps(request)}]) == []
    bury(target, "send", {"body": json.dumps(request)}, reason="idempotency_key_reused")
    delivered = callback(twilio.made[0], "delivered")
    flow.call_back(delivered)
    bury(target, "callbacks", {"body": json.dumps(delivered)})
    # WHEN all are put back
    for queue in QUEUES:
        assert operate.main(["redrive", queue, "--all"]) == 0
    flow.dispatch()
    for record in aws.records("SEND_QUEUE"):
        assert flow.send([record]) == []
    recorder({"Records": aws.records("CALLBACKS_QUEUE")}, Context())
    flow.roll_up()
    # THEN
    assert Counter(message["to"] for message in twilio.made) == Counter(
        [*(each["to"] for each in people(4)), "+12025550123"]
    )
    report = flow.report(broadcast_id)
    assert report["counters"] == {"accepted": 3, "delivered": 1}


def test_what_fails_again_at_once_is_put_back_once(
    target: Target, flow: Flow, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN bodies that nobody can read, and senders that set them aside as soon as they are put back
    for _ in range(3):
        bury(target, "send", {"body": "{"}, reason="invalid_json")

    def work(**_: Any) -> None:
        if records := aws.records("SEND_QUEUE"):
            assert flow.send(records) == []

    events = target.sqs.meta.events
    events.register("after-call.sqs.SendMessage", work)
    # WHEN
    assert operate.main(["redrive", "send", "--all"]) == 0
    # THEN
    events.unregister("after-call.sqs.SendMessage", work)
    assert "3 put back onto the send queue" in capsys.readouterr().out
    assert waiting(target, "send") == (0, 3)


def test_dying_between_putting_back_and_removing_leaves_two_and_sends_once(
    target: Target, flow: Flow, aws: Aws, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.created(body="Hi", recipients=people(3), start="now")
    flow.dispatch()
    [chunk] = aws.records("SEND_QUEUE")
    bury(target, "send", chunk)
    with monkeypatch.context() as patch:
        patch.setattr(target.sqs, "delete_message", _no_answer)
        assert operate.main(["redrive", "send", "--all"]) == 1
    _seen_again(target, "send")
    assert operate.main(["redrive", "send", "--all"]) == 0
    records = aws.records("SEND_QUEUE")
    assert len(records) == 2
    assert flow.send(records) == []
    assert len(twilio.made) == 3


def _no_answer(**_: Any) -> None:
    raise ReadTimeoutError(endpoint_url="https://sqs")


def _seen_again(target: Target, queue: str) -> None:
    """Let the time pass after which dead letters that were taken are there again."""
    name = target.queues[queue].dead_letter_url.split("/")[-1]
    for message in sqs_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].queues[name]._messages:
        message.change_visibility(0)


def test_a_stack_in_aws_is_found_by_its_outputs(
    target: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {"LedgerTableName": target.table_name, "ApiUrl": "https://api.example.com"}
    for queue, pair in target.queues.items():
        logical = queue.title().replace("_", "")
        outputs[f"{logical}QueueUrl"] = pair.url
        outputs[f"{logical}DeadLetterQueueUrl"] = pair.dead_letter_url
    stacks = {"sendpool-prod": outputs, "other": {}}
    monkeypatch.setattr(boto3.Session, "client", _with_stacks(boto3.Session.client, stacks))
    bury(target, "send", {"body": "{"})
    assert operate.main(["--stack", "sendpool-prod", "dead-letters"]) == 0
    command = "python -m local.operate --stack sendpool-prod redrive send --class not_worked_off"
    assert command in capsys.readouterr().out
    assert in_aws("sendpool-prod").senders == ("+12025550100", "55501")
    # and others are refused with what to do
    assert operate.main(["--stack", "other", "dead-letters"]) == 1
    assert "is it Sendpool" in capsys.readouterr().err
    assert operate.main(["--stack", "none", "dead-letters"]) == 1
    assert "AWS_PROFILE" in capsys.readouterr().err


def _with_stacks(client: Any, stacks: dict[str, dict[str, str]]) -> Any:
    """Clients as ever, but for CloudFormation's, which knows these stacks by their outputs."""
    parameters = {"ProvisionService": "on", "Senders": "+12025550100,55501"}
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]

    def describe(params: Any, **_: Any) -> Any:
        outputs = stacks.get(params["body"]["StackName"])
        if outputs is None:
            return _Answer(400), {"Error": {"Code": "ValidationError", "Message": "no such stack"}}
        shown = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return _Answer(200), {"Stacks": [{"Outputs": shown, "Parameters": given}]}

    def make(session: Any, service: str, **more: Any) -> Any:
        made = client(session, service, **more)
        if service == "cloudformation":
            made.meta.events.register("before-call.cloudformation.DescribeStacks", describe)
        return made

    return make


@dataclass(frozen=True)
class _Answer:
    status_code: int


# ------------------------------------------------------------------------------------------------ recounting


def sent(flow: Flow, twilio: FakeTwilio) -> str:
    """A broadcast with one of each: delivered, undelivered, refused, skipped, accepted."""
    twilio.answers[people(4)[2]["to"]] = [Answer(400, 21211)]
    recipients = [*people(4), {"to": "12"}]
    broadcast_id = flow.created(body="Hi", recipients=recipients, start="now")
    flow.dispatch()
    flow.send_all()
    flow.call_back(
        callback(twilio.sent_to(people(1)[0]["to"])[0], "delivered"),
        callback(twilio.sent_to(people(2)[1]["to"])[0], "undelivered", error_code=30003),
    )
    return broadcast_id


RIGHT = {"accepted": 1, "delivered": 1, "failed": 1, "skipped": 1, "undelivered": 1}


def test_right_counters_stay(
    target: Target, flow: Flow, twilio: FakeTwilio, capsys: pytest.CaptureFixture[str]
) -> None:
    broadcast_id = sent(flow, twilio)
    flow.roll_up()
    before = flow.report(broadcast_id)
    assert operate.main(["recount", broadcast_id]) == 0
    assert capsys.readouterr().out == "1 chunks counted: the counters were right\n"
    assert flow.report(broadcast_id) == before
    assert before["counters"] == RIGHT


def test_what_the_stream_never_reported_is_counted_and_completes(
    target: Target, flow: Flow, twilio: FakeTwilio, capsys: pytest.CaptureFixture[str]
) -> None:
    broadcast_id = sent(flow, twilio)
    assert operate.main(["recount", broadcast_id]) == 0
    told = capsys.readouterr().out
    assert "1 of 1 chunks were counted wrong" in told
    report = flow.report(broadcast_id)
    assert (report["counters"], report["state"]) == (RIGHT, "completed")
    assert report["skipped"] == {"invalid_phone": 1}
    assert {each["code"]: each["count"] for each in report["errors"]} == {21211: 1, 30003: 1}
    # and the stream's late report adds nothing
    flow.roll_up()
    assert flow.report(broadcast_id) == report


@pytest.mark.parametrize("lost", ["COUNT", "TALLY", "both"])
def test_counters_and_tallies_that_are_wrong_or_gone_are_made_anew(
    target: Target,
    flow: Flow,
    twilio: FakeTwilio,
    lost: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broadcast_id = sent(flow, twilio)
    flow.roll_up()
    before = flow.report(broadcast_id)
    keys = {
        "COUNT": [(f"BC#{broadcast_id}", "COUNT")],
        "TALLY": [(f"BC#{broadcast_id}#000000", "TALLY")],
    }
    for pk, sk in keys.get(lost, keys["COUNT"] + keys["TALLY"]):
        clients.dynamodb().delete_item(TableName="ledger", Key={"pk": {"S": pk}, "sk": {"S": sk}})
    # WHEN
    assert operate.main(["recount", broadcast_id]) == 0
    # THEN
    report = flow.report(broadcast_id)
    assert report["counters"] == RIGHT
    assert report["state"] == "completed"
    assert {**report, "completed_at": None} == {**before, "completed_at": None}
    capsys.readouterr()
    assert operate.main(["recount", broadcast_id]) == 0
    assert "were right" in capsys.readouterr().out


def test_a_change_while_it_is_counted_again_is_counted_once(
    target: Target, flow: Flow, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a callback and its report in the middle of the recount of the chunk
    broadcast_id = sent(flow, twilio)
    truth = warm.chunks().truth
    last = twilio.sent_to(people(4)[3]["to"])[0]
    once = iter([True])

    def meanwhile(_chunks: Any, *place: Any) -> Any:
        known = truth(*place)
        if next(once, False):
            flow.call_back(callback(last, "delivered"))
            flow.roll_up()
        return known

    monkeypatch.setattr("sendpool.adapters.ledger.chunks.Chunks.truth", meanwhile)
    assert operate.main(["recount", broadcast_id]) == 0
    flow.roll_up()
    counters = {name: n for name, n in RIGHT.items() if name != "accepted"}
    assert flow.report(broadcast_id)["counters"] == {**counters, "delivered": 2}


def test_counters_that_never_rest_are_left_to_another_time(
    target: Target,
    flow: Flow,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broadcast_id = sent(flow, twilio)
    flow.roll_up()
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    correct = "sendpool.adapters.ledger.broadcasts.Tallies.correct"
    monkeypatch.setattr(correct, lambda *_, **__: False)
    clients.dynamodb().delete_item(
        TableName="ledger", Key={"pk": {"S": f"BC#{broadcast_id}"}, "sk": {"S": "COUNT"}}
    )
    assert operate.main(["recount", broadcast_id]) == 1
    assert "repeat it" in capsys.readouterr().err


def test_a_broadcast_that_is_not_there_is_named(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate.main(["recount", "bc_" + "0" * 32]) == 1
    assert "there is no broadcast bc_000" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ opt-outs


def test_a_list_of_opt_outs_is_taken_in_and_written_out(
    target: Target, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a list as people keep it, with rows that cannot be used
    service = f"MG{'a' * 32}"
    path = tmp_path / "list.csv"
    path.write_text(
        "to,scope,at\n"
        "+12025551000,,2026-01-02T03:04:05Z\n"
        f"(202) 555-1001,{service},\n"
        "12,,\n"
        "+12025551002,everything,\n"
        "+12025551003,,yesterday\n"
        "+12025551004,,2999-01-01T00:00:00Z\n"
    )
    # WHEN it is taken in, twice
    for _ in range(2):
        assert operate.main(["opt-outs", "import", str(path), "--source", "old-system"]) == 1
    told = capsys.readouterr().out
    # THEN who can be read is opted out, and the others are named
    assert "2 opted out, 4 rows left out" in told
    for line in (
        "row 3: invalid_phone",
        "row 4: invalid_scope",
        "row 5: invalid_time",
        "row 6: in_the_future",
    ):
        assert line in told
    assert warm.opt_outs().among(["+12025551000", "+12025551001"], service) == {
        "+12025551000",
        "+12025551001",
    }
    assert waiting(target, "send")[0] > 0
    # AND written out again they are the same
    out = tmp_path / "all.csv"
    assert operate.main(["opt-outs", "export", str(out)]) == 0
    lines = sorted(out.read_text().splitlines())
    assert lines[0].startswith("+12025551000,all,2026-01-02T03:04:05+00:00,old-system")
    assert lines[1].startswith(f"+12025551001,{service},")
    assert lines[2] == "to,scope,since,source"


@pytest.mark.parametrize("content", [b"", b"phone\n+12025551000\n"])
def test_what_is_no_list_of_opt_outs_is_refused(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert operate.main(["opt-outs", "import", str(path)]) == 1
    assert "is no list of opt-outs" in capsys.readouterr().err
    assert operate.main(["opt-outs", "import", str(tmp_path / "absent.csv")]) == 1
    assert "cannot read" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ books


def entry(status: str, known: str) -> Entry:
    """A message that cost a cent at Twilio, and of which the ledger knows no price."""
    sid = f"SM{1:032x}"
    delivery = Delivery(sid=sid, status=Status(known))
    mine = Known(message_id="msg_1", sid=sid, result=None, delivery=delivery)
    return compared(Shown(status, 10_000, "USD"), mine, datetime.now(UTC).date())


def closed(day: date, *entries: Entry) -> None:
    """Let the books of a day be closed with these messages."""
    books = warm.books()
    now = datetime.now(UTC)
    assert books.finish(books.closing(first=day), Day(day, booked(entries), now), now=now)


def test_without_books_it_says_so(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    assert operate.main(["reconciliation"]) == 0
    assert "no books yet" in capsys.readouterr().out


def test_the_books_of_the_last_days_are_a_line_each(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).date()
    closed(today - timedelta(days=3), entry("delivered", "sent"))
    closed(today - timedelta(days=2))
    assert operate.main(["reconciliation"]) == 0
    told = capsys.readouterr().out
    lines = [line for line in told.splitlines() if "│ 20" in line]
    assert len(lines) == 2
    assert str(today - timedelta(days=2)) in lines[0]
    assert "0.0100 USD" in lines[1]
    assert "behind_in_status 1" in lines[1]


def test_the_books_of_a_day_show_causes_with_remedies_and_examples(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    day = datetime.now(UTC).date() - timedelta(days=2)
    closed(day, entry("delivered", "sent"), entry("failed", "delivered"))
    # what is not explained fails the command
    assert operate.main(["reconciliation", "--date", str(day)]) == 1
    told = capsys.readouterr().out
    for said in ("behind_in_status: 1", "unexplained: 1", "  msg_1", "0.0200 USD", "delivered"):
        assert said in told
    assert REMEDIES[Cause.UNEXPLAINED][:30] in told


def test_a_day_without_books_is_a_failure(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate.main(["reconciliation", "--date", "2019-12-31"]) == 1
    assert "there are no books of 2019-12-31" in capsys.readouterr().err
