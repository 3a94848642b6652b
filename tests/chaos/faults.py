"""Points at which a run can be struck, what can happen there, and plans that say so in a line of text.

A point is a call that leaves the process: `sender twilio.create +12025551003 1` is the first time that a sender
offers a message to that person. A plan reads `broadcast~2: <point> = <fault>; +5 = <fault>`: the scenario, the order
in which what is ready runs (0 = as it came), and faults; `+5` is the fifth call after the fault before it struck.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What can happen at a call."""

    KILL_BEFORE = "kill_before"
    """The process dies before the call."""
    KILL_AFTER = "kill_after"
    """The call takes effect, and the process dies before the answer."""
    LATE = "late"
    """The process dies, and the call takes effect three seconds later all the same."""
    REFUSE = "refuse"
    """No effect, and the answer says so: throttled (429, ThrottlingException); of a transaction, in conflict."""
    BREAK = "break"
    """No effect, answered with a 500."""
    LOSE = "lose"
    """No effect and no answer: the caller's timeout ends it."""
    UNSENT = "unsent"
    """No connection: no effect, and the caller knows it."""
    MAKE_AND_BREAK = "make_and_break"
    """It takes effect and is answered with a 500."""
    MAKE_AND_LOSE = "make_and_lose"
    """It takes effect and is not answered."""
    REPEAT = "repeat"
    """It takes effect twice, as when a client repeats what it got no answer to; also: delivered twice."""
    REPEAT_LATE = "repeat_late"
    """It takes effect, its answer is lost, everybody else works, and then the client repeats it."""
    ECHO = "echo"
    """It takes effect, and once more three seconds later: an attempt that the client gave up arrives after all."""
    PARTIAL = "partial"
    """A batch of which half is done."""
    DELAY = "delay"
    """It takes eight seconds."""
    STALL = "stall"
    """The process stands still for 35 seconds; whose time is over then is killed."""
    OVERTAKE = "overtake"
    """Everybody else works before it takes effect, a second copy of the same work included."""
    OVERTAKE_AFTER = "overtake_after"
    """It takes effect, and everybody else works before the answer is read."""
    INTERLEAVE = "interleave"
    """It takes effect, and from then on this process and everybody else, a copy of its work first, take turns."""
    FORGET = "forget"
    """Queue, stream or Twilio never hears that the work is done, and delivers it again."""


_READING = (
    Fault.KILL_BEFORE,
    Fault.REFUSE,
    Fault.LOSE,
    Fault.DELAY,
    Fault.STALL,
    Fault.OVERTAKE_AFTER,
    Fault.INTERLEAVE,
)
_WRITING = (
    Fault.KILL_BEFORE,
    Fault.KILL_AFTER,
    Fault.LATE,
    Fault.REFUSE,
    Fault.BREAK,
    Fault.LOSE,
    Fault.MAKE_AND_BREAK,
    Fault.MAKE_AND_LOSE,
    Fault.REPEAT,
    Fault.REPEAT_LATE,
    Fault.ECHO,
    Fault.DELAY,
    Fault.STALL,
    Fault.OVERTAKE,
    Fault.OVERTAKE_AFTER,
    Fault.INTERLEAVE,
)
# nobody repeats a create
_CREATING = (
    *(each for each in _WRITING if each not in {Fault.REPEAT, Fault.REPEAT_LATE, Fault.ECHO}),
    Fault.UNSENT,
)
_BY_OPERATION: dict[str, tuple[Fault, ...]] = {
    "twilio.create": _CREATING,
    "twilio.list": (*_READING, Fault.BREAK, Fault.UNSENT),
    "twilio.fetch": (*_READING, Fault.BREAK, Fault.UNSENT),
    "twilio.media": (*_READING, Fault.BREAK, Fault.UNSENT),
    "twilio.cancel": (*_WRITING, Fault.UNSENT),
    "dynamodb.GetItem": _READING,
    "dynamodb.Query": _READING,
    "dynamodb.BatchGetItem": (*_READING, Fault.PARTIAL),
    "dynamodb.BatchWriteItem": (*_WRITING, Fault.PARTIAL),
    "sqs.SendMessageBatch": (*_WRITING, Fault.PARTIAL),
    "events.PutEvents": (*_WRITING, Fault.PARTIAL),
    "s3.HeadObject": _READING,
    "s3.GetObject": _READING,
    "lambda.deliver": (Fault.REPEAT,),
    "lambda.acknowledge": (Fault.FORGET,),
}


def faults_at(operation: str) -> tuple[Fault, ...]:
    """What can happen to an operation such as `dynamodb.PutItem`."""
    return _BY_OPERATION.get(operation, _WRITING)


@dataclass(frozen=True, slots=True)
class Point:
    """The nth time that a function does this to that."""

    function: str
    operation: str
    subject: str
    nth: int

    def __str__(self) -> str:
        return f"{self.function} {self.operation} {self.subject} {self.nth}"


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault and where it strikes: at a point, or at the nth call after the strike before it."""

    at: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.at} = {self.fault}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one run of a scenario."""

    scenario: str
    strikes: tuple[Strike, ...] = ()
    order: int = 0

    def __str__(self) -> str:
        order = f"~{self.order}" if self.order else ""
        return f"{self.scenario}{order}: {'; '.join(map(str, self.strikes))}".rstrip()

    @classmethod
    def parse(cls, text: str) -> Plan:
        found = re.fullmatch(r"(?P<scenario>\w+)(~(?P<order>\d+))?:(?P<strikes>.*)", text.strip())
        if found is None:
            raise ValueError(f"no plan: {text!r}")
        strikes = tuple(
            Strike(at.strip(), Fault(fault.strip()))
            for at, fault in (
                each.rsplit("=", 1) for each in found["strikes"].split(";") if each.strip()
            )
        )
        return cls(found["scenario"], strikes, int(found["order"] or 0))


@dataclass(slots=True)
class Course:
    """A plan under way: counts the calls, strikes where it is due, and keeps the points that were passed."""

    strikes: Iterable[Strike]
    passed: list[Point] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    _seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _left: list[Strike] = field(default_factory=list)
    _calls: int = 0

    def __post_init__(self) -> None:
        self._left = list(self.strikes)

    def arrive(self, function: str, operation: str, subject: str) -> Fault | None:
        """Note that a call is made; returns the fault that strikes it."""
        key = (function, operation, subject)
        self._seen[key] += 1
        point = Point(*key, self._seen[key])
        self.passed.append(point)
        self._calls += 1
        if not self._left or not self._is_due(point):
            return None
        self._calls = 0
        strike = self._left.pop(0)
        self.struck.append(f"{point} = {strike.fault}")
        return strike.fault

    def _is_due(self, point: Point) -> bool:
        """A relative strike waits for the first call that its fault can happen to."""
        strike = self._left[0]
        if strike.at.startswith("+"):
            return self._calls >= int(strike.at) and strike.fault in faults_at(point.operation)
        return strike.at == str(point)
