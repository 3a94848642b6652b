"""Show how Twilio's books and ours compare: the last days, or one day with its causes."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table as Sheet

from local.operate.target import Target, TargetError
from sendpool.adapters.ledger.reconciliation import Books
from sendpool.adapters.ledger.table import Table
from sendpool.domain.books import REMEDIES, SIDES, Day, less

_DAYS = 14
# nothing is written
_RETENTION = timedelta()


def show(target: Target, asked: Namespace, console: Console) -> int:
    """Print the books; returns 1 if a finished day has something that is not explained."""
    books = Books(Table(target.dynamodb, target.table_name), retention=_RETENTION)
    if asked.date is None:
        today = datetime.now(UTC).date()
        days = books.days(today - timedelta(days=n) for n in range(_DAYS))
        _show_all(days, target, console)
    else:
        days = books.days([asked.date])
        if not days:
            raise TargetError(f"there are no books of {asked.date} in {target.name}, or not yet")
        _show_one(days[0], console)
    return int(any(day.account.unexplained for day in days))


def _show_all(days: list[Day], target: Target, console: Console) -> None:
    if not days:
        console.print(f"no books yet in {target.name}: they begin with the first whole UTC day")
        return
    sheet = Sheet("day", "finished", "Twilio", "ledger", "unexplained", "cost", "causes")
    for day in days:
        twilio, ledger = (day.account.side(side) for side in SIDES)
        causes = ", ".join(f"{cause} {n:,}" for cause, n in day.account.causes.items())
        sheet.add_row(
            str(day.date),
            _finished(day),
            f"{twilio.messages:,}",
            f"{ledger.messages:,}",
            f"{day.account.unexplained:,}",
            _money(day.account.cost_difference),
            causes,
        )
    console.print(sheet)


def _show_one(day: Day, console: Console) -> None:
    twilio, ledger = (day.account.side(side) for side in SIDES)
    console.print(f"{day.date}, finished: {_finished(day)}")
    sheet = Sheet("", "Twilio", "ledger", "difference")
    lines = {
        "messages": (twilio.messages, ledger.messages),
        **{
            status: (twilio.statuses.get(status, 0), ledger.statuses.get(status, 0))
            for status in less(twilio.statuses, ledger.statuses)
        },
        "with a price": (twilio.billed, ledger.billed),
    }
    for name, (theirs, ours) in lines.items():
        sheet.add_row(name, f"{theirs:,}", f"{ours:,}", f"{theirs - ours:+,}")
    cost = (_money(twilio.cost), _money(ledger.cost), _money(day.account.cost_difference))
    sheet.add_row("cost", *cost)
    console.print(sheet)
    for cause, messages in day.account.causes.items():
        of_cost = _money(day.account.cost_of(cause))
        console.print(f"{cause}: {messages:,} messages" + (f", {of_cost}" if of_cost else ""))
        console.print(f"  {REMEDIES[cause]}")
        for example in day.account.examples.get(cause, ()):
            console.print(f"  {example}")


def _finished(day: Day) -> str:
    return f"{day.finished_at:%Y-%m-%d %H:%M}" if day.finished_at else "no"


def _money(millionths: Mapping[str, int]) -> str:
    return ", ".join(
        f"{amount / 1_000_000:,.4f} {currency}" for currency, amount in millionths.items()
    )
