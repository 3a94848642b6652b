"""Scripted faults: each matching request consumes one."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

CREATE = "messages.create"


class FaultKind(StrEnum):
    """What goes wrong with a request; README.md tells what the caller sees."""

    MADE_THEN_CUT = "made_then_cut"
    MADE_THEN_500 = "made_then_500"
    MADE_THEN_HANG = "made_then_hang"
    CUT_BEFORE = "cut_before"
    REFUSE_500 = "refuse_500"
    REFUSE_429 = "refuse_429"
    LATENCY = "latency"


BEFORE = frozenset({FaultKind.CUT_BEFORE, FaultKind.REFUSE_500, FaultKind.REFUSE_429})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One line of the script.

    `count` None means for ever, `to` None any recipient; `on` is the name of a route or a pattern of names, such as
    `messages.list` or `messages.*`.
    """

    kind: FaultKind
    count: int | None
    on: str
    to: str | None
    probability: float
    seconds: float
    ms: float


def parse_fault(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON; ValueError names what is wrong."""
    unknown = set(given) - {each.name for each in fields(Fault)}
    if unknown or "kind" not in given:
        raise ValueError(f"a fault needs a kind and knows no {sorted(unknown)}")
    count = given.get("count", 1)
    return Fault(
        kind=FaultKind(given["kind"]),
        count=None if count is None else int(count),
        on=str(given.get("on", CREATE)),
        to=given.get("to"),
        probability=float(given.get("probability", 1)),
        seconds=float(given.get("seconds", 60)),
        ms=float(given.get("ms", 0)),
    )


class FaultScript:
    """The faults still to come, in order."""

    def __init__(self, seed: int) -> None:
        """Start empty; the seed decides about faults with a probability."""
        self._seed = seed
        self._faults: list[Fault] = []
        self._chance = random.Random(seed)  # a script, not secrecy

    def __bool__(self) -> bool:
        """Some faults are still to come."""
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put a fault at the end."""
        self._faults.append(fault)

    def take(self, *, operation: str, to: str) -> Fault | None:
        """The first fault that strikes such a request; its count goes down."""
        for fault in self._faults:
            matches = fnmatchcase(operation, fault.on) and fault.to in {None, to}
            if matches and self._chance.random() < fault.probability:
                self._consume(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all, and start chance anew, so that a run repeats."""
        self._faults.clear()
        self._chance = random.Random(self._seed)

    def to_json(self) -> list[dict[str, Any]]:
        """The faults still to come."""
        return [asdict(fault) for fault in self._faults]

    def _consume(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self._faults.remove(fault)
