"""From the bytes of an upload to its lines: compression, encodings, and limits against what would eat us.

Nothing is trusted but the bytes themselves: neither a file name nor a content type. The stream is read once,
forward, in pieces, so memory stays flat for files of any size.
"""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Buffer, Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO, Final, override

LONGEST_RECORD: Final = 128 * 1024
"""Characters of one record, line ends included; also the csv module's own limit of one field."""

_PIECE: Final = 64 * 1024
_HEAD: Final = 8
_GZIP: Final = b"\x1f\x8b"
_OFFICE: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A list of numbers shrinks to a tenth; a hundredth of that is made to fill our disk and time.
_BOMB_RATIO: Final = 200
_BOMB_SIZE: Final = 16 * 1024 * 1024
# How undecodable bytes show up: see `surrogateescape`.
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")


class UploadError(ValueError):
    """The whole file is refused; `row` is the data row where reading ended, None before the first."""

    def __init__(self, code: str, detail: str, *, row: int | None = None) -> None:
        super().__init__(detail if row is None else f"row {row}: {detail}")
        self.code = code
        self.detail = detail
        self.row = row


class Records(Iterator[str]):
    """Lines, counted into records: the reader calls `begin` before each, and a line too many ends it all."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._length = 0
        self.row: int | None = None
        self.is_exhausted = False

    def begin(self, row: int) -> None:
        """Tell that the lines from here on belong to this data row."""
        self.row = row
        self._length = 0

    @override
    def __next__(self) -> str:
        line = next(self._lines, "")
        if not line:
            self.is_exhausted = True
            raise StopIteration
        self._length += len(line)
        if self._length > LONGEST_RECORD:
            raise UploadError(
                "record_too_long",
                f"longer than {LONGEST_RECORD} characters; is a quote opened and never closed?",
                row=self.row,
            )
        if not line.isascii() and _ESCAPED_BYTE.search(line):
            raise UploadError(
                "not_utf8",
                "not UTF-8, perhaps Latin-1 or Windows-1252; save the file as CSV UTF-8",
                row=self.row,
            )
        return line


def open_lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of an upload with their line ends; a byte that is not UTF-8 comes as a lone surrogate."""
    head, pieces = _peek(iter(partial(stream.read, _PIECE), b""))
    if head.startswith(_GZIP):
        head, pieces = _peek(_gunzip(pieces))
    encoding, errors = _encoding(head)
    raw = io.BufferedReader(_Pieces(pieces), _PIECE)
    text = io.TextIOWrapper(raw, encoding, errors, newline="")
    try:
        yield from iter(partial(text.readline, LONGEST_RECORD + 1), "")
    except UnicodeError:
        raise UploadError("not_utf8", "damaged UTF-16; save the file as CSV UTF-8") from None


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Look at the first bytes, and give all pieces back."""
    head = b""
    while len(head) < _HEAD and (piece := next(pieces, b"")):
        head += piece
    return head, chain([head] if head else [], pieces)


def _encoding(head: bytes) -> tuple[str, str]:
    if head.startswith(_OFFICE):
        raise UploadError("spreadsheet_file", "a spreadsheet or archive; save it as CSV UTF-8")
    if head.startswith(_UTF16_MARKS):
        return "utf-16", "strict"
    if head[:1] == b"\0":
        return "utf-16-be", "strict"
    if head[1:2] == b"\0":
        return "utf-16-le", "strict"
    return "utf-8-sig", "surrogateescape"


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate one gzip member after the other, never more than a piece at a time."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    read = written = 0
    for piece in pieces:
        read += len(piece)
        rest = piece
        is_full = False
        while rest or is_full:
            if inflater.eof:
                inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            inflated = _inflate(inflater, rest)
            rest = inflater.unconsumed_tail or inflater.unused_data
            is_full = len(inflated) == _PIECE and not inflater.eof
            written += len(inflated)
            if written > max(_BOMB_SIZE, _BOMB_RATIO * read):
                raise UploadError("gzip_bomb", "grows too much when unpacked; upload it unpacked")
            if inflated:
                yield inflated
    if not inflater.eof:
        raise UploadError("bad_gzip", "the gzip file is cut off; upload it again")


def _inflate(inflater: zlib._Decompress, deflated: bytes) -> bytes:
    try:
        return inflater.decompress(deflated, _PIECE)
    except zlib.error:
        raise UploadError("bad_gzip", "the gzip file is damaged; upload it again") from None


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a readable file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        view = memoryview(buffer)
        taken = self._rest[: len(view)]
        view[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
