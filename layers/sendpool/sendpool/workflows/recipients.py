"""Where an import's recipients come from: an upload, or the rows of a broadcast of which some failed.

Both are read forward from any bookmark on, and both stay the same while they are read: an upload is asked for by its
ETag, and of whom to try again a list is kept before the first part of the rows is put.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched
from typing import Protocol, override

from pyroaring import BitMap

from sendpool.adapters.files import Files, Upload
from sendpool.adapters.ledger.broadcasts import Tallies
from sendpool.adapters.ledger.messages import Messages
from sendpool.domain.broadcast import Broadcast, ImportCursor, is_tried_again
from sendpool.domain.message import Place
from sendpool.domain.recipients import (
    BadRow,
    Bookmark,
    Layout,
    Row,
    UploadError,
    begin_reading,
    go_on_reading,
)
from sendpool.domain.rows import rows_of
from sendpool.domain.upload_text import Wrapping

_CHUNKS_A_READ = 100
_BYTES_A_READ = 1024 * 1024
_LAYOUT = Layout(wrapping=Wrapping(is_packed=False, encoding="ascii", mark=0))


class Recipients(Protocol):
    """Recipients, row by row; `bookmark` is the place after the last one that was read."""

    @property
    def bookmark(self) -> Bookmark: ...

    def __iter__(self) -> Iterator[Row | BadRow]: ...

    def __next__(self) -> Row | BadRow: ...


class Source(Protocol):
    """Where recipients come from."""

    def begin(self) -> Recipients:
        """Read from the first one on."""
        ...

    def keep(self, upload_id: str) -> str:
        """Make sure that later ticks read the same; returns the ETag of what they are to read."""
        ...

    def go_on(self, cursor: ImportCursor, bookmark: Bookmark | None) -> Recipients:
        """Read on from a bookmark, or from the first one on, what `keep` made sure of."""
        ...


def source_of(
    broadcast: Broadcast,
    *,
    files: Files,
    tallies: Tallies,
    messages: Messages,
    again: Broadcast | None,
) -> Source:
    """Return where a broadcast's recipients come from; `again` is the one that it tries again."""
    if again is None:
        return Uploaded(broadcast.id, files)
    return Failed(broadcast, again, files=files, tallies=tallies, messages=messages)


# ------------------------------------------------------------------------------------------------ an upload


class Uploaded(Source):
    """What people uploaded; with `etag` only if it is still that file."""

    def __init__(self, broadcast_id: str, files: Files, *, etag: str | None = None) -> None:
        self._broadcast_id = broadcast_id
        self._files = files
        self._upload = files.open_upload(broadcast_id, etag=etag)

    @override
    def begin(self) -> Recipients:
        return begin_reading(self._upload)

    @override
    def keep(self, upload_id: str) -> str:
        return self._upload.etag or ""

    @override
    def go_on(self, cursor: ImportCursor, bookmark: Bookmark | None) -> Recipients:
        def open_at(start: int) -> Upload:
            return self._files.open_upload(self._broadcast_id, start=start, etag=cursor.upload_etag)

        return go_on_reading(open_at, bookmark) if bookmark else begin_reading(open_at(0))


# ------------------------------------------------------------------------------------------------ those who failed


class Failed(Source):
    """Those of another broadcast whose messages failed with a code that is tried again."""

    def __init__(
        self,
        broadcast: Broadcast,
        again: Broadcast,
        *,
        files: Files,
        tallies: Tallies,
        messages: Messages,
    ) -> None:
        self._broadcast = broadcast
        self._again = again
        self._files = files
        self._tallies = tallies
        self._messages = messages
        self._numbers = BitMap()

    @override
    def begin(self) -> Recipients:
        self._numbers = BitMap(self._failed())
        if not self._numbers:
            raise UploadError(
                "nothing_to_retry", "no message has failed for a reason to try it again"
            )
        return self._rows(self._again.rows_etag or "", offset=0)

    @override
    def keep(self, upload_id: str) -> str:
        self._files.keep_chosen(self._broadcast.id, upload_id, self._numbers.serialize())
        return self._again.rows_etag or ""

    @override
    def go_on(self, cursor: ImportCursor, bookmark: Bookmark | None) -> Recipients:
        kept = self._files.kept_chosen(self._broadcast.id, cursor.upload_id)
        self._numbers = BitMap.deserialize(kept)
        return self._rows(cursor.upload_etag, offset=bookmark.offset if bookmark else 0)

    def _rows(self, etag: str, *, offset: int) -> KeptRows:
        upload = self._files.open_rows(self._again.id, start=offset, etag=etag)
        return KeptRows(upload, self._numbers, offset=offset)

    def _failed(self) -> Iterator[int]:
        """Yield the row numbers of those to try again."""
        codes = self._broadcast.retry_codes
        for some in batched(range(self._again.cursor.chunk), _CHUNKS_A_READ, strict=False):
            tallies = self._tallies.read((self._again.id, chunk) for chunk in some)
            ids = [
                Place(self._again.id, chunk, number).message_id
                for (_, chunk), each in tallies.items()
                for number, standing in each.tally.standings.items()
                if standing.error_code and is_tried_again(standing.error_code, codes)
            ]
            yield from self._messages.rows_of(ids).values()


class KeptRows(Iterator[Row | BadRow]):
    """Rows that were read before, of another broadcast: those with these numbers, which they keep."""

    def __init__(self, upload: Upload, numbers: BitMap, *, offset: int) -> None:
        self._upload = upload
        self._numbers = numbers
        self._offset = offset
        self._rows = self._read()

    @property
    def bookmark(self) -> Bookmark:
        return Bookmark(_LAYOUT, self._offset)

    @override
    def __next__(self) -> Row | BadRow:
        return next(self._rows)

    def _read(self) -> Iterator[Row]:
        rest = b""
        while piece := self._upload.read(_BYTES_A_READ):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            for length, row in rows_of(lines + end):
                self._offset += length
                if row["row"] in self._numbers:
                    yield Row(row["row"], row["to"], row["variables"], row.get("timezone"))
