"""Clients for AWS: one of each per process, every call with a timeout and bounded retries."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CONFIG = Config(
    connect_timeout=2,
    read_timeout=6,
    retries={"mode": "standard", "total_max_attempts": 3},
    # the default of ten makes a sender's threads queue for connections
    max_pool_connections=32,
    tcp_keepalive=True,
)
# by default upload forms are signed in a way, and name a host, that most regions refuse
_S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


@functools.cache
def _client(service: Any) -> Any:
    return boto3.client(service, config=_S3_CONFIG if service == "s3" else CONFIG)


def dynamodb() -> DynamoDBClient:
    client: DynamoDBClient = _client("dynamodb")
    return client


def sqs() -> SQSClient:
    client: SQSClient = _client("sqs")
    return client


def s3() -> S3Client:
    client: S3Client = _client("s3")
    return client


def forget() -> None:
    """Drop all clients, so that the next call builds new ones; for tests."""
    _client.cache_clear()
