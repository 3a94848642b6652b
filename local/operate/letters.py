"""Dead letters by class of error: show them, put them back."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from local.operate.progress import counting
from local.operate.target import QUEUES, Target
from sendpool.workflows import dead_letters


def show(target: Target, _asked: Namespace, console: Console) -> int:
    """Show what stands among the dead letters of each queue, and the commands that put it back."""
    sheet = Table("queue", "kind", "class", "letters", "oldest", "such as")
    commands: list[str] = []
    for queue in QUEUES:
        with counting(console, f"{queue}: letters seen") as seen:
            found = dead_letters.inspect(
                target.dead_letters(queue), before=datetime.now(UTC), seen=seen
            )
        for each in found:
            examples = "\n".join(letter.about for letter in each.examples)
            oldest = _age(each.oldest) if each.oldest else ""
            sheet.add_row(queue, each.kind, each.error_class, f"{each.count:,}", oldest, examples)
            commands.append(f"{target.command} redrive {queue} --class {each.error_class}")
    if not commands:
        console.print(f"no dead letters in {target.name}")
        return 0
    console.print(sheet)
    console.print(
        "To put a class back, once what made it fail is mended; nobody gets a text twice:"
    )
    for command in dict.fromkeys(commands):
        console.print(f"  {command}", soft_wrap=True)
    return 0


def redrive(target: Target, asked: Namespace, console: Console) -> int:
    """Put the letters of some classes, or all, back onto their queue."""
    with counting(console, f"{asked.queue}: letters seen") as seen:
        put_back = dead_letters.redrive(
            target.dead_letters(asked.queue),
            error_classes=asked.classes or (),
            before=datetime.now(UTC),
            seen=seen,
        )
    console.print(f"{put_back:,} put back onto the {asked.queue} queue of {target.name}")
    console.print(f"What fails again is to be seen there again: {target.command} dead-letters")
    return 0


def _age(at: datetime) -> str:
    minutes = int((datetime.now(UTC) - at).total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
