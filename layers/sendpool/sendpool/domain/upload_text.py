"""From the bytes of an upload to its lines: compression, encodings, and limits against what would eat us.

Nothing is trusted but the bytes themselves: neither a file name nor a content type. A source is read forward, in
pieces, so memory stays flat for files of any size. Between two lines reading can stop and go on later: `offset`
counts the bytes of the text behind, unpacked and with its byte order mark. Text that is not packed is entered
there; a gzip file is unpacked from its front again (500 MB a second) and everything before is dropped.
"""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Buffer, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final, Protocol, override

LONGEST_RECORD: Final = 128 * 1024
"""Characters of one record, line ends included; also the csv module's own limit of one field."""

LONGEST_TEXT: Final = 5_000_000_000
"""Bytes of an unpacked gzip file; what is not packed is bounded where it is uploaded."""

_PIECE: Final = 64 * 1024
_HEAD: Final = 8
_GZIP: Final = b"\x1f\x8b"
_OFFICE: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# A list of numbers shrinks to a tenth; a hundredth of that is made to fill our disk and time.
_BOMB_RATIO: Final = 200
_BOMB_SIZE: Final = 16 * 1024 * 1024
# How undecodable bytes show up: see `surrogateescape`.
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")


class Source(Protocol):
    """Anything that is read forward: a file, an answer of S3."""

    def read(self, size: int = -1, /) -> bytes: ...


class UploadError(ValueError):
    """The whole file is refused; `row` is the data row where reading ended, None before the first."""

    def __init__(self, code: str, detail: str, *, row: int | None = None) -> None:
        super().__init__(detail if row is None else f"row {row}: {detail}")
        self.code = code
        self.detail = detail
        self.row = row


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What is around the text of an upload; `mark` is the length of its byte order mark."""

    is_packed: bool
    encoding: str
    mark: int


class Records(Iterator[str]):
    """Lines, counted into records: the reader calls `begin` before each, and a line too many ends it all.

    `offset` is where the next line begins.
    """

    def __init__(self, lines: Iterator[str], *, encoding: str, offset: int) -> None:
        self._lines = lines
        self._encoding = encoding
        self._length = 0
        self.offset = offset
        self.row: int | None = None
        self.is_exhausted = False

    def begin(self, row: int | None) -> None:
        """Tell that the lines from here on belong to this data row."""
        self.row = row
        self._length = 0

    def peek(self) -> str | None:
        """Look at the first line that is not blank, None if there is none; it stays to be read."""
        for line in self:
            self.begin(None)
            if line.strip():
                self._lines = chain([line], self._lines)
                self.offset -= self._size(line)
                return line
        return None

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
        self.offset += self._size(line)
        return line

    def _size(self, line: str) -> int:
        return len(line.encode(self._encoding))


def open_records(source: Source) -> tuple[Wrapping, Records]:
    """Open an upload at its front, and find out what is around its text."""
    head, pieces = _peek(iter(partial(source.read, _PIECE), b""))
    is_packed = head.startswith(_GZIP)
    if is_packed:
        head, pieces = _peek(unpack(pieces))
    encoding, mark = _encoding(head)
    wrapping = Wrapping(is_packed, encoding, mark)
    return wrapping, _records(_drop(pieces, mark), encoding, mark)


def reopen_records(source: Source, wrapping: Wrapping, offset: int) -> Records:
    """Go on from an offset; the source stands there, or at its front if the file is packed."""
    pieces = iter(partial(source.read, _PIECE), b"")
    if wrapping.is_packed:
        pieces = _drop(unpack(pieces), offset)
    return _records(pieces, wrapping.encoding, offset)


def unpack(pieces: Iterator[bytes], *, longest: int = LONGEST_TEXT) -> Iterator[bytes]:
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
            _check_size(written, read, longest)
            if inflated:
                yield inflated
    if not inflater.eof:
        raise UploadError("bad_gzip", "the gzip file is cut off; upload it again")


def _check_size(written: int, read: int, longest: int) -> None:
    if written > max(_BOMB_SIZE, _BOMB_RATIO * read):
        raise UploadError("gzip_bomb", "grows too much when unpacked; upload it unpacked")
    if written > longest:
        raise UploadError(
            "file_too_large", f"more than {longest // 1_000_000_000} GB when unpacked; split it"
        )


def _inflate(inflater: zlib._Decompress, deflated: bytes) -> bytes:
    try:
        return inflater.decompress(deflated, _PIECE)
    except zlib.error:
        raise UploadError("bad_gzip", "the gzip file is damaged; upload it again") from None


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Look at the first bytes, and give all pieces back."""
    head = b""
    while len(head) < _HEAD and (piece := next(pieces, b"")):
        head += piece
    return head, chain([head] if head else [], pieces)


def _drop(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Leave out the first bytes."""
    for piece in pieces:
        if size < len(piece):
            yield piece[size:]
        size = max(0, size - len(piece))


def _encoding(head: bytes) -> tuple[str, int]:
    """Tell the encoding, and the length of the byte order mark."""
    if head.startswith(_OFFICE):
        raise UploadError("spreadsheet_file", "a spreadsheet or archive; save it as CSV UTF-8")
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    if head[:1] == b"\0":
        return "utf-16-be", 0
    return ("utf-16-le", 0) if head[1:2] == b"\0" else ("utf-8", 0)


def _records(pieces: Iterator[bytes], encoding: str, offset: int) -> Records:
    return Records(_lines(pieces, encoding), encoding=encoding, offset=offset)


def _lines(pieces: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Yield lines with their line ends; a byte that is not UTF-8 comes as a lone surrogate."""
    raw = io.BufferedReader(_Pieces(pieces), _PIECE)
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    text = io.TextIOWrapper(raw, encoding, errors, newline="")
    try:
        yield from iter(partial(text.readline, LONGEST_RECORD + 1), "")
    except UnicodeError:
        raise UploadError("not_utf8", "damaged UTF-16; save the file as CSV UTF-8") from None


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
