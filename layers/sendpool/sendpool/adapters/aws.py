"""Clients for AWS: one of each per process, every call with a timeout and bounded retries."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

CONFIG = Config(
    connect_timeout=2,
    read_timeout=6,
    retries={"mode": "standard", "total_max_attempts": 3},
    # the default of ten makes a sender's threads queue for connections
    max_pool_connections=100,
    tcp_keepalive=True,
)
# walking every attribute of every item against the service's model costs as much as serializing it; our items are
# made by boto3's own serializer, and mypy checks the names
_DYNAMODB_CONFIG = CONFIG.merge(Config(parameter_validation=False))
# by default upload forms are signed in a way, and name a host, that most regions refuse
_S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


_CONFIGS = {"s3": _S3_CONFIG, "dynamodb": _DYNAMODB_CONFIG}

Patience = Literal["long", "short"]
# for whoever is waited for: two tries of a second each, so that there is time left for another way
_SHORT = Config(
    connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
)

# what a call ends with that AWS did not do, or did not answer
UNAVAILABLE = (ClientError, BotoCoreError)


@functools.cache
def _client(service: Any, patience: Patience = "long") -> Any:
    config = _CONFIGS.get(service, CONFIG)
    return boto3.client(service, config=config.merge(_SHORT) if patience == "short" else config)


def dynamodb(patience: Patience = "long") -> DynamoDBClient:
    client: DynamoDBClient = _client("dynamodb", patience)
    return client


def sqs(patience: Patience = "long") -> SQSClient:
    client: SQSClient = _client("sqs", patience)
    return client


def s3() -> S3Client:
    client: S3Client = _client("s3")
    return client


def events() -> EventBridgeClient:
    client: EventBridgeClient = _client("events")
    return client


def ssm() -> SSMClient:
    client: SSMClient = _client("ssm")
    return client


def secrets_manager() -> SecretsManagerClient:
    client: SecretsManagerClient = _client("secretsmanager")
    return client


def refusal(error: BaseException) -> dict[str, str]:
    """Return the operation that AWS refused, and its error code; nothing when that is not what happened."""
    if not isinstance(error, ClientError):
        return {}
    return {"operation": error.operation_name, "code": error.response["Error"].get("Code", "")}


def forget() -> None:
    """Drop all clients, so that the next call builds new ones; for tests."""
    _client.cache_clear()
