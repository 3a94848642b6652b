"""Events on the bus: everything that happens is told, under one id, however often and in whatever pieces it is seen."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Literal

import pytest

from functions.inbound.app import lambda_handler as inbound
from functions.messages.app import lambda_handler as messages
from functions.publisher.app import lambda_handler as publisher
from functions.recorder.app import lambda_handler as recorder
from sendpool.adapters import aws as clients
from sendpool.adapters.events import NotPublishedError
from sendpool.edge import warm
from tests.functional.aws import Aws, Context, sqs_record
from tests.functional.conftest import NOW, Clock
from tests.functional.flow import Flow, callback
from tests.functional.listening import Listener, record
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.test_clicks import bot, preview, queued, told
from tests.functional.test_webhooks import text, webhook
from tests.functional.twilio import Answer, FakeTwilio

PERSON = "+12025550123"


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def listener(aws: Aws) -> Listener:
    return Listener(aws)


def post(**more: Any) -> dict[str, Any]:
    request = {"to": PERSON, "body": "Your order is on its way.", **more}
    answer: dict[str, Any] = json.loads(
        messages(http("POST", "/messages", request), Context())["body"]
    )
    return answer


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


# ------------------------------------------------------------------------------------------------ messages


def test_a_message_is_told_from_accepted_to_delivered_with_whom_and_what_it_was_for(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    # GIVEN a message with tags
    answer = post(tags={"order": "1001"})
    (accepted,) = listener.told()
    # WHEN it is delivered, and both callbacks are folded into one write
    made = twilio.made[0]
    flow.call_back(callback(made, "sent"), callback(made, "delivered", at="15:01:09"))
    sent, delivered = listener.told()
    # THEN each is told, at the time at which it was heard
    assert kinds([accepted, sent, delivered]) == [
        "message.accepted",
        "message.sent",
        "message.delivered",
    ]
    assert [sent["timestamp"], delivered["timestamp"]] == [
        "2026-11-23T15:01:00.000+00:00",
        "2026-11-23T15:01:09.000+00:00",
    ]
    for event in (accepted, sent, delivered):
        data = event["data"]
        assert (data["message_id"], data["to"], data["sid"]) == (answer["id"], PERSON, made["sid"])
        assert data["tags"] == {"order": "1001"}
        assert data["segments"] == 1
    assert delivered["data"]["status"] == "delivered"


def test_what_is_told_twice_has_the_same_id(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    post()
    flow.call_back(callback(twilio.made[0], "sent"), callback(twilio.made[0], "delivered"))
    first, second = listener.told(), listener.told_again()
    assert len({event["id"] for event in first}) == len(first) == 3
    assert sorted(map(json.dumps, first)) == sorted(map(json.dumps, second))


def test_a_sent_that_comes_after_delivered_is_told_no_more(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    post()
    listener.told()
    flow.call_back(callback(twilio.made[0], "delivered"))
    assert kinds(listener.told()) == ["message.delivered"]
    flow.call_back(callback(twilio.made[0], "sent", at="15:00:30"))
    assert listener.told() == []


def test_a_price_that_is_learned_later_tells_nothing_new(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    post()
    flow.call_back(callback(twilio.made[0], "delivered"))
    listener.told()
    priced = callback(twilio.made[0], "delivered")
    priced["fields"] |= {"Price": "-0.0083", "PriceUnit": "USD", "NumSegments": "1"}
    flow.call_back(priced)
    assert len(listener.changes()) == 1
    assert listener.told_again() == []


def test_a_failure_says_why_and_what_to_do(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    post()
    listener.told()
    flow.call_back(callback(twilio.made[0], "undelivered", error_code=30003))
    (event,) = listener.told()
    assert event["type"] == "message.undelivered"
    assert (event["data"]["error_code"], event["data"]["error_class"]) == (30003, "unreachable")
    assert event["data"]["remedy"]


def test_what_other_systems_queue_is_told_when_it_is_skipped_or_refused(
    flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    # GIVEN somebody who said stop, and a number that Twilio refuses
    warm.opt_outs().record(PERSON, "all", opted_out=True, source="api", at=NOW)
    listener.told()
    twilio.answers["+12025550188"] = [Answer(400, 21211)]
    requests = [
        {"id": "order-1", "to": PERSON, "body": "Hello"},
        {"id": "order-2", "to": "+12025550188", "body": "Hello"},
    ]
    assert flow.send([sqs_record(json.dumps({"version": 1, "requests": requests}))]) == []
    events = {event["data"]["message_id"]: event for event in listener.told()}
    # THEN both ends are told
    skipped, failed = events["req_order-1"], events["req_order-2"]
    assert (skipped["type"], skipped["data"]["reason"]) == ("message.skipped", "opted_out")
    assert (failed["type"], failed["data"]["error_code"]) == ("message.failed", 21211)
    assert failed["data"]["error_class"] == "invalid_recipient"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("all", ["message.accepted", "message.sent", "message.delivered"]),
        ("final", ["message.delivered"]),
        ("none", []),
    ],
)
def test_a_team_may_have_fewer_events_of_messages_and_still_all_others(
    chosen: str,
    expected: list[str],
    flow: Flow,
    twilio: FakeTwilio,
    listener: Listener,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESSAGE_EVENTS", chosen)
    warm.start_over(clock=clock)
    post()
    flow.call_back(callback(twilio.made[0], "sent"), callback(twilio.made[0], "delivered"))
    assert sorted(kinds(listener.told())) == sorted(expected)
    says("Hello")
    assert kinds(listener.told()) == ["message.received"]


# ------------------------------------------------------------------------------------------------ people


def says(body: str, sid: str = "SM" + "7" * 32, **more: str) -> None:
    answer = inbound(webhook("/webhooks/inbound", text(body, MessageSid=sid, **more)), Context())
    assert answer["statusCode"] in {200, 204}


def test_a_text_is_told_once_with_what_it_answers(
    flow: Flow, twilio: FakeTwilio, listener: Listener, clock: Clock
) -> None:
    answer = post()
    listener.told()
    clock.pass_by(minutes=1)
    more = {
        "NumMedia": "1",
        "MediaUrl0": "https://api.twilio.com/m",
        "MediaContentType0": "image/png",
    }
    says("Where is it? 📦", **more)
    (event,) = listener.told()
    assert event["type"] == "message.received"
    data = event["data"]
    assert (data["sender"], data["body"]) == (PERSON, "Where is it? 📦")
    assert data["in_reply_to"] == answer["id"]
    assert data["media"] == [{"url": "https://api.twilio.com/m", "content_type": "image/png"}]
    # a picture that is fetched, or a replay, changes nothing about that
    says("Where is it? 📦", **more)
    assert listener.told() == []


def test_an_opt_out_is_told_when_it_begins_to_hold_and_when_it_ends(
    flow: Flow, listener: Listener, clock: Clock
) -> None:
    heard = []
    for sid, word in enumerate(("STOP", "STOP", "START", "STOP")):
        clock.pass_by(minutes=1)
        says(word, sid=f"SM{sid:032}")
        heard += [each for each in listener.told() if each["type"] != "message.received"]
    assert kinds(heard) == ["recipient.opted_out", "recipient.opted_in", "recipient.opted_out"]
    assert {event["data"]["phone"] for event in heard} == {PERSON}
    assert len({event["id"] for event in heard}) == 3


def test_a_click_of_a_person_is_told_and_of_a_program_not(
    flow: Flow, twilio: FakeTwilio, listener: Listener, clock: Clock
) -> None:
    answer = post(tags={"order": "1001"})
    sid = twilio.made[0]["sid"]
    listener.told()

    def click(*fields: dict[str, str]) -> None:
        records = [sqs_record(queued(each), message_id=f"c-{n}") for n, each in enumerate(fields)]
        assert recorder({"Records": records}, Context()) == {"batchItemFailures": []}

    click(preview(sid, 20), bot(sid, 40), told(sid, 60))
    (first,) = listener.told()
    click(told(sid, 60), told(sid, 90))
    (second,) = listener.told()
    assert kinds([first, second]) == ["link.clicked", "link.clicked"]
    assert [each["data"]["is_first"] for each in (first, second)] == [True, False]
    assert first["data"]["message_id"] == answer["id"]
    assert (first["data"]["to"], first["data"]["tags"]) == (PERSON, {"order": "1001"})
    assert first["timestamp"] == (NOW + timedelta(seconds=60)).isoformat(timespec="milliseconds")


# ------------------------------------------------------------------------------------------------ broadcasts


def test_a_broadcast_is_told_from_start_to_completion(
    flow: Flow, twilio: FakeTwilio, listener: Listener, clock: Clock
) -> None:
    people = [{"to": f"+1202555{1000 + n}"} for n in range(12)]
    broadcast_id = flow.created(body="Hello", recipients=people, start="now")
    heard = listener.told()
    for verb in ("pause", "resume"):
        clock.pass_by(minutes=1)
        assert flow.call("POST", f"/broadcasts/{broadcast_id}/{verb}", {})[0] == 202
        heard += listener.told()
    flow.dispatch()
    flow.send_all()
    flow.roll_up()
    heard += listener.told()
    of_it = [each for each in heard if each["type"].startswith("broadcast.")]
    assert kinds(of_it) == [
        "broadcast.started",
        "broadcast.paused",
        "broadcast.resumed",
        "broadcast.completed",
    ]
    assert {each["data"]["broadcast_id"] for each in of_it} == {broadcast_id}
    assert of_it[-1]["data"]["counters"] == {"accepted": 12}
    assert len([each for each in heard if each["type"] == "message.accepted"]) == 12
    # callbacks move the counters, and tell nobody of it again
    for message in twilio.made:
        flow.call_back(callback(message, "delivered"))
    flow.roll_up()
    later = listener.told()
    assert kinds(later) == ["message.delivered"] * 12
    assert {each["data"]["to"] for each in later} == {each["to"] for each in people}
    assert {each["data"]["broadcast_id"] for each in later} == {broadcast_id}


def test_a_broadcast_that_is_canceled_or_cannot_be_sent_is_told(
    flow: Flow, listener: Listener
) -> None:
    canceled = flow.created(body="Hello", recipients=[{"to": PERSON}], start="now")
    listener.told()
    assert flow.call("POST", f"/broadcasts/{canceled}/cancel", {})[0] == 202
    (event,) = listener.told()
    assert (event["type"], event["data"]["reason"]) == ("broadcast.canceled", "requested")
    failed = flow.created(body="Hello", upload=True, start="manual")
    clients.s3().put_object(Bucket="files", Key=f"uploads/{failed}", Body=b"to\n\xff\xfe\n")
    assert flow.call("POST", f"/broadcasts/{failed}/start", {})[0] == 202
    listener.told()
    flow.dispatch()
    (event,) = listener.told()
    assert (event["type"], event["data"]["reason"]) == ("broadcast.failed", "not_utf8")


# ------------------------------------------------------------------------------------------------ the bus


def test_a_bus_that_takes_a_part_is_given_the_rest_again(
    flow: Flow, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = iter([True, False, True] + [False] * 100)

    def refuse_some(*, parsed: dict[str, Any], **_: Any) -> None:
        if next(refused):
            parsed["Entries"][-1] = {"ErrorCode": "ThrottlingException", "ErrorMessage": "…"}
            parsed["FailedEntryCount"] = 1

    events = clients.events().meta.events
    events.register("after-call.events.PutEvents", refuse_some)
    people = [{"to": f"+1202555{1000 + n}"} for n in range(25)]
    flow.created(body="Hello", recipients=people, start="now")
    flow.dispatch()
    flow.send_all()
    try:
        heard = listener.told()
    finally:
        events.unregister("after-call.events.PutEvents", refuse_some)
    # those that were refused although the fake took them came twice, under one id
    assert len({each["id"] for each in heard}) == 26
    assert len(heard) == 28


def test_a_bus_that_takes_nothing_fails_the_batch_and_everything_is_told_later(
    flow: Flow, listener: Listener
) -> None:
    def refuse_all(*, parsed: dict[str, Any], **_: Any) -> None:
        parsed["Entries"] = [{"ErrorCode": "InternalFailure"} for _ in parsed["Entries"]]
        parsed["FailedEntryCount"] = len(parsed["Entries"])

    post()
    events = clients.events().meta.events
    events.register("after-call.events.PutEvents", refuse_all)
    try:
        with pytest.raises(NotPublishedError):
            publisher({"Records": listener.changes()}, Context())
    finally:
        events.unregister("after-call.events.PutEvents", refuse_all)
    listener.heard()
    assert kinds(listener.told_again()) == ["message.accepted"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_publisher_that_dies_anywhere_tells_everything_the_next_time(
    when: Literal["before", "after"], flow: Flow, twilio: FakeTwilio, listener: Listener
) -> None:
    post()
    flow.call_back(callback(twilio.made[0], "sent"), callback(twilio.made[0], "delivered"))
    records = [*listener.changes(), record({"pk": "MSG#msg_" + "0" * 32, "sk": "ST"})]
    for call in range(1, 10):
        with killed_at(call, when) as was_killed:
            publisher({"Records": records}, Context())
        heard = {
            event["id"]: event["type"] for event in (*listener.heard(), *listener.publish(records))
        }
        assert sorted(heard.values()) == ["message.accepted", "message.delivered", "message.sent"]
        if not was_killed():
            break
    else:
        raise AssertionError("it makes more calls than that")
    assert call > 2


def test_a_record_that_nobody_can_read_is_put_aside_and_its_neighbours_are_told(
    aws: Aws, flow: Flow, listener: Listener
) -> None:
    post()
    poison = record({"pk": "MSG#msg_" + "0" * 32, "sk": "ST", "status": "delivered"})
    assert kinds(listener.publish([poison, *listener.changes()])) == ["message.accepted"]
    (aside,) = aws.records("PUBLISHER_FAILURES_QUEUE")
    assert json.loads(aside["body"])["dynamodb"]["Keys"] == poison["dynamodb"]["Keys"]


def test_what_expires_and_what_is_none_of_these_tells_nothing(listener: Listener) -> None:
    gone = record(None, {"pk": "MSG#msg_" + "0" * 32, "sk": "MSG", "status": "accepted"})
    chunk = record({"pk": "BC#bc_" + "0" * 32 + "#000001", "sk": "CHUNK"})
    stranger = record({"pk": "TW#SM" + "1" * 32, "sk": "ST"})
    assert listener.publish([gone, chunk, stranger]) == []
