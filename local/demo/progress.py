"""Watching a broadcast: two bars on a terminal, a line every few seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.client import ApiError, Sendpool

_LOOK_EVERY_SECONDS = 0.5
_LINE_EVERY_SECONDS = 3.0
_PATIENCE_SECONDS = 120.0

Report = dict[str, Any]


def watch(sendpool: Sendpool, broadcast_id: str, *, of: int, console: Console) -> Report:
    """Show how a broadcast of so many goes, and return its report once all are final.

    Raises ApiError when it fails, or when nothing has moved for two minutes.
    """
    with _bars(of, console) if console.is_terminal else _lines(of, console) as show:
        before: Report = {}
        moved_at = time.monotonic()
        while True:
            report = sendpool.get(f"/broadcasts/{broadcast_id}")
            show(report)
            if report["state"] == "failed":
                raise ApiError(f"the broadcast failed: {report['problem']}")
            if report["state"] == "completed" and report["final"] >= report["total"]:
                return report
            if report != before:
                before, moved_at = report, time.monotonic()
            if time.monotonic() - moved_at > _PATIENCE_SECONDS:
                raise ApiError(f"nothing moved for {_PATIENCE_SECONDS:.0f} s: {_so_far(report)}")
            time.sleep(_LOOK_EVERY_SECONDS)


@contextmanager
def _bars(of: int, console: Console) -> Iterator[Callable[[Report], None]]:
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        bars = {name: progress.add_task(name, total=of) for name in ("outcomes", "final")}

        def show(report: Report) -> None:
            for name, bar in bars.items():
                progress.update(bar, completed=report[name])

        yield show


@contextmanager
def _lines(of: int, console: Console) -> Iterator[Callable[[Report], None]]:
    began = time.monotonic()
    due_at = began

    def show(report: Report) -> None:
        nonlocal due_at
        now = time.monotonic()
        if now >= due_at:
            console.print(f"{now - began:4.0f} s  {_so_far(report)} (of {of:,})", soft_wrap=True)
            due_at = now + _LINE_EVERY_SECONDS

    yield show


def _so_far(report: Report) -> str:
    counts = ", ".join(f"{status} {count}" for status, count in report["counters"].items())
    return f"{report['state']}: outcomes {report['outcomes']}, final {report['final']}; {counts or 'none yet'}"
