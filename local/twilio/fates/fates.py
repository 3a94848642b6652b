"""What becomes of a message: what was scripted for its recipient, magic recipients, else chance by the settings."""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache
from typing import Any

from local.twilio.core.settings import Behaviour
from local.twilio.core.status import Status


class CallbackStyle(StrEnum):
    """How the status callbacks of one message come."""

    PROMPT = "prompt"
    DOUBLED = "doubled"
    REVERSED = "reversed"
    LOST = "lost"
    LAST_LOST = "last_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The fate of one message, fixed when it is made.

    `refused` is a code that the create answers with; `is_slow` takes its steps at `slow_ms`; `takes_no_mms` is a
    handset without MMS; `answers_last` keeps the create's answer back until the message is final.
    """

    final: Status = Status.DELIVERED
    error_code: int | None = None
    callbacks: CallbackStyle = CallbackStyle.PROMPT
    refused: int | None = None
    is_slow: bool = False
    takes_no_mms: bool = False
    answers_last: bool = False

    @property
    def is_opted_out(self) -> bool:
        """The recipient has said stop elsewhere: a bare sender is told at once."""
        return self.error_code == OPTED_OUT_CODE


OPTED_OUT_CODE = 21610
GOOD_FATE = Plan()


def _failed(code: int) -> Plan:
    return Plan(final=Status.FAILED, error_code=code)


def _undelivered(code: int) -> Plan:
    return Plan(final=Status.UNDELIVERED, error_code=code)


# +1 NPA 555 01XX: the fictitious numbers; these ends have a fixed fate
BY_ENDING: dict[str, Plan] = {
    "5550170": GOOD_FATE,
    "5550171": Plan(final=Status.SENT),
    "5550172": Plan(is_slow=True),
    "5550173": Plan(callbacks=CallbackStyle.DOUBLED),
    "5550174": Plan(callbacks=CallbackStyle.REVERSED),
    "5550175": Plan(callbacks=CallbackStyle.LOST),
    "5550176": Plan(callbacks=CallbackStyle.LAST_LOST),
    "5550177": Plan(takes_no_mms=True),
    "5550178": Plan(answers_last=True),
    "5550179": Plan(final=Status.QUEUED),
    "5550180": _failed(30002),
    "5550181": _failed(30001),
    "5550182": _undelivered(30004),
    "5550183": _undelivered(30003),
    "5550184": _undelivered(30034),
    "5550185": _undelivered(30005),
    "5550186": _undelivered(30006),
    "5550187": _undelivered(30007),
    "5550188": _undelivered(30008),
    "5550189": _undelivered(30022),
    "5550190": _failed(OPTED_OUT_CODE),
    "5550191": _undelivered(30023),
    "5550192": _failed(30410),
    "5550193": _failed(30450),
    "5550194": Plan(refused=21614),
    "5550195": Plan(refused=21635),
    "5550196": Plan(refused=21612),
}
ENDING_LENGTH = 7


class Fates:
    """Decides the fate of each message; scripted fates of a recipient come first, in order."""

    def __init__(self) -> None:
        """Start with nothing scripted."""
        self._scripted: dict[str, deque[tuple[Plan, int | None]]] = {}

    def script(self, given: Mapping[str, Any]) -> None:
        """Add a fate from JSON: `to`, the fields of `Plan`, `count` (default 1, null for ever)."""
        rest = {name: value for name, value in given.items() if name not in {"to", "count"}}
        count = given.get("count", 1)
        plan = parse_plan(rest)
        self._scripted.setdefault(str(given["to"]), deque()).append(
            (plan, None if count is None else int(count))
        )

    def clear(self) -> None:
        """Forget what was scripted."""
        self._scripted.clear()

    def foresee(self, to: str) -> Plan:
        """What is fixed for the next message to a recipient; chance plays no part."""
        waiting = self._scripted.get(to)
        return waiting[0][0] if waiting else magic_plan(to) or GOOD_FATE

    def draw(self, *, to: str, nth: int, behaviour: Behaviour) -> Plan:
        """The fate of the nth message to a recipient: the same for the same seed, whatever the order of others."""
        waiting = self._scripted.get(to)
        if waiting:
            return self._consume(to, waiting)
        magic = magic_plan(to)
        if magic is not None:
            return magic
        return _by_chance(to, nth, behaviour) if _has_chance(behaviour) else GOOD_FATE

    def _consume(self, to: str, waiting: deque[tuple[Plan, int | None]]) -> Plan:
        plan, count = waiting.popleft()
        if count is None or count > 1:
            waiting.appendleft((plan, None if count is None else count - 1))
        if not waiting:
            del self._scripted[to]
        return plan


def parse_plan(given: Mapping[str, Any]) -> Plan:
    """A plan from JSON; ValueError names what is wrong."""
    unknown = set(given) - {each.name for each in fields(Plan)}
    if unknown:
        raise ValueError(f"a fate knows no {sorted(unknown)}")
    plan = replace(GOOD_FATE, **given)
    return replace(plan, final=Status(plan.final), callbacks=CallbackStyle(plan.callbacks))


def magic_plan(to: str) -> Plan | None:
    """The fixed fate of a magic recipient."""
    return BY_ENDING.get(to[-ENDING_LENGTH:]) if to.startswith("+1") else None


def _has_chance(behaviour: Behaviour) -> bool:
    return bool(
        behaviour.failure_share
        or behaviour.duplicate_share
        or behaviour.reorder_share
        or behaviour.loss_share
    )


def _by_chance(to: str, nth: int, behaviour: Behaviour) -> Plan:
    chance = random.Random(f"{behaviour.seed}:{to}:{nth}")  # fate, not secrecy
    error_code = _draw_error(behaviour, chance)
    return _chance_plan(error_code, _draw_style(behaviour, chance))


@cache
def _chance_plan(error_code: int | None, style: CallbackStyle) -> Plan:
    final = Status.UNDELIVERED if error_code else Status.DELIVERED
    return Plan(final=final, error_code=error_code, callbacks=style)


def _draw_error(behaviour: Behaviour, chance: random.Random) -> int | None:
    if chance.random() >= behaviour.failure_share:
        return None
    codes, weights = behaviour.weighted_failure_codes()
    return chance.choices(codes, weights)[0]


def _draw_style(behaviour: Behaviour, chance: random.Random) -> CallbackStyle:
    draw = chance.random()
    for style, share in (
        (CallbackStyle.LOST, behaviour.loss_share),
        (CallbackStyle.REVERSED, behaviour.reorder_share),
        (CallbackStyle.DOUBLED, behaviour.duplicate_share),
    ):
        if draw < share:
            return style
        draw -= share
    return CallbackStyle.PROMPT
