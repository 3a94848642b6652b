"""Events on the local stack: on the bus for whoever puts a rule there, and signed at the team's own URL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from local.contracts.places import EVENTS
from local.stack.stack import Stack
from tests.e2e.broadcasts import people
from tests.e2e.conftest import Caller, wait_for

KEY = os.urandom(24)
SECRET = "/sendpool/local/event-webhook-secret"


class Heard:
    """What a queue behind a rule on the bus has heard so far, by id."""

    def __init__(self, stack: Stack) -> None:
        self._sqs, self._events = stack.client("sqs"), stack.client("events")
        self._bus, self._name = stack.event_bus_name, f"heard-{uuid4().hex[:8]}"
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._events.put_rule(
            Name=self._name,
            EventBusName=self._bus,
            EventPattern=json.dumps({"source": ["sendpool"]}),
        )
        target = {"Id": "heard", "Arn": arn["Attributes"]["QueueArn"]}
        self._events.put_targets(Rule=self._name, EventBusName=self._bus, Targets=[target])
        self._schema = Draft202012Validator(json.loads(EVENTS.read_text()))
        self.events: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        rule = {"Rule": self._name, "EventBusName": self._bus}
        self._events.remove_targets(**rule, Ids=["heard"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._url)

    def of(self, name: str, value: str) -> list[str]:
        """The types of all events so far whose data has this value."""
        self._take()
        return sorted(e["type"] for e in self.events.values() if e["data"].get(name) == value)

    def _take(self) -> None:
        while got := self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages"):
            for each in got:
                event = json.loads(each["Body"])["detail"]
                self._schema.validate(event)
                self.events[event["id"]] = event
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])


@pytest.fixture
def heard(stack: Stack) -> Iterator[Heard]:
    heard = Heard(stack)
    yield heard
    heard.close()


def test_what_becomes_of_a_message_and_of_a_broadcast_is_heard_on_the_bus(
    call: Caller, heard: Heard
) -> None:
    # GIVEN a message and a small broadcast
    single, *many = people(11)
    message_id = call(
        "POST", "/messages", {"to": single, "body": "Your table is ready.", "tags": {"table": "4"}}
    ).json["id"]
    broadcast_id = call(
        "POST",
        "/broadcasts",
        {
            "name": "Events",
            "body": "Hello",
            "category": "transactional",
            "recipients": [{"to": each} for each in many],
            "start": "now",
        },
    ).json["id"]

    # THEN each is told from its beginning to its end
    def of_message() -> bool:
        return heard.of("message_id", message_id) == [
            "message.accepted",
            "message.delivered",
            "message.sent",
        ]

    def of_broadcast() -> bool:
        told = heard.of("broadcast_id", broadcast_id)
        ends = sum(each in {"message.delivered", "message.undelivered"} for each in told)
        return ends == 10 and {"broadcast.started", "broadcast.completed"} <= set(told)

    wait_for("events of the message", of_message)
    wait_for("events of the broadcast", of_broadcast)
    assert heard.of("broadcast_id", broadcast_id).count("message.accepted") == 10
    told = [e["data"] for e in heard.events.values() if e["data"].get("message_id") == message_id]
    assert all(each["to"] == single and each["tags"] == {"table": "4"} for each in told)


# ------------------------------------------------------------------------------------------------ the team's own URL


class Team:
    """The team's own URL: refuses the first call, and keeps what it takes."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.taken: dict[str, dict[str, Any]] = {}

    def hear(self, headers: Any, body: bytes) -> int:
        event_id = headers["webhook-id"]
        said = f"{event_id}.{headers['webhook-timestamp']}.{body.decode()}".encode()
        wanted = base64.b64encode(hmac.new(KEY, said, hashlib.sha256).digest()).decode()
        if headers["webhook-signature"] != f"v1,{wanted}":
            return 401
        if not self.refused:
            self.refused.append(event_id)
            return 503
        self.taken[event_id] = json.loads(body)
        return 204


@contextmanager
def serving(team: Team) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(team.hear(self.headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/events"
        server.shutdown()
        thread.join()


@contextmanager
def told_at(stack: Stack, url: str) -> Iterator[None]:
    """Let the stack tell events at a URL, as a deployment with EventWebhookUrl does."""
    functions, events, ssm = (stack.client(each) for each in ("lambda", "events", "ssm"))
    name = stack.functions["NotifierFunction"]
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    (rule,) = (
        each["Name"]
        for each in events.list_rules(EventBusName=stack.event_bus_name)["Rules"]
        if each["State"] == "DISABLED"
    )
    secret = f"whsec_{base64.b64encode(KEY).decode()}"
    ssm.put_parameter(Name=SECRET, Value=secret, Type="SecureString", Overwrite=True)
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": before | {"EVENT_WEBHOOK_URL": url}}
    )
    events.enable_rule(Name=rule, EventBusName=stack.event_bus_name)
    yield
    events.disable_rule(Name=rule, EventBusName=stack.event_bus_name)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})
    ssm.delete_parameter(Name=SECRET)


def test_the_teams_own_url_gets_every_event_signed_and_again_if_it_refuses(
    call: Caller, stack: Stack
) -> None:
    team = Team()
    with serving(team) as url, told_at(stack, url):
        (person,) = people(1)
        message_id = call("POST", "/messages", {"to": person, "body": "Hello"}).json["id"]

        def all_told() -> bool:
            told = [e["type"] for e in team.taken.values() if e["data"]["message_id"] == message_id]
            return sorted(told) == ["message.accepted", "message.delivered", "message.sent"]

        wait_for("events at the team's own URL", all_told)
    # the one that was refused came again
    assert set(team.refused) <= set(team.taken)
