"""The AWS that plans run on, held against moto: the same operations answer the same and leave the same items."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.chaos.deployment import deployment
from tests.chaos.expressions import UnsupportedError
from tests.chaos.memory import S3, AwsError, DynamoDb, Queue, QueueMessage

TABLE = "ledger"
_KEYS = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk in ("A", "B") for sk in ("M#1", "M#2", "N")]
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    with mock_aws():
        yield boto3.Session(region_name="us-east-1").client("dynamodb")
    patch.undo()


def _attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def _new_table(client: Any) -> str:
    name = f"{TABLE}-{next(_NUMBERS)}"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[_attribute("pk"), _attribute("sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def _played() -> DynamoDb:
    return DynamoDb(deployment().indexes, lambda: 0.0)


keys = st.sampled_from(_KEYS)
numbers = st.integers(0, 3).map(lambda n: {"N": str(n)})
conditions = st.sampled_from(
    [
        "attribute_not_exists(pk)",
        "attribute_exists(pk)",
        "#n = :v",
        "#n <> :v",
        "#n < :v",
        "#n <= :v OR attribute_not_exists(#n)",
        "(attribute_not_exists(#n) OR #n >= :v) AND NOT #m > :v",
        "#n BETWEEN :v AND :v",
        "#n IN (:v, :v)",
        "begins_with(sk, :text)",
        "#inner.#n = :v",
    ]
)
changes = st.sampled_from(
    [
        "SET #n = :v",
        "SET #n = :v, #m = if_not_exists(#n, :v)",
        "SET #n = if_not_exists(#n, :v) REMOVE #m",
        "ADD #c :one",
        "SET #m = :v ADD #c :one",
        "REMOVE #n, #m",
        "SET #c = if_not_exists(#c, :one) + :one",
        "SET #inner.#n = :v",
    ]
)
_NAMES = {"#n": "n", "#m": "m", "#c": "c", "#inner": "inner"}
_INNER = {"M": {"n": {"N": "1"}}}


def _bound(text: str, value: dict[str, Any]) -> dict[str, Any]:
    """The names and values that an expression uses: DynamoDB refuses any other."""
    given_values = {":v": value, ":text": {"S": "M#"}, ":one": {"N": "1"}}
    names = {sign: name for sign, name in _NAMES.items() if sign in text}
    used = {sign: each for sign, each in given_values.items() if sign in text}
    return {
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": used} if used else {}),
    }


def _put(key: dict[str, Any], condition: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "PutItem", {
        "Item": {**key, "n": value, "inner": _INNER},
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **_bound(condition, value),
    }


def _update(
    key: dict[str, Any], change: str, condition: str, value: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    return "UpdateItem", {
        "Key": key,
        "UpdateExpression": change,
        "ConditionExpression": condition,
        **_bound(f"{change} {condition}", value),
    }


operations = st.one_of(
    st.builds(_put, keys, conditions, numbers),
    st.builds(_put, keys, st.just("attribute_not_exists(pk)"), numbers),
    st.builds(_update, keys, changes, conditions, numbers),
    st.builds(_update, keys, changes, st.just("attribute_exists(pk)"), numbers),
    keys.map(lambda key: ("DeleteItem", {"Key": key})),
    keys.map(lambda key: ("GetItem", {"Key": key, "ConsistentRead": True})),
    st.builds(
        lambda key, prefix: (
            "Query",
            {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :p)",
                "ConsistentRead": True,
                "ExpressionAttributeValues": {":pk": key["pk"], ":p": {"S": prefix}},
            },
        ),
        keys,
        st.sampled_from(["M#", "N"]),
    ),
)
_METHODS = {
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "Query": "query",
}


def _by_moto(client: Any, table: str, operation: str, params: dict[str, Any]) -> Any:
    try:
        answer = getattr(client, _METHODS[operation])(TableName=table, **params)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response.get("Item")
    return answer.get("Item"), answer.get("Items")


def _by_us(table: DynamoDb, operation: str, params: dict[str, Any]) -> Any:
    try:
        answer = table.call(operation, params)
    except AwsError as error:
        return error.code, error.fields.get("Item")
    except UnsupportedError:
        return "ValidationException", None
    return answer.get("Item"), answer.get("Items")


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(operations, min_size=1, max_size=12))
def test_the_same_operations_do_the_same_as_in_moto(
    dynamodb: Any, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    # GIVEN an empty table on both sides
    theirs, ours = _new_table(dynamodb), _played()
    for operation, params in asked:
        # WHEN both are asked the same
        answer = _by_moto(dynamodb, theirs, operation, params)
        # THEN they answer the same
        assert _by_us(ours, operation, params) == answer, (operation, params)
    # AND hold the same
    kept = dynamodb.scan(TableName=theirs)["Items"]
    assert sorted(ours.loaded(), key=str) == sorted(kept, key=str)


def test_a_transaction_writes_all_or_nothing_and_its_repeat_nothing() -> None:
    table = _played()
    action = {
        "Update": {
            "Key": _KEYS[0],
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    refused = {"Put": {"Item": _KEYS[1], "ConditionExpression": "attribute_exists(pk)"}}
    with pytest.raises(AwsError, match="TransactionCanceledException"):
        table.call("TransactWriteItems", {"TransactItems": [action, refused]})
    assert not table.items
    for _ in range(2):
        table.call("TransactWriteItems", {"TransactItems": [action], "ClientRequestToken": "t"})
    assert table.items["A", "M#1"]["n"] == {"N": "1"}


def test_an_index_shows_a_write_a_moment_later() -> None:
    now = [0.0]
    table = DynamoDb(deployment().indexes, lambda: now[0])
    table.call("PutItem", {"Item": {**_KEYS[0], "sid": {"S": "SM1"}}})
    asked = {
        "IndexName": "by_sid",
        "KeyConditionExpression": "sid = :s",
        "ExpressionAttributeValues": {":s": {"S": "SM1"}},
    }
    assert table.call("Query", asked)["Items"] == []
    now[0] = 2.0
    assert len(table.call("Query", asked)["Items"]) == 1


def test_what_is_received_too_often_goes_to_the_dead_letters() -> None:
    dead = Queue("dead")
    queue = Queue("work", visibility=10, most_receives=2, dead_letters=dead)
    queue.messages.append(QueueMessage("q-1", "body", {}, 0.0))
    received = [len(queue.receive(1, now)) for now in (0, 5, 10, 20)]
    assert received == [1, 0, 1, 0]
    assert [message.body for message in dead.messages] == ["body"]


def test_a_range_of_an_object_that_changed_is_refused() -> None:
    s3 = S3(lambda: pytest.fail("no time is asked for"))
    etag = s3.call("PutObject", {"Key": "a", "Body": b"0123456789"})["ETag"]
    s3.call("PutObject", {"Key": "a", "Body": b"other"})
    with pytest.raises(AwsError, match="PreconditionFailed"):
        s3.call("GetObject", {"Key": "a", "IfMatch": etag, "Range": "bytes=2-4"})


def test_a_file_is_made_of_the_parts_that_were_put_and_of_no_others() -> None:
    s3 = S3(lambda: pytest.fail("no time is asked for"))
    upload = {"Key": "a", "UploadId": s3.call("CreateMultipartUpload", {"Key": "a"})["UploadId"]}
    etag = s3.call("UploadPart", {**upload, "PartNumber": 1, "Body": b"01234"})["ETag"]
    for number, of in ((1, '"another"'), (2, etag)):
        parts = {"Parts": [{"PartNumber": number, "ETag": of}]}
        with pytest.raises(AwsError, match="InvalidPart"):
            s3.call("CompleteMultipartUpload", {**upload, "MultipartUpload": parts})
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    made = s3.call("CompleteMultipartUpload", {**upload, "MultipartUpload": parts})["ETag"]
    assert s3.call("HeadObject", {"Key": "a"})["ETag"] == made != etag
    with pytest.raises(AwsError, match="NoSuchUpload"):
        s3.call("CompleteMultipartUpload", {**upload, "MultipartUpload": parts})


def test_a_read_that_does_not_ask_for_consistency_may_be_old() -> None:
    now = [0.0]
    table = DynamoDb(deployment().indexes, lambda: now[0])
    table.call("PutItem", {"Item": _KEYS[0]})
    assert table.call("GetItem", {"Key": _KEYS[0]}) == {}
    assert table.call("GetItem", {"Key": _KEYS[0], "ConsistentRead": True})["Item"] == _KEYS[0]
    now[0] = 2.0
    assert table.call("GetItem", {"Key": _KEYS[0]})["Item"] == _KEYS[0]


def test_a_query_goes_on_behind_an_item_that_is_gone() -> None:
    table = _played()
    for number in range(9):
        table.call("PutItem", {"Item": {"pk": {"S": "A"}, "sk": {"S": f"M#{number}"}}})
    asked: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "A"}},
        "ConsistentRead": True,
    }
    found: list[str] = []
    while True:
        page = table.call("Query", asked)
        found += [item["sk"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        table.call("DeleteItem", {"Key": page["LastEvaluatedKey"]})
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    assert found == [f"M#{number}" for number in range(9)]


def test_an_item_has_at_most_400_kilobytes() -> None:
    item = {**_KEYS[0], "chunk": {"B": b"x" * 400 * 1024}}
    with pytest.raises(AwsError, match="ValidationException"):
        _played().call("PutItem", {"Item": item})


def test_an_operation_that_nobody_plays_is_no_silent_success() -> None:
    with pytest.raises(UnsupportedError):
        _played().call("Scan", {})
