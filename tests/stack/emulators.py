"""Two emulators for the tests of gaps: ministack as it comes, and ours; each with the same small stack deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.stack import aws, ports
from local.stack.stack import ACCESS_KEY, REGION, client

BARE = [sys.executable, "-m", "ministack.app"]
FILLED = [sys.executable, "-m", "local.stack.emulator"]
STACK_NAME = "gaps"
TEMPLATE = Path(__file__).with_name("gaps.yaml")
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator on which the stack of gaps.yaml is deployed."""

    url: str
    ids: dict[str, str]

    def client(self, service: str) -> Any:
        return client(service, self.url)

    def invoke(self, function: str, event: dict[str, object]) -> Any:
        """What the function answers, or how it failed."""
        answer = self.client("lambda").invoke(
            FunctionName=self.ids[function], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())

    def get(self, path: str, *, key: str | None = None) -> int:
        """The status that the deployed HTTP API answers; signed where there is a key to sign with."""
        url = f"{self.url}/_aws/execute-api/{self.ids['HttpApi']}{path}"
        headers = signature("execute-api", url, key) if key else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def marks(self) -> set[str]:
        """What the functions of gaps.yaml have written down."""
        return {
            item["pk"]["S"]
            for item in self.client("dynamodb").scan(TableName=self.ids["Marks"])["Items"]
        }


def signature(service: str, url: str, key: str = ACCESS_KEY) -> dict[str, str]:
    """The headers that sign a GET."""
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(key, key), service, REGION).add_auth(request)
    return dict(request.headers)


@contextmanager
def serving(command: list[str], scratch: Path) -> Iterator[str]:
    """Start an emulator, and stop it at the end; its URL."""
    port = ports.any_free()
    folders = dict.fromkeys(("TMPDIR", "HOME", "FUNCTION_LOGS"), str(scratch))
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, env=aws.environment(port) | folders, stdout=log, stderr=log
        )
    try:
        url = f"http://{ports.HOST}:{port}"
        wait_for(lambda: process.poll() is not None or aws.is_serving(url))
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(command: list[str], scratch: Path) -> Iterator[Emulator]:
    """Start an emulator, deploy gaps.yaml to it, and stop it at the end."""
    with serving(command, scratch) as url:
        yield Emulator(url, deploy(url))


def deploy(url: str) -> dict[str, str]:
    """Deploy gaps.yaml; returns physical ids by logical id."""
    cloudformation = client("cloudformation", url)
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": "Concurrency", "ParameterValue": "2"}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )

    def stack() -> Any:
        return cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]

    wait_for(lambda: not stack()["StackStatus"].endswith("IN_PROGRESS"))
    assert stack()["StackStatus"] == "CREATE_COMPLETE", stack()
    resources = cloudformation.list_stack_resources(StackName=STACK_NAME)["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until it is so; fails after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited for a minute"
        time.sleep(0.02)


def processes_of(function_name: str) -> list[int]:
    """The processes that run this function."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found
