"""Queues as an operator sees them, and deployments that give up sooner than the template says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from local.stack.stack import Stack


def under_way(stack: Stack, queue_url: str) -> int:
    """How many messages of a queue somebody works on now."""
    return _counts(stack, queue_url)["ApproximateNumberOfMessagesNotVisible"]


def quiet(stack: Stack, queue_url: str) -> bool:
    """Tell whether nothing waits, works or is delayed on a queue."""
    return not waiting(stack, queue_url)


def waiting(stack: Stack, queue_url: str) -> int:
    """How many messages a queue holds, whatever they wait for."""
    return sum(_counts(stack, queue_url).values())


def _counts(stack: Stack, queue_url: str) -> dict[str, int]:
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["All"]
    )["Attributes"]
    return {
        name: int(value)
        for name, value in attributes.items()
        if name.startswith("ApproximateNumber")
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is deployed of a function behind a queue; times are in seconds.

    A visibility a little longer than the timeout lets the queue give a message again soon after a kill.
    """

    timeout: int
    visibility: int
    batch_size: int
    evidence_seconds: int


@contextmanager
def hasty(stack: Stack, function: str, queue_url: str, **changes: int) -> Iterator[None]:
    """Change some `Limits` of a function (its logical id), and put everything back in the end."""
    deployed = _Deployed(stack, stack.functions[function], queue_url)
    before = deployed.limits()
    deployed.limit(replace(before, **changes))
    try:
        yield
    finally:
        deployed.limit(before)


@dataclass(frozen=True, slots=True)
class _Deployed:
    stack: Stack
    function: str
    queue_url: str

    def limits(self) -> Limits:
        function = self._client.get_function_configuration(FunctionName=self.function)
        queue = self.stack.client("sqs").get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["VisibilityTimeout"]
        )
        return Limits(
            timeout=function["Timeout"],
            visibility=int(queue["Attributes"]["VisibilityTimeout"]),
            batch_size=self._mapping["BatchSize"],
            evidence_seconds=int(function["Environment"]["Variables"]["EVIDENCE_SECONDS"]),
        )

    def limit(self, limits: Limits) -> None:
        function = self._client.get_function_configuration(FunctionName=self.function)
        variables = function["Environment"]["Variables"]
        self._client.update_function_configuration(
            FunctionName=self.function,
            Timeout=limits.timeout,
            Environment={
                "Variables": variables | {"EVIDENCE_SECONDS": str(limits.evidence_seconds)}
            },
        )
        self._client.update_event_source_mapping(
            UUID=self._mapping["UUID"], BatchSize=limits.batch_size
        )
        self.stack.client("sqs").set_queue_attributes(
            QueueUrl=self.queue_url, Attributes={"VisibilityTimeout": str(limits.visibility)}
        )

    @property
    def _client(self) -> Any:
        return self.stack.client("lambda")

    @property
    def _mapping(self) -> Any:
        mappings = self._client.list_event_source_mappings(FunctionName=self.function)
        return mappings["EventSourceMappings"][0]
