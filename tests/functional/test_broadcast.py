"""A broadcast from its creation to its report: everybody once, everybody with an outcome, counters that are true."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from functions.dispatcher.app import lambda_handler as dispatcher
from functions.sender.app import lambda_handler as sender
from sendpool.adapters.aws import s3
from sendpool.adapters.files import Files
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.edge import warm
from tests.functional.aws import SERVICE_SID, Aws, Context, sqs_record
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.twilio import Answer, FakeTwilio

BODY = "Hi {{ name }}, the sale is on. Reply STOP to opt out."


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


def people(count: int) -> list[dict[str, Any]]:
    return [
        {"to": f"+1202555{1000 + n}", "variables": {"name": f"Person {n}"}} for n in range(count)
    ]


def started(flow: Flow, recipients: list[dict[str, Any]], **request: Any) -> str:
    """A broadcast whose chunks wait on the send queue."""
    broadcast_id = flow.created(body=BODY, recipients=recipients, start="now", **request)
    flow.dispatch()
    return broadcast_id


def each_once(twilio: FakeTwilio, recipients: list[dict[str, Any]]) -> bool:
    return Counter(message["to"] for message in twilio.made) == Counter(
        recipient["to"] for recipient in recipients
    )


# ------------------------------------------------------------------------------------------------ the whole way


def test_everybody_gets_the_text_once_and_the_counters_say_so(
    flow: Flow, twilio: FakeTwilio
) -> None:
    # GIVEN 250 people, and among the rows a number that is none, a repeated one, and one without a name
    bad = [
        {"to": "12345", "variables": {"name": "Short"}},
        {"to": "(202) 555-1000", "variables": {"name": "Again"}},
        {"to": "+12025559999"},
    ]
    broadcast_id = started(flow, people(250) + bad)
    # WHEN it is sent, called back and counted
    flow.send_all()
    for message in twilio.made:
        flow.call_back(callback(message, "sent"), callback(message, "delivered"))
    flow.roll_up()
    # THEN
    assert each_once(twilio, people(250))
    assert twilio.made[0]["body"].startswith("Hi Person ")
    report = flow.report(broadcast_id)
    assert report["state"] == "completed"
    assert (report["total"], report["outcomes"], report["final"]) == (253, 253, 253)
    assert report["counters"] == {"delivered": 250, "skipped": 3}
    assert report["skipped"] == {"invalid_phone": 1, "duplicate": 1, "missing_variable": 1}
    assert report["delivery_rate"] == 1.0


def test_errors_are_counted_by_code_with_their_remedy(flow: Flow, twilio: FakeTwilio) -> None:
    broadcast_id = started(flow, people(3))
    twilio.answers["+12025551001"] = [Answer(400, 21211)]
    flow.send_all()
    flow.call_back(callback(twilio.sent_to("+12025551000")[0], "undelivered", error_code=30005))
    flow.roll_up()
    report = flow.report(broadcast_id)
    assert report["counters"] == {"accepted": 1, "undelivered": 1, "failed": 1}
    assert {(each["code"], each["count"]) for each in report["errors"]} == {(21211, 1), (30005, 1)}
    assert all(each["remedy"] for each in report["errors"])


def test_a_broadcast_is_not_complete_while_a_fate_is_unknown(
    flow: Flow, twilio: FakeTwilio
) -> None:
    broadcast_id = started(flow, people(2))
    twilio.answers["+12025551001"] = [Answer(0, error=NoAnswerError("ReadTimeoutError"), made=True)]
    flow.send(flow.aws.records("SEND_QUEUE"))
    flow.roll_up()
    report = flow.report(broadcast_id)
    assert (report["state"], report["outcomes"]) == ("dispatched", 1)
    assert report["counters"] == {"accepted": 1, "unknown": 1}
    # WHEN the callback proves that the message exists
    flow.call_back(callback(twilio.sent_to("+12025551001")[0], "delivered"))
    flow.roll_up()
    # THEN it is resolved, and the broadcast complete
    report = flow.report(broadcast_id)
    assert (report["state"], report["counters"]) == ("completed", {"accepted": 1, "delivered": 1})
    assert len(twilio.made) == 2


def test_counting_the_same_changes_again_changes_nothing(flow: Flow, twilio: FakeTwilio) -> None:
    broadcast_id = started(flow, people(120))
    flow.send_all()
    flow.roll_up()
    before = flow.report(broadcast_id)
    flow.roll_up()
    assert flow.report(broadcast_id) == before


def test_a_content_template_gets_each_persons_variables(flow: Flow, twilio: FakeTwilio) -> None:
    flow.created(content_sid="HX" + "0" * 32, recipients=people(1), start="now")
    flow.dispatch()
    flow.send_all()
    assert json.loads(twilio.made[0]["fields"]["ContentVariables"]) == {"name": "Person 0"}


# ------------------------------------------------------------------------------------------------ starting


def test_starting_twice_starts_once(flow: Flow, twilio: FakeTwilio) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(5))
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/start")[0] == 202
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/start")[0] == 202
    flow.dispatch()
    flow.send_all()
    assert each_once(twilio, people(5))


def test_the_same_key_creates_one_broadcast(flow: Flow, aws: Aws, twilio: FakeTwilio) -> None:
    # WHEN a broadcast is created, its answer is lost, and the same request comes again
    request = {"name": "Sale", "body": "Hi", "recipients": people(3), "start": "now"}
    first = flow.call("POST", "/broadcasts", request, key="sale-7")
    second = flow.call("POST", "/broadcasts", request, key="sale-7")
    # THEN there is one broadcast
    assert first[0] == second[0] == 201
    assert first[1]["id"] == second[1]["id"]
    flow.dispatch()
    flow.send_all()
    assert each_once(twilio, people(3))
    # AND another request with that key is refused, and changes nothing
    other = {**request, "recipients": people(4)}
    status, problem = flow.call("POST", "/broadcasts", other, key="sale-7")
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert flow.report(first[1]["id"])["total"] == 3


def test_a_broadcast_whose_recipients_were_not_kept_is_mended_by_the_same_request(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    # GIVEN the function died after it wrote the broadcast and before it kept the recipients
    request = {"name": "Sale", "body": "Hi", "recipients": people(3)}
    _, broadcast = flow.call("POST", "/broadcasts", request, key="sale-7")
    aws.session.client("s3").delete_object(Bucket="files", Key=f"uploads/{broadcast['id']}")
    assert (
        flow.call("POST", f"/broadcasts/{broadcast['id']}/start")[1]["code"] == "recipients_missing"
    )
    # WHEN the same request comes again
    assert flow.call("POST", "/broadcasts", request, key="sale-7")[1]["id"] == broadcast["id"]
    # THEN it can start
    assert flow.call("POST", f"/broadcasts/{broadcast['id']}/start")[0] == 202


def test_a_broadcast_without_its_upload_cannot_start(flow: Flow) -> None:
    broadcast_id = flow.created(body=BODY, upload=True)
    status, problem = flow.call("POST", f"/broadcasts/{broadcast_id}/start")
    assert (status, problem["code"]) == (409, "recipients_missing")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_an_upload_form_is_one_that_every_region_takes(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    form = Files(s3(), "files").upload_form("bc_1")
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    host = "files.s3.amazonaws.com" if region == "us-east-1" else f"files.s3.{region}.amazonaws.com"
    assert form.url == f"https://{host}/"


def test_a_broadcast_that_is_not_there_cannot_start(flow: Flow) -> None:
    assert flow.call("POST", "/broadcasts/bc_0/start")[0] == 404
    assert flow.call("GET", "/broadcasts/bc_0")[0] == 404


BAD_BROADCASTS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": "", "body": "Hi", "upload": True}, "string_too_short"),
    "no content": ({"upload": True}, "content_missing"),
    "body and template": (
        {"body": "Hi", "content_sid": "HX" + "0" * 32, "upload": True},
        "content_conflict",
    ),
    "broken template": ({"body": "Hi {{ name", "upload": True}, "invalid_template"),
    "unclosed tag": ({"body": "{% if name %}Hi", "upload": True}, "invalid_template"),
    "no recipients": ({"body": "Hi"}, "recipients_conflict"),
    "recipients and upload": (
        {"body": "Hi", "upload": True, "recipients": [{"to": "+12025550123"}]},
        "recipients_conflict",
    ),
    "upload started at once": ({"body": "Hi", "upload": True, "start": "now"}, "start_conflict"),
    "rate of nothing": ({"body": "Hi", "upload": True, "rate": 0}, "greater_than"),
    "unknown field": ({"body": "Hi", "upload": True, "speed": 1}, "unknown_field"),
}


@pytest.mark.parametrize(
    ("request_body", "code"), BAD_BROADCASTS.values(), ids=BAD_BROADCASTS.keys()
)
def test_a_broadcast_that_breaks_its_contract_is_not_kept(
    flow: Flow, aws: Aws, request_body: Mapping[str, Any], code: str
) -> None:
    status, problem = flow.call("POST", "/broadcasts", {"name": "Sale", **request_body})
    assert (status, problem["code"]) == (422, code)
    assert aws.items() == []


# ------------------------------------------------------------------------------------------------ uploads


def uploaded(flow: Flow, content: bytes) -> dict[str, Any]:
    broadcast_id = flow.created(body="Hi {{ name }}", upload=True)
    flow.aws.session.client("s3").put_object(
        Bucket="files", Key=f"uploads/{broadcast_id}", Body=content
    )
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/start")[0] == 202
    flow.dispatch()
    flow.send_all()
    flow.roll_up()
    return flow.report(broadcast_id)


CSV = "to,name\n+12025550123,Zoë\n+12025550124,Bob\n"
GOOD_FILES = {
    "CSV": CSV.encode(),
    "BOM": b"\xef\xbb\xbf" + CSV.encode(),
    "CRLF": CSV.replace("\n", "\r\n").encode(),
    "semicolons": CSV.replace(",", ";").encode(),
    "gzip": gzip.compress(CSV.encode()),
    "UTF-16": CSV.encode("utf-16"),
    "20 columns": (
        "to,name," + ",".join(f"c{n}" for n in range(18)) + "\n"
        "+12025550123,Zoë," + ",".join("x" * 18) + "\n+12025550124,Bob," + ",".join("x" * 18) + "\n"
    ).encode(),
    "JSON lines": b'{"to": "+12025550123", "name": "Zo\\u00eb"}\n{"to": "+12025550124", "name": "Bob"}\n',
}


@pytest.mark.parametrize("content", GOOD_FILES.values(), ids=GOOD_FILES.keys())
def test_an_upload_of_any_usual_form_is_sent(
    flow: Flow, twilio: FakeTwilio, content: bytes
) -> None:
    report = uploaded(flow, content)
    assert report["state"] == "completed"
    assert sorted(message["body"] for message in twilio.made) == ["Hi Bob", "Hi Zoë"]


BAD_FILES = {
    "empty": (b"", "empty_file"),
    "header only": (b"to,name\n", "empty_file"),
    "no to": (b"phone,name\n+12025550123,Bob\n", "missing_to_column"),
    "Latin-1": (CSV.encode("latin-1"), "not_utf8"),
    "truncated gzip": (gzip.compress(CSV.encode() * 100)[:-20], "bad_gzip"),
}


@pytest.mark.parametrize(("content", "code"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_an_upload_that_cannot_be_used_is_refused_with_the_reason_and_nothing_is_sent(
    flow: Flow, twilio: FakeTwilio, content: bytes, code: str
) -> None:
    report = uploaded(flow, content)
    assert (report["state"], report["problem"]["code"]) == ("failed", code)
    assert report["problem"]["detail"]
    assert twilio.made == []


# ------------------------------------------------------------------------------------------------ dispatching


def test_a_tick_that_comes_twice_releases_nobody_twice(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    flow.created(body=BODY, recipients=people(150), start="now")
    context = Context()
    while ticks := aws.records("DISPATCH_QUEUE"):
        dispatcher({"Records": ticks}, context)
        dispatcher({"Records": ticks}, context)
    flow.dispatch()
    flow.send_all()
    assert each_once(twilio, people(150))


def test_a_rate_spreads_chunks_and_never_releases_more_than_the_look_ahead(
    flow: Flow, aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN 1,000 people at 20 segments a second: 50 seconds of work
    flow.created(body="Hi", recipients=people(1_000), start="now", rate=20)
    sqs = aws.session.client("sqs")
    url = aws.environment["DISPATCH_QUEUE_URL"]
    # WHEN the dispatcher imports and does one tick
    for _ in range(2):
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        dispatcher({"Records": [sqs_record(message["Body"])]}, Context())
    # THEN some 30 seconds of work are released, and the next tick waits
    flow.send_all()
    assert 580 <= len(twilio.made) <= 720
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


# ------------------------------------------------------------------------------------------------ sending a chunk


def test_a_chunk_delivered_twice_is_sent_once(flow: Flow, aws: Aws, twilio: FakeTwilio) -> None:
    started(flow, people(100))
    [chunk] = aws.records("SEND_QUEUE")
    assert flow.send([chunk, chunk]) == []
    assert flow.send([chunk]) == []
    assert each_once(twilio, people(100))


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is caught, nothing is written."""


