"""AWS in memory: one table with indexes and a stream, queues, a bucket; fast enough for thousands of runs.

It answers botocore's own clients, behind their validation and in front of their HTTP, and does exactly the
operations that the adapters use; another one raises. Time is the world's clock.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from botocore.response import StreamingBody

from tests.chaos.expressions import Bound, Item, UnsupportedError, comparable, holds, updated

Params = Mapping[str, Any]
Answer = dict[str, Any]
Key = tuple[str, str]
LAG_SECONDS = 1.0
# a real page ends after 1 MB, wherever that is
_ITEMS_A_PAGE = 4
_BYTES_AN_ITEM = 400 * 1024
_BYTES_A_SEND = 1024 * 1024


class AwsError(Exception):
    """An error answer of AWS."""

    def __init__(self, code: str, /, *, status: int = 400, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.fields = fields

    def answer(self) -> Answer:
        error = {"Code": self.code, "Message": f"played: {self.code}"}
        return {"Error": error, **self.fields, "ResponseMetadata": {"HTTPStatusCode": self.status}}


def _played(
    plays: Mapping[str, Callable[[Params], Answer]], operation: str
) -> Callable[[Params], Answer]:
    if operation not in plays:
        raise UnsupportedError(operation)
    return plays[operation]


# ------------------------------------------------------------------------------------------------ DynamoDB


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index: its key attributes, and whether it shows keys only."""

    keys: tuple[str, ...]
    keys_only: bool


