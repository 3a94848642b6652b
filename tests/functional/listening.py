"""Plays the ledger's stream and somebody who listens on the bus."""

from __future__ import annotations

import json
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from jsonschema import Draft202012Validator

from functions.publisher.app import lambda_handler as publisher
from local.contracts.events import schema
from sendpool.adapters import aws as clients
from tests.functional.aws import Aws, Context

_SCHEMA = Draft202012Validator(schema())
_serialize = TypeSerializer().serialize

Items = dict[tuple[str, str], dict[str, Any]]


class Listener:
    """Hears what the publisher tells of what changed since it was asked last. Every event is as its schema says."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        sqs, events = clients.sqs(), clients.events()
        self._url = sqs.create_queue(QueueName="listener")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:listener"
        bus = aws.environment["EVENT_BUS"]
        pattern = json.dumps({"source": ["sendpool"]})
        events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
        self._before = self._items()
        self.last: list[dict[str, Any]] = []

    def _items(self) -> Items:
        return {(item["pk"], item["sk"]): item for item in self.aws.items()}

    def changes(self) -> list[dict[str, Any]]:
        """Records of the stream for what changed since then."""
        before, after = self._before, self._items()
        self._before = after
        self.last = [
            record(after.get(key), before.get(key))
            for key in dict.fromkeys((*after, *before))
            if after.get(key) != before.get(key)
        ]
        return self.last

    def told(self) -> list[dict[str, Any]]:
        """Let the publisher tell of what changed since then; returns the events."""
        return self.publish(self.changes())

    def told_again(self) -> list[dict[str, Any]]:
        """Hand the same records over once more."""
        return self.publish(self.last)

    def publish(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        publisher({"Records": records}, Context())
        return self.heard()

    def heard(self) -> list[dict[str, Any]]:
        """What came since it was asked last, in the order of time."""
        heard = []
        for each in self.aws._take(self._url):
            envelope = json.loads(each["body"])
            assert (envelope["source"], envelope["detail-type"]) == (
                "sendpool",
                envelope["detail"]["type"],
            )
            _SCHEMA.validate(envelope["detail"])
            heard.append(envelope["detail"])
        return sorted(heard, key=lambda event: event["timestamp"])


def record(after: dict[str, Any] | None, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    item = after or before or {}
    images = {"NewImage": after, "OldImage": before}
    return {
        "eventName": "REMOVE" if after is None else "MODIFY" if before else "INSERT",
        "dynamodb": {
            "Keys": {name: {"S": item[name]} for name in ("pk", "sk")},
            "ApproximateCreationDateTime": 1_795_446_003.0,
            "SequenceNumber": "100000000000000000000",
            **{
                name: {key: _serialize(value) for key, value in image.items()}
                for name, image in images.items()
                if image is not None
            },
        },
    }
