"""Events at the team's own URL: signed, told again until they are taken, put aside when that never happens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from aws_lambda_powertools.utilities import parameters
from botocore.exceptions import ReadTimeoutError

from functions.notifier.app import lambda_handler as notifier
from sendpool.adapters import aws as clients
from sendpool.adapters.event_webhook import NotTakenError
from sendpool.domain.event_webhook import LONGEST_WAIT
from sendpool.edge import notifying, warm
from tests.functional.aws import PATH, Aws, Context, sqs_record
from tests.functional.conftest import NOW, Clock
from tests.functional.rest import killed_at

KEYS = [bytes(range(24)), bytes(range(50, 74))]
SECRETS = [f"whsec_{base64.b64encode(key).decode()}" for key in KEYS]
URL = "https://team.example.com/sendpool"


@dataclass
class Team:
    """The team's own URL: it keeps the calls that it takes, after it has refused as many as it is told to."""

    refusals: list[NotTakenError] = field(default_factory=list)
    calls: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def open(self, url: str) -> Any:
        self.urls.append(url)
        return self.take

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.calls.append((body, headers))


@pytest.fixture
def team(aws: Aws, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Team]:
    monkeypatch.setenv("EVENT_WEBHOOK_URL", URL)
    put_secret("event-webhook-secret", SECRETS[0])
    warm.start_over(clock=clock)
    team = Team()
    notifying.use_webhook(team.open)
    yield team
    notifying.use_webhook()


def put_secret(name: str, value: str) -> None:
    clients.ssm().put_parameter(
        Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True
    )
    parameters.clear_caches()


def event(number: int = 1) -> dict[str, Any]:
    return {
        "id": f"evt_{number:032x}",
        "type": "message.delivered",
        "timestamp": "2026-11-23T15:00:04.900+00:00",
        "data": {"message_id": "msg_1", "status": "delivered", "to": "+12025550123"},
    }


def enveloped(told: Any) -> str:
    """An event as EventBridge queues it."""
    return json.dumps({"source": "sendpool", "detail-type": "message.delivered", "detail": told})


class Queue:
    """The event webhooks queue under the real handler. Its waits are shown, not waited for."""

    def __init__(self, aws: Aws) -> None:
        self.url = aws.environment["EVENT_WEBHOOKS_QUEUE_URL"]
        self.sqs = clients.sqs()
        self.waits: list[int] = []
        self.sqs.meta.events.register(
            "before-parameter-build.sqs.ChangeMessageVisibility", self._see
        )

    def close(self) -> None:
        self.sqs.meta.events.unregister(
            "before-parameter-build.sqs.ChangeMessageVisibility", self._see
        )

    def _see(self, params: dict[str, Any], **_: Any) -> None:
        self.waits.append(params["VisibilityTimeout"])
        params["VisibilityTimeout"] = 0

    def put(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def deliver(self) -> int:
        """Deliver what waits, once; returns how many were left."""
        received = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        records = [
            sqs_record(each["Body"], message_id=each["MessageId"])
            | {"receiptHandle": each["ReceiptHandle"], "attributes": each["Attributes"]}
            for each in received
        ]
        answer = notifier({"Records": records}, Context())
        left = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for each in received:
            if each["MessageId"] not in left:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return len(left)


@pytest.fixture
def queue(aws: Aws, team: Team) -> Iterator[Queue]:
    queue = Queue(aws)
    yield queue
    queue.close()


def is_signed(body: bytes, headers: Mapping[str, str], key: bytes) -> bool:
    """Check a call as the team does, by the text of the standard."""
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}".encode()
    wanted = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")


def test_an_event_is_told_as_it_is_with_its_id_its_time_and_a_signature(
    team: Team, queue: Queue
) -> None:
    queue.put(enveloped(event()))
    assert queue.deliver() == 0
    ((body, headers),) = team.calls
    assert team.urls == [URL]
    assert json.loads(body) == event()
    assert headers["webhook-id"] == event()["id"]
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["content-type"] == "application/json"
    assert is_signed(body, headers, KEYS[0])
    assert not is_signed(body, headers, KEYS[1])


