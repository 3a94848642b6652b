"""A deployment in memory: AWS by moto, made from template.yaml; Twilio by a fake behind the SDK's HTTP client."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from aws_lambda_powertools.utilities import parameters
from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber
from pytest_socket import disable_socket, enable_socket

from sendpool.edge import outbound, warm
from tests.functional.aws import Aws, Context, OneClientEach, deployed, nothing_deployed
from tests.functional.simulated import SimulatedTwilio, simulated
from tests.functional.twilio import FakeTwilio

EVENTS = Path(__file__).parents[2] / "events"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    disable_socket()
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _atomic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto answer one call at a time: of two threads that write one key on a condition, it lets both win at times,
    and iterates over what another one changes.
    """
    answer = BotocoreStubber.__call__
    one_by_one = threading.RLock()

    def locked(*args: Any, **named: Any) -> Any:
        with one_by_one:
            return answer(*args, **named)

    monkeypatch.setattr(BotocoreStubber, "__call__", locked)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def session() -> OneClientEach:
    """What tests make their clients with, one a service; functions make theirs from the same descriptions."""
    core = botocore.session.get_session()
    # else each call puts together anew what it runs on
    core.set_default_client_config(Config(user_agent="tests"))
    boto3.setup_default_session(botocore_session=core)
    return OneClientEach(boto3._get_default_session())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, session: OneClientEach, clock: Clock) -> Iterator[Aws]:
    """The stack's table, queues, bucket and parameters, and the environment its functions get."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with nothing_deployed():
        stack = deployed(session)
        for name, value in stack.environment.items():
            monkeypatch.setenv(name, value)
        parameters.clear_caches()
        warm.start_over(clock=clock)
        yield stack
        warm.start_over()


@pytest.fixture
def twilio(aws: Aws, clock: Clock) -> Iterator[FakeTwilio]:
    fake = FakeTwilio(clock)
    outbound.use_transport(
        lambda: fake, storage=lambda: fake.read_file, media=lambda: fake.read_media
    )
    yield fake
    outbound.use_transport()
    assert fake.violations == []


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Where the whole simulator runs. A loop wakes itself through a pair of sockets, which reach no network."""
    enable_socket()
    loop = asyncio.new_event_loop()
    disable_socket()
    yield loop
    loop.close()


@pytest.fixture
def simulator(aws: Aws, loop: asyncio.AbstractEventLoop) -> Iterator[SimulatedTwilio]:
    """The whole simulated Twilio, for what the fake does not know: services and the senders in their pools."""
    with simulated(loop) as account:
        outbound.use_transport(lambda: account)
        yield account
        outbound.use_transport()
        assert account.violations == []


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def event() -> Callable[[str], dict[str, Any]]:
    """Load an event file: `event("messages/send-sms")`."""

    def load(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return loaded

    return load
