"""Runs many plans in worker processes; what comes of them and in which order does not depend on how many."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import batched
from multiprocessing import get_context

from tests.chaos.faults import Plan
from tests.chaos.run import Outcome, Runner, running

_PLANS_A_BATCH = 5
_FOR_GOOD = ExitStack()
atexit.register(_FOR_GOOD.close)


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes that run plans."""

    pool: ProcessPoolExecutor

    def run_all(self, plans: Sequence[Plan]) -> Iterator[Outcome]:
        """Run plans and yield how they went, in their order, with the calls that they passed."""
        return self._run(plans, with_points=True)

    def judge_all(self, plans: Sequence[Plan]) -> Iterator[Outcome]:
        """Run plans and yield how they went, in their order."""
        return self._run(plans, with_points=False)

    def _run(self, plans: Sequence[Plan], *, with_points: bool) -> Iterator[Outcome]:
        batches = [
            (list(map(str, some)), with_points)
            for some in batched(plans, _PLANS_A_BATCH, strict=False)
        ]
        for outcomes in self.pool.map(_work, batches):
            yield from outcomes


@contextmanager
def workers(jobs: int) -> Iterator[Workers]:
    """Start so many processes; they end with this."""
    # not forked: a process that has run plans has threads
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield Workers(pool)


@cache
def _runner() -> Runner:
    """The one runner of this process; it ends with it."""
    return _FOR_GOOD.enter_context(running())


def _work(batch: tuple[Iterable[str], bool]) -> list[Outcome]:
    texts, with_points = batch
    outcomes = [_runner().run(Plan.parse(text)) for text in texts]
    return outcomes if with_points else [replace(outcome, points=()) for outcome in outcomes]
