"""What happens when somebody opts out, or in again: every way of saying so comes through here.

The ledger is written first, then what waits for those who opted out is withdrawn (workflows/withdraw.py). Dying in
between leaves the caller's queue message or request to be repeated: the same opt-out, recorded again, puts the same
withdrawal again. Withdrawing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Literal

from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.ledger.reach import Reachability
from sendpool.adapters.queues import Queues
from sendpool.domain.opt_out import Change, Standing
from sendpool.domain.twilio_codes import Effect, explain
from sendpool.domain.withdrawal import MOST_FORWARDED, MOST_PEOPLE, Forward, Withdrawal

ConsentSource = Literal["website", "offline", "opt-in-message", "opt-out-message", "others"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptingOut:
    """What opting people out and in needs; with `forwards` Twilio is told what it does not know itself.

    `alarm` tells somebody of a code that a person has to do something about.
    """

    opt_outs: OptOuts
    reachability: Reachability
    queues: Queues
    forwards: bool = False
    alarm: Callable[[int], None] = lambda _code: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Somebody's word within a scope. `tell_twilio` names the way it came by, when Twilio has not heard it."""

    person: str
    scope: str
    change: Change
    tell_twilio: ConsentSource | None = None


def record(  # noqa: PLR0913 - an opt-out with all that proves it
    person: str,
    scope: str,
    needs: OptingOut,
    *,
    opted_out: bool,
    source: str,
    at: datetime,
    evidence: Mapping[str, str] | None = None,
    tell_twilio: ConsentSource | None = None,
) -> Standing:
    """Record an opt-out or opt-in within a scope, and withdraw what waits for somebody who opted out."""
    change = Change(opted_out=opted_out, at=at, source=source, evidence=evidence or {})
    said = Said(person=person, scope=scope, change=change, tell_twilio=tell_twilio)
    (standing,) = record_all([said], needs)
    return standing


def record_all(all_said: Sequence[Said], needs: OptingOut) -> list[Standing]:
    """Record what many people said, and return where each stands; see `record`."""
    standings = _heard(all_said, needs)
    needs.queues.withdraw(_withdrawals(zip(all_said, standings, strict=True), needs))
    return standings


def _heard(all_said: Sequence[Said], needs: OptingOut) -> list[Standing]:
    for said in all_said:
        if not said.change.opted_out:
            needs.reachability.learn(
                said.person, "consented_at", said.change.at, source=said.change.source
            )
    return needs.opt_outs.hear_all([(said.person, said.scope, said.change) for said in all_said])


def _withdrawals(heard: Iterable[tuple[Said, Standing]], needs: OptingOut) -> Iterator[Withdrawal]:
    """Put together what concerns the same scope, and apart from it what Twilio is to be told in the same words."""
    people: dict[tuple[str, Forward | None], list[str]] = {}
    for said, standing in heard:
        if said.change.opted_out and standing.opted_out:
            people.setdefault((said.scope, None), []).append(said.person)
        forward = _forward(said, standing) if needs.forwards else None
        if forward:
            people.setdefault((said.scope, forward), []).append(said.person)
    for (scope, forward), those in people.items():
        most = MOST_FORWARDED if forward else MOST_PEOPLE
        for some in batched(dict.fromkeys(those), most, strict=False):
            yield Withdrawal(people=some, scope=scope, forward=forward)


def _forward(said: Said, standing: Standing) -> Forward | None:
    """What Twilio is to be told, if it has not heard it and it still stands."""
    if said.tell_twilio is None or standing.opted_out is not said.change.opted_out:
        return None
    return Forward(
        status="opt-out" if said.change.opted_out else "opt-in",
        source=said.tell_twilio,
        at=said.change.at.isoformat(timespec="seconds"),
    )


# ------------------------------------------------------------------------------------------------ Twilio's errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An error of Twilio's about one recipient. `scope` is the service that it holds for, None if it is not known."""

    code: int | None
    to: str
    scope: str | None
    at: datetime


def take_effect(failed: Failed, needs: OptingOut) -> None:
    """Do what an error means beyond its message: opt out, mark the number, raise an alarm.

    Doing it again changes nothing, but for another alarm.
    """
    take_effects([failed], needs)


def take_effects(all_failed: Iterable[Failed], needs: OptingOut) -> None:
    """Do what many errors mean beyond their messages; see `take_effect`."""
    opted_out: list[Said] = []
    for failed in all_failed:
        effects = explain(failed.code).effects if failed.code and failed.to else frozenset()
        source = f"twilio_{failed.code}"
        if Effect.OPT_OUT in effects and failed.scope:
            change = Change(opted_out=True, at=failed.at, source=source)
            opted_out.append(Said(person=failed.to, scope=failed.scope, change=change))
        if Effect.MARK_LANDLINE in effects:
            needs.reachability.learn(failed.to, "landline_since", failed.at, source=source)
        if Effect.MARK_UNREACHABLE in effects:
            needs.reachability.learn(failed.to, "unreachable_since", failed.at, source=source)
        if Effect.ALARM in effects and failed.code:
            needs.alarm(failed.code)
    record_all(opted_out, needs)
