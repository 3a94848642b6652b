"""The running stack as programs see it: what `.local/stack.json` holds, and clients for it."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

from local.client import Sendpool
from local.stack.failure import StackError
from local.stack.places import STACK_FILE

REGION = "us-east-1"
ACCESS_KEY = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Where everything is. URLs have no trailing slash; `functions` maps logical ids to function names."""

    stage: str
    api_url: str
    public_url: str
    twilio_api_url: str
    account_sid: str
    auth_token: str
    messaging_service_sid: str
    dispatch_queue_url: str
    send_queue_url: str
    callbacks_queue_url: str
    dispatch_dead_letter_queue_url: str
    send_dead_letter_queue_url: str
    callbacks_dead_letter_queue_url: str
    event_webhooks_queue_url: str
    event_webhooks_dead_letter_queue_url: str
    event_bus_name: str
    table_name: str
    bucket_name: str
    functions: dict[str, str]
    aws_endpoint_url: str
    region: str = REGION
    aws_access_key_id: str = ACCESS_KEY
    aws_secret_access_key: str = ACCESS_KEY

    @classmethod
    def load(cls, path: Path = STACK_FILE) -> "Stack":
        """The stack that `make up` started; StackError when there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            raise StackError("the local stack is not up: run `make up`") from None

    def save(self, path: Path = STACK_FILE) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @property
    def api(self) -> Sendpool:
        """Sendpool's API, asked with credentials that the emulator knows."""
        keys = Credentials(self.aws_access_key_id, self.aws_secret_access_key)
        return Sendpool(self.api_url, keys, self.region)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulated AWS."""
        return client(service, self.aws_endpoint_url)

    def worker_pids(self, logical_id: str) -> list[int]:
        """The processes that run this function (`SenderFunction`) now: warm ones and those at work."""
        wanted = f"AWS_LAMBDA_FUNCTION_NAME={self.functions[logical_id]}".encode()
        endpoint = f"AWS_ENDPOINT_URL={self.aws_endpoint_url}".encode()
        return [
            pid for pid, environment in _environments() if {wanted, endpoint} <= set(environment)
        ]


def client(service: str, endpoint_url: str) -> Any:
    """A boto3 client that talks to the emulator, whatever the caller's own AWS settings are."""
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=REGION
    ).client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}, read_timeout=60),
    )


def _environments() -> list[tuple[int, list[bytes]]]:
    """The environment of every process that we may look at."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                found.append((int(folder.name), (folder / "environ").read_bytes().split(b"\0")))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue
    return found
