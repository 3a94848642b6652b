"""DynamoDB in our words: items as plain dictionaries, conditions that answer instead of raising, whole batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import batched
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.ledger.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]

_WRITES_A_CALL = 25
_READS_A_CALL = 100
# readers of an index stop when their time is over: no more is fetched than is soon used
_INDEX_PAGE = 100

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class UnprocessedError(Exception):
    """DynamoDB left part of a batch undone although it was asked several times."""


class TransactionLostError(Exception):
    """A condition of the transaction did not hold, or another one was faster; nothing was written."""


@dataclass(frozen=True, slots=True)
class Put:
    """What a conditional put answered: whether it was written, and if not, the item that was there."""

    written: bool
    existing: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update by expression. `names` stand for `#x`, `values` for `:x`, both without their sign."""

    key: Key
    expression: str
    condition: str | None = None
    names: Mapping[str, str] | None = None
    values: Mapping[str, Any] | None = None


class Table:
    """One DynamoDB table with keys `pk` and `sk`."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Item | None:
        """Read one item, consistently."""
        answer = self._client.get_item(
            TableName=self._name, Key=dumped_key(key), ConsistentRead=True
        )
        return load(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Read any number of items, consistently; absent ones are absent."""
        found: dict[Key, Item] = {}
        for some in batched(dict.fromkeys(keys), _READS_A_CALL, strict=False):
            for item in self._get_batch(some):
                found[Key(item["pk"], item["sk"])] = item
        return found

    def _get_batch(self, keys: Sequence[Key]) -> Iterator[Item]:
        wanted: Any = {
            self._name: {"Keys": [dumped_key(key) for key in keys], "ConsistentRead": True}
        }
        for attempt in _patiently():
            with attempt:
                answer = self._client.batch_get_item(RequestItems=wanted)
                yield from (load(item) for item in answer["Responses"].get(self._name, []))
                wanted = answer.get("UnprocessedKeys")
                if wanted:
                    raise UnprocessedError

    def query(self, pk: str, *, prefix: str = "", page: int | None = None) -> Iterator[Item]:
        """Read a partition, or the part of it whose sort keys begin so, consistently and in order.

        `page` is how many items are fetched at a time, for those who stop early; without it as many as fit 1 MB.
        """
        values = {":pk": pk, ":prefix": prefix} if prefix else {":pk": pk}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            ExpressionAttributeValues=cast("Any", dump(values)),
            ConsistentRead=True,
            PaginationConfig={"PageSize": page} if page else {},
        )
        return (load(item) for page in pages for item in page["Items"])

    def query_index(
        self,
        index: str,
        *,
        partition: tuple[str, str],
        since: tuple[str, str] | None = None,
        until: tuple[str, str] | None = None,
    ) -> Iterator[Item]:
        """Read an index partition in order, from or up to a sort value. An index lags behind the table by a moment."""
        bound = since or until
        asked = {"p": partition} | ({"s": bound} if bound else {})
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=index,
            KeyConditionExpression="#p = :p"
            + (f" AND #s {'>=' if since else '<='} :s" if bound else ""),
            ExpressionAttributeNames={f"#{sign}": name for sign, (name, _) in asked.items()},
            ExpressionAttributeValues=cast(
                "Any", dump({f":{sign}": value for sign, (_, value) in asked.items()})
            ),
            PaginationConfig={"PageSize": _INDEX_PAGE},
        )
        return (load(item) for page in pages for item in page["Items"])

    def index_page(
        self,
        index: str,
        *,
        partition: tuple[str, str],
        after: Item | None,
        limit: int,
        newest_first: bool = False,
    ) -> tuple[list[Item], Item | None]:
        """Read at most `limit` items of an index partition after a place in it, and the place after them."""
        name, value = partition
        more: Any = {"ExclusiveStartKey": dump(after)} if after else {}
        answer = self._client.query(
            TableName=self._name,
            IndexName=index,
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": name},
            ExpressionAttributeValues=cast("Any", dump({":p": value})),
            Limit=limit,
            ScanIndexForward=not newest_first,
            **more,
        )
        last = answer.get("LastEvaluatedKey")
        return [load(item) for item in answer["Items"]], load(last) if last else None

    def put_if(self, item: Item, condition: str, values: Mapping[str, Any] | None = None) -> Put:
        """Write one item if the condition holds for what is there; `values` stand for `:x`."""
        more: Any = {"ExpressionAttributeValues": _signed(":", values)} if values else {}
        try:
            self._client.put_item(
                TableName=self._name,
                Item=cast("Any", dump(item)),
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **more,
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            existing = cast("Any", refused.response).get("Item")
            return Put(written=False, existing=load(existing) if existing else None)
        return Put(written=True)

    def put_many(self, items: Iterable[Item]) -> None:
        """Write any number of items, whatever was there. Not atomic: after an error some may be written."""
        for some in batched(items, _WRITES_A_CALL, strict=False):
            left: Any = {self._name: [{"PutRequest": {"Item": dump(item)}} for item in some]}
            for attempt in _patiently():
                with attempt:
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                    if left:
                        raise UnprocessedError

    def update(self, update: Update) -> Put:
        """Update one item if the condition holds."""
        try:
            self._client.update_item(
                **self._update_arguments(update), ReturnValuesOnConditionCheckFailure="ALL_OLD"
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            existing = cast("Any", refused.response).get("Item")
            return Put(written=False, existing=load(existing) if existing else None)
        return Put(written=True)

    def delete_if(self, key: Key, condition: str, values: Mapping[str, Any]) -> bool:
        """Delete one item if the condition holds; tell whether it did."""
        try:
            self._client.delete_item(
                TableName=self._name,
                Key=dumped_key(key),
                ConditionExpression=condition,
                ExpressionAttributeValues=_signed(":", values),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def transact(
        self,
        *,
        puts: Iterable[tuple[Item, str | None, Mapping[str, Any] | None]],
        updates: Iterable[Update],
    ) -> None:
        """Write all or nothing, at most 100 items; each put with its condition, if any, and the values of that.

        Raises TransactionLostError when a condition failed or a rival was faster.
        """
        actions = [{"Put": self._put_arguments(*put)} for put in puts]
        actions += [{"Update": self._update_arguments(update)} for update in updates]
        try:
            self._client.transact_write_items(
                TransactItems=cast("list[TransactWriteItemTypeDef]", actions)
            )
        except self._client.exceptions.TransactionCanceledException as lost:
            raise TransactionLostError from lost
        except ClientError as error:
            if error.response["Error"]["Code"] == "TransactionConflictException":
                raise TransactionLostError from error
            raise

    def _put_arguments(
        self, item: Item, condition: str | None, values: Mapping[str, Any] | None
    ) -> Item:
        arguments: Item = {"TableName": self._name, "Item": dump(item)}
        if condition:
            arguments["ConditionExpression"] = condition
        return arguments | ({"ExpressionAttributeValues": _signed(":", values)} if values else {})

    def _update_arguments(self, update: Update) -> Any:
        arguments: Item = {
            "TableName": self._name,
            "Key": dumped_key(update.key),
            "UpdateExpression": update.expression,
        }
        if update.condition:
            arguments["ConditionExpression"] = update.condition
        if update.names:
            arguments["ExpressionAttributeNames"] = {
                f"#{name}": real for name, real in update.names.items()
            }
        if update.values:
            arguments["ExpressionAttributeValues"] = _signed(":", update.values)
        return arguments


def dump(item: Mapping[str, Any]) -> Item:
    """Turn a plain item into DynamoDB's form; attributes that are None are left out."""
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def load(item: Mapping[str, Any]) -> Item:
    """Turn DynamoDB's form into a plain item; whole numbers become int."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def dumped_key(key: Key) -> Any:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value


def _signed(sign: str, values: Mapping[str, Any]) -> Any:
    return {f"{sign}{name}": _serialize(value) for name, value in values.items()}


def _patiently() -> Retrying:
    """Ask again for what DynamoDB left undone: up to six times, with growing, random pauses."""
    return Retrying(
        retry=retry_if_exception_type(UnprocessedError),
        stop=stop_after_attempt(6),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
