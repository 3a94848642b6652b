"""Uploads: what people's files look like, what is read from them, and what is refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import batched, cycle, islice
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.recipients import (
    BadRow,
    Bookmark,
    Row,
    UploadError,
    begin_reading,
    go_on_reading,
    read_rows,
)
from sendpool.domain.upload_text import unpack

ANN = Row(1, "+12025550101", {"name": "Ann"}, None)
BOB = Row(2, "+12025550102", {"name": "Bob"}, None)
SHEET = "to,name\n+12025550101,Ann\n+12025550102,Bob\n"


def packed(content: bytes) -> bytes:
    """Pack without the time of day: a test is named by its parameters, and every worker must collect the same names."""
    return gzip.compress(content, mtime=0)


class Dripping:
    """A stream like a network's: forward only, nothing but `read`, and as few bytes as it likes."""

    def __init__(self, content: bytes, size: int = 3) -> None:
        self._pieces: Iterator[bytes] = iter(
            [content[start : start + size] for start in range(0, len(content), size)]
        )

    def read(self, _size: int = -1) -> bytes:
        return next(self._pieces, b"")


def read(content: bytes | str) -> list[Row | BadRow]:
    return list(read_rows(io.BytesIO(content.encode() if isinstance(content, str) else content)))


def refusal(content: bytes | str) -> tuple[str, int | None]:
    with pytest.raises(UploadError) as caught:
        read(content)
    return caught.value.code, caught.value.row


