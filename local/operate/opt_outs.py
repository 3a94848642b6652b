"""Lists of opt-outs: take one in from a CSV, and write out all that stand.

A list has a column `to`; `scope` (`all` or a Messaging Service's SID) and `at` (ISO 8601) are optional. What the rows
do not say holds for all of them. With `at` the same list may be taken in again at any time.
"""

from __future__ import annotations

import csv
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import TextIO

from rich.console import Console

from local.operate.progress import counting
from local.operate.target import Target, TargetError
from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.ledger.reach import Reachability
from sendpool.adapters.ledger.table import Table
from sendpool.adapters.queues import Queues, QueueUrls
from sendpool.domain.opt_out import ALL, Change
from sendpool.domain.phone import InvalidPhoneError, to_e164
from sendpool.domain.recipients import BadRow, Row, UploadError, read_rows
from sendpool.workflows.opting_out import OptingOut, Said, record_all

_SCOPE = re.compile(rf"{ALL}|MG[0-9a-f]{{32}}")
_A_WRITE = 500
_A_PAGE = 1_000
_MOST_SHOWN = 20
_COLUMNS = ("to", "scope", "since", "source")


class RejectedError(ValueError):
    """A row that is left out; the first argument is a stable code."""


def take_in(target: Target, asked: Namespace, console: Console) -> int:
    """Opt out everybody in a file; returns 1 if rows were left out."""
    needs = _needs(target)
    now = datetime.now(UTC)
    taken = 0
    rejected: list[tuple[int, str]] = []
    with _opened(asked.file) as rows, counting(console, "rows read") as counted:
        for some in batched(rows, _A_WRITE, strict=False):
            said: list[Said] = []
            for row in some:
                try:
                    said.append(_said(row, asked, now))
                except RejectedError as why:
                    rejected.append((row.number, str(why)))
            record_all(said, needs)
            taken += len(said)
            counted(taken + len(rejected))
    console.print(f"{taken:,} opted out, {len(rejected):,} rows left out")
    for number, code in rejected[:_MOST_SHOWN]:
        console.print(f"  row {number}: {code}")
    if len(rejected) > _MOST_SHOWN:
        console.print(f"  and {len(rejected) - _MOST_SHOWN:,} more")
    return 1 if rejected else 0


def write_out(target: Target, asked: Namespace, console: Console) -> int:
    """Write every opt-out that stands to a file, or to standard output."""
    opt_outs = OptOuts(Table(target.dynamodb, target.table_name))
    with _created(asked.file) as file:
        sheet = csv.writer(file)
        sheet.writerow(_COLUMNS)
        written, cursor = 0, None
        while True:
            standings, cursor = opt_outs.listed(cursor=cursor, limit=_A_PAGE)
            sheet.writerows(
                (each.person, each.scope, each.since.isoformat(), each.source) for each in standings
            )
            written += len(standings)
            if cursor is None:
                break
    if asked.file:
        console.print(f"{written:,} opt-outs written to {asked.file}")
    return 0


def _needs(target: Target) -> OptingOut:
    table = Table(target.dynamodb, target.table_name)
    urls = {name: pair.url for name, pair in target.queues.items()}
    return OptingOut(
        opt_outs=OptOuts(table),
        reachability=Reachability(table),
        queues=Queues(target.sqs, QueueUrls(**urls, send_dead_letter="", publisher_failures="")),
    )


def _said(row: Row | BadRow, asked: Namespace, now: datetime) -> Said:
    if isinstance(row, BadRow):
        raise RejectedError(row.reason)
    try:
        to = to_e164(row.to, default_region=asked.region)
    except InvalidPhoneError as error:
        raise RejectedError(error.code) from error
    scope = row.variables.get("scope", "").strip() or asked.scope
    if not _SCOPE.fullmatch(scope):
        raise RejectedError("invalid_scope")
    at = _moment(row.variables.get("at", "").strip(), now)
    return Said(person=to, scope=scope, change=Change(opted_out=True, at=at, source=asked.source))


def _moment(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise RejectedError("invalid_time") from error
    if at > now:
        raise RejectedError("in_the_future")
    return at


@contextmanager
def _opened(path: str) -> Iterator[Iterator[Row | BadRow]]:
    try:
        with Path(path).open("rb") as file:
            yield read_rows(file)
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror}") from error
    except UploadError as error:
        raise TargetError(f"{path} is no list of opt-outs: {error}") from error


@contextmanager
def _created(path: str | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with Path(path).open("w", newline="") as file:
        yield file
