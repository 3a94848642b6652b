"""Which plans are run: every fault at every call of a clean run and of a repair, and random ones at several.

The plans of a seed are always the same and in the same order, so a plan can be named by its number. Faults that
strike alone are taken in turn from every kind of call, so that a small sample touches all of them. A repair is
what is only done after a fault, such as asking Twilio's list: a plan with two faults strikes it at a named point.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, zip_longest

from tests.chaos.faults import Fault, Plan, Point, Strike, faults_at
from tests.chaos.run import Outcome, RunAll, Runner
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.world import Collaborators

# ten plans: one fault, a repair struck, or so many faults of which all but the first are random
_IN_TURN = (1, "repair", 2, 1, 1, "repair", 1, 3, 1, "repair")
# how many calls after a fault the next one strikes, mostly soon: that is where things are put right
_SOON, _LATE = 8, 60
_FOLLOWING = tuple(fault for fault in Fault if fault not in {Fault.REPEAT, Fault.FORGET})
_MOST_ORDERS = 5
# what several threads do for the same things in whatever order
_STEADY = frozenset({"twilio.create", "dynamodb.UpdateItem", "sqs.SendMessageBatch"})
_THREADED = "wide"
# numbers and ids in the subject of a call
_WHICH = re.compile(r"[+#]?\d\w*|(bc|msg|req)_[\w-]*")
# after these a message has to be looked after, or comes again
_LEADING = (Fault.LOSE, Fault.MAKE_AND_LOSE, Fault.KILL_AFTER, Fault.REFUSE)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls worth striking: of clean runs by scenario, and of repairs by the strike that leads to them."""

    clean: Mapping[str, Sequence[Point]]
    repairs: Mapping[Plan, Sequence[Point]]

    def __len__(self) -> int:
        return sum(map(len, (*self.clean.values(), *self.repairs.values())))


def calls_to_strike(run_all: RunAll, scenarios: Sequence[str] = tuple(SCENARIOS)) -> Calls:
    """Find the calls that there are: run each scenario when nothing goes wrong, and some in which something does.

    Raises AssertionError when something is wrong without any fault.
    """
    clean = {each.plan.scenario: each for each in run_all([Plan(name) for name in scenarios])}
    bad = [outcome for outcome in clean.values() if outcome.wrong]
    if bad:
        raise AssertionError(f"wrong without any fault: {bad}")
    leading = [plan for outcome in clean.values() for plan in _leading(outcome)]
    return Calls(
        {scenario: _worth_striking(outcome) for scenario, outcome in clean.items()},
        {
            outcome.plan: _new_in(outcome, clean[outcome.plan.scenario])
            for outcome in run_all(leading)
        },
    )


def _leading(outcome: Outcome) -> Iterator[Plan]:
    """Plans that lead to repairs: of a message early in a scenario, and of one late."""
    creates = [point for point in outcome.points if point.operation == "twilio.create"]
    if outcome.plan.scenario == _THREADED or not creates:
        return
    for point in dict.fromkeys((creates[len(creates) // 4], creates[-2])):
        for fault in _LEADING:
            yield Plan(outcome.plan.scenario, (Strike(str(point), fault),))


def _new_in(outcome: Outcome, clean: Outcome) -> Sequence[Point]:
    """The calls that are made only because something went wrong."""
    usual = set(clean.points)
    return [point for point in outcome.points if point not in usual]


def _worth_striking(outcome: Outcome) -> Sequence[Point]:
    """The calls to strike: of those of several threads, the ones that are the same each time."""
    if outcome.plan.scenario == _THREADED:
        return sorted((p for p in outcome.points if p.operation in _STEADY), key=str)
    return outcome.points


def striking(calls: Mapping[Plan, Sequence[Point]], luck: random.Random) -> list[Plan]:
    """Every fault at every call, after what leads to it.

    Those alike (same function, operation, sort of subject and fault) are as far apart as can be; one of each sort
    of fault at Twilio comes first, where nothing can be repeated.
    """
    alike: dict[tuple[str, ...], list[Plan]] = {}
    for leading, points in calls.items():
        for point in points:
            for fault in faults_at(point.operation):
                kind = (point.function, point.operation, _sort_of(point.subject), fault)
                plan = replace(leading, strikes=(*leading.strikes, Strike(str(point), fault)))
                alike.setdefault(kind, []).append(plan)
    kinds = list(alike)
    luck.shuffle(kinds)
    kinds.sort(key=lambda kind: not kind[1].startswith("twilio."))
    groups = [alike[kind] for kind in kinds]
    for group in groups:
        luck.shuffle(group)
    return [plan for plan in chain.from_iterable(zip_longest(*groups)) if plan]


def _sort_of(subject: str) -> str:
    """What a call is about, without saying which: `BC#/ST` for the delivery of any message of a broadcast."""
    return _WHICH.sub("", subject)


def plans(calls: Calls, seed: int) -> Iterator[Plan]:
    """The plans of a seed, without end and each once; when the named points have run out, only random ones."""
    luck = random.Random(seed)  # noqa: S311 - a sample, not secrecy
    single = striking({Plan(name): points for name, points in calls.clean.items()}, luck)
    repairs = striking(calls.repairs, luck)
    waiting = {1: iter(single), "repair": iter(repairs)}
    seen: set[str] = set()
    for number in count():
        kind = _IN_TURN[number % len(_IN_TURN)]
        plan = next(waiting[kind], None) if kind in waiting else None
        while plan is None or str(plan) in seen:
            plan = _several(luck.choice(single), 3 if kind == 3 else 2, luck)
        seen.add(str(plan))
        yield plan


def _several(first: Plan, faults: int, luck: random.Random) -> Plan:
    following = tuple(
        Strike(f"+{luck.randint(1, luck.choice((_SOON, _LATE)))}", luck.choice(_FOLLOWING))
        for _ in range(faults - 1)
    )
    order = luck.randint(1, _MOST_ORDERS) if luck.random() < 0.5 else 0
    return replace(first, strikes=first.strikes + following, order=order)


def shrunk(outcome: Outcome, runner: Runner, made_of: Collaborators | None = None) -> Outcome:
    """The smallest plan found that fails too: fewer faults, each at a named point, in the usual order."""
    named = tuple(
        Strike(at, Fault(fault))
        for at, _, fault in (each.rpartition(" = ") for each in outcome.struck)
    )
    best = outcome
    for smaller in _smaller(replace(outcome.plan, strikes=named)):
        found = runner.run(smaller, made_of)
        if found.wrong and len(found.plan.strikes) <= len(best.plan.strikes):
            best = found
    return best


def _smaller(plan: Plan) -> Iterator[Plan]:
    """From the whole plan to its single faults, each in its order and in the usual one."""
    subsets = [plan.strikes]
    subsets += [
        plan.strikes[:out] + plan.strikes[out + 1 :]
        for out in range(len(plan.strikes))
        if len(plan.strikes) > 1
    ]
    if len(plan.strikes) > 2:
        subsets += [(strike,) for strike in plan.strikes]
    for strikes in subsets:
        for order in dict.fromkeys((plan.order, 0)):
            yield Plan(plan.scenario, strikes, order)
