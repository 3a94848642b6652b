"""The whole path on the local stack: the deployed template, the built functions, Twilio over real HTTP."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.stack.stack import Stack
from sendpool.domain.broadcast import Content
from sendpool.domain.chunk import Chunk, ChunkRow, to_body
from tests.e2e.broadcasts import completed, people, scanned, upload
from tests.e2e.conftest import Answer, Caller, Twilio, send, wait_for
from tests.e2e.queues import hasty, quiet

PERSON = "+12025550123"


def message_with(call: Caller, message_id: str, status: str) -> dict[str, Any]:
    """Wait until a message has a status."""

    def look() -> dict[str, Any] | None:
        found = call("GET", f"/messages/{message_id}").json
        return found if found["status"] == status else None

    return wait_for(f"{message_id} {status}", look)


# ------------------------------------------------------------------------------------------------ one message


def test_a_text_is_sent_and_its_delivery_comes_back(call: Caller, twilio: Twilio) -> None:
    sent = call("POST", "/messages", {"to": PERSON, "body": "Your table is ready."})
    assert sent.status == 202
    found = message_with(call, sent.json["id"], "delivered")
    assert found["sid"] == sent.json["sid"]
    assert twilio.sent_to(PERSON) == 1


def test_the_same_key_sends_once(call: Caller, twilio: Twilio) -> None:
    key = uuid4().hex
    bodies = [
        call("POST", "/messages", {"to": PERSON, "body": "Hi"}, idempotency_key=key).json
        for _ in range(3)
    ]
    assert bodies[0]["id"] == bodies[1]["id"] == bodies[2]["id"]
    assert twilio.sent_to(PERSON) == 1


def test_an_answer_that_is_cut_off_leaves_one_message_that_the_callback_resolves(
    call: Caller, twilio: Twilio
) -> None:
    # GIVEN Twilio makes the message, the connection is cut before its answer, and callbacks are late
    twilio.control("POST", "callbacks/pause")
    twilio.control("POST", "faults", {"kind": "made_then_cut"})
    # WHEN it is sent, and sent again with the same key
    key = uuid4().hex
    for _ in range(2):
        sent = call("POST", "/messages", {"to": PERSON, "body": "Hi"}, idempotency_key=key)
        assert (sent.status, sent.json["status"], sent.json["sid"]) == (202, "unknown", None)
    assert call("GET", f"/messages/{sent.json['id']}").json["status"] == "unknown"
    # THEN the callback tells what became of the one message
    twilio.control("POST", "callbacks/resume")
    found = message_with(call, sent.json["id"], "delivered")
    assert found["sid"].startswith("SM")
    assert twilio.sent_to(PERSON) == 1


BAD_REQUESTS = [
    ({"to": "2025550123", "body": "Hi"}, 422, "invalid_phone"),
    ({"to": PERSON, "body": "x" * 1601}, 422, "body_too_long"),
    ({"to": PERSON, "body": "Hi", "send_at": "2020-01-01T00:00:00Z"}, 422, "send_at_out_of_range"),
    ({"to": PERSON, "body": "x" * 70_000}, 413, "payload_too_large"),
    ([], 400, "invalid_json"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_REQUESTS)
def test_a_bad_request_is_a_problem_and_sends_nothing(
    call: Caller, twilio: Twilio, body: object, status: int, code: str
) -> None:
    answer = call("POST", "/messages", body)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not twilio.made()


def test_nobody_gets_in_unsigned(call: Caller, twilio: Twilio, stack: Stack) -> None:
    assert call("POST", "/messages", {"to": PERSON, "body": "Hi"}, signed=False).status == 403
    for route in ("inbound", "status"):
        form = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": "x"}
        url = f"{stack.public_url}/webhooks/{route}"
        answer = send("POST", url, b"MessageSid=SM1&Body=STOP&From=%2B12025550123", form)
        assert (answer.status, answer.json["code"]) == (403, "invalid_signature")
    assert not twilio.made()


# ------------------------------------------------------------------------------------------------ stop


def test_after_stop_nothing_goes_out_until_start(call: Caller, twilio: Twilio) -> None:
    person = "+12125550142"

    def texts(word: str) -> None:
        webhook = twilio.control("POST", "inbound", {"from": person, "body": word})["webhook"]
        assert (webhook["status"], "<Message" in webhook["body"]) == (200, False)

    def sending() -> Answer:
        return call("POST", "/messages", {"to": person, "body": "Hi"})

    texts("STOP")
    skipped = sending()
    assert (skipped.status, skipped.json["status"], skipped.json["reason"]) == (
        202,
        "skipped",
        "opted_out",
    )
    assert twilio.sent_to(person) == 0
    texts("START")
    assert sending().json["status"] == "accepted"
    assert twilio.sent_to(person) == 1


# ------------------------------------------------------------------------------------------------ broadcasts


def test_an_uploaded_list_is_sent_once_each_and_counted_right(
    call: Caller, twilio: Twilio, stack: Stack
) -> None:
    # GIVEN 250 people, one twice, one number that is none, and failures on the way
    twilio.control("POST", "settings", {"failure_share": 0.1})
    numbers = people(250)
    rows = [f"{to},Person {n}" for n, to in enumerate([*numbers, numbers[0], "12"])]
    body = {
        "name": "Sale",
        "body": "Hi {{ name }}",
        "upload": True,
        "category": "transactional",
    }
    created = call("POST", "/broadcasts", body).json
    assert upload(created["upload"], "\n".join(["to,name", *rows]).encode()) in {200, 201, 204}
    # WHEN
    assert call("POST", f"/broadcasts/{created['id']}/start").status == 202
    report = completed(call, created["id"])
    # THEN
    assert twilio.made() == Counter(numbers)
    assert report["total"] == 252
    assert report["skipped"] == {"duplicate": 1, "invalid_phone": 1}
    assert report["counters"] == dict(scanned(stack, created["id"]))
    assert report["counters"]["undelivered"] == sum(each["count"] for each in report["errors"]) > 0


# ------------------------------------------------------------------------------------------------ the send queue


def chunk(numbers: list[str]) -> str:
    rows = tuple(
        ChunkRow(number=n, row=n + 1, to=to, body="Hi", segments=1) for n, to in enumerate(numbers)
    )
    broadcast_id = f"bc_{uuid4().hex}"
    return json.dumps(
        to_body(
            Chunk(
                broadcast_id=broadcast_id,
                number=0,
                content=Content(category="transactional"),
                rows=rows,
            )
        )
    )


def enqueue(stack: Stack, body: str, *, times: int = 1) -> None:
    for _ in range(times):
        stack.client("sqs").send_message(QueueUrl=stack.send_queue_url, MessageBody=body)


@pytest.fixture
def impatient(stack: Stack) -> Iterator[None]:
    """Senders with 45 s; a chunk comes again when their lease of 50 s is over and evidence counts."""
    limits = {"timeout": 45, "visibility": 58, "evidence_seconds": 5}
    with hasty(stack, "SenderFunction", stack.send_queue_url, **limits):
        yield


def test_a_chunk_that_the_queue_delivers_twice_is_sent_once(
    stack: Stack, twilio: Twilio, impatient: None
) -> None:
    numbers = people(60)
    enqueue(stack, chunk(numbers), times=3)
    wait_for("everybody", lambda: len(twilio.made()) == len(numbers))
    wait_for("an empty queue", lambda: quiet(stack, stack.send_queue_url))
    assert twilio.made() == Counter(numbers)


def test_a_sender_that_is_killed_in_a_chunk_sends_nobody_twice_and_loses_nobody(
    stack: Stack, twilio: Twilio, impatient: None
) -> None:
    # GIVEN a slow Twilio, and a sender that is killed with SIGKILL amid a chunk of 100
    numbers = people(100)
    twilio.control("POST", "faults", {"kind": "latency", "ms": 400, "count": 60})
    enqueue(stack, chunk(numbers))
    wait_for("some messages", lambda: len(twilio.made()) >= 15)
    killed = stack.worker_pids("SenderFunction")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    made_by_then = sum(twilio.made().values())
    assert killed
    assert made_by_then < len(numbers)
    # WHEN the queue delivers the chunk again
    wait_for("everybody", lambda: len(twilio.made()) == len(numbers))
    wait_for("an empty queue", lambda: quiet(stack, stack.send_queue_url))
    # THEN
    assert twilio.made() == Counter(numbers)


def test_requests_of_other_systems_are_sent_once_and_bad_ones_set_aside(
    stack: Stack, call: Caller, twilio: Twilio
) -> None:
    own_id = uuid4().hex
    request = {"id": own_id, "to": PERSON, "body": "Your parcel is here."}
    enqueue(stack, json.dumps({"version": 1, "requests": [request]}), times=2)
    bad = json.dumps({"version": 1, "requests": [{"to": PERSON, "body": own_id}]})
    enqueue(stack, bad)
    wait_for("the message", lambda: call("GET", f"/messages/req_{own_id}").status == 200)
    message_with(call, f"req_{own_id}", "delivered")
    assert twilio.sent_to(PERSON) == 1

    def set_aside() -> str | None:
        found = stack.client("sqs").receive_message(
            QueueUrl=stack.send_dead_letter_queue_url,
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=10,
        )
        for message in found.get("Messages", []):
            if message["Body"] == bad:
                return str(message["MessageAttributes"]["reason"]["StringValue"])
        return None

    assert wait_for("the dead letter", set_aside) == "missing at requests.0.id"
