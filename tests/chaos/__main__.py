"""make chaos: run fault plans and report; PLANS=n how many, SEED=s which, PLAN=number or text to replay one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tests.chaos.explorer import calls_to_strike, plans, shrunk
from tests.chaos.faults import Plan
from tests.chaos.run import Outcome, running
from tests.chaos.workers import Workers, workers

_FAILURES_SHOWN = 10
_STEP = 50


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--plans", type=int, default=1100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(argv)
    with workers(asked.jobs) as processes:
        if asked.plan:
            return _replay(asked.plan, asked.seed, processes)
        return _explore(asked.plans, asked.seed, processes)


def _explore(number: int, seed: int, processes: Workers) -> int:
    began = time.monotonic()
    calls = calls_to_strike(processes.run_all)
    chosen = list(islice(plans(calls, seed), number))
    _say(
        f"chaos: {number} plans of seed {seed} for {len(calls)} calls that {len(calls.clean)} scenarios make, "
        "or their repairs"
    )
    outcomes = list(_followed(processes.judge_all(chosen), number, began))
    bad = [(at, outcome) for at, outcome in enumerate(outcomes) if outcome.wrong]
    for at, outcome in bad[:_FAILURES_SHOWN]:
        _show(outcome, f"SEED={seed} PLAN={at}")
        _show_shrunk(outcome)
    _summarise(outcomes, time.monotonic() - began)
    return 1 if bad else 0


def _followed(outcomes: Iterable[Outcome], number: int, began: float) -> Iterator[Outcome]:
    """Say how far it is every now and then, and at once what fails."""
    failed = 0
    for at, outcome in enumerate(outcomes, start=1):
        failed += bool(outcome.wrong)
        if outcome.wrong:
            _say(f"  failed  {outcome.plan}")
        if at % _STEP == 0:
            _say(f"  {at} of {number}, failed {failed}, {time.monotonic() - began:.0f} s")
        yield outcome


def _replay(text: str, seed: int, processes: Workers) -> int:
    plan = Plan.parse(text) if not text.isdigit() else _numbered(int(text), seed, processes)
    [outcome] = processes.judge_all([plan])
    _show(outcome, f"PLAN='{plan}'")
    if outcome.wrong:
        _show_shrunk(outcome)
    return 1 if outcome.wrong else 0


def _numbered(number: int, seed: int, processes: Workers) -> Plan:
    return next(islice(plans(calls_to_strike(processes.run_all), seed), number, None))


def _show(outcome: Outcome, how: str) -> None:
    _say(f"\n{'FAILED' if outcome.wrong else 'passed'}  {outcome.plan}")
    for label, lines in (
        ("struck", outcome.struck),
        ("wrong", outcome.wrong),
        ("raised", outcome.errors),
    ):
        for line in lines[:8]:
            _say(f"  {label}: {line[:400]}")
    _say(f"  again: make chaos {how}")


def _show_shrunk(outcome: Outcome) -> None:
    with running() as runner:
        smallest = shrunk(outcome, runner)
    if str(smallest.plan) != str(outcome.plan):
        _say(f"  smaller: make chaos PLAN='{smallest.plan}'")
        _say(f"  wrong there: {smallest.wrong[0][:400]}")


def _summarise(outcomes: Sequence[Outcome], seconds: float) -> None:
    faults = Counter(len(outcome.struck) for outcome in outcomes)
    struck = ", ".join(f"{number} with {count}" for count, number in sorted(faults.items()))
    distinct = len({(each.plan.scenario, each.plan.order, each.struck) for each in outcomes})
    _say(f"\nfaults struck: {struck}")
    _say(
        f"plans {len(outcomes)}, distinct {distinct}, "
        f"failed {sum(bool(each.wrong) for each in outcomes)}, "
        f"lost {sum(each.lost for each in outcomes)}, "
        f"doubled {sum(each.doubled for each in outcomes)}, seconds {seconds:.0f}"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