@pytest.mark.parametrize(
    "content",
    [
        SHEET.encode(),
        SHEET.encode().removesuffix(b"\n"),
        SHEET.encode("utf-8-sig"),
        SHEET.encode("utf-16"),
        SHEET.encode("utf-16-le"),
        SHEET.encode("utf-16-be"),
        packed(SHEET.encode()),
        packed(SHEET.encode("utf-16")),
        packed(SHEET[:20].encode()) + packed(SHEET[20:].encode()),
        SHEET.replace("\n", "\r\n").encode(),
        SHEET.replace("\n", "\r").encode(),
        SHEET.replace("\n", "\n\n \n,\n").encode(),
        ("\n\r\n" + SHEET).encode(),
        SHEET.replace(",", ";").encode(),
        SHEET.replace(",", "\t").encode(),
        SHEET.replace(",", "|").encode(),
        SHEET.replace("to,", " TO ,").encode(),
        SHEET.replace("to,name", '"to"," name "').encode(),
        b"name,To\nAnn,+12025550101\nBob,+12025550102",
        b"to,name,\n+12025550101,Ann,\n+12025550102,Bob,x\n",
        b'{"to": "+12025550101", "name": "Ann"}\n{"to": "+12025550102", "name": "Bob"}\n',
        b'{"to": "+12025550101", "variables": {"name": "Ann"}}\r\n\r\n{"to": "+12025550102", "name": "Bob"}',
        '\ufeff \n {"to": "+12025550101", "name": "Ann"}\n{"to": "+12025550102", "name": "Bob", "x": null}'.encode(),
        packed(b'{"to": "+12025550101", "name": "Ann"}\n{"to": "+12025550102", "name": "Bob"}'),
    ],
)
def test_one_list_in_many_formats_reads_the_same(content: bytes) -> None:
    assert read(content) == [ANN, BOB]
    assert list(read_rows(cast(BinaryIO, Dripping(content)))) == [ANN, BOB]


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "empty_file", None),
        (b" \r\n\n", "empty_file", None),
        (b"\xef\xbb\xbf", "empty_file", None),
        (packed(b""), "empty_file", None),
        (b"to,name\n", "empty_file", None),
        (b"to,name\n\n , \n", "empty_file", None),
        (b"phone,name\n+12025550101,Ann\n", "missing_to_column", None),
        (b"+12025550101\n+12025550102\n", "missing_to_column", None),
        (b"to,name,name\n1,2,3\n", "duplicate_column", None),
        (b"to,TO\n1,2\n", "duplicate_column", None),
        (",".join(["to", *map(str, range(100))]), "too_many_columns", None),
        ("to,name\n+12025550101,José\n".encode("latin-1"), "not_utf8", 1),
        ("to,name\n1,Ann\n2,B\n3,€\n".encode("cp1252"), "not_utf8", 3),
        ("to,größe\n1,2\n".encode("latin-1"), "not_utf8", None),
        ('{"to":"1"}\n{"to":"2","name":"José"}'.encode("latin-1"), "not_utf8", 2),
        (SHEET.encode("utf-16")[:-1], "not_utf8", None),
        (packed(SHEET.encode())[:-9], "bad_gzip", None),
        (packed(SHEET.encode()) + b"rest", "bad_gzip", None),
        (b"\x1f\x8b", "bad_gzip", None),
        (b"\x1f\x8bnot gzip at all", "bad_gzip", None),
        (b"PK\x03\x04\x14\x00\x06\x00", "spreadsheet_file", None),
        (packed(b"PK\x03\x04\x14\x00\x06\x00"), "spreadsheet_file", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet_file", None),
        (b'[{"to": "1"}]', "not_json_lines", None),
        (b'{\n "to": "1"\n}', "not_json_lines", None),
        (b'to,name\n1,Ann\n2,"Bob\n3,Cid\n', "unreadable_csv", 2),
        (b'to,name"\n"1"x,Ann"\n"', "unreadable_csv", 2),
        (b'"to"x,name\n1,2\n', "unreadable_csv", None),
        (b"to,name\n1,Ann\n2," + b"x" * 140_000, "record_too_long", 2),
        (b'to,name\n1,Ann\n2,"' + b"x\n" * 70_000, "record_too_long", 2),
        (b'{"to":"1","name":"' + b"x" * 140_000 + b'"}', "record_too_long", None),
        (b'{"to":"1"}\n{"to":"2","name":"' + b"x" * 140_000 + b'"}', "record_too_long", 2),
        (b"x" * 140_000, "record_too_long", None),
    ],
)
def test_a_file_that_is_doubtful_as_a_whole_is_refused(
    content: bytes | str, code: str, row: int | None
) -> None:
    assert refusal(content) == (code, row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,Ann,x", "wrong_column_count"),
        ("1", "wrong_column_count"),
        (",Ann", "missing_to"),
        ('"1"2,Ann', "malformed_quotes"),
        ('1,"said "hi" to me"', "malformed_quotes"),
        ("1,A\0nn", "invalid_characters"),
    ],
)
def test_a_bad_row_of_a_sheet_is_left_out_and_the_next_goes_on(row: str, reason: str) -> None:
    bad, good = read(f"to,name\n{row}\n+12025550102,Bob\n")

    assert isinstance(bad, BadRow)
    assert (bad.number, bad.reason) == (1, reason)
    assert good == BOB


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"to": "1"', "invalid_json"),
        ('["1"]', "invalid_json"),
        ("to,name", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ('{"to": "1"} {"to": "2"}', "invalid_json"),
        ('{"name": "Ann"}', "missing_to"),
        ('{"to": " "}', "missing_to"),
        ('{"to": null}', "missing_to"),
        ('{"to": true}', "missing_to"),
        ('{"to": {"phone": "1"}}', "missing_to"),
        ('{"to": "1", "timezone": 2.0, "x": []}', "nested_value"),
        ('{"to": "1", "timezone": true}', "missing_to"),
        ('{"to": "1", "variables": {"x": {}}}', "nested_value"),
        ('{"to": "1", "variables": ["x"]}', "nested_value"),
        ('{"to": "1", "name": "\\ud83d"}', "invalid_characters"),
        ('{"to": "1", "na\\u0000me": "x"}', "invalid_characters"),
    ],
)
def test_a_bad_line_of_json_is_left_out_and_the_next_goes_on(line: str, reason: str) -> None:
    first, bad, last = read(
        f'{{"to":"+12025550101","name":"Ann"}}\n{line}\n{{"to":"+12025550103"}}'
    )

    assert first == ANN
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.reason) == (2, reason)
    assert last == Row(3, "+12025550103", {}, None)


