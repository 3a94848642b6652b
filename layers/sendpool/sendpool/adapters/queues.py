"""The queues: ticks for the dispatcher, chunks and requests for the sender, callbacks for the recorder.

Beside them those that keep what the publisher cannot read, and events until the team's own URL takes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.domain import media
from sendpool.domain.media import WantedMedia
from sendpool.domain.withdrawal import Withdrawal, to_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS takes 1 MiB a call; the rest is for what surrounds the bodies
_BYTES_A_CALL = 1_000_000
_MESSAGES_A_CALL = 10
MAX_DELAY_SECONDS = 900
# an opt-out waits behind no broadcast
WITHDRAWALS_GROUP = "withdrawals"
RECONCILIATION_GROUP = "reconciliation"
# nor does a broadcast wait behind pictures
MEDIA_GROUP = "media"


class NotQueuedError(Exception):
    """SQS did not take part of a batch although it was asked several times."""


@dataclass(frozen=True, slots=True)
class QueueUrls:
    dispatch: str
    send: str
    send_dead_letter: str
    callbacks: str
    publisher_failures: str
    event_webhooks: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One body to put on a queue, `delay` seconds from now at the earliest."""

    body: str
    delay: int = 0


class Queues:
    """Puts work on the queues. Work of one broadcast shares a group, so that it cannot starve others."""

    def __init__(self, client: SQSClient, urls: QueueUrls) -> None:
        self._client = client
        self._urls = urls

    def tick(self, broadcast_id: str, tick: Mapping[str, Any], *, delay: int = 0) -> None:
        """Ask the dispatcher to work on a broadcast."""
        self._send(self._urls.dispatch, broadcast_id, [Outgoing(encode(tick), delay)])

    def release(self, broadcast_id: str, chunks: Sequence[Outgoing]) -> None:
        """Put chunks of a broadcast before the sender.

        Raises NotQueuedError when some were not taken; others may have been.
        """
        self._send(self._urls.send, broadcast_id, chunks)

    def hand_back(self, group: str, body: str, *, delay: int) -> None:
        """Put unfinished work before the sender again as a fresh message, in at most MAX_DELAY_SECONDS."""
        self._send(self._urls.send, group, [Outgoing(body, delay)])

    def withdraw(self, withdrawals: Iterable[Withdrawal], *, delay: int = 0) -> None:
        """Ask the sender to withdraw what waits for people who said stop."""
        outgoing = [Outgoing(encode(to_body(each)), delay) for each in withdrawals]
        self._send(self._urls.send, WITHDRAWALS_GROUP, outgoing)

    def fetch_media(self, wanted: Iterable[WantedMedia]) -> None:
        """Ask the sender to fetch pictures that came with a text."""
        outgoing = [Outgoing(encode(media.to_body(each))) for each in wanted]
        self._send(self._urls.send, MEDIA_GROUP, outgoing)

    def set_aside(self, body: str, *, reason: str) -> None:
        """Put work that the sender cannot read with the dead letters, saying why."""
        self._client.send_message(
            QueueUrl=self._urls.send_dead_letter,
            MessageBody=body,
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:256]}},
        )

    def set_change_aside(self, record: Mapping[str, Any]) -> None:
        """Keep a record of the ledger's stream that the publisher cannot read."""
        self._client.send_message(
            QueueUrl=self._urls.publisher_failures, MessageBody=encode(record)
        )

    def tell_again(self, receipt: str, *, after: int) -> None:
        """Let an event that was not taken come again after so many seconds."""
        self._client.change_message_visibility(
            QueueUrl=self._urls.event_webhooks, ReceiptHandle=receipt, VisibilityTimeout=after
        )

    def callback(self, callback: Mapping[str, Any]) -> None:
        """Keep a status callback, or what was told of a click, for the recorder."""
        self._client.send_message(QueueUrl=self._urls.callbacks, MessageBody=encode(callback))

    def callbacks(self, callbacks: Iterable[Mapping[str, Any]]) -> None:
        """Keep many for the recorder that Twilio never called: what its list told, put as callbacks.

        Raises NotQueuedError when some were not taken; others may have been.
        """
        outgoing = [Outgoing(encode(each)) for each in callbacks]
        self._send(self._urls.callbacks, RECONCILIATION_GROUP, outgoing)

    def _send(self, url: str, group: str, outgoing: Sequence[Outgoing]) -> None:
        for some in _calls(outgoing):
            entries: list[Any] = [
                {
                    "Id": str(position),
                    "MessageBody": each.body,
                    "DelaySeconds": each.delay,
                    "MessageGroupId": group,
                }
                for position, each in enumerate(some)
            ]
            for attempt in _patiently():
                with attempt:
                    failed = self._client.send_message_batch(QueueUrl=url, Entries=entries).get(
                        "Failed", []
                    )
                    left = {failure["Id"] for failure in failed}
                    entries = [entry for entry in entries if entry["Id"] in left]
                    if entries:
                        raise NotQueuedError(failed[0].get("Code", "unknown"))


def encode(body: Mapping[str, Any]) -> str:
    """Write a body as JSON in ASCII: SQS refuses some Unicode characters."""
    return json.dumps(body, separators=(",", ":"))


def _calls(outgoing: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    call: list[Outgoing] = []
    size = 0
    for each in outgoing:
        if call and (len(call) == _MESSAGES_A_CALL or size + len(each.body) > _BYTES_A_CALL):
            yield call
            call, size = [], 0
        call.append(each)
        size += len(each.body)
    if call:
        yield call


def _patiently() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(NotQueuedError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
