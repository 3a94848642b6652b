"""Least privilege: each function may do exactly what its code does, on exactly the resources it does it to.

The table is read off the adapters: `Table.put_many` is BatchWriteItem, `Table.transact` is PutItem and UpdateItem,
`Queues.release` is SendMessage, `Files.has_upload` is GetObject and (to tell absent from forbidden) ListBucket.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.template.stack import Stack, as_deployed, listed, target

FUNCTIONS = sorted(as_deployed().functions)


def _each(service: str, actions: str, *resources: str) -> set[tuple[str, str]]:
    return set(product((f"{service}:{action}" for action in actions.split()), resources))


def _consumes(queue: str) -> set[tuple[str, str]]:
    return _each("sqs", "ReceiveMessage DeleteMessage GetQueueAttributes", queue)


READS_PARAMETERS = {
    ("ssm:GetParametersByPath", "ssm:parameter/sendpool/Stage"),
    ("secretsmanager:GetSecretValue", "secretsmanager:secret:/sendpool/Stage/twilio-??????"),
}

ALLOWED: dict[str, set[tuple[str, str]]] = {
    "MessagesFunction": READS_PARAMETERS
    | _each(
        "dynamodb",
        "GetItem PutItem UpdateItem DeleteItem BatchGetItem BatchWriteItem Query",
        "LedgerTable",
    )
    | _each("sqs", "SendMessage", "SendQueue")
    | _each("dynamodb", "Query", "LedgerTable/index/by_sid", "LedgerTable/index/by_person")
    | _each("s3", "GetObject PutObject", "FilesBucket/prices/*")
    | _each("s3", "ListBucket", "FilesBucket"),
    "BroadcastsFunction": _each(
        "dynamodb", "GetItem PutItem UpdateItem DeleteItem Query", "LedgerTable"
    )
    | _each("s3", "PutObject GetObject", "FilesBucket/uploads/*")
    | _each("s3", "GetObject", "FilesBucket/rows/*", "FilesBucket/reports/*")
    | _each("s3", "ListBucket", "FilesBucket")
    | _each("sqs", "SendMessage", "DispatchQueue", "SendQueue"),
    "ComplianceFunction": READS_PARAMETERS
    | _each(
        "dynamodb",
        "GetItem BatchGetItem PutItem UpdateItem DeleteItem Query BatchWriteItem",
        "LedgerTable",
    )
    | _each("dynamodb", "Query", "LedgerTable/index/listed", "LedgerTable/index/by_person")
    | _each("s3", "GetObject", "FilesBucket/media/*")
    | _each("sqs", "SendMessage", "SendQueue"),
    "ServiceFunction": READS_PARAMETERS
    | _each("dynamodb", "GetItem BatchWriteItem", "LedgerTable")
    | _each("events", "PutEvents", "EventBus"),
    "ProvisionerFunction": READS_PARAMETERS,
    "DeactivationsFunction": READS_PARAMETERS
    | _each("dynamodb", "GetItem PutItem UpdateItem", "LedgerTable")
    | _each("dynamodb", "Query", "LedgerTable/index/by_person"),
    "DispatcherFunction": READS_PARAMETERS
    | _consumes("DispatchQueue")
    | _each("dynamodb", "GetItem BatchGetItem BatchWriteItem UpdateItem", "LedgerTable")
    | _each("s3", "GetObject", "FilesBucket/uploads/*", "FilesBucket/rows/*")
    | _each("s3", "ListBucket", "FilesBucket")
    | _each("s3", "PutObject", "FilesBucket/rows/*")
    | _each("s3", "GetObject PutObject", "FilesBucket/reports/*", "FilesBucket/prices/*")
    | _each("sqs", "SendMessage", "DispatchQueue", "SendQueue"),
    "SenderFunction": READS_PARAMETERS
    | _each("s3", "PutObject", "FilesBucket/media/*")
    | _consumes("SendQueue")
    | _each(
        "dynamodb",
        "GetItem PutItem UpdateItem DeleteItem BatchGetItem BatchWriteItem Query",
        "LedgerTable",
    )
    | _each("dynamodb", "Query", "LedgerTable/index/by_sid", "LedgerTable/index/by_person")
    | _each("sqs", "SendMessage", "SendQueue", "SendDeadLetterQueue"),
    "RecorderFunction": _consumes("CallbacksQueue")
    | _each("dynamodb", "GetItem BatchGetItem PutItem UpdateItem", "LedgerTable")
    | _each("dynamodb", "Query", "LedgerTable/index/by_person", "LedgerTable/index/by_sid")
    | _each("sqs", "SendMessage", "SendQueue"),
    "RollupFunction": _each("dynamodb", "GetItem BatchGetItem PutItem UpdateItem", "LedgerTable")
    | _each("dynamodb", "DescribeStream GetRecords GetShardIterator", "LedgerTable.StreamArn")
    | _each("dynamodb", "ListStreams", "LedgerTable/stream/*")
    | _each("sqs", "SendMessage", "RollupFailuresQueue"),
    "PublisherFunction": _each("dynamodb", "BatchGetItem", "LedgerTable")
    | _each("dynamodb", "DescribeStream GetRecords GetShardIterator", "LedgerTable.StreamArn")
    | _each("dynamodb", "ListStreams", "LedgerTable/stream/*")
    | _each("events", "PutEvents", "EventBus")
    | _each("sqs", "SendMessage", "PublisherFailuresQueue"),
    "NotifierFunction": READS_PARAMETERS
    | _consumes("EventWebhooksQueue")
    | _each("sqs", "ChangeMessageVisibility", "EventWebhooksQueue"),
    "SweeperFunction": READS_PARAMETERS
    | _each(
        "dynamodb",
        "GetItem PutItem UpdateItem DeleteItem BatchGetItem BatchWriteItem Query",
        "LedgerTable",
    )
    | _each(
        "dynamodb",
        "Query",
        "LedgerTable/index/open",
        "LedgerTable/index/by_sid",
        "LedgerTable/index/listed",
    )
    | _each("s3", "GetObject", "FilesBucket/uploads/*")
    | _each("s3", "ListBucket", "FilesBucket")
    | _each("sqs", "SendMessage", "DispatchQueue", "SendQueue", "CallbacksQueue"),
    "InboundFunction": READS_PARAMETERS
    | _each("dynamodb", "GetItem BatchGetItem PutItem UpdateItem", "LedgerTable")
    | _each("dynamodb", "Query", "LedgerTable/index/by_person", "LedgerTable/index/by_sid")
    | _each("sqs", "SendMessage", "SendQueue", "CallbacksQueue"),
    "FallbackFunction": READS_PARAMETERS | _each("sqs", "SendMessage", "CallbacksQueue"),
    "StatusFunction": READS_PARAMETERS | _each("sqs", "SendMessage", "CallbacksQueue"),
    "ClicksFunction": READS_PARAMETERS | _each("sqs", "SendMessage", "CallbacksQueue"),
}

# what carries a * and why it must
WITH_A_STAR = {
    "FilesBucket/uploads/*": "a file for each broadcast",
    "FilesBucket/rows/*": "a file for each broadcast",
    "FilesBucket/reports/*": "a file for each broadcast",
    "FilesBucket/prices/*": "a file for each country",
    "FilesBucket/media/*": "a file for each picture that came with a text",
    "LedgerTable/stream/*": "AWS offers ListStreams on no narrower resource than a table's streams",
}


def test_every_function_has_its_permissions_written_down() -> None:
    assert set(ALLOWED) == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_does_and_nothing_more(function: str, stack: Stack) -> None:
    logs = {
        (f"logs:{action}", function.removesuffix("Function") + "LogGroup")
        for action in ("CreateLogStream", "PutLogEvents")
    }
    assert stack.grants(function) == ALLOWED[function] | logs


def test_every_function_has_a_role_of_its_own_that_only_lambda_assumes(stack: Stack) -> None:
    roles = [target(function["Role"]) for function in stack.functions.values()]
    assert len(set(roles)) == len(roles) == len(stack.of_type("AWS::IAM::Role"))
    for role in roles:
        (trust,) = stack.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_no_role_takes_over_a_managed_policy(stack: Stack) -> None:
    assert not [
        name
        for name, role in stack.of_type("AWS::IAM::Role").items()
        if "ManagedPolicyArns" in role
    ]


def test_no_action_has_a_star_and_a_resource_only_with_a_reason(stack: Stack) -> None:
    grants = {grant for function in FUNCTIONS for grant in stack.grants(function)}
    assert not [action for action, _ in grants if "*" in action]
    assert {resource for _, resource in grants if "*" in resource} == set(WITH_A_STAR)


def test_policies_of_queues_and_bucket_only_deny_but_for_the_rule_that_brings_events(
    stack: Stack,
) -> None:
    kinds = ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")
    policies = [policy for kind in kinds for policy in stack.of_type(kind).values()]
    for policy in policies:
        deny, *allow = policy["PolicyDocument"]["Statement"]
        assert (deny["Effect"], deny["Sid"]) == ("Deny", "DenyPlainHttp")
        for each in allow:
            assert each["Principal"] == {"Service": "events.amazonaws.com"}
            assert each["Action"] == "sqs:SendMessage"
            (source,) = each["Condition"]["ArnEquals"].values()
            assert target(source) == "EventWebhookRule"
            queues = {target(queue) for queue in listed(policy["Queues"])}
            rule = stack.resources["EventWebhookRule"]["Properties"]["Targets"][0]
            assert queues == {target(rule["Arn"]), target(rule["DeadLetterConfig"]["Arn"])}


def test_plain_http_is_refused_by_every_queue_and_by_the_bucket(stack: Stack) -> None:
    policies = stack.of_type("AWS::SQS::QueuePolicy").values()
    (bucket,) = stack.of_type("AWS::S3::BucketPolicy").values()
    # of two policies for one queue the later one alone would hold
    queues = [target(queue) for each in policies for queue in listed(each["Queues"])]
    assert sorted(queues) == sorted(stack.queues)
    assert target(bucket["Bucket"]) in stack.of_type("AWS::S3::Bucket")
