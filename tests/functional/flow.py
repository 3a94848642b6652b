"""Plays Lambda's part: hands waiting queue messages and changed items to the real handlers until all is quiet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from functions.broadcasts.app import lambda_handler as broadcasts
from functions.dispatcher.app import lambda_handler as dispatcher
from functions.recorder.app import lambda_handler as recorder
from functions.rollup.app import lambda_handler as rollup
from functions.sender.app import lambda_handler as sender
from sendpool.adapters.ledger.table import dump
from tests.functional.aws import Aws, Context
from tests.functional.requests import http


@dataclass
class Flow:
    """The functions of a deployment, driven by hand."""

    aws: Aws
    context: Context = field(default_factory=Context)

    def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"idempotency-key": key} if key else None
        answer = broadcasts(http(method, path, body, headers=headers), self.context)
        return answer["statusCode"], json.loads(answer["body"])

    def created(self, **request: Any) -> str:
        status, broadcast = self.call("POST", "/broadcasts", {"name": "Sale", **request})
        assert status == 201, broadcast
        broadcast_id: str = broadcast["id"]
        return broadcast_id

    def dispatch(self) -> None:
        """Let the dispatcher work until it posts no more ticks."""
        while ticks := self.aws.records("DISPATCH_QUEUE"):
            for tick in ticks:
                assert dispatcher({"Records": [tick]}, self.context) == {"batchItemFailures": []}

    def send(self, records: list[dict[str, Any]]) -> list[str]:
        """Let a sender work on these records; returns the ids it wants again."""
        failures = sender({"Records": records}, self.context)["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]

    def send_all(self) -> None:
        """Let senders work until the send queue is empty."""
        while records := self.aws.records("SEND_QUEUE"):
            assert self.send(records) == []

    def call_back(self, *callbacks: dict[str, Any]) -> dict[str, Any]:
        """Let the recorder apply callbacks, as the status webhook queued them."""
        records = [
            {"messageId": f"c-{position}", "body": json.dumps(callback)}
            for position, callback in enumerate(callbacks)
        ]
        answer: dict[str, Any] = recorder({"Records": records}, self.context)
        return answer

    def roll_up(self) -> None:
        """Report every item of the ledger as changed: what a stream says at most, and again."""
        rollup({"Records": [_change(item) for item in self.aws.items(prefix="BC#")]}, self.context)

    def report(self, broadcast_id: str) -> dict[str, Any]:
        status, report = self.call("GET", f"/broadcasts/{broadcast_id}")
        assert status == 200
        return report


def _change(item: dict[str, Any]) -> dict[str, Any]:
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": dump(item)}}


def callback(
    message: dict[str, Any], status: str, *, error_code: int | None = None, at: str = "15:01:00"
) -> dict[str, Any]:
    """A status callback of a message that the fake Twilio made."""
    message_id = message["fields"]["StatusCallback"].split("?m=")[1].split("#")[0]
    return {
        "version": 1,
        "received_at": f"2026-11-23T{at}+00:00",
        "message_id": message_id,
        "fields": {
            "MessageSid": message["sid"],
            "MessageStatus": status,
            "To": message["to"],
            "MessagingServiceSid": message["messaging_service_sid"],
            **({"ErrorCode": str(error_code)} if error_code else {}),
        },
    }
