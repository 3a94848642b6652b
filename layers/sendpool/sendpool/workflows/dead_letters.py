"""Look through dead letters by class of error, and put a class back to work.

Nobody gets a message twice by that: a chunk is known by its number and lease, a request by its id, a tick by the
cursor at which it stands, a callback moves a status forward or not at all, and an event keeps its id. Looking takes
the letters out of sight of others for the moment, and lets them go again at the end; whoever dies in between leaves
them to come back by themselves within a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from sendpool.adapters.dead_letters import DeadLetters, Held
from sendpool.domain.dead_letter import DeadLetter, Kind


@dataclass(slots=True, kw_only=True)
class Class:
    """Letters of one kind that failed for one reason: how many, the oldest, and what some of them are of."""

    kind: Kind
    error_class: str
    count: int = 0
    oldest: datetime | None = None
    examples: list[DeadLetter] = field(default_factory=list)


_EXAMPLES = 3


def inspect(letters: DeadLetters, *, before: datetime, seen: Callable[[int], None]) -> list[Class]:
    """Return the classes of a queue's dead letters from before a time, the largest first; `seen` hears how many."""
    held: list[Held] = []
    classes: dict[tuple[Kind, str], Class] = {}
    try:
        for each in letters.take(before=before):
            held.append(each)
            _add(each.letter, classes)
            seen(len(held))
    finally:
        for each in held:
            letters.let_go(each)
    return sorted(classes.values(), key=lambda each: -each.count)


def redrive(
    letters: DeadLetters,
    *,
    error_classes: Collection[str],
    before: datetime,
    seen: Callable[[int], None],
) -> int:
    """Put back the letters of these classes from before a time, and return how many; without classes, all.

    What fails again meanwhile is there again, and is not put back a second time.
    """
    others: list[Held] = []
    put_back = 0
    try:
        for each in letters.take(before=before):
            if error_classes and each.letter.error_class not in error_classes:
                others.append(each)
            else:
                letters.put_back(each)
                put_back += 1
            seen(put_back + len(others))
    finally:
        for each in others:
            letters.let_go(each)
    return put_back


def _add(letter: DeadLetter, classes: dict[tuple[Kind, str], Class]) -> None:
    key = (letter.kind, letter.error_class)
    entry = classes.setdefault(key, Class(kind=letter.kind, error_class=letter.error_class))
    entry.count += 1
    entry.oldest = min(entry.oldest or letter.sent_at, letter.sent_at)
    if len(entry.examples) < _EXAMPLES:
        entry.examples.append(letter)
