"""The stack in moto, made from template.yaml so that keys, indexes and names are the deployed ones."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto import backend_index, mock_aws
from moto.core import DEFAULT_ACCOUNT_ID, responses
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from samtranslator.yaml_helper import yaml_parse

from sendpool.adapters.ledger.table import load

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PATH = "/sendpool/test"
PUBLIC_URL = "https://sendpool.example.com"
ACCOUNT_SID = "AC00000000000000000000000000000001"
SERVICE_SID = "MG00000000000000000000000000000001"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Context:
    """Lambda's context. `milliseconds` is the time that is left."""

    function_name: str = "test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000001"
    milliseconds: list[int] = field(default_factory=lambda: [29_000])

    def get_remaining_time_in_millis(self) -> int:
        """The next of the given times; the last one stays."""
        return self.milliseconds.pop(0) if len(self.milliseconds) > 1 else self.milliseconds[0]


# what the stack keeps its state in
_SERVICES = {"dynamodb", "events", "s3", "secretsmanager", "sqs", "ssm"}
_members_of = functools.cache(responses.method_names_from_class)
_serialize_member = ResponseSerializer._serialize_structure_member


def _serialize_what_is_there(
    self: ResponseSerializer, serialized: Any, value: Any, shape: Any, key: str
) -> None:
    """An attribute of an item has one of ten kinds. Moto looks for each of the other nine under six names."""
    if shape.parent.name == "AttributeValue" and isinstance(value, dict) and key not in value:
        return
    _serialize_member(self, serialized, value, shape, key)


@contextmanager
def nothing_deployed() -> Iterator[None]:
    """An account in moto that has nothing.

    Most of the time of our tests went into what moto does again for each test and each call, so here it knows only
    our services, looks once at what they offer, and leaves the default session alone: a new one reads the
    descriptions of all services anew, which takes longer than most tests.
    """
    ours = [each for each in backend_index.backend_url_patterns if each[0] in _SERVICES]
    with (
        patch.object(backend_index, "backend_url_patterns", ours),
        patch.object(responses, "method_names_from_class", _members_of),
        patch.object(ResponseSerializer, "_serialize_structure_member", _serialize_what_is_there),
        mock_aws(config={"core": {"reset_boto3_session": False}}),
    ):
        yield


class OneClientEach:
    """A session that makes one client a service."""

    def __init__(self, session: boto3.Session) -> None:
        self.client = functools.cache(session.client)


@dataclass(frozen=True)
class Aws:
    """The deployed stack, and what a test asks of it."""

    session: OneClientEach
    environment: dict[str, str]

    def items(self, *, prefix: str = "") -> list[dict[str, Any]]:
        """Every item of the ledger whose partition key begins so."""
        pages = (
            self.session.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.environment["LEDGER_TABLE"])
        )
        found = [load(item) for page in pages for item in page["Items"]]
        return [item for item in found if item["pk"].startswith(prefix)]

    def forget_items(self, *, prefix: str = "") -> None:
        """Remove what begins so from the ledger, for a test that begins again many times: moto reads all of it."""
        tables = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables
        kept = tables[self.environment["LEDGER_TABLE"]].items
        for key in [each for each in kept if each.value.startswith(prefix)]:
            del kept[key]

    def records(self, queue: str) -> list[dict[str, Any]]:
        """Take what waits on a queue, as records of an SQS event. What is delayed is taken too."""
        url = self.environment[f"{queue}_URL"]
        for message in (
            sqs_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].queues[url.split("/")[-1]]._messages
        ):
            message.delayed_until = 0
        return list(self._take(url))

    def _take(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = self.session.client("sqs")
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            if "Messages" not in answer:
                return
            for message in answer["Messages"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield sqs_record(
                    message["Body"],
                    message_id=message["MessageId"],
                    attributes=message.get("MessageAttributes", {}),
                )


def sqs_record(
    body: str, *, message_id: str = "m-1", attributes: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": attributes or {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
        "awsRegion": "us-east-1",
    }


@functools.cache
def _resources() -> dict[str, Any]:
    resources: dict[str, Any] = yaml_parse(TEMPLATE.read_text())["Resources"]
    return resources


_QUEUES = (
    "DISPATCH_QUEUE",
    "SEND_QUEUE",
    "SEND_DEAD_LETTER_QUEUE",
    "CALLBACKS_QUEUE",
    "PUBLISHER_FAILURES_QUEUE",
    "EVENT_WEBHOOKS_QUEUE",
)


def deployed(session: OneClientEach) -> Aws:
    """Make the stack's state in the session's account."""
    table = _resources()["LedgerTable"]["Properties"]
    session.client("dynamodb").create_table(
        TableName="ledger",
        **{
            name: table[name]
            for name in (
                "AttributeDefinitions",
                "KeySchema",
                "GlobalSecondaryIndexes",
                "BillingMode",
            )
        },
    )
    session.client("s3").create_bucket(Bucket="files")
    sqs = session.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name.lower())["QueueUrl"] for name in _QUEUES}
    session.client("events").create_event_bus(Name="sendpool-test")
    ssm = session.client("ssm")
    for name, value in {
        "messaging-service-sid": SERVICE_SID,
        "public-url": PUBLIC_URL,
        "twilio/account-sid": ACCOUNT_SID,
    }.items():
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="String")
    ssm.put_parameter(Name=f"{PATH}/twilio/auth-token", Value=AUTH_TOKEN, Type="SecureString")
    return Aws(
        session,
        {
            "STAGE": "test",
            "LEDGER_TABLE": "ledger",
            "FILES_BUCKET": "files",
            **{f"{name}_URL": url for name, url in urls.items()},
            "EVENT_BUS": "sendpool-test",
            "PARAMETERS_PATH": PATH,
            "CREDENTIALS_STORE": "ssm",
            "TWILIO_API_URL": "https://api.twilio.com",
            "DEFAULT_REGION": "US",
            "SEND_CONCURRENCY": "4",
            "EVIDENCE_SECONDS": "60",
            "RETENTION_DAYS": "400",
            "INBOUND_REPLY": "",
            "POWERTOOLS_METRICS_NAMESPACE": "Sendpool",
            "POWERTOOLS_SERVICE_NAME": "test",
        },
    )
