"""`python -m local.sam_local`: run every event, show a table, fail unless every answer is the expected one."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

from rich.console import Console
from rich.table import Table

from local.sam_local import cases, docker, image, invoke
from local.sam_local.cases import Case
from local.sam_local.invoke import Invocation
from local.sam_local.surroundings import surroundings
from local.stack.failure import StackError
from local.stack.places import BUILD


def main() -> int:
    """Run, show, and say whether all is well."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        invocations = list(_run(cases.load()))
    except StackError as error:
        print(f"local.sam_local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("local.sam_local: stopped", file=sys.stderr)
        return 130
    return _show(invocations, seconds=time.monotonic() - began)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(all_cases: list[Case]) -> Iterator[Invocation]:
    if not (BUILD / "template.yaml").exists():
        raise StackError("there is no build: run `make build`")
    first = list({case.function: case for case in reversed(all_cases)}.values())
    others = [case for case in all_cases if case not in first]
    with docker.daemon(), docker.network() as bridge:
        print(f"functions run in {image.ensure()}", flush=True)
        with surroundings(bridge) as given:
            for invocation in invoke.invoke(first, given):
                yield _progress(invocation)
            with invoke.lambda_api(given, image=invoke.image_of(invocation)) as api:
                for case in others:
                    yield _progress(invoke.call(case, api))


def _progress(invocation: Invocation) -> Invocation:
    print(f"  {invocation.case.name} {invocation.seconds:.1f} s", flush=True)
    return invocation


def _show(invocations: list[Invocation], *, seconds: float) -> int:
    """Print the table and what went wrong; returns the exit code."""
    table = Table("function", "event", "run by", "seconds", "answer", "")
    failed = [each for each in invocations if not cases.meets(each.answer, each.case.expected)]
    for each in sorted(invocations, key=lambda each: each.case.name):
        table.add_row(
            each.case.function,
            each.case.name,
            each.way,
            f"{each.seconds:.1f}",
            _short(each.answer),
            "FAILED" if each in failed else "ok",
        )
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    for each in failed:
        print(_explain(each))
    functions = len({each.case.function for each in invocations})
    print(
        f"{len(invocations) - len(failed)} of {len(invocations)} events answered as expected,"
        f" {functions} functions, {seconds:.0f} s"
    )
    return 1 if failed or not invocations else 0


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
        f"\n{invocation.case.name}: expected {json.dumps(invocation.case.expected)}\n"
        f"got {json.dumps(cases.told(invocation.answer))}\n"
        f"the end of {invocation.log}:\n{invocation.log_tail()}"
    )


if __name__ == "__main__":
    sys.exit(main())
