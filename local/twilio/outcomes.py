"""What becomes of a message: magic recipients first, chance by the behaviour's shares otherwise."""

import random
from dataclasses import dataclass
from enum import StrEnum

from local.twilio.settings import Behaviour
from local.twilio.status import Status


class CallbackStyle(StrEnum):
    """How the status callbacks of one message come."""

    PROMPT = "prompt"
    DOUBLED = "doubled"
    REVERSED = "reversed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The fate of one message, fixed when it is made."""

    final: Status = Status.DELIVERED
    error_code: int | None = None
    callbacks: CallbackStyle = CallbackStyle.PROMPT
    is_slow: bool = False


OPTED_OUT = Plan(final=Status.FAILED, error_code=21610)

# +1 NPA 555 01XX: the fictitious numbers; these ends have a fixed fate
BY_ENDING: dict[str, Plan] = {
    "5550170": Plan(),
    "5550171": Plan(final=Status.SENT),
    "5550172": Plan(is_slow=True),
    "5550173": Plan(callbacks=CallbackStyle.DOUBLED),
    "5550174": Plan(callbacks=CallbackStyle.REVERSED),
    "5550175": Plan(callbacks=CallbackStyle.LOST),
    "5550181": Plan(final=Status.FAILED, error_code=30001),
    "5550183": Plan(final=Status.UNDELIVERED, error_code=30003),
    "5550184": Plan(final=Status.UNDELIVERED, error_code=30034),
    "5550185": Plan(final=Status.UNDELIVERED, error_code=30005),
    "5550186": Plan(final=Status.UNDELIVERED, error_code=30006),
    "5550187": Plan(final=Status.UNDELIVERED, error_code=30007),
    "5550188": Plan(final=Status.UNDELIVERED, error_code=30008),
    "5550190": OPTED_OUT,
}

# Twilio's own magic numbers: what the create call answers
REFUSED_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
GOOD_SENDER = "+15005550006"
REFUSED_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550009": 21614,
}
OPTED_OUT_RECIPIENT = "+15005550004"

ENDING_LENGTH = 7


def plan_for(*, to: str, nth: int, behaviour: Behaviour) -> Plan:
    """The fate of the nth message to a recipient: the same for the same seed, whatever the order."""
    magic = magic_plan(to)
    if magic is not None:
        return magic
    if not _has_chance(behaviour):
        return Plan()
    chance = random.Random(f"{behaviour.seed}:{to}:{nth}")  # fate, not secrecy
    error_code = _draw_error(behaviour, chance)
    return Plan(
        final=Status.UNDELIVERED if error_code else Status.DELIVERED,
        error_code=error_code,
        callbacks=_draw_style(behaviour, chance),
    )


def magic_plan(to: str) -> Plan | None:
    """The fixed fate of a magic recipient."""
    if to == OPTED_OUT_RECIPIENT:
        return OPTED_OUT
    return BY_ENDING.get(to[-ENDING_LENGTH:]) if to.startswith("+1") else None


def _has_chance(behaviour: Behaviour) -> bool:
    return bool(
        behaviour.failure_share
        or behaviour.duplicate_share
        or behaviour.reorder_share
        or behaviour.loss_share
    )


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
