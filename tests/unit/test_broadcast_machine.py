"""A broadcast in any order of events: whatever is asked, delivered twice or late, everybody gets it once at most.

The handlers are the real ones; AWS is moto, Twilio the fake. At the end everything comes to rest, and then
everybody has an outcome that agrees with what Twilio made.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities import parameters
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sendpool.edge import outbound, warm
from tests.functional.aws import OneClientEach, deployed, nothing_deployed
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.rest import Deployment
from tests.functional.twilio import FakeTwilio

PEOPLE = [{"to": f"+1202555{1000 + n}"} for n in range(8)]
# two segments, at one in five seconds: three or four chunks of one, then the dispatcher has to wait
BODY = "!" * 300
# one for all examples, as reading the descriptions of AWS's services takes longer than an example does
_SESSION = OneClientEach(boto3.Session())
positions = st.integers(min_value=0, max_value=99)


class BroadcastMachine(RuleBasedStateMachine):
    """One broadcast of eight people in chunks of one, and what may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        environment = self.open.enter_context(pytest.MonkeyPatch.context())
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        self.open.enter_context(nothing_deployed())
        aws = deployed(_SESSION)
        for name, value in aws.environment.items():
            environment.setenv(name, value)
        self.clock = Clock()
        self.twilio = FakeTwilio(self.clock)
        parameters.clear_caches()
        warm.start_over(clock=self.clock)
        outbound.use_transport(lambda: self.twilio)
        self.stack = Deployment(Flow(aws), self.clock)
        self.delivered: list[dict[str, Any]] = []

    @initialize(
        start=st.sampled_from(["now", "now", "now", "manual", "scheduled"]),
        expires=st.booleans(),
        first=st.sampled_from([None, None, 5]),
    )
    def create(self, *, start: str, expires: bool, first: int | None) -> None:
        request: dict[str, Any] = {"body": BODY, "recipients": PEOPLE, "rate": 0.2, "start": start}
        if start == "scheduled":
            request["start"] = (self.clock() + timedelta(minutes=5)).isoformat()
        if expires:
            request["expire_at"] = (self.clock() + timedelta(minutes=20)).isoformat()
        if first:
            request["first"] = first
        self.id = self.stack.flow.created(**request)
        self.stack.receive()

    @rule(what=st.sampled_from(["start", "pause", "resume", "pause", "resume", "cancel"]))
    def ask(self, what: str) -> None:
        status, _ = self.stack.flow.call("POST", f"/broadcasts/{self.id}/{what}")
        assert status in {202, 409}
        self.stack.receive()

    @rule(minutes=st.sampled_from([0.2, 1, 3, 12]))
    def time_passes(self, minutes: float) -> None:
        self.clock.pass_by(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        self.stack.sweep()
        self.stack.receive()

    @precondition(lambda self: self.stack.ticks)
    @rule(position=positions, again=st.booleans())
    def tick(self, *, position: int, again: bool) -> None:
        position %= len(self.stack.ticks)
        if again:
            self.stack.ticks.append(self.stack.ticks[position])
        self.stack.tick(position)
        self.stack.receive()

    @precondition(lambda self: self.stack.chunks)
    @rule(position=positions, again=st.booleans())
    def send(self, *, position: int, again: bool) -> None:
        position %= len(self.stack.chunks)
        chunk = self.stack.chunks[position]
        if again:
            self.delivered.append(chunk)
        self.stack.send(position)
        self.stack.receive()

    @precondition(lambda self: self.delivered)
    @rule(position=positions)
    def deliver_a_chunk_that_was_done_with(self, position: int) -> None:
        self.stack.chunks.append(self.delivered[position % len(self.delivered)])

    @rule()
    def count(self) -> None:
        self.stack.flow.roll_up()

    def teardown(self) -> None:
        try:
            if hasattr(self, "id"):
                self._comes_to_its_end()
        finally:
            outbound.use_transport()
            warm.start_over()
            self.open.close()

    def _comes_to_its_end(self) -> None:
        for what in ("start", "resume"):
            self.stack.flow.call("POST", f"/broadcasts/{self.id}/{what}")
        self.stack.rest()
        report = self.stack.flow.report(self.id)
        sent = Counter(message["to"] for message in self.twilio.made)
        assert max(sent.values(), default=0) <= 1
        assert self.twilio.violations == []
        if report["started_at"] is None:
            # canceled or expired before it began: nobody was ever a recipient
            assert not sent
            return
        assert report["completed_at"], report
        assert report["outcomes"] == report["total"] == len(PEOPLE)
        assert report["counters"].get("accepted", 0) == len(sent)
        skipped = report["skipped"]
        assert sum(skipped.values()) == len(PEOPLE) - len(sent)
        assert set(skipped) <= {"canceled", "expired", "capped"}
        assert ("canceled" not in skipped) or report["state"] == "canceled"


BroadcastMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBroadcastMachine = BroadcastMachine.TestCase
