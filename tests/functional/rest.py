"""Lets a deployment come to rest: time passes, queues are worked off, the sweeper wakes what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Literal

from botocore.exceptions import ReadTimeoutError

from functions.dispatcher.app import lambda_handler as dispatcher
from sendpool.adapters import aws as clients
from sendpool.edge.control import controlling
from sendpool.workflows.control import wake
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.killed import KilledError as KilledError


@dataclass
class Deployment:
    """A deployment whose queues keep what was not worked off, and whose time passes."""

    flow: Flow
    clock: Clock
    ticks: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)

    def receive(self) -> None:
        """Take what the queues hold."""
        self.ticks += self.flow.aws.records("DISPATCH_QUEUE")
        self.chunks += self.flow.aws.records("SEND_QUEUE")

    def tick(self, position: int = 0) -> None:
        """Deliver one tick."""
        record = self.ticks.pop(position)
        answer = dispatcher({"Records": [record]}, self.flow.context)
        assert answer == {"batchItemFailures": []}

    def send(self, position: int = 0) -> None:
        """Deliver one chunk; what is not done with it stays."""
        record = self.chunks.pop(position)
        if self.flow.send([record]):
            self.chunks.append(record)

    def sweep(self) -> None:
        """Wake what is due."""
        for broadcast_id, due_at in self._due().items():
            if due_at <= self.clock():
                wake(broadcast_id, controlling())

    def rest(self) -> None:
        """Go on until nothing waits and nothing is due, then count."""
        for _ in range(300):
            self.sweep()
            self.receive()
            due = self._due()
            if self.ticks or self.chunks:
                self._work()
                self.clock.pass_by(minutes=2)
            elif due:
                self.clock.at = max(self.clock.at, *due.values())
            else:
                self.flow.roll_up()
                return
        raise AssertionError("it comes to no rest")

    def _work(self) -> None:
        for _ in range(len(self.ticks)):
            self.tick()
        for _ in range(len(self.chunks)):
            self.send()

    def _due(self) -> dict[str, datetime]:
        """When somebody has to look at each broadcast."""
        answer = clients.dynamodb().scan(
            TableName=self.flow.aws.environment["LEDGER_TABLE"],
            FilterExpression="sk = :meta AND attribute_exists(#open)",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":meta": {"S": "META"}},
        )
        return {
            item["id"]["S"]: datetime.fromisoformat(item["due_at"]["S"]) for item in answer["Items"]
        }


@dataclass
class _Killer:
    """Counts the AWS calls of a process, and kills it at one of them, before or after AWS hears of it."""

    call: int
    when: Literal["before", "after"]
    beside: Callable[[], None] | None
    killed: list[str] = field(default_factory=list)
    calls: Iterator[int] = field(default_factory=lambda: count(1))
    is_others: bool = False
    is_last: bool = False

    def begin(self, event_name: str, **_: Any) -> None:
        if self.killed:  # whatever cleans up after it is dead as well
            self._kill(event_name)
        if self.is_others or self.is_last or next(self.calls) != self.call:
            return
        if self.beside:
            self.is_others = True
            self.beside()
            self.is_others = False
        self.is_last = True
        if self.when == "before":
            self._kill(event_name)

    def end(self, event_name: str, **_: Any) -> None:
        if self.is_last:
            self._kill(event_name)

    def _kill(self, event_name: str) -> None:
        self.killed.append(event_name)
        raise KilledError(event_name)


@contextmanager
def killed_at(
    call: int, when: Literal["before", "after"], *, beside: Callable[[], None] | None = None
) -> Iterator[Callable[[], bool]]:
    """Kill whoever makes this AWS call, before AWS hears of it or after it was done; tells whether it did.

    `beside` is what somebody else does just before that call; what that calls is not counted.
    """
    killer = _Killer(call, when, beside)
    each_client = (clients.dynamodb(), clients.sqs(), clients.s3(), clients.events())
    events = [each.meta.events for each in each_client]
    for each in events:
        each.register("before-call", killer.begin)
        each.register("after-call", killer.end)
    try:
        yield lambda: bool(killer.killed)
    except KilledError:
        pass
    finally:
        for each in events:
            each.unregister("before-call", killer.begin)
            each.unregister("after-call", killer.end)


@contextmanager
def ledger_down(how: Literal["refuses", "hangs"]) -> Iterator[None]:
    """Let DynamoDB do nothing for a while."""

    def refuse(**_: Any) -> Any:
        if how == "hangs":
            raise ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")
        error = {"Error": {"Code": "InternalServerError", "Message": "down"}}
        return _Answer(400), error

    events = [clients.dynamodb(each).meta.events for each in ("long", "short")]
    for each in events:
        each.register("before-call.dynamodb", refuse)
    try:
        yield
    finally:
        for each in events:
            each.unregister("before-call.dynamodb", refuse)


class _Answer:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
