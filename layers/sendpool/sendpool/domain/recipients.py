"""Recipients as people upload them: CSV or JSON lines, plain or gzip, in the encodings of their spreadsheets.

CSV: the first line names the columns; one of them is `to`, one may be `timezone`, all others are variables of
the template. Commas, semicolons, tabs and bars separate; quotes, line breaks in quotes and any line ends are
fine (RFC 4180). JSON lines: one object a line with `to`, perhaps `timezone`, and variables either beside them or
under `variables`; numbers keep their spelling, null counts as absent.

A row that cannot be read becomes a `BadRow`, and the next one goes on; only what makes the whole file doubtful
raises. Blank lines count for nothing. Neither reasons nor errors repeat what the file contains.

Reading can stop after any row and go on later from its bookmark: what comes then is exactly what would have come.
A csv reader asks for no line before it needs it, so between two rows it holds nothing back.

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
    file_too_large      more than 5 GB when unpacked

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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, override

from sendpool.domain.upload_text import (
    LONGEST_RECORD,
    Records,
    Source,
    Wrapping,
    open_records,
    reopen_records,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is written, as its head shows; JSON lines have neither a delimiter nor a header."""

    wrapping: Wrapping
    delimiter: str | None = None
    header: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place between two rows: `offset` bytes of text are behind it, `row` is the next one's number."""

    layout: Layout
    offset: int
    row: int = 1

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Bookmark:
        """Make one again of what `asdict` and JSON made of it."""
        layout = plain["layout"]
        return cls(
            Layout(
                wrapping=Wrapping(**layout["wrapping"]),
                delimiter=layout["delimiter"],
                header=tuple(layout["header"]),
            ),
            plain["offset"],
            plain["row"],
        )


class Reader(Iterator[Row | BadRow]):
    """Recipients, row by row; `bookmark` is the place after the last one that was read."""

    def __init__(self, records: Records, bookmark: Bookmark) -> None:
        self._records = records
        self._begun = bookmark
        self._next_row = bookmark.row
        self._rows = _rows(records, bookmark)

    @property
    def bookmark(self) -> Bookmark:
        return replace(self._begun, offset=self._records.offset, row=self._next_row)

    @override
    def __next__(self) -> Row | BadRow:
        row = next(self._rows, None)
        if row is None:
            if self._next_row == 1:
                raise UploadError("empty_file", "the file has a header and no recipients")
            raise StopIteration
        self._next_row = row.number + 1
        return row


def begin_reading(source: Source) -> Reader:
    """Begin at the front of an upload, which is read forward and not closed.

    Raises UploadError, here or after any row, where the whole file is to be refused.
    """
    wrapping, records = open_records(source)
    first = records.peek()
    if first is None:
        raise UploadError("empty_file", "the file is empty")
    layout = Layout(wrapping=wrapping)
    if not _is_json(first):
        delimiter = _delimiter(first)
        layout = Layout(wrapping=wrapping, delimiter=delimiter, header=_header(records, delimiter))
    return Reader(records, Bookmark(layout, records.offset))


def go_on_reading(open_at: Callable[[int], Source], bookmark: Bookmark) -> Reader:
    """Go on from a bookmark; `open_at` opens the same upload at a byte of it."""
    wrapping = bookmark.layout.wrapping
    source = open_at(0 if wrapping.is_packed else bookmark.offset)
    return Reader(reopen_records(source, wrapping, bookmark.offset), bookmark)


def read_rows(source: Source) -> Iterator[Row | BadRow]:
    """Read all recipients of an upload in one go."""
    return begin_reading(source)


def _rows(records: Records, bookmark: Bookmark) -> Iterator[Row | BadRow]:
    layout = bookmark.layout
    if layout.delimiter is None:
        return _json_rows(records, bookmark.row)
    return _csv_rows(records, layout.delimiter, _columns(layout.header), bookmark.row)


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


def _header(records: Records, delimiter: str) -> tuple[str, ...]:
    """Read the names of the columns, and check them."""
    records.begin(None)
    header = next(_cells(csv.reader(records, delimiter=delimiter, strict=True), records), None)
    if header is None:
        raise UploadError("unreadable_csv", "the header has text after a closing quote")
    if len(header) > _MOST_COLUMNS:
        raise UploadError("too_many_columns", f"more than {_MOST_COLUMNS} columns")
    names = tuple(_column_name(cell) for cell in header)
    if "to" not in names:
        raise UploadError(
            "missing_to_column",
            "the first line must name the columns, and one of them must be `to`",
        )
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise UploadError("duplicate_column", "two columns have the same name")
    return names


def _csv_rows(
    records: Records, delimiter: str, columns: _Columns, number: int
) -> Iterator[Row | BadRow]:
    records.begin(number)
    for cells in _cells(csv.reader(records, delimiter=delimiter, strict=True), records):
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


def _columns(names: tuple[str, ...]) -> _Columns:
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


def _json_rows(records: Records, number: int) -> Iterator[Row | BadRow]:
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
