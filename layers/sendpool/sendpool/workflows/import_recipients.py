"""Turn what somebody uploaded into rows that can be read from any byte on.

The upload is read forward once: decoded, numbers brought into E.164, repeated ones found (exactly, over the whole
file), one JSON line written a row. Rows that cannot be sent to stay in, with the reason, so that they get an
outcome too.

A short file is done at once. Of a long one the rows are put in parts whose limits follow from the upload alone.
After some parts, and when the tick's time is over, the place in the upload and the numbers seen are kept, and then
the import's cursor moves to there, on condition that it still stands where this tick found it. Wherever it dies,
the next tick reads on from the cursor and puts the same parts again under the same numbers. Two ticks at a time
do the same work, and the one that comes second to the cursor leaves. The rows appear whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from pyroaring import BitMap64

from sendpool.adapters.files import FileChangedError, FileGoneError, Files, RowsFinishedError
from sendpool.domain.broadcast import STANDS_STILL_AFTER, Broadcast, ImportCursor, Problem
from sendpool.domain.phone import InvalidPhoneError, to_e164
from sendpool.domain.recipients import BadRow, Bookmark, Row, UploadError
from sendpool.domain.rows import to_line
from sendpool.domain.whereabouts import is_timezone
from sendpool.workflows.recipients import Recipients, Source

# S3 wants at least 5 MiB a part, and takes so many
PART_BYTES = 8 * 1024 * 1024
_MOST_PARTS = 10_000
# what a kill costs at most: some half a million rows, or 10 seconds
PARTS_A_CHECKPOINT = 8
# the function has 300: the rest is for unpacking up to where the tick begins, and for the last part
_TICK_TIME = timedelta(seconds=180)
_LONGEST_SHOWN = 64


class ImportProgress(Protocol):
    """Keeps how far an import has come: the broadcast's own item, or that of its plan.

    What is moved elsewhere meanwhile stays as it is; only `move_import` has to tell.
    """

    def move_import(
        self,
        broadcast_id: str,
        *,
        before: ImportCursor | None,
        after: ImportCursor,
        due_at: datetime,
    ) -> bool: ...

    def imported(self, broadcast_id: str, *, total: int, etag: str) -> bool: ...

    def fail(self, broadcast_id: str, problem: Problem) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """What an import needs."""

    progress: ImportProgress
    files: Files
    default_region: str
    now: Callable[[], datetime]


@dataclass(slots=True)
class Rows:
    """Makes rows of recipients, in parts; after `first` that can be sent to, the rest is skipped as capped."""

    reader: Recipients
    default_region: str
    first: int | None = None
    total: int = 0
    sendable: int = 0
    seen: BitMap64 = field(default_factory=BitMap64)
    part: bytes = b""
    is_at_end: bool = False

    def fill(self) -> None:
        """Make the next part: whole rows, as many as it takes to fill it."""
        part = bytearray()
        while len(part) < PART_BYTES and not self.is_at_end:
            row = next(self.reader, None)
            if row is None:
                self.is_at_end = True
            else:
                part += to_line(self._row(row))
        self.part = bytes(part)

    def _row(self, row: Row | BadRow) -> dict[str, Any]:
        self.total += 1
        if isinstance(row, BadRow):
            return {"row": row.number, "to": "", "skip": row.reason}
        try:
            to = to_e164(row.to, default_region=self.default_region)
        except InvalidPhoneError as error:
            return {"row": row.number, "to": row.to[:_LONGEST_SHOWN], "skip": error.code}
        if row.timezone and not is_timezone(row.timezone):
            return {"row": row.number, "to": to, "skip": "unknown_timezone"}
        digits = int(to[1:])
        if digits in self.seen:
            return {"row": row.number, "to": to, "skip": "duplicate"}
        self.seen.add(digits)
        self.sendable += 1
        if self.first is not None and self.sendable > self.first:
            return {"row": row.number, "to": to, "skip": "capped"}
        plain = {"row": row.number, "to": to, "variables": row.variables}
        return plain | {"timezone": row.timezone} if row.timezone else plain


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """All that a later tick needs to go on, but for the numbers seen; without a bookmark all is read."""

    etags: list[str]
    total: int
    sendable: int
    bookmark: Bookmark | None

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> _Place:
        plain = json.loads(text)
        bookmark = plain.pop("bookmark")
        return cls(**plain, bookmark=Bookmark.from_plain(bookmark) if bookmark else None)


def import_recipients(
    broadcast: Broadcast, source: Source, importing: Importing, *, by: str
) -> bool:
    """Import the recipients of a broadcast, or as much of it as a tick may; `by` is the tick's queue message.

    Returns True if there is more to do for it, False if another tick is ahead of this one, or if the file cannot
    be used, which fails the broadcast.
    """
    try:
        if broadcast.import_cursor is None:
            return _begin(broadcast, source, importing, by)
        return _go_on(broadcast, broadcast.import_cursor, source, importing, by)
    except RowsFinishedError:
        if importing.files.has_rows(broadcast.id):
            return False  # another tick was faster
        why = UploadError("import_expired", "it stood still for a day, and what was read is gone")
    except FileChangedError:
        why = UploadError("file_changed", "another file was uploaded while this one was read")
    except FileGoneError:
        why = UploadError("recipients_gone", "the recipients have expired, or were deleted")
    except UploadError as error:
        why = error
    # parts that were put are never finished, and expire
    problem = Problem(code=why.code, detail=why.detail, row=why.row)
    importing.progress.fail(broadcast.id, problem)
    return False


def _begin(broadcast: Broadcast, source: Source, importing: Importing, by: str) -> bool:
    """Import a short file at once; of a long one, agree with other ticks where its parts go first."""
    files, progress = importing.files, importing.progress
    rows = Rows(source.begin(), importing.default_region, broadcast.first)
    rows.fill()
    if rows.is_at_end:
        etag = files.put_rows(broadcast.id, rows.part)
        progress.imported(broadcast.id, total=rows.total, etag=etag)
        return True
    upload_id = files.begin_rows(broadcast.id)
    etag = source.keep(upload_id)
    cursor = ImportCursor(upload_etag=etag, upload_id=upload_id, moved_by=by)
    due_at = importing.now() + STANDS_STILL_AFTER
    if not progress.move_import(broadcast.id, before=None, after=cursor, due_at=due_at):
        return False
    return _Import(broadcast.id, cursor, importing, rows, by).run()


def _go_on(
    broadcast: Broadcast, cursor: ImportCursor, source: Source, importing: Importing, by: str
) -> bool:
    if not cursor.parts:
        rows = Rows(source.go_on(cursor, None), importing.default_region, broadcast.first)
        rows.fill()
        return _Import(broadcast.id, cursor, importing, rows, by).run()
    place = _Place.from_json(importing.files.kept_place(broadcast.id, cursor.parts))
    if place.bookmark is None:
        return _finish(broadcast.id, cursor, importing, place)
    rows = Rows(
        source.go_on(cursor, place.bookmark),
        importing.default_region,
        broadcast.first,
        total=place.total,
        sendable=place.sendable,
        seen=BitMap64.deserialize(importing.files.kept_seen(broadcast.id, cursor.parts)),
    )
    rows.fill()
    return _Import(broadcast.id, cursor, importing, rows, by, place.etags).run()


@dataclass(slots=True)
class _Import:
    """One tick of a long import: puts parts, and moves the cursor behind them."""

    broadcast_id: str
    cursor: ImportCursor
    importing: Importing
    rows: Rows
    by: str
    etags: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Put the part that is made and those that follow, until the tick's time is over."""
        until = self.importing.now() + _TICK_TIME
        while True:
            self._put()
            is_over = self.rows.is_at_end or self.importing.now() >= until
            if is_over or len(self.etags) % PARTS_A_CHECKPOINT == 0:
                place = self._place()
                if not self._keep(place):
                    return False
                if self.rows.is_at_end:
                    return _finish(self.broadcast_id, self.cursor, self.importing, place)
            if is_over:
                return True
            self.rows.fill()

    def _put(self) -> None:
        number = len(self.etags) + 1
        if number > _MOST_PARTS:
            raise UploadError("file_too_large", "the rows take too much space; split the file")
        # after the last full part only blank lines may have been left
        if self.rows.part:
            etag = self.importing.files.put_part(
                self.broadcast_id, self.cursor.upload_id, number, self.rows.part
            )
            self.etags.append(etag)
            # nothing holds it while the numbers seen are written out
            self.rows.part = b""

    def _place(self) -> _Place:
        return _Place(
            etags=self.etags,
            total=self.rows.total,
            sendable=self.rows.sendable,
            bookmark=None if self.rows.is_at_end else self.rows.reader.bookmark,
        )

    def _keep(self, place: _Place) -> bool:
        """Keep the place, and move the cursor to it; False when another tick moved it."""
        after = replace(self.cursor, parts=len(self.etags), moved_by=self.by)
        self.importing.files.keep_import(
            self.broadcast_id, after.parts, place=place.to_json(), seen=self.rows.seen.serialize()
        )
        before, self.cursor = self.cursor, after
        due_at = self.importing.now() + STANDS_STILL_AFTER
        return self.importing.progress.move_import(
            self.broadcast_id, before=before, after=after, due_at=due_at
        )


def _finish(broadcast_id: str, cursor: ImportCursor, importing: Importing, place: _Place) -> bool:
    etag = importing.files.finish_rows(broadcast_id, cursor.upload_id, place.etags)
    importing.progress.imported(broadcast_id, total=place.total, etag=etag)
    return True
