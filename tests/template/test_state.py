"""Table, stream, bucket and parameters: what the code expects is there, and nothing of it is lost by accident."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.due import Due
from sendpool.adapters.ledger.listing import Listing
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.ledger.table import Table
from sendpool.domain.message import Delivery, MessageRecord, SendResult, Status
from sendpool.edge.provisioning import declaration
from tests.chaos.deployment import matches
from tests.template.stack import ROOT, Source, Stack, target

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
# "any" is what is not declared
_FEATURES = {
    "StickySender",
    "MmsConverter",
    "SmartEncoding",
    "AreaCodeGeomatch",
    "ServiceValidityPeriod",
    "ServiceUseCase",
}
MESSAGE = f"bc_{'0' * 32}-000001-001"


@pytest.fixture
def table(stack: Stack) -> dict[str, Any]:
    return stack.of_type("AWS::DynamoDB::Table")["LedgerTable"]


READERS = ("PublisherFunction", "RollupFunction")


def _reader(stack: Stack, function: str) -> Source:
    (found,) = (each for each in stack.sources if each.function == function)
    assert found.origin == "LedgerTable"
    return found


@pytest.fixture(params=READERS)
def stream(request: pytest.FixtureRequest, stack: Stack) -> Source:
    return _reader(stack, request.param)


@dataclass
class _Asked(Table):
    """A table that remembers which index it was asked for."""

    queries: list[dict[str, Any]] = field(default_factory=list)

    def query_index(self, index: str, **of: Any) -> Iterator[dict[str, Any]]:
        self.queries.append({"index": index, **of})
        return iter(())

    def index_page(self, index: str, **of: Any) -> tuple[list[dict[str, Any]], None]:
        self.queries.append({"index": index, **of})
        return [], None

    def get_many(self, keys: Iterable[keys.Key]) -> dict[keys.Key, dict[str, Any]]:
        assert list(keys) == []
        return {}


def _key_of(index: dict[str, Any]) -> list[str]:
    return [each["AttributeName"] for each in index["KeySchema"]]


def _indexes(table: dict[str, Any]) -> dict[str, list[str]]:
    return {each["IndexName"]: _key_of(each) for each in table["GlobalSecondaryIndexes"]}


def _unknown_message() -> dict[str, Any]:
    record = MessageRecord(
        id="msg_1",
        to="+12025550123",
        created_at=NOW,
        result=SendResult(status=Status.UNKNOWN),
        due_at=NOW,
    )
    return items.of_message(record, expires_at=NOW)


def test_the_table_has_the_keys_that_the_ledger_writes(table: dict[str, Any]) -> None:
    assert tuple(_key_of(table)) == keys.Key._fields


def test_the_index_by_person_has_the_attributes_that_messages_have(table: dict[str, Any]) -> None:
    assert set(_indexes(table)["by_person"]) <= set(_unknown_message())


def test_the_index_by_sid_is_the_one_that_the_ledger_asks(table: dict[str, Any]) -> None:
    asked = _Asked()
    assert list(Messages(asked, retention=timedelta(days=1))._named_with("SM1")) == []
    (query,) = asked.queries
    assert _indexes(table)[query["index"]] == [query["partition"][0]] == ["sid"]
    delivery = items.of_delivery(Delivery(sid="SM1", status=Status.SENT), expires_at=NOW)
    assert "sid" in delivery
    assert _unknown_message()["sid"] is None


def test_the_index_of_open_messages_is_asked_for_what_is_due_in_every_shard(
    table: dict[str, Any],
) -> None:
    asked = _Asked()
    assert list(Due(asked).ids("unknown", now=NOW)) == []
    assert {query["partition"][1] for query in asked.queries} >= {_unknown_message()["open"]}
    assert len(asked.queries) == keys.OPEN_SHARDS
    for query in asked.queries:
        names = [query["partition"][0], query["until"][0]]
        assert _indexes(table)[query["index"]] == names


def test_the_index_of_open_messages_has_the_attributes_that_only_open_messages_have(
    table: dict[str, Any],
) -> None:
    decided = MessageRecord(
        id="msg_1", to="+12025550123", created_at=NOW, result=SendResult(status=Status.ACCEPTED)
    )
    only_open = set(_unknown_message()) - set(items.of_message(decided, expires_at=NOW))
    assert set(_indexes(table)["open"]) == only_open


def test_the_index_of_lists_has_the_attributes_that_only_listed_items_have(
    table: dict[str, Any],
) -> None:
    asked = _Asked()
    assert OptOuts(asked).listed(cursor=None, limit=10) == ([], None)
    assert {query["index"] for query in asked.queries} == {"listed"}
    assert len(asked.queries) == keys.OPEN_SHARDS
    place = Listing(asked, "optout").place("+12025550123", NOW)
    assert {query["partition"][1] for query in asked.queries} >= {place["listed_in"]}
    assert set(_indexes(table)["listed"]) == set(place) == set(Listing.NAMES)


def test_items_expire_by_the_attribute_that_the_ledger_writes(table: dict[str, Any]) -> None:
    expiry = table["TimeToLiveSpecification"]
    assert expiry["Enabled"] is True
    assert expiry["AttributeName"] in _unknown_message()


def test_the_table_survives_accidents(stack: Stack, table: dict[str, Any]) -> None:
    resource = stack.resources["LedgerTable"]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_stream_shows_items_as_they_were_and_as_they_are(table: dict[str, Any]) -> None:
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_no_more_than_two_functions_read_the_stream(stack: Stack) -> None:
    # a shard is read twice a second by each, and throttled beyond two
    readers = [each.function for each in stack.sources if each.origin == "LedgerTable"]
    assert sorted(readers) == sorted(READERS)


def test_a_poisonous_change_does_not_block_the_counters(stack: Stack) -> None:
    assert 0 < _reader(stack, "RollupFunction").properties["MaximumRetryAttempts"] <= 100


def test_what_a_reader_cannot_do_is_kept(stack: Stack, stream: Source) -> None:
    # the stream itself keeps a day
    assert 60 <= stream.properties["MaximumRecordAgeInSeconds"] < 86_400
    assert stream.properties["BisectBatchOnFunctionError"] is True
    destination = stream.properties["DestinationConfig"]["OnFailure"]["Destination"]
    assert target(destination) in stack.queues


def test_the_stream_is_read_from_the_beginning(stream: Source) -> None:
    assert stream.properties["StartingPosition"] == "TRIM_HORIZON"


@pytest.mark.parametrize(
    ("event", "key", "passes"),
    [
        ("INSERT", keys.message(MESSAGE), True),
        ("MODIFY", keys.message(MESSAGE), True),
        ("INSERT", keys.delivery(MESSAGE), True),
        ("INSERT", keys.clicks(MESSAGE), True),
        ("MODIFY", keys.clicks(MESSAGE), True),
        ("REMOVE", keys.message(MESSAGE), False),
        ("INSERT", keys.message("msg_1"), False),
        ("INSERT", keys.unowned_delivery("SM1"), False),
        ("INSERT", keys.clicks("msg_1"), False),
        ("INSERT", keys.unowned_clicks("SM1"), False),
        ("MODIFY", keys.tally("bc_1", 1), False),
        ("MODIFY", keys.counters("bc_1"), False),
        ("MODIFY", keys.chunk("bc_1", 1), False),
        ("MODIFY", keys.broadcast("bc_1"), False),
        ("INSERT", keys.opt_out("+12025550123", "all"), False),
    ],
)
def test_the_rollup_hears_of_broadcasts_messages_deliveries_and_clicks_and_not_of_its_own_writes(
    event: str, key: keys.Key, passes: bool, stack: Stack
) -> None:
    assert _hears(_reader(stack, "RollupFunction"), event, key) is passes


@pytest.mark.parametrize(
    ("event", "key", "image", "passes"),
    [
        ("INSERT", keys.message(MESSAGE), {}, True),
        ("MODIFY", keys.delivery(MESSAGE), {}, True),
        ("INSERT", keys.clicks(MESSAGE), {}, True),
        ("MODIFY", keys.message("msg_1"), {}, True),
        ("INSERT", keys.delivery("msg_1"), {}, True),
        ("INSERT", keys.clicks("msg_1"), {}, True),
        ("MODIFY", keys.broadcast("bc_1"), {}, True),
        ("MODIFY", keys.counters("bc_1"), {"n:sent": {"N": "1"}}, False),
        ("MODIFY", keys.counters("bc_1"), {"completed_at": {"S": "2026-"}}, True),
        ("INSERT", keys.opt_out("+12025550123", "all"), {}, True),
        ("INSERT", keys.inbound("SM1"), {}, True),
        ("MODIFY", keys.toll_free("HH1"), {}, True),
        ("MODIFY", keys.toll_free_looked(), {}, False),
        ("REMOVE", keys.message(MESSAGE), {}, False),
        ("REMOVE", keys.message("msg_1"), {}, False),
        ("INSERT", keys.unowned_delivery("SM1"), {}, False),
        ("INSERT", keys.unowned_clicks("SM1"), {}, False),
        ("MODIFY", keys.tally("bc_1", 1), {}, False),
        ("MODIFY", keys.chunk("bc_1", 1), {}, False),
        ("INSERT", keys.plan("bc_1"), {}, False),
        ("INSERT", keys.reach("+12025550123"), {}, False),
    ],
)
def test_the_publisher_hears_of_what_is_told_and_of_little_else(
    event: str, key: keys.Key, image: dict[str, Any], passes: bool, stack: Stack
) -> None:
    assert _hears(_reader(stack, "PublisherFunction"), event, key, image) is passes


def _hears(reader: Source, event: str, key: keys.Key, image: dict[str, Any] | None = None) -> bool:
    record = {
        "eventName": event,
        "dynamodb": {"Keys": {"pk": {"S": key.pk}, "sk": {"S": key.sk}}, "NewImage": image or {}},
    }
    filters = reader.properties["FilterCriteria"]["Filters"]
    return any(matches(json.loads(each["Pattern"]), record) for each in filters)


def test_the_bucket_is_private_and_encrypted_and_outlives_the_stack(stack: Stack) -> None:
    (resource,) = (each for each in stack.resources.values() if each["Type"] == "AWS::S3::Bucket")
    bucket = resource["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert "BucketEncryption" in bucket
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert resource["DeletionPolicy"] == "Retain"


def test_files_with_phone_numbers_do_not_stay(stack: Stack) -> None:
    (bucket,) = stack.of_type("AWS::S3::Bucket").values()
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    # pictures that came with texts stay as long as the texts
    assert days.pop("media/") == {"Ref": "RetentionDays"}
    assert days == dict.fromkeys(("uploads/", "rows/", "reports/", "prices/"), 30)
    (aborts,) = [rule for rule in rules if "Prefix" not in rule]
    assert aborts["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1


def test_no_parameter_that_the_template_writes_is_a_secret(stack: Stack) -> None:
    names = {
        each["Name"]["Fn::Sub"].removeprefix("/sendpool/${Stage}/")
        for each in stack.of_type("AWS::SSM::Parameter").values()
    }
    assert names == {"messaging-service-sid", "public-url", "twilio/account-sid"}


def test_the_messaging_service_is_given_what_the_provisioner_reads_and_nothing_else(
    stack: Stack,
) -> None:
    given = set(stack.of_type("Custom::MessagingService")["MessagingService"])
    event: dict[str, Any] = json.loads(
        (ROOT / "events" / "provisioner" / "create.json").read_text()
    )
    properties = event["ResourceProperties"]
    # CloudFormation's own two stand beside those that the function reads
    assert given == set(properties)


def test_what_an_older_version_does_not_say_is_as_the_templates_parameters_begin(
    stack: Stack,
) -> None:
    event: dict[str, Any] = json.loads(
        (ROOT / "events" / "provisioner" / "create.json").read_text()
    )
    parameters = stack.template["Parameters"]
    steady = {name: event["ResourceProperties"][name] for name in ("AccountSid", "PublicUrl")}
    names = event["ResourceProperties"].keys() & parameters.keys() - steady.keys()
    begun = {name: parameters[name]["Default"] for name in names}
    older = {**steady, "ServiceName": "Sendpool test"}
    assert len(names) == 10
    assert declaration(older) == declaration({**begun, **older})


@pytest.mark.parametrize("name", ["StickySender", "ServiceValidityPeriod", "ServiceUseCase"])
def test_a_feature_is_declared_to_the_provisioner_as_to_all_functions(
    name: str, stack: Stack
) -> None:
    resource = stack.of_type("Custom::MessagingService")["MessagingService"]
    assert resource[name] == {"Ref": name}


def test_the_public_url_is_given_by_its_value_so_that_a_change_changes_the_service(
    stack: Stack,
) -> None:
    resource = stack.of_type("Custom::MessagingService")["MessagingService"]
    assert resource["PublicUrl"] == {"Fn::GetAtt": ["PublicUrlParameter", "Value"]}
    stored = stack.of_type("AWS::SSM::Parameter")["MessagingServiceSidParameter"]["Value"]
    provisioned = {"Fn::GetAtt": ["MessagingService", "ServiceSid"]}
    assert stored == {"Fn::If": ["ProvisionsService", provisioned, {"Ref": "MessagingServiceSid"}]}
