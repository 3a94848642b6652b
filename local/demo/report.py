"""What the demo says at its end: the delivery report, the checks, and what to type next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from local.demo.recount import Line
from local.stack.stack import Stack

Report = Mapping[str, Any]

# fictitious, and in no recipients file
_SOMEBODY = "+12025550123"


def show_delivery(report: Report, recount: Sequence[Line], console: Console) -> None:
    """Counts, rates and errors of a broadcast that has come to its end."""
    table = Table(
        title="Delivery report", box=box.SIMPLE_HEAD, title_justify="left", show_header=False
    )
    table.add_column(justify="left")
    table.add_column(justify="right", style="bold")
    table.add_column(style="dim")
    table.add_row("recipients", f"{report['total']:,}", "rows of the file")
    for status, count in report["counters"].items():
        table.add_row(status, f"{count:,}", _reasons(report) if status == "skipped" else "")
    table.add_row(
        "delivery rate",
        f"{report['delivery_rate']:.2%}",
        "delivered of all that were sent or refused",
    )
    for what, per_second, seconds in _paces(report, recount):
        table.add_row(what, f"{per_second:,.0f}/s", f"all within {seconds:.1f} s of the start")
    console.print(table)
    if report["errors"]:
        console.print(_errors(report))


def _reasons(report: Report) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in report["skipped"].items())


def _paces(report: Report, recount: Sequence[Line]) -> list[tuple[str, float, float]]:
    """Messages a second from the start to the last answer of Twilio, and to the last callback."""
    start = datetime.fromisoformat(report["started_at"])
    paces = []
    for what, times in (
        ("taken by Twilio", [line.sent_at for line in recount if line.sent_at]),
        ("final", [line.heard_at for line in recount if line.heard_at]),
    ):
        if times:
            seconds = (max(times) - start).total_seconds()
            paces.append((what, len(times) / seconds, seconds))
    return paces


def _errors(report: Report) -> Table:
    table = Table(title="Errors", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("code")
    table.add_column("class")
    table.add_column("count", justify="right", style="bold")
    table.add_column("remedy", overflow="fold")
    for each in report["errors"]:
        table.add_row(str(each["code"]), each["error_class"], str(each["count"]), each["remedy"])
    return table


def show_checks(checks: Mapping[str, Sequence[str]], console: Console) -> None:
    """Each check with a mark, and the differences that it found."""
    for what, differences in checks.items():
        console.print("[red]✗[/]" if differences else "[green]✓[/]", what)
        for difference in differences:
            console.print(f"    {difference}", style="red", markup=False)


def show_what_next(stack: Stack, broadcast_id: str, *, simulated: bool) -> None:
    """Lines to copy: printed bare, so that no terminal width breaks them."""
    keys = f"{stack.aws_access_key_id}:{stack.aws_secret_access_key}"
    curl = f"curl -s --aws-sigv4 aws:amz:{stack.region}:execute-api --user {keys}"
    json_body = "-H 'content-type: application/json' -d"
    text = f'\'{{"to": "{_SOMEBODY}", "body": "Hello from Sendpool"}}\''
    stop = f'\'{{"from": "{_SOMEBODY}", "body": "STOP"}}\''
    print("\nGo on with:\n")
    print(f"# the report\n{curl} {stack.api_url}/broadcasts/{broadcast_id}")
    print(f"# one of its messages\n{curl} {stack.api_url}/messages/{broadcast_id}-000000-000")
    print(f"# send one message\n{curl} {stack.api_url}/messages {json_body} {text}")
    if simulated:
        print("# answer STOP to it (the next message to this person is skipped)")
        print(f"curl -s {stack.twilio_api_url}/_control/inbound {json_body} {stop}")
    print("# watch, and stop\nmake logs\nmake down")
