"""The stack that is worked on: the local one, or one in AWS by the name of its CloudFormation stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.client import Sendpool
from local.stack.stack import Stack
from sendpool.adapters.aws import CONFIG
from sendpool.adapters.dead_letters import DeadLetters

if TYPE_CHECKING:
    from botocore.credentials import Credentials

COMMAND = "python -m local.operate"
_OUTPUTS = {
    "dispatch": "Dispatch",
    "send": "Send",
    "callbacks": "Callbacks",
    "event_webhooks": "EventWebhooks",
}
QUEUES = tuple(_OUTPUTS)


class TargetError(Exception):
    """The stack cannot be found, or is none of ours; says what to do."""


@dataclass(frozen=True, slots=True)
class QueuePair:
    """A queue, and where its dead letters go."""

    url: str
    dead_letter_url: str


@dataclass(frozen=True, slots=True)
class Target:
    """A deployed stack: its queues, table and API, and clients for them; `command` is how to work on it again.

    `senders` are those of its parameter Senders, which its deployments put into the pool.
    """

    name: str
    command: str
    queues: dict[str, QueuePair]
    table_name: str
    dynamodb: Any
    sqs: Any
    api: Sendpool
    senders: tuple[str, ...] = ()

    def dead_letters(self, queue: str) -> DeadLetters:
        pair = self.queues[queue]
        return DeadLetters(self.sqs, url=pair.dead_letter_url, source_url=pair.url)


def local() -> Target:
    """Return the stack that `make up` started. Raises StackError when there is none."""
    stack = Stack.load()
    queues = {
        name: QueuePair(
            getattr(stack, f"{name}_queue_url"), getattr(stack, f"{name}_dead_letter_queue_url")
        )
        for name in QUEUES
    }
    return Target(
        "the local stack",
        COMMAND,
        queues,
        stack.table_name,
        stack.client("dynamodb"),
        stack.client("sqs"),
        stack.api,
    )


def in_aws(stack_name: str) -> Target:
    """Return a stack in the account and region that the AWS environment or profile names.

    Raises TargetError when there is no such stack of ours.
    """
    session = boto3.Session()
    stack = _described(session, stack_name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    try:
        queues = {
            name: QueuePair(outputs[f"{logical}QueueUrl"], outputs[f"{logical}DeadLetterQueueUrl"])
            for name, logical in _OUTPUTS.items()
        }
        table_name, api_url = outputs["LedgerTableName"], outputs["ApiUrl"]
    except KeyError as missing:
        raise TargetError(
            f"{stack_name} has no output {missing}: is it Sendpool, and up to date?"
        ) from None
    dynamodb, sqs = (session.client(each, config=CONFIG) for each in ("dynamodb", "sqs"))
    command = f"{COMMAND} --stack {stack_name}"
    # there are some: the stack was just read with them
    keys = cast("Credentials", session.get_credentials())
    api = Sendpool(api_url, keys, dynamodb.meta.region_name)
    return Target(stack_name, command, queues, table_name, dynamodb, sqs, api, _senders(stack))


def _senders(stack: Mapping[str, Any]) -> tuple[str, ...]:
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    listed = given.get("Senders", "") if given.get("ProvisionService") == "on" else ""
    return tuple(filter(None, listed.split(",")))


def _described(session: boto3.Session, stack_name: str) -> Mapping[str, Any]:
    try:
        answer = session.client("cloudformation", config=CONFIG).describe_stacks(
            StackName=stack_name
        )
    except (ClientError, BotoCoreError) as error:
        raise TargetError(
            f"cannot read the stack {stack_name}: {error}\n"
            "Set AWS_PROFILE and AWS_REGION to where it is deployed; `sam list stack-outputs` shows what is there."
        ) from error
    stack: Mapping[str, Any] = answer["Stacks"][0]
    return stack
