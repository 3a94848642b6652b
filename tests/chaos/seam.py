"""Where a run touches AWS: boto3's default session, whose clients answer from the world that is under way.

Clients are botocore's own, with their validation, paginators and exceptions; only their HTTP is not reached. SSM
alone is moto's: what it holds cannot be harmed by a crash, and building its client for each run would cost most of
the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Protocol
from unittest.mock import patch

import boto3
import botocore.session
import tenacity.nap
from aws_lambda_powertools.utilities import parameters
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws
from twilio.http import HttpClient

from sendpool.edge import outbound, warm
from sendpool.edge.observability import logger
from tests.chaos.deployment import deployment
from tests.chaos.memory import AwsError
from tests.chaos.twilio import PUBLIC_URL

PLAYED = ("dynamodb", "sqs", "s3", "events")
_SUBJECTS = (
    "Key",
    "Item",
    "QueueUrl",
    "RequestItems",
    "TransactItems",
    "ExpressionAttributeValues",
)


class World(Protocol):
    """What a process lives in."""

    def on_aws(self, service: str, operation: str, params: Mapping[str, Any]) -> Answered: ...

    def transport(self) -> HttpClient: ...

    def moment(self) -> datetime: ...

    def note(self, error: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Http:
    """All that botocore asks of a response that it need not read."""

    status_code: int = 200


Answered = tuple[Http, dict[str, Any]]


class _Session(botocore.session.Session):
    """Builds each client once in this process: a crash would otherwise cost more than the run."""

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[str, Any] = {}

    def create_client(self, service_name: str, *args: Any, **more: Any) -> Any:
        if service_name not in self._clients:
            client = super().create_client(service_name, *args, **more)
            self._clients[service_name] = _unaddressed(client)
        return self._clients[service_name]


def _unaddressed(client: Any) -> Any:
    """Let a client find its endpoint once an operation, and its name not at all: a quarter of a run otherwise."""
    resolve = client._resolve_endpoint_ruleset
    known: dict[str, Any] = {}

    def resolved(operation: Any, *args: Any, **more: Any) -> Any:
        if operation.name not in known:
            known[operation.name] = resolve(operation, *args, **more)
        return known[operation.name]

    client._resolve_endpoint_ruleset = resolved
    client._user_agent_creator = SimpleNamespace(to_string=lambda: "chaos")
    return client


class Seam:
    """The process's AWS, Twilio and clock: those of the run that is under way."""

    def __init__(self) -> None:
        self._world: World | None = None

    @property
    def world(self) -> World:
        assert self._world, "outside of a run"
        return self._world

    def moment(self) -> datetime:
        return self.world.moment()

    def transport(self) -> HttpClient:
        return self.world.transport()

    def enter(self, world: World) -> None:
        """Live in this world from now on, with no memory of any other."""
        self._world = world
        forget()


def refused(error: AwsError) -> Answered:
    return Http(error.status), error.answer()


def no_answer(service: str) -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url=f"https://{service}.us-east-1.amazonaws.com")


@contextmanager
def played(*, account_sid: str, auth_token: str, service_sid: str) -> Iterator[Seam]:
    """Make this process a place to run in, for a while."""
    environment = dict(os.environ)
    os.environ.update(
        {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            **deployment().environment,
            "SEND_CONCURRENCY": "1",
            "POWERTOOLS_SERVICE_NAME": "chaos",
            "POWERTOOLS_METRICS_NAMESPACE": "Sendpool",
        }
    )
    os.environ.pop("AWS_ENDPOINT_URL", None)
    seam = Seam()
    # nobody waits: what pauses are random, and time is the world's
    asleep = SimpleNamespace(sleep=lambda _seconds: None)
    with mock_aws(), patch.object(tenacity.nap, "time", asleep), _listening(seam):
        path = os.environ["PARAMETERS_PATH"]
        ssm = boto3.Session().client("ssm")
        for name, value in {
            "messaging-service-sid": service_sid,
            "public-url": PUBLIC_URL,
            "twilio/account-sid": account_sid,
            "twilio/auth-token": auth_token,
        }.items():
            ssm.put_parameter(Name=f"{path}/{name}", Value=value, Type="String")
        parameters.clear_caches()
        boto3.setup_default_session(botocore_session=_hooked(seam))
        warm.start_over(clock=seam.moment)
        outbound.use_transport(
            seam.transport, sleep=asleep.sleep, media=lambda: seam.world.read_media
        )
        yield seam
    boto3.setup_default_session()
    os.environ.clear()
    os.environ.update(environment)
    parameters.clear_caches()
    outbound.use_transport()
    forget()
    warm.start_over()


@contextmanager
def _listening(seam: Seam) -> Iterator[None]:
    """Let errors that functions log, and go on after, be known to the world, and nothing be printed."""
    level, handlers = logger.log_level, list(logger.handlers)
    logger.handlers[:] = [_Listener(seam)]
    logger.setLevel("ERROR")
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


class _Listener(logging.Handler):
    """Hears what is logged as an error."""

    def __init__(self, seam: Seam) -> None:
        super().__init__("ERROR")
        self._seam = seam

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[0] if record.exc_info else None
        kind = getattr(record, "error", raised.__name__ if raised else None)
        if kind:
            self._seam.world.note(f"log: {kind}: {record.getMessage()}")


def _hooked(seam: Seam) -> botocore.session.Session:
    session = _Session()

    def keep(**called: Any) -> None:
        called["context"]["params"] = called["params"]

    def answer(**called: Any) -> Answered:
        model = called["model"]
        service = model.service_model.service_name
        return seam.world.on_aws(service, model.name, called["context"]["params"])

    for service in PLAYED:
        session.register(f"before-parameter-build.{service}", keep)
        session.register(f"before-call.{service}", answer)  # type: ignore[arg-type]
    return session


def forget() -> None:
    """Let a process's memory be gone: all that was built is built again. What SSM said is read once only."""
    for module in (warm, outbound):
        for built in vars(module).values():
            if hasattr(built, "cache_clear") and built is not warm.parameters:
                built.cache_clear()


def subject_of(params: Mapping[str, Any]) -> str:
    """What a call is about, in words that are the same in every run."""
    for name in _SUBJECTS:
        if name in params:
            return _named(params[name])
    return "-"


def _named(value: Any) -> str:
    """The first key, or the last part of a URL, that a parameter holds."""
    match value:
        case str():
            return value.rsplit("/", 1)[-1]
        case {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}:
            return f"{pk}/{sk}"
        case {":pk": {"S": str(found)}} | {":p": {"S": str(found)}}:
            return found
        case {"Keys": [first, *_]} | {"Item": first} | {"Key": first} | [first, *_]:
            return _named(first)
        case dict() if value:
            return _named(next(iter(value.values())))
    return "-"