def test_what_a_file_holds_is_not_repeated_in_refusals() -> None:
    # GIVEN files without a header, with a wrong encoding, with an endless cell
    for content in ("secret\nx", "to,secret\n1,€secret".encode("cp1252"), 'to\n"secret'):
        # THEN the error says what to do, and nothing of what was in it
        with pytest.raises(UploadError) as caught:
            read(content)
        assert "secret" not in str(caught.value)


def test_variables_keep_their_case_and_their_spaces() -> None:
    rows = read("to,First Name,name,Timezone\n1, Ann ,b,  Europe/Berlin \n")

    assert rows == [Row(1, "1", {"First Name": " Ann ", "name": "b"}, "Europe/Berlin")]


def test_an_empty_time_zone_is_none() -> None:
    assert read("to,timezone\n1,\n") == [Row(1, "1", {}, None)]


def test_numbers_in_json_keep_their_spelling() -> None:
    rows = read('{"to": 12025550101, "price": 1.50, "n": 1e3, "ok": true, "none": null, "x": NaN}')

    assert rows == [
        Row(1, "12025550101", {"price": "1.50", "n": "1e3", "ok": "true", "x": "NaN"}, None)
    ]


def test_twenty_columns_are_fine() -> None:
    names = [f"v{place}" for place in range(19)]

    [row] = read(f"{','.join([*names, 'to'])}\n{','.join(map(str, range(20)))}\n")

    assert row == Row(1, "19", {name: str(place) for place, name in enumerate(names)}, None)


def test_a_quoted_cell_may_hold_line_breaks_separators_and_quotes() -> None:
    rows = read('to,name\r\n1,"A\r\nB, ""C""\n"\r\n2,D\r\n')

    assert rows == [Row(1, "1", {"name": 'A\r\nB, "C"\n'}, None), Row(2, "2", {"name": "D"}, None)]


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_in_small_memory() -> None:
    # GIVEN 200 MB of rows in 200 kB
    bomb = packed(b"to,name\n" + (b"1," + b"x" * 100_000 + b"\n") * 2_000)

    # WHEN it is read
    rows = read_rows(io.BytesIO(bomb))
    seen = [row.number for row in islice(rows, 100)]

    # THEN it begins as any file, and ends long before its end
    assert seen == list(range(1, 101))
    with pytest.raises(UploadError) as caught:
        deque(islice(rows, 1_000), maxlen=0)
    assert caught.value.code == "gzip_bomb"


def test_rows_come_while_the_file_is_still_being_read() -> None:
    # GIVEN a file that never ends
    class Endless:
        def __init__(self) -> None:
            self._began = False

        def read(self, _size: int = -1) -> bytes:
            began, self._began = self._began, True
            return b"1,Ann\n" * 1_000 if began else b"to,name\n"

    # WHEN some rows are taken
    rows = read_rows(cast(BinaryIO, Endless()))
    numbers = [next(rows).number for _ in range(5_000)]

    # THEN they are there
    assert numbers == list(range(1, 5_001))


def test_an_unpacked_file_that_is_too_long_is_refused() -> None:
    content = packed(b"to\n" + b"1\n" * 1_000)
    with pytest.raises(UploadError) as caught:
        deque(unpack(iter([content]), longest=2_000), maxlen=0)
    assert caught.value.code == "file_too_large"


# Anything a cell can hold; NUL and halves of characters are not for sending.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = CELLS.filter(str.strip)
LISTS = st.lists(st.tuples(NUMBERS, CELLS), min_size=1, max_size=5)


