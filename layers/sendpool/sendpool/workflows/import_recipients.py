"""Turn what somebody uploaded into rows that can be read from any byte on.

One pass over the upload: decode it, bring numbers into E.164, find repeated ones (exactly, over the whole
file), and write one JSON line a row. Rows that cannot be sent to stay in, with the reason, so that they get an
outcome too. A crash leaves nothing behind: the rows appear whole or not at all, and the same upload gives the
same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap64

from sendpool.adapters.files import Files
from sendpool.domain.phone import InvalidPhoneError, to_e164
from sendpool.domain.recipients import BadRow, Row, UploadError, read_rows

_LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Imported:
    """The rows of a broadcast: how many, and the ETag of the file that holds them."""

    total: int
    etag: str


def import_recipients(broadcast_id: str, *, files: Files, default_region: str) -> Imported:
    """Import the upload of a broadcast.

    Raises UploadError when the file as a whole cannot be used.
    """
    importing = _Import(default_region)
    with files.open_upload(broadcast_id) as upload:
        etag = files.write_rows(
            broadcast_id, (_line(importing.row(row)) for row in read_rows(upload))
        )
    if not importing.total:
        raise UploadError("empty_file", detail="The file has no recipients.")
    return Imported(importing.total, etag)


@dataclass(slots=True)
class _Import:
    default_region: str
    total: int = 0
    seen: BitMap64 = field(default_factory=BitMap64)

    def row(self, row: Row | BadRow) -> dict[str, Any]:
        self.total += 1
        if isinstance(row, BadRow):
            return {"row": row.number, "to": "", "skip": row.reason}
        try:
            to = to_e164(row.to, default_region=self.default_region)
        except InvalidPhoneError as error:
            return {"row": row.number, "to": row.to[:_LONGEST_SHOWN], "skip": error.code}
        digits = int(to[1:])
        if digits in self.seen:
            return {"row": row.number, "to": to, "skip": "duplicate"}
        self.seen.add(digits)
        timezone = {"timezone": row.timezone} if row.timezone else {}
        return {"row": row.number, "to": to, "variables": row.variables, **timezone}


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def rows_of(lines: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read whole lines back, each with its length in bytes; a last line without its end is left out."""
    for line in lines.splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield len(line), json.loads(line)
