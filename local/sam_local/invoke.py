"""The two ways to have SAM run a function: `sam local invoke`, a fresh container each, and `sam local start-lambda`.

SAM builds an image of runtime and layer each time that it makes a container, which takes longer than all else, and
shares it between invocations that begin at the same time. So the first event of every function goes through
`sam local invoke`, several at once; the others through Lambda's API, in containers that stay warm and are made
from the image that SAM has just built.

SAM gives a container less than a second to listen once Docker takes connections for it. On a busy machine that
is too short: SAM then sits out the function's timeout and answers nothing. Nothing ran, so it is done again.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.sam_local.cases import EVENTS, Case
from local.sam_local.docker import NETWORK, docker
from local.sam_local.surroundings import Surroundings
from local.stack.failure import StackError
from local.stack.places import LOGS, PROJECT, SAM
from local.stack.ports import any_free
from local.stack.processes import Program
from local.stack.stack import ACCESS_KEY, REGION

START_LAMBDA = Program("sam-local-lambda")
LONGEST_SECONDS = 600
# cold starts that crowd each other out run into the functions' timeouts
AT_ONCE = 2 * (os.cpu_count() or 1)
LOG_LINES = 30
ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event that was run: the answer, how long it took, and what was logged meanwhile."""

    case: Case
    way: str
    answer: Any
    seconds: float
    log: str

    def log_tail(self) -> str:
        return "\n".join("    " + line for line in self.log.splitlines()[-LOG_LINES:])


def _sam(template: Path, given: Surroundings, *command: str) -> list[str]:
    return [
        str(SAM), "local", *command,
        "--template", str(template),
        "--env-vars", str(given.environment),
        "--docker-network", NETWORK,
        "--skip-pull-image",
        "--parameter-overrides", *given.parameters,
    ]  # fmt: skip


def _environment(given: Surroundings) -> dict[str, str]:
    """SAM asks AWS who it is (and waits long where nobody answers): let it ask the emulated one."""
    return {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ENDPOINT_URL": given.aws_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }


def _was_not_reached(log: str) -> bool:
    return "No response from invoke container" in log and "START RequestId" not in log


# ------------------------------------------------------------------------------------------------ local invoke


@dataclass(slots=True)
class _Running:
    """One `sam local invoke` under way."""

    case: Case
    process: subprocess.Popen[bytes]
    out: Path
    log: Path
    began: float
    attempt: int = 1

    def was_not_reached(self) -> bool:
        return _was_not_reached(self.log.read_text(errors="replace"))

    def finished(self) -> Invocation | None:
        seconds = time.monotonic() - self.began
        if self.process.poll() is None:
            if seconds < LONGEST_SECONDS:
                return None
            self.stop()
        lines = self.out.read_text().strip().splitlines()
        return Invocation(
            case=self.case,
            way="invoke",
            answer=_read(lines[-1]) if lines else f"nothing (sam: {self.process.returncode})",
            seconds=seconds,
            log=self.log.read_text(errors="replace"),
        )

    def stop(self) -> None:
        """SAM removes its container when it is told to end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def invoke(cases: Sequence[Case], given: Surroundings) -> Iterator[Invocation]:
    """Run `sam local invoke` for each case, some at once."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for some in batched(cases, AT_ONCE, strict=False):
        running = [_start(case, given) for case in some]
        try:
            yield from _finishing(running, given)
        finally:
            for each in running:
                each.stop()


def _finishing(running: list[_Running], given: Surroundings) -> Iterator[Invocation]:
    while running:
        for position, each in enumerate(running):
            if each.was_not_reached() and each.attempt < ATTEMPTS:
                each.stop()
                running[position] = _start(each.case, given, attempt=each.attempt + 1)
        for each in list(running):
            invocation = each.finished()
            if invocation:
                running.remove(each)
                yield invocation
        time.sleep(0.05)


def image_of(invocation: Invocation) -> str:
    """The image that an invocation's container was made from."""
    container = re.search(r"SAM_CONTAINER_ID: (\w+)", invocation.log)
    image = container and docker(
        *("events", "--since", "1h", "--until", "0s"),
        *("--filter", f"container={container[1]}", "--filter", "event=create"),
        *("--format", "{{.Actor.Attributes.image}}"),
    )
    if not image:
        raise StackError(f"{invocation.case.name} had no container\n{invocation.log_tail()}")
    return image


def _start(case: Case, given: Surroundings, *, attempt: int = 1) -> _Running:
    log = LOGS / f"sam-local-{case.name.replace('/', '-')}.log"
    out = log.with_suffix(".out")
    event = EVENTS / f"{case.name}.json"
    with out.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            _sam(given.template, given, "invoke", case.function, "--event", str(event)),
            cwd=PROJECT,
            env=_environment(given),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    return _Running(case, process, out, log, time.monotonic(), attempt)


# ------------------------------------------------------------------------------------------------ start-lambda


@contextmanager
def lambda_api(given: Surroundings, *, image: str) -> Iterator[Any]:
    """Serve Lambda's API for as long as the context lasts, and give a client for it.

    `image` has runtime and layer in it.
    """
    port = any_free()
    START_LAMBDA.stop()
    START_LAMBDA.start(
        _sam(
            given.template_without_layer,
            given,
            *("start-lambda", "--port", str(port), "--warm-containers", "LAZY"),
            # SAM would take what it made of another image of this name before
            *("--invoke-image", image, "--force-image-build"),
        ),
        env=_environment(given),
    )
    try:
        START_LAMBDA.wait_until(lambda: "Running on" in START_LAMBDA.log.read_text())
        yield boto3.client(
            "lambda",
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{port}",
            config=Config(
                signature_version=UNSIGNED,
                read_timeout=LONGEST_SECONDS,
                retries={"total_max_attempts": 1},
            ),
        )
    finally:
        START_LAMBDA.stop()


def call(case: Case, api: Any) -> Invocation:
    """Run a case through Lambda's API."""
    began = time.monotonic()
    for _ in range(ATTEMPTS):
        log_start = START_LAMBDA.log.stat().st_size
        answer = _ask(case, api)
        log = START_LAMBDA.log.read_bytes()[log_start:].decode(errors="replace")
        if not _was_not_reached(log):
            break
    seconds = time.monotonic() - began
    return Invocation(case=case, way="lambda", answer=answer, seconds=seconds, log=log)


def _ask(case: Case, api: Any) -> Any:
    try:
        answered = api.invoke(FunctionName=case.function, Payload=case.event)
        return _read(answered["Payload"].read().decode())
    except (BotoCoreError, ClientError) as error:
        return f"nothing ({error})"


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
