"""A dead-letter queue: look through it, and put letters back onto the queue that they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sendpool.domain.dead_letter import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# nobody else sees a letter for so long: enough to look through a hundred thousand
_HELD_SECONDS = 900
_WAIT_SECONDS = 1
# a queue's answer may be empty although it is not
_EMPTY_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class Held:
    """A letter that is ours for a time; `handle` is how to speak of it."""

    letter: DeadLetter
    handle: str


class DeadLetters:
    """The dead letters of one queue. Who looks takes them; what is neither put back nor let go comes again."""

    def __init__(self, client: SQSClient, *, url: str, source_url: str) -> None:
        self._client = client
        self._url = url
        self._source_url = source_url

    def take(self, *, before: datetime) -> Iterator[Held]:
        """Take every letter from before a time, once each, until no more come.

        Without that limit, letters that are put back and fail again at once would come for ever.
        """
        seen: set[str] = set()
        empty = 0
        while empty < _EMPTY_ANSWERS:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=_WAIT_SECONDS,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            taken = [_held(message) for message in answer.get("Messages", [])]
            later = [each for each in taken if each.letter.sent_at > before]
            fresh = [each for each in taken if each not in later and each.letter.id not in seen]
            empty = 0 if fresh else empty + 1
            seen |= {each.letter.id for each in fresh}
            for each in later:
                self.let_go(each)
            yield from fresh

    def put_back(self, held: Held) -> None:
        """Put a letter onto its queue, and remove it here. Dying in between leaves two of it, which does no harm."""
        group: Any = {"MessageGroupId": held.letter.group} if held.letter.group else {}
        self._client.send_message(
            QueueUrl=self._source_url, MessageBody=held.letter.fresh(), **group
        )
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=held.handle)

    def let_go(self, held: Held) -> None:
        """Leave a letter where it is, for others to see at once."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=held.handle, VisibilityTimeout=0
        )


def _held(message: Any) -> Held:
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, tz=UTC)
    letter = DeadLetter(
        id=message["MessageId"], body=message["Body"], sent_at=sent_at, reason=reason
    )
    return Held(letter, message["ReceiptHandle"])
