"""Runs one plan, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO

from tests.chaos.deployment import deployment
from tests.chaos.environments import Environments
from tests.chaos.faults import Plan, Point
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.seam import Seam, played
from tests.chaos.truth import judge
from tests.chaos.twilio import SETTINGS
from tests.chaos.world import Collaborators, NoRestError, World


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a plan went. `points` are the calls it passed."""

    plan: Plan
    lost: int = 0
    doubled: int = 0
    wrong: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    points: tuple[Point, ...] = field(default=(), repr=False)
    seconds: float = 0.0


# runs plans and tells of them in their order
RunAll = Callable[[Sequence[Plan]], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class Runner:
    """A process that plans run in, one after the other."""

    seam: Seam
    environments: Environments

    def run(self, plan: Plan, made_of: Collaborators | None = None) -> Outcome:
        """Run a plan and judge what came of it."""
        began = time.perf_counter()
        world = World(plan, self.seam, self.environments, made_of or Collaborators())
        try:
            expected = SCENARIOS[plan.scenario](world)
            wrong: list[str] = []
            with redirect_stdout(StringIO()):  # metrics are lines on the standard output
                try:
                    world.run()
                except NoRestError as error:
                    wrong.append(f"no rest: {error}")
                course = world.course
                verdict = judge(world, expected)
            return Outcome(
                plan,
                verdict.lost,
                verdict.doubled,
                (*wrong, *verdict.wrong),
                tuple(course.struck),
                tuple(world.errors),
                tuple(course.passed),
                time.perf_counter() - began,
            )
        finally:
            world.close()

    def run_all(self, plans: Sequence[Plan]) -> Iterator[Outcome]:
        """Run plans one after the other."""
        return map(self.run, plans)


@contextmanager
def running() -> Iterator[Runner]:
    """Play everything around the product in this process, for as long as this lasts."""
    account = SETTINGS.account
    with played(
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        service_sid=SETTINGS.service_sid,
    ) as seam:
        yield Runner(seam, Environments.of(deployment().functions.values()))