def test_while_a_secret_is_rotated_both_are_good(team: Team, queue: Queue) -> None:
    put_secret("event-webhook-secret-secondary", SECRETS[1])
    queue.put(enveloped(event()))
    assert queue.deliver() == 0
    ((body, headers),) = team.calls
    assert all(is_signed(body, headers, key) for key in KEYS)


def test_the_secret_may_stand_in_secrets_manager(
    aws: Aws, team: Team, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_STORE", "secretsmanager")
    secret = {"auth-token": "0" * 32, "event-webhook-secret": SECRETS[1]}
    aws.session.client("secretsmanager").create_secret(
        Name=f"{PATH}/twilio", SecretString=json.dumps(secret)
    )
    warm.start_over(clock=clock)
    queue.put(enveloped(event()))
    assert queue.deliver() == 0
    ((body, headers),) = team.calls
    assert is_signed(body, headers, KEYS[1])


def test_what_is_not_taken_comes_again_later_each_time_under_the_same_id(
    team: Team, queue: Queue
) -> None:
    team.refusals = [NotTakenError("http_500") for _ in range(7)]
    queue.put(enveloped(event()))
    assert [queue.deliver() for _ in range(8)] == [1] * 7 + [0]
    assert queue.waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
    assert [headers["webhook-id"] for _, headers in team.calls] == [event()["id"]]


def test_whoever_asks_for_time_gets_it_but_no_more_than_sqs_gives(team: Team, queue: Queue) -> None:
    team.refusals = [
        NotTakenError("http_429", retry_after=60),
        NotTakenError("http_503", retry_after=1),
        NotTakenError("http_503", retry_after=9_999_999),
    ]
    queue.put(enveloped(event()))
    assert [queue.deliver() for _ in range(4)] == [1, 1, 1, 0]
    assert queue.waits == [60, 300, LONGEST_WAIT]


def test_one_that_is_not_taken_or_is_none_keeps_no_other_back(team: Team, queue: Queue) -> None:
    team.refusals = [NotTakenError("ReadTimeoutError")]
    bodies = [enveloped(event(number)) for number in range(4)]
    queue.put(*bodies, "no json", json.dumps({"id": "evt_1"}), enveloped({"id": 7}))
    assert queue.deliver() == 4
    assert len(team.calls) == 3
    assert queue.deliver() == 3
    assert {headers["webhook-id"] for _, headers in team.calls} == {
        event(number)["id"] for number in range(4)
    }


@pytest.mark.parametrize("missing", ["url", "secret", "good_secret"])
def test_nothing_is_told_without_a_url_or_unsigned(
    missing: str, team: Team, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "url":
        monkeypatch.setenv("EVENT_WEBHOOK_URL", "")
        warm.start_over(clock=clock)
    elif missing == "secret":
        clients.ssm().delete_parameter(Name=f"{PATH}/event-webhook-secret")
        parameters.clear_caches()
    else:
        put_secret("event-webhook-secret", "whsec_short")
    queue.put(enveloped(event()))
    assert queue.deliver() == 1
    assert team.calls == []


def test_a_queue_that_cannot_be_told_to_wait_brings_the_event_again_all_the_same(
    team: Team, queue: Queue
) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://sqs.us-east-1.amazonaws.com")

    team.refusals = [NotTakenError("http_500")]
    events = clients.sqs().meta.events
    events.register("before-call.sqs.ChangeMessageVisibility", lose)
    queue.put(enveloped(event()))
    try:
        assert queue.deliver() == 1
    finally:
        events.unregister("before-call.sqs.ChangeMessageVisibility", lose)
    assert queue.deliver() == 0
    assert len(team.calls) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_notifier_that_dies_tells_the_event_in_the_end(
    when: Literal["before", "after"], team: Team, queue: Queue
) -> None:
    team.refusals = [NotTakenError("http_500")]
    queue.put(enveloped(event()))
    # its calls of AWS: receiving is the test's own, the wait is the notifier's
    with killed_at(2, when) as was_killed:
        queue.deliver()
    assert was_killed()
    assert queue.deliver() == 0
    assert [headers["webhook-id"] for _, headers in team.calls] == [event()["id"]]