@dataclass(slots=True)
class DynamoDb:
    """One table. `changes` is its stream; `writes` counts what was written, so that rest can be seen.

    Its indexes lag, and so do reads that do not ask for consistency: they show nothing of what was written within
    the last second.
    """

    indexes: Mapping[str, Index]
    now: Callable[[], float]
    items: dict[Key, Item] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 0
    _tokens: set[str] = field(default_factory=set)
    _settled: dict[Key, Item] = field(default_factory=dict)
    _on_its_way: deque[tuple[float, Key, Item | None]] = field(default_factory=deque)

    def call(self, operation: str, params: Params) -> Answer:
        """Do one operation."""
        plays: dict[str, Callable[[Params], Answer]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
            "Query": self._query,
        }
        return _played(plays, operation)(params)

    def _get(self, params: Params) -> Answer:
        item = self._read(params).get(_key(params["Key"]))
        return {"Item": item} if item else {}

    def _read(self, params: Params) -> Mapping[Key, Item]:
        return self.items if params.get("ConsistentRead") else self._shown()

    def _put(self, params: Params) -> Answer:
        return self._write(params, _key(params["Item"]), lambda: dict(params["Item"]))

    def _update(self, params: Params) -> Answer:
        return self._write(params, _key(params["Key"]), lambda: self._updated(params))

    def _delete(self, params: Params) -> Answer:
        return self._write(params, _key(params["Key"]), lambda: None)

    def condition(self, params: Params, /) -> str | None:
        """The condition of a write."""
        condition: str | None = params.get("ConditionExpression")
        return condition

    def _updated(self, params: Params) -> Item:
        before = self.items.get(_key(params["Key"])) or dict(params["Key"])
        return updated(params["UpdateExpression"], before, Bound.of(params))

    def _write(self, params: Params, key: Key, written: Callable[[], Item | None]) -> Answer:
        before = self.items.get(key)
        if not holds(self.condition(params), before or {}, Bound.of(params)):
            shows = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            item: Answer = {"Item": before} if shows and before else {}
            raise AwsError("ConditionalCheckFailedException", **item)
        after = written()
        self._set(key, after)
        match params.get("ReturnValues", "NONE"):
            case "NONE":
                return {}
            case "ALL_NEW":
                return {"Attributes": after}
            case "ALL_OLD":
                return {"Attributes": before} if before else {}
        raise UnsupportedError(f"ReturnValues {params['ReturnValues']}")

    def _set(self, key: Key, after: Item | None) -> None:
        before = self.items.pop(key, None)
        if after is not None and _size(after) > _BYTES_AN_ITEM:
            raise AwsError("ValidationException")
        if after is not None:
            self.items[key] = after
        if before == after:
            return
        self.writes += 1
        self._on_its_way.append((self.now() + LAG_SECONDS, key, after))
        images = {"OldImage": before, "NewImage": after}
        self.changes.append(
            {
                "eventName": "REMOVE" if after is None else "MODIFY" if before else "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}},
                    "SequenceNumber": f"{self.writes:021d}",
                    "ApproximateCreationDateTime": float(int(self.now())),
                    **{name: image for name, image in images.items() if image is not None},
                },
            }
        )

    def _batch_get(self, params: Params) -> Answer:
        [(table, asked)] = params["RequestItems"].items()
        keys = [_key(key) for key in asked["Keys"]]
        if len(keys) > 100 or len(set(keys)) < len(keys):
            raise AwsError("ValidationException")
        items = self._read(asked)
        found = [items[key] for key in keys if key in items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _batch_write(self, params: Params) -> Answer:
        [requests] = params["RequestItems"].values()
        wanted = [_batched(request) for request in requests]
        if len(wanted) > 25 or len({key for key, _ in wanted}) < len(wanted):
            raise AwsError("ValidationException")
        for key, item in wanted:
            self._set(key, item)
        return {"UnprocessedItems": {}}

    def _transact(self, params: Params) -> Answer:
        """All or nothing; a repeat with the token of one that went through changes nothing."""
        token = params.get("ClientRequestToken", "")
        if token in self._tokens:
            return {}
        actions = [next(iter(action.items())) for action in params["TransactItems"]]
        keys = [_key(asked["Item"] if kind == "Put" else asked["Key"]) for kind, asked in actions]
        if len(set(keys)) < len(keys) or len(keys) > 100:
            raise AwsError("ValidationException")
        reasons = [
            holds(self.condition(asked), self.items.get(key, {}), Bound.of(asked))
            for key, (_, asked) in zip(keys, actions, strict=True)
        ]
        if not all(reasons):
            codes = [{"Code": "None" if held else "ConditionalCheckFailed"} for held in reasons]
            raise AwsError("TransactionCanceledException", CancellationReasons=codes)
        self._tokens.add(token)
        for key, (kind, asked) in zip(keys, actions, strict=True):
            if kind != "ConditionCheck":
                self._set(key, self._transacted(kind, asked))
        return {}

    def _transacted(self, kind: str, asked: Params) -> Item | None:
        match kind:
            case "Put":
                return dict(asked["Item"])
            case "Update":
                return self._updated(asked)
        return None

    def _query(self, params: Params) -> Answer:
        if "FilterExpression" in params:
            raise UnsupportedError("FilterExpression")
        index = self.indexes[params["IndexName"]] if "IndexName" in params else None
        keys = index.keys if index else ("pk", "sk")
        if index and params.get("ConsistentRead"):
            raise AwsError("ValidationException")
        bound = Bound.of(params)

        def place(item: Item) -> tuple[Any, ...]:
            return *(comparable(item[name]) for name in keys), _key(item)

        found = sorted(
            (
                item
                for item in self._read(params).values()
                if all(name in item for name in keys)
                and holds(params["KeyConditionExpression"], item, bound)
            ),
            key=place,
        )
        if "ExclusiveStartKey" in params:
            last = place(params["ExclusiveStartKey"])
            found = [item for item in found if place(item) != last]
            found = [
                item
                for item in found
                if (place(item) > last) is params.get("ScanIndexForward", True)
            ]
        if not params.get("ScanIndexForward", True):
            found.reverse()
        return _page(found, params, index)

    def _shown(self) -> dict[Key, Item]:
        """What the indexes and inconsistent reads show by now."""
        while self._on_its_way and self._on_its_way[0][0] <= self.now():
            _, key, item = self._on_its_way.popleft()
            self._settled.pop(key, None)
            if item is not None:
                self._settled[key] = item
        return self._settled

    def loaded(self) -> Iterator[Item]:
        """Every item in DynamoDB's own form."""
        return iter(list(self.items.values()))


def _page(found: Sequence[Item], params: Params, index: Index | None) -> Answer:
    limit = min(params.get("Limit", _ITEMS_A_PAGE), _ITEMS_A_PAGE)
    shown = list(found[:limit])
    answer: Answer = {}
    if len(found) > limit:
        names = {"pk", "sk", *(index.keys if index else ())}
        answer["LastEvaluatedKey"] = {name: shown[-1][name] for name in names}
    if index and index.keys_only:
        names = {"pk", "sk", *index.keys}
        shown = [{name: item[name] for name in names} for item in shown]
    return (
        answer
        | {"Count": len(shown)}
        | ({} if params.get("Select") == "COUNT" else {"Items": shown})
    )


def _key(item: Mapping[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _size(item: Item) -> int:
    """About how many bytes an item takes: its texts and bytes, which are all that can be long."""
    return sum(len(value.get("S", value.get("B", ""))) + len(name) for name, value in item.items())


def _batched(request: Mapping[str, Any]) -> tuple[Key, Item | None]:
    if "PutRequest" in request:
        item = dict(request["PutRequest"]["Item"])
        return _key(item), item
    return _key(request["DeleteRequest"]["Key"]), None


# ------------------------------------------------------------------------------------------------ SQS


@dataclass(slots=True, eq=False)
class QueueMessage:
    """A message on a queue; nobody sees it before `visible_at`."""

    id: str
    body: str
    attributes: Mapping[str, Any]
    visible_at: float
    receives: int = 0


@dataclass(slots=True)
class Queue:
    """One queue; what is received more than `most_receives` times moves to `dead_letters`.

    `copies` is how often each message is delivered.
    """

    name: str
    visibility: float = 30.0
    most_receives: int | None = None
    dead_letters: Queue | None = None
    copies: int = 1
    messages: list[QueueMessage] = field(default_factory=list)

    def receive(self, most: int, now: float, luck: Random | None = None) -> list[QueueMessage]:
        """Take what is visible; it stays on the queue, hidden for the visibility timeout.

        With luck, any of it in any order: a standard queue promises none.
        """
        taken: list[QueueMessage] = []
        visible = [each for each in self.messages if each.visible_at <= now]
        visible.sort(key=lambda each: each.visible_at)
        if luck:
            luck.shuffle(visible)
            most = luck.randint(1, most)
        for message in visible:
            if len(taken) == most:
                break
            message.receives += 1
            if self.most_receives and message.receives > self.most_receives and self.dead_letters:
                self.messages.remove(message)
                self.dead_letters.messages.append(message)
                continue
            message.visible_at = now + self.visibility
            taken.append(message)
        return taken

    def delete(self, message: QueueMessage) -> None:
        if message in self.messages:
            self.messages.remove(message)

    def next_visible(self) -> float | None:
        return min((message.visible_at for message in self.messages), default=None)


@dataclass(slots=True)
class Sqs:
    """Queues by the last part of their URL."""

    queues: Mapping[str, Queue]
    now: Callable[[], float]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, operation: str, params: Params) -> Answer:
        queue = self.queues[params["QueueUrl"].rsplit("/", 1)[-1]]
        match operation:
            case "SendMessage":
                return {"MessageId": self._put(queue, params)}
            case "SendMessageBatch":
                entries = params["Entries"]
                if len(entries) > 10 or not entries:
                    raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
                if len({each["Id"] for each in entries}) < len(entries):
                    raise AwsError("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
                if sum(len(each["MessageBody"]) for each in entries) > _BYTES_A_SEND:
                    raise AwsError("AWS.SimpleQueueService.BatchRequestTooLong")
                done = [{"Id": each["Id"], "MessageId": self._put(queue, each)} for each in entries]
                return {"Successful": done}
        raise UnsupportedError(f"sqs {operation}")

    def _put(self, queue: Queue, entry: Params) -> str:
        if not 0 <= entry.get("DelaySeconds", 0) <= 900:
            raise AwsError("InvalidParameterValue")
        message_id = f"q-{next(self._numbers)}"
        queue.messages += [
            QueueMessage(
                message_id,
                entry["MessageBody"],
                entry.get("MessageAttributes", {}),
                self.now() + entry.get("DelaySeconds", 0),
            )
            for _ in range(queue.copies)
        ]
        return message_id


# ------------------------------------------------------------------------------------------------ EventBridge


@dataclass(slots=True)
class Bus:
    """An event bus that keeps what was put on it."""

    told: list[dict[str, Any]] = field(default_factory=list)

    def call(self, operation: str, params: Params) -> Answer:
        if operation != "PutEvents":
            raise UnsupportedError(f"events {operation}")
        entries = params["Entries"]
        if not len(entries) <= 10:
            raise AwsError("ValidationException")
        self.told += [json.loads(each["Detail"]) for each in entries]
        done = [{"EventId": f"e-{len(self.told)}-{n}"} for n, _ in enumerate(entries)]
        return {"FailedEntryCount": 0, "Entries": done}


# ------------------------------------------------------------------------------------------------ S3


@dataclass(frozen=True, slots=True)
class File:
    """What stands under a key, and its ETag: of a file that was made of parts, another than of its bytes."""

    content: bytes
    etag: str


@dataclass(slots=True)
class S3:
    """One bucket. Parts may be of any size."""

    now: Callable[[], datetime]
    files: dict[str, File] = field(default_factory=dict)
    uploads: dict[str, dict[int, File]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, operation: str, params: Params) -> Answer:
        """Do one operation."""
        plays: dict[str, Callable[[Params], Answer]] = {
            "PutObject": self._put,
            "HeadObject": self._head,
            "GetObject": self._get,
            "CreateMultipartUpload": self._begin,
            "UploadPart": self._upload,
            "CompleteMultipartUpload": self._complete,
            "AbortMultipartUpload": self._abort,
        }
        return _played(plays, operation)(params)

    def _put(self, params: Params) -> Answer:
        file = self.files[params["Key"]] = _file(_read(params.get("Body", b"")))
        return {"ETag": file.etag}

    def _head(self, params: Params) -> Answer:
        file = self._file(params["Key"], absent="404")
        return {"ContentLength": len(file.content), "ETag": file.etag}

    def _begin(self, _params: Params) -> Answer:
        upload = f"upload-{next(self._numbers)}"
        self.uploads[upload] = {}
        return {"UploadId": upload}

    def _upload(self, params: Params) -> Answer:
        part = _file(_read(params["Body"]))
        self._parts(params)[params["PartNumber"]] = part
        return {"ETag": part.etag}

    def _complete(self, params: Params) -> Answer:
        parts = self._parts(params)
        wanted = [(each["PartNumber"], each["ETag"]) for each in params["MultipartUpload"]["Parts"]]
        if any(number not in parts or parts[number].etag != etag for number, etag in wanted):
            raise AwsError("InvalidPart")
        if not wanted or wanted != sorted(wanted):
            raise AwsError("InvalidPartOrder")
        content = b"".join(parts[number].content for number, _ in wanted)
        digest = hashlib.md5("".join(etag for _, etag in wanted).encode())  # noqa: S324 - as S3 does
        file = self.files[params["Key"]] = File(content, f'"{digest.hexdigest()}-{len(wanted)}"')
        del self.uploads[params["UploadId"]]
        return {"ETag": file.etag}

    def _abort(self, params: Params) -> Answer:
        self._parts(params)
        del self.uploads[params["UploadId"]]
        return {}

    def _parts(self, params: Params) -> dict[int, File]:
        if params["UploadId"] not in self.uploads:
            raise AwsError("NoSuchUpload", status=404)
        return self.uploads[params["UploadId"]]

    def _file(self, key: str, *, absent: str = "NoSuchKey") -> File:
        if key not in self.files:
            raise AwsError(absent, status=404)
        return self.files[key]

    def _get(self, params: Params) -> Answer:
        file = self._file(params["Key"])
        content = file.content
        if params.get("IfMatch", file.etag) != file.etag:
            raise AwsError("PreconditionFailed", status=412)
        shown = content
        if "Range" in params:
            first, _, last = params["Range"].removeprefix("bytes=").partition("-")
            if int(first) >= len(content):
                raise AwsError("InvalidRange", status=416)
            shown = content[int(first) : int(last) + 1 if last else None]
        return {
            "Body": StreamingBody(io.BytesIO(shown), len(shown)),
            "ETag": file.etag,
            "ContentLength": len(shown),
            "ContentRange": f"bytes */{len(content)}",
            "LastModified": self.now(),
        }


def _read(body: Any) -> bytes:
    """The body of a request; a stream is left where it was, as botocore winds it back before it repeats."""
    if not hasattr(body, "read"):
        return bytes(body)
    start = body.tell()
    content: bytes = body.read()
    body.seek(start)
    return content


def _file(content: bytes) -> File:
    return File(content, f'"{hashlib.md5(content).hexdigest()}"')  # noqa: S324 - as S3 does
