"""`python -m local.sam_local`: run every event, show a table, fail unless every answer is the expected one."""

import fcntl
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from local.sam_local import cases, docker, image, invoke
from local.sam_local.cases import Case
from local.sam_local.invoke import Invocation
from local.sam_local.surroundings import Surroundings, surroundings
from local.stack.failure import StackError
from local.stack.places import BUILD


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that was run, and whom Twilio has a message for in the end."""

    invocations: list[Invocation]
    recipients: list[str]


def main() -> int:
    """Run, show, and say whether all is well."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        run = _run(cases.load())
    except StackError as error:
        print(f"local.sam_local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("local.sam_local: stopped", file=sys.stderr)
        return 130
    problems = list(_problems(run))
    _show(run.invocations)
    print("".join(f"\n{problem}\n" for problem in problems), end="")
    print(_summary(run, problems, seconds=time.monotonic() - began))
    return 1 if problems else 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(all_cases: list[Case]) -> Run:
    if not (BUILD / "template.yaml").exists():
        raise StackError("there is no build: run `make build`")
    with _alone(), docker.daemon(), docker.network() as bridge:
        print(f"functions run in {image.ensure()}", flush=True)
        with surroundings(bridge) as given:
            invocations = [_progress(each) for each in _invocations(all_cases, given)]
            return Run(invocations=invocations, recipients=given.recipients())


@contextmanager
def _alone() -> Iterator[None]:
    """Let another run on this machine end first, whatever checkout it is of: Docker and our network are shared."""
    path = Path(tempfile.gettempdir()) / f"sendpool-sam-local-{os.getuid()}.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run of this to end …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _invocations(all_cases: list[Case], given: Surroundings) -> Iterator[Invocation]:
    """One event of each function by `sam local invoke`, the others through Lambda's API."""
    first = list({case.function: case for case in reversed(all_cases)}.values())
    invoked = []
    for invocation in invoke.invoke(first, given):
        invoked.append(invocation)
        yield invocation
    with invoke.lambda_api(given, image=invoke.image_of(invoked[0])) as api:
        for case in all_cases:
            if case not in first:
                yield invoke.call(case, api)


def _progress(invocation: Invocation) -> Invocation:
    print(f"  {invocation.case.name} {invocation.seconds:.1f} s", flush=True)
    return invocation


def _problems(run: Run) -> Iterator[str]:
    for each in run.invocations:
        if not cases.meets(each.answer, each.case.expected):
            yield _explain(each)
    expected = sorted(to for each in run.invocations for to in each.case.sent)
    if expected != sorted(run.recipients):
        yield f"Twilio has messages to {sorted(run.recipients)}, expected were {expected}"


def _summary(run: Run, problems: list[str], *, seconds: float) -> str:
    functions = len({each.case.function for each in run.invocations})
    events = f"{len(run.invocations)} events of {functions} functions"
    verdict = f"{len(problems)} problems" if problems else "all answered as expected"
    return f"{events}, {len(run.recipients)} messages sent: {verdict}; {seconds:.0f} s"


def _show(invocations: list[Invocation]) -> None:
    table = Table("function", "event", "run by", "seconds", "answer", "")
    for each in sorted(invocations, key=lambda each: each.case.name):
        table.add_row(
            each.case.function,
            each.case.name,
            each.way,
            f"{each.seconds:.1f}",
            _short(each.answer),
            "ok" if cases.meets(each.answer, each.case.expected) else "FAILED",
        )
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def _short(answer: object) -> str:
    told = cases.told(answer)
    if not isinstance(told, dict):
        return json.dumps(told)
    body = told.pop("body", "")
    if isinstance(body, dict):
        body = body.get("code") or body.get("status") or body.get("state")
    return " ".join(filter(None, [*(f"{name} {value}" for name, value in told.items()), body]))


def _explain(invocation: Invocation) -> str:
    return (
        f"{invocation.case.name}: expected {json.dumps(invocation.case.expected)}\n"
        f"got {json.dumps(cases.told(invocation.answer))}\n"
        f"the end of its log:\n{invocation.log_tail()}"
    )


if __name__ == "__main__":
    sys.exit(main())