@given(LISTS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_a_csv_writer_wrote_is_read_back(
    cells: list[tuple[str, str]], delimiter: str, line_end: str, is_packed: bool
) -> None:
    # GIVEN any recipients, written as CSV
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([("to", "name"), *cells])
    content = sheet.getvalue().encode()

    # THEN the same are read
    rows = read(packed(content) if is_packed else content)
    assert rows == [
        Row(number, to, {"name": name}, None) for number, (to, name) in enumerate(cells, 1)
    ]


@given(LISTS, st.booleans(), st.booleans())
def test_what_a_json_writer_wrote_is_read_back(
    cells: list[tuple[str, str]], is_packed: bool, is_ascii: bool
) -> None:
    lines = [json.dumps({"to": to, "name": name}, ensure_ascii=is_ascii) for to, name in cells]
    content = "\n".join(lines).encode()

    rows = read(packed(content) if is_packed else content)
    assert rows == [
        Row(number, to, {"name": name}, None) for number, (to, name) in enumerate(cells, 1)
    ]


def read_in_stretches(content: bytes, stretches: list[int]) -> list[Row | BadRow]:
    """Read so many rows at a time, and go on each time from a bookmark that was written down."""

    def open_at(start: int) -> BinaryIO:
        return io.BytesIO(content[start:])

    reader = begin_reading(open_at(0))
    rows: list[Row | BadRow] = []
    for stretch in cycle(stretches):
        stretch_of_rows = list(islice(reader, stretch))
        if not stretch_of_rows:
            return rows
        rows += stretch_of_rows
        written = json.dumps(asdict(reader.bookmark))
        reader = go_on_reading(open_at, Bookmark.from_plain(json.loads(written)))
    raise AssertionError


STRETCHES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def multi_member(content: bytes) -> bytes:
    return b"".join(packed(bytes(part)) for part in batched(content, 50, strict=False))


@given(
    LISTS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.sampled_from([bytes, packed, multi_member]),
    STRETCHES,
)
def test_a_sheet_read_in_stretches_is_what_the_csv_module_reads_in_one_go(
    cells: list[tuple[str, str]],
    delimiter: str,
    line_end: str,
    encoding: str,
    pack: Callable[[bytes], bytes],
    stretches: list[int],
) -> None:
    # GIVEN a sheet with line breaks, separators and quotes in its cells
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([("to", "name"), *cells])
    in_one_go = list(csv.reader(io.StringIO(sheet.getvalue(), newline=""), delimiter=delimiter))[1:]

    # WHEN it is read, stopping and going on after some rows each time
    rows = read_in_stretches(pack(sheet.getvalue().encode(encoding)), stretches)

    # THEN
    assert rows == [
        Row(number, to, {"name": name}, None) for number, (to, name) in enumerate(in_one_go, 1)
    ]


HEADS = st.sampled_from(
    [
        b"",
        b"to\n",
        b"to,name\n",
        b'{"to":"1"}\n',
        b"\x1f\x8b",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\0t\0o",
        b"t\0o\0\n\0",
    ]
)
TAILS = st.one_of(
    st.binary(max_size=200),
    st.text('",;\t|\r\n\0{}[]:to1é\u2028', max_size=200).map(str.encode),
)


@given(HEADS, TAILS, st.booleans())
def test_arbitrary_bytes_end_in_rows_or_in_a_refusal(
    head: bytes, tail: bytes, is_packed: bool
) -> None:
    content = head + tail
    try:
        rows = read(packed(content) if is_packed else content)
    except UploadError as exc:
        rows = []
        assert exc.code  # noqa: PT017 - either way is right

    assert [row.number for row in rows] == list(range(1, len(rows) + 1))


@given(HEADS, TAILS, st.booleans(), STRETCHES)
def test_arbitrary_bytes_read_in_stretches_are_what_they_are_in_one_go(
    head: bytes, tail: bytes, is_packed: bool, stretches: list[int]
) -> None:
    content = packed(head + tail) if is_packed else head + tail

    def outcome(reading: Callable[[], list[Row | BadRow]]) -> object:
        try:
            return reading()
        except UploadError as exc:
            return exc.code, exc.row

    assert outcome(lambda: read_in_stretches(content, stretches)) == outcome(lambda: read(content))