@pytest.mark.parametrize("kill_at", [1, 13, 40, 60])
def test_a_sender_killed_in_a_chunk_sends_nobody_twice_and_loses_nobody(
    flow: Flow, aws: Aws, clock: Clock, twilio: FakeTwilio, kill_at: int
) -> None:
    # GIVEN a sender that is killed while it sends the chunk
    started(flow, people(60))
    [chunk] = aws.records("SEND_QUEUE")
    calls = itertools.count(1)

    def kill(_fields: object) -> None:
        if next(calls) == kill_at:
            raise Killed

    twilio.on_create = kill
    with pytest.raises(Killed):
        flow.send([chunk])
    # WHEN the queue delivers it again, at once and after the lease is over
    twilio.on_create = lambda _fields: None
    assert flow.send([chunk]) == ["m-1" if chunk["messageId"] == "m-1" else chunk["messageId"]]
    clock.pass_by(minutes=2)
    assert flow.send([chunk]) == []
    # THEN
    assert each_once(twilio, people(60))


def test_without_evidence_from_twilio_nothing_ambiguous_is_sent(
    flow: Flow, aws: Aws, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN a sender was killed, and Twilio's list cannot be reached
    started(flow, people(5))
    [chunk] = aws.records("SEND_QUEUE")
    twilio.on_create = lambda _fields: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        flow.send([chunk])
    twilio.on_create = lambda _fields: None
    twilio.list_error = NoAnswerError("ReadTimeoutError")
    clock.pass_by(minutes=2)
    # WHEN the chunk comes again
    assert flow.send([chunk]) == []
    # THEN nothing is sent, and the chunk waits
    assert twilio.made == []
    [waiting] = aws.records("SEND_QUEUE")
    # WHEN Twilio answers again
    twilio.list_error = None
    assert flow.send([waiting]) == []
    assert each_once(twilio, people(5))


def test_a_429_hands_the_chunk_back_and_burns_nobody(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    started(flow, people(30))
    twilio.answers["*"] = [Answer(429, 20429)] * 7
    flow.send_all()
    assert each_once(twilio, people(30))


def test_a_chunk_that_runs_out_of_time_goes_on_later_without_asking_twilio(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    started(flow, people(50))
    [chunk] = aws.records("SEND_QUEUE")
    # GIVEN time for some rows only
    context = Context(milliseconds=[60_000] * 14 + [10_000])
    assert sender({"Records": [chunk]}, context) == {"batchItemFailures": []}
    assert 0 < len(twilio.made) < 50
    # WHEN it goes on
    flow.send_all()
    # THEN a clean end needed no evidence
    assert each_once(twilio, people(50))
    assert twilio.lists == 0


def test_somebody_who_opted_out_is_skipped_with_the_reason(flow: Flow, twilio: FakeTwilio) -> None:
    # GIVEN Twilio said in a callback that this person opted out
    broadcast_id = started(flow, people(2))
    flow.send_all()
    flow.call_back(callback(twilio.sent_to("+12025551000")[0], "failed", error_code=21610))
    # WHEN there is another broadcast
    again = started(flow, people(2))
    flow.send_all()
    flow.roll_up()
    # THEN
    assert len(twilio.sent_to("+12025551000")) == 1
    assert len(twilio.sent_to("+12025551001")) == 2
    assert flow.report(again)["skipped"] == {"opted_out": 1}
    assert flow.report(broadcast_id)["errors"][0]["code"] == 21610


# ------------------------------------------------------------------------------------------------ callers' requests


def queued(*requests: dict[str, Any]) -> dict[str, Any]:
    return sqs_record(json.dumps({"version": 1, "requests": requests}))


def test_a_queued_request_is_sent_once_however_often_it_comes(
    flow: Flow, twilio: FakeTwilio
) -> None:
    body = queued({"id": "order-1", "to": "+12025550123", "body": "Hi"})
    assert flow.send([body]) == []
    assert flow.send([body]) == []
    assert len(twilio.made) == 1
    assert "m=req_order-1#" in twilio.made[0]["fields"]["StatusCallback"]


def test_a_queued_request_goes_on_after_a_429(flow: Flow, twilio: FakeTwilio) -> None:
    twilio.answers["+12025550123"] = [Answer(429, 20429)]
    flow.send([queued({"id": "a", "to": "+12025550123", "body": "Hi"})])
    flow.send_all()
    assert len(twilio.made) == 1


BAD_BODIES = {
    "no JSON": ("{", "invalid_json"),
    "a list": ("[]", "model_type at "),
    "nothing": ("{}", "missing at version"),
    "no id": (
        '{"version":1,"requests":[{"to":"+12025550123","body":"Hi"}]}',
        "missing at requests.0.id",
    ),
    "bad number": (
        '{"version":1,"requests":[{"id":"a","to":"12","body":"Hi"}]}',
        "invalid_phone at requests.0.to",
    ),
    "a chunk that is none": ('{"version":1,"chunk":{}}', "malformed_body"),
}


@pytest.mark.parametrize(("body", "reason"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_breaks_the_contract_is_set_aside_with_the_reason_and_its_neighbours_go_on(
    flow: Flow, aws: Aws, twilio: FakeTwilio, body: str, reason: str
) -> None:
    neighbour = queued({"id": "good", "to": "+12025550123", "body": "Hi"})
    assert flow.send([sqs_record(body), neighbour]) == []
    [aside] = aws.records("SEND_DEAD_LETTER_QUEUE")
    assert aside["body"] == body
    assert aside["messageAttributes"]["reason"]["StringValue"] == reason
    assert len(twilio.made) == 1
    assert twilio.made[0]["messaging_service_sid"] == SERVICE_SID


def test_links_are_counted_as_long_as_they_go_out(
    flow: Flow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_DOMAIN", "go.example.com")
    warm.start_over(clock=clock)
    body = "See https://www.example.com/" + "a" * 150
    for shortens, segments in ((True, 1), (False, 2)):
        broadcast_id = flow.created(
            body=body,
            recipients=[{"to": "+12025550123"}],
            start="now",
            shorten_urls=shortens,
        )
        flow.dispatch()
        flow.send_all()
        items = flow.aws.items(prefix=f"BC#{broadcast_id}#000000")
        assert [each["segments"] for each in items if each["sk"].startswith("MSG#")] == [segments]
