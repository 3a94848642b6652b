"""The running local stack, as a caller, an operator and Twilio see it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.stack.stack import Stack

PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API, signing as IAM wants it."""

    stack: Stack

    def __call__(
        self, method: str, path: str, body: object = None, *, signed: bool = True, **headers: str
    ) -> Answer:
        text = json.dumps(body).encode() if body is not None else None
        request = AWSRequest(method, self.stack.api_url + path, data=text)
        request.headers["content-type"] = "application/json"
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
        if signed:
            key = Credentials(self.stack.aws_access_key_id, self.stack.aws_secret_access_key)
            SigV4Auth(key, "execute-api", self.stack.region).add_auth(request)
        return send(method, request.url, text, dict(request.headers))


def send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())


@dataclass(frozen=True)
class Twilio:
    """The simulator's control, and what it knows to be true."""

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        text = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"}
        answer = send(method, f"{self.url}/_control/{path}", text, headers)
        assert answer.status < 300, answer.text
        return json.loads(answer.text or "null")

    def sent_to(self, to: str) -> int:
        """How many messages to this number were made."""
        return int(self.control("GET", f"truth?to={quote(to)}")["total"])

    def made(self) -> Counter[str]:
        """How many messages each number got."""
        return Counter(self.control("GET", "truth?messages=false")["by_recipient"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests recorded."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "figures":
                    terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack.load()


@pytest.fixture
def call(stack: Stack) -> Caller:
    return Caller(stack)


@pytest.fixture
def twilio(stack: Stack) -> Iterator[Twilio]:
    """Twilio with nothing in it, quick, and without faults; what it is asked must be documented."""
    control = Twilio(stack.twilio_api_url)
    control.control("POST", "reset", {"settings": True})
    control.control("POST", "settings", {"contract": True})
    control.control("DELETE", "contract")
    yield control
    violations = control.control("GET", "contract")["violations"]
    control.control("POST", "reset", {"settings": True})
    assert [each for each in violations if each["part"] == "request"] == []


def wait_for[Found](
    what: str,
    look: Callable[[], Found | None],
    *,
    patience: float = PATIENCE_SECONDS,
    every: float = 0.1,
) -> Found:
    """Look every so many seconds until there is something; `patience` is for what never comes, not for what is slow."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"waited in vain for {what}")
