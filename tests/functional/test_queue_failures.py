"""What the log says of a queue message that could not be worked on, so that somebody at night finds out why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.dispatcher.app import lambda_handler as dispatcher
from sendpool.adapters import aws as clients
from sendpool.edge import warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.twilio import FakeTwilio

PERSON = "+12025550123"


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    flow = Flow(aws)
    flow.created(body="Hi", recipients=[{"to": PERSON}], start="now")
    return flow


@pytest.fixture
def broken_ledger(flow: Flow) -> Iterator[None]:
    """A ledger that refuses every read, and says whom it was asked about."""

    def refuse(**_: Any) -> None:
        error = {"Code": "AccessDeniedException", "Message": f"not for {PERSON}"}
        raise ClientError({"Error": error}, "GetItem")  # type: ignore[typeddict-item]

    events = clients.dynamodb().meta.events
    events.register("before-call.dynamodb.GetItem", refuse)
    yield
    events.unregister("before-call.dynamodb.GetItem", refuse)


@pytest.mark.usefixtures("broken_ledger")
def test_an_error_is_logged_with_its_kind_and_place_and_without_its_text(
    aws: Aws, context: Context, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    [tick] = aws.records("DISPATCH_QUEUE")
    # WHEN
    answer = dispatcher({"Records": [tick]}, context)
    # THEN the queue keeps it, and the log tells what to look at
    assert answer["batchItemFailures"] == [{"itemIdentifier": tick["messageId"]}]
    [error] = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert (error["msg"], error["queue_message"]) == ("queue message failed", tick["messageId"])
    assert (error["error"], error["code"], error["operation"]) == (
        "ClientError",
        "AccessDeniedException",
        "GetItem",
    )
    assert any("workflows/dispatch.py" in step for step in error["trace"])
    assert PERSON not in json.dumps(error, default=str)
    # and it is counted
    assert json.loads(capsys.readouterr().out)["QueueMessagesFailed"] == [1.0]


def test_a_chunk_that_another_sender_holds_is_no_error(
    flow: Flow, aws: Aws, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN another sender at work on the chunk
    flow.dispatch()
    [chunk] = aws.records("SEND_QUEUE")
    broadcast_id = json.loads(chunk["body"])["chunk"]["broadcast_id"]
    lease = timedelta(minutes=1)
    warm.chunks().begin(broadcast_id, 0, owner="another", now=clock(), lease=lease)
    # WHEN the queue delivers it again THEN it stays there
    assert flow.send([chunk]) == [chunk["messageId"]]
    said = [vars(record) for record in caplog.records if "queue_message" in vars(record)]
    assert [(each["levelname"], each["error"]) for each in said] == [("INFO", "ChunkBusyError")]
