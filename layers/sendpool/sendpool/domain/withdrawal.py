"""A withdrawal on the send queue: what waits for people who said stop must not go out any more.

It is done in two passes. The index of a person's messages lags, and a create that was under way when the opt-out was
recorded writes its result up to a sender's lifetime (60 s) later: what the first pass could not see, the second
one, 90 s on, does. Whoever schedules asks the opt-outs as well before it writes (workflows/withdraw.py).

A body with `forward` withdraws nothing: it tells Twilio of an opt-out or opt-in that it has not heard itself. The two
are apart so that neither waits for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

VERSION = 1
PASSES = 2
SECONDS_BETWEEN_PASSES = 90
MOST_PEOPLE = 100
# Twilio states no limit of its own for consents; its other bulk calls take so many
MOST_FORWARDED = 25


class MalformedWithdrawalError(ValueError):
    """A body that claims to be a withdrawal and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """What Twilio is to be told of the people: `at` is ISO 8601, `source` one of Twilio's words."""

    status: Literal["opt-in", "opt-out"]
    source: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """People (E.164) and the scope of their opt-outs; `passes` are over, and `rounds` counts what was handed back."""

    people: tuple[str, ...]
    scope: str
    passes: int = 0
    rounds: int = 0
    forward: Forward | None = None


def to_body(withdrawal: Withdrawal) -> dict[str, Any]:
    """Write a withdrawal as the queue carries it."""
    plain = asdict(withdrawal) | {"people": list(withdrawal.people)}
    return {
        "version": VERSION,
        "withdraw": {name: value for name, value in plain.items() if value is not None},
    }


def from_body(body: Mapping[str, Any]) -> Withdrawal:
    """Read a withdrawal back.

    Raises MalformedWithdrawalError when it is none.
    """
    try:
        plain = body["withdraw"]
        people = tuple(plain["people"])
        withdrawal = Withdrawal(
            people=people,
            scope=plain["scope"],
            passes=int(plain.get("passes", 0)),
            rounds=int(plain.get("rounds", 0)),
            forward=Forward(**plain["forward"]) if "forward" in plain else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedWithdrawalError(type(error).__name__) from error
    if not (all(isinstance(each, str) for each in (*people, withdrawal.scope)) and people):
        raise MalformedWithdrawalError("people and scope must be texts")
    return withdrawal
