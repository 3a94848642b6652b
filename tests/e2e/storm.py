"""Bad weather for a broadcast: processes are killed, Twilio throttles, hangs and forgets, callbacks go astray.

What is due is said in messages made, not in seconds, so that a slow machine has the same storm; who is struck is
drawn. What a process does at that moment is its own affair: no two storms are the same.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from local.stack.stack import Stack
from tests.e2e.conftest import Twilio
from tests.e2e.queues import hasty, under_way

# after how many messages some of a function's processes die
KILLS = {
    "DispatcherFunction": (0, 1),
    "SenderFunction": (50, 250, 500, 800, 1_200),
    "RecorderFunction": (50, 600, 1_200, 2_000),
    "RollupFunction": (200, 800, 1_500, 2_500),
}
# after how many messages Twilio answers 429, and how often
BURSTS = (150, 700, 1_400)
BUSY = {"kind": "refuse_429", "count": 60}
# the first two end after our call has given up, at ten seconds
FAULTS = [
    {"kind": "made_then_hang", "seconds": 14, "count": 3, "probability": 0.002},
    {"kind": "latency", "ms": 12_000, "count": 3, "probability": 0.002},
    {"kind": "made_then_cut", "count": 20, "probability": 0.01},
    {"kind": "made_then_500", "count": 10, "probability": 0.005},
    {"kind": "cut_before", "count": 10, "probability": 0.005},
    {"kind": "refuse_500", "count": 10, "probability": 0.005},
    {"kind": "refuse_500", "count": 2, "probability": 0.05, "on": "messages.list"},
]
WEATHER = {"rate_scale": 0, "failure_share": 0.03, "list_lag_ms": 2_000}
# a third makes no callbacks at all: the local AWS is slowest at them, and evidence has to do without
ASTRAY = {"lost": 1_600, "last_lost": 400, "doubled": 100, "reversed": 300}


@contextmanager
def hasty_functions(stack: Stack) -> Iterator[None]:
    """Functions that are missed soon after they die.

    A chunk comes again when its lease is over and evidence counts, 40 + 5 + 5 seconds after its receipt. Three
    chunks a batch, because a sender works on three at a time: a kill strikes those and no others.
    """
    sender = {"timeout": 40, "visibility": 53, "batch_size": 3, "evidence_seconds": 5}
    dispatcher = {"timeout": 10, "visibility": 12}
    recorder = {"timeout": 20, "visibility": 22}
    with ExitStack() as undo:
        undo.enter_context(hasty(stack, "SenderFunction", stack.send_queue_url, **sender))
        undo.enter_context(
            hasty(stack, "DispatcherFunction", stack.dispatch_queue_url, **dispatcher)
        )
        undo.enter_context(hasty(stack, "RecorderFunction", stack.callbacks_queue_url, **recorder))
        yield


def brew(twilio: Twilio, numbers: Sequence[str], chance: random.Random) -> dict[str, str]:
    """Give Twilio its faults, and some people callbacks that go astray; returns how, by number."""
    twilio.control("POST", "settings", WEATHER)
    twilio.control("POST", "faults", FAULTS)
    chosen = iter(chance.sample(numbers, sum(ASTRAY.values())))
    styles = {next(chosen): style for style, count in ASTRAY.items() for _ in range(count)}
    twilio.control(
        "POST", "fates", [{"to": to, "callbacks": style} for to, style in styles.items()]
    )
    return styles


def _all_kills() -> list[tuple[int, str]]:
    return sorted((after, function) for function, afters in KILLS.items() for after in afters)


@dataclass(slots=True)
class Storm:
    """What is still to come, and how many processes of each function have died."""

    stack: Stack
    twilio: Twilio
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    _kills: list[tuple[int, str]] = field(default_factory=_all_kills)
    _bursts: list[int] = field(default_factory=lambda: list(BURSTS))

    def blow(self, *, until: int) -> bool:
        """Do what is due by the messages made so far; true when nothing more will come, at `until` at the latest."""
        made = int(self.twilio.control("GET", "health")["messages"])
        for burst in [each for each in self._bursts if each <= made]:
            self._bursts.remove(burst)
            self.twilio.control("POST", "faults", BUSY)
        for kill in [each for each in self._kills if each[0] <= made]:
            if self._strike(kill[1]):
                self._kills.remove(kill)
        return made >= until or not (self._kills or self._bursts)

    def _strike(self, function: str) -> bool:
        """Kill some processes of a function if it is at work; tells whether there were any."""
        pids = sorted(self.stack.worker_pids(function)) if self._works(function) else []
        if not pids:
            return False
        for pid in self.chance.sample(pids, self.chance.randint(1, len(pids))):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed[function] += 1
        return True

    def _works(self, function: str) -> bool:
        """Tell whether a function works on something; of the rollup, which has no queue, nobody knows."""
        queue_urls = {
            "DispatcherFunction": self.stack.dispatch_queue_url,
            "SenderFunction": self.stack.send_queue_url,
            "RecorderFunction": self.stack.callbacks_queue_url,
        }
        return function not in queue_urls or under_way(self.stack, queue_urls[function]) > 0
