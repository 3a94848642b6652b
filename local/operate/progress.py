"""A number that grows while something long goes on: in place on a terminal, a line every some seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

_LINE_EVERY_SECONDS = 5.0


@contextmanager
def counting(
    console: Console, what: str, *, of: int | None = None
) -> Iterator[Callable[[int], None]]:
    """Show `what` with a number, while the block tells it."""
    total = f" of {of:,}" if of is not None else ""
    if console.is_terminal:
        with console.status(what) as status:
            yield lambda number: status.update(f"{what}: {number:,}{total}")
        return
    due_at = time.monotonic() + _LINE_EVERY_SECONDS

    def say(number: int) -> None:
        nonlocal due_at
        if time.monotonic() >= due_at:
            console.print(f"{what}: {number:,}{total}")
            due_at = time.monotonic() + _LINE_EVERY_SECONDS

    yield say
