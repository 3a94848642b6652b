"""What a team declares of its Messaging Service in a file, beside what the stack's own parameters say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sendpool.domain import messaging_service, senders
from sendpool.domain.errors import Violation
from sendpool.domain.messaging_service import PARAMETERS, WEBHOOKS, Changes, Value
from sendpool.domain.senders import NewSender

FILE: Final = "messaging.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Settings by name, and the senders that the pool must have; others in the pool are left alone.

    `declared_at` is None as long as nothing was declared.
    """

    settings: Mapping[str, Value] = field(default_factory=dict)
    senders: tuple[NewSender, ...] = ()
    declared_at: datetime | None = None


def problems(declaration: Declaration, stack: Changes) -> tuple[Violation, ...]:
    """Tell what is wrong with a declaration, also where the stack's parameters say something else."""
    return tuple(_problems(declaration, stack))


def _problems(declaration: Declaration, stack: Changes) -> Iterator[Violation]:
    for name, value in declaration.settings.items():
        yield from _of_setting(name, value, stack)
    for place, each in enumerate(declaration.senders):
        for broken in senders.problems(each):
            yield replace(broken, field=f"senders.{place}.{broken.field}")


def _of_setting(name: str, value: Value, stack: Changes) -> Iterator[Violation]:
    where = f"settings.{name}"
    if name == "name" or name in WEBHOOKS:
        words = f"follows from the stack's parameter {PARAMETERS[name]}"
        yield Violation(where, "setting_declared", words)
        return
    for broken in messaging_service.problems({name: value}):
        yield replace(broken, field=where)
    if name in stack and stack[name] != value:
        parameter = PARAMETERS[name]
        words = f"is declared otherwise by the stack's parameter {parameter}: leave it out, or deploy without that"
        yield Violation(where, "declared_by_stack", words)
