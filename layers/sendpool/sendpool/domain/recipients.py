"""Recipients as people upload them: CSV or JSON lines, plain or gzip, in the encodings of their spreadsheets.

CSV: the first line names the columns; one of them is `to`, one may be `timezone`, all others are variables of
the template. Commas, semicolons, tabs and bars separate; quotes, line breaks in quotes and any line ends are
fine (RFC 4180). JSON lines: one object a line with `to`, perhaps `timezone`, and variables either beside them or
under `variables`; numbers keep their spelling, null counts as absent.

A row that cannot be read becomes a `BadRow`, and the next one goes on; only what makes the whole file doubtful
raises. Blank lines count for nothing. Neither reasons nor errors repeat what the file contains.

    UploadError.code    the whole file is refused
    empty_file          no recipients in it
    missing_to_column   no column is named `to`
    duplicate_column    two columns have one name
    too_many_columns    more than 100
    unreadable_csv      a quote is opened and never closed
    record_too_long     one row has more than 128 KiB characters
    not_json_lines      JSON, but not one object a line
    not_utf8            another encoding, such as Latin-1
    spreadsheet_file    a spreadsheet or archive itself
    bad_gzip            damaged or cut off
    gzip_bomb           grows out of proportion when unpacked

    BadRow.reason       this row is left out
    wrong_column_count  more or fewer cells than columns
    missing_to          no recipient
    invalid_characters  NUL characters or broken Unicode
    malformed_quotes    text after a closing quote
    invalid_json        not one JSON object
    nested_value        a variable that is a list or an object
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, Final

from sendpool.domain.upload_text import LONGEST_RECORD, Records, open_lines
from sendpool.domain.upload_text import UploadError as UploadError

_DELIMITERS: Final = ",;\t|"
_MOST_COLUMNS: Final = 100
_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")
# Numbers stay as they are spelled: a phone number is no quantity.
_JSON: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True, slots=True)
class Row:
    """One recipient: `number` counts data rows from 1, `to` is as it was typed."""

    number: int
    to: str
    variables: dict[str, str]
    timezone: str | None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read: `reason` is a stable code, `detail` says it to people."""

    number: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Columns:
    count: int
    to: int
    timezone: int | None
    variables: tuple[tuple[int, str], ...]


def read_rows(stream: BinaryIO) -> Iterator[Row | BadRow]:
    """Read recipients from a stream that needs nothing but `read(size)`; it is read once and not closed.

    Raises UploadError, before the first row or after any, where the whole file is to be refused.
    """
    lines = open_lines(stream)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise UploadError("empty_file", "the file is empty")
    records = Records(chain([first], lines))
    rows = _json_rows(records) if _is_json(first) else _csv_rows(records, _delimiter(first))
    is_empty = True
    for row in rows:
        is_empty = False
        yield row
    if is_empty:
        raise UploadError("empty_file", "the file has a header and no recipients")


def _is_json(first: str) -> bool:
    text = first.strip()
    if text.startswith("[") or text == "{":
        raise UploadError("not_json_lines", "write one JSON object a line, each on a single line")
    return text.startswith("{")


def _delimiter(header: str) -> str:
    """Choose the separator that brings out a column `to`, and then the one that brings out most columns."""

    def columns(delimiter: str) -> tuple[bool, int]:
        cells = next(csv.reader([header[:LONGEST_RECORD]], delimiter=delimiter))
        return "to" in map(_column_name, cells), len(cells)

    return max(_DELIMITERS, key=columns)


def _csv_rows(records: Records, delimiter: str) -> Iterator[Row | BadRow]:
    all_cells = _cells(csv.reader(records, delimiter=delimiter, strict=True), records)
    columns = _columns(next(all_cells, None))
    number = 1
    records.begin(number)
    for cells in all_cells:
        if cells is None or any(map(str.strip, cells)):
            yield _csv_row(number, cells, columns)
            number += 1
        records.begin(number)


def _cells(reader: Iterator[list[str]], records: Records) -> Iterator[list[str] | None]:
    """Yield the cells of each record, None for one with malformed quotes."""
    while True:
        try:
            cells = next(reader, [])
        except csv.Error:
            if records.is_exhausted:
                raise UploadError(
                    "unreadable_csv", "a quote is opened here and never closed", row=records.row
                ) from None
            yield None
        else:
            if not cells and records.is_exhausted:
                return
            yield cells


def _columns(header: list[str] | None) -> _Columns:
    if header is None:
        raise UploadError("unreadable_csv", "the header has text after a closing quote")
    if len(header) > _MOST_COLUMNS:
        raise UploadError("too_many_columns", f"more than {_MOST_COLUMNS} columns")
    names = [_column_name(cell) for cell in header]
    if "to" not in names:
        raise UploadError(
            "missing_to_column",
            "the first line must name the columns, and one of them must be `to`",
        )
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise UploadError("duplicate_column", "two columns have the same name")
    return _Columns(
        count=len(names),
        to=names.index("to"),
        timezone=names.index("timezone") if "timezone" in names else None,
        variables=tuple(
            (place, name) for place, name in enumerate(names) if name not in {"", "to", "timezone"}
        ),
    )


def _column_name(cell: str) -> str:
    """Strip a column's name; case matters to variables alone."""
    name = cell.strip()
    return name.casefold() if name.casefold() in {"to", "timezone"} else name


def _csv_row(number: int, cells: list[str] | None, columns: _Columns) -> Row | BadRow:
    if cells is None:
        return BadRow(
            number, "malformed_quotes", "text after a closing quote; double quotes in a quoted cell"
        )
    if len(cells) != columns.count:
        return BadRow(
            number, "wrong_column_count", f"{len(cells)} cells, but the header has {columns.count}"
        )
    return _row(
        number,
        to=cells[columns.to],
        timezone=None if columns.timezone is None else cells[columns.timezone],
        variables={name: cells[place] for place, name in columns.variables},
    )


def _json_rows(records: Records) -> Iterator[Row | BadRow]:
    number = 1
    records.begin(number)
    for line in records:
        if text := line.strip():
            yield _json_row(number, text)
            number += 1
        records.begin(number)


def _json_row(number: int, text: str) -> Row | BadRow:
    try:
        found = _JSON.decode(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return BadRow(number, "invalid_json", "not one JSON object on one line")
    to, timezone = found.pop("to", None), found.pop("timezone", None)
    nested = found.pop("variables", None)
    variables = _texts(found | (nested if isinstance(nested, dict) else {"variables": nested}))
    if variables is None:
        return BadRow(
            number, "nested_value", "variables must be text, numbers, true, false or null"
        )
    if not isinstance(to, str) or not isinstance(timezone, str | None):
        return BadRow(number, "missing_to", "`to` must be text, and `timezone` text or absent")
    return _row(number, to=to, timezone=timezone, variables=variables)


def _texts(found: Mapping[str, Any]) -> dict[str, str] | None:
    """Turn JSON scalars into text, leaving null out; None if there is anything but scalars."""
    if any(isinstance(value, dict | list) for value in found.values()):
        return None
    return {
        name: value if isinstance(value, str) else str(value).lower()
        for name, value in found.items()
        if value is not None
    }


def _row(number: int, *, to: str, timezone: str | None, variables: dict[str, str]) -> Row | BadRow:
    if not to.strip():
        return BadRow(number, "missing_to", "no recipient in `to`")
    if _UNSENDABLE.search("".join((to, timezone or "", *variables, *variables.values()))):
        return BadRow(number, "invalid_characters", "NUL characters or broken Unicode")
    return Row(number, to, variables, (timezone or "").strip() or None)
