"""Rows of a broadcast as we keep them: one JSON object a line, `row` being the number in what was uploaded.

Those that can be sent to have `variables`, and perhaps `timezone`; the others have `skip`, the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


def to_line(row: Mapping[str, Any]) -> bytes:
    """Write a row, in ASCII."""
    return _encode(row).encode() + b"\n"


def rows_of(lines: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read whole lines back, each with its length in bytes; a last line without its end is left out."""
    for line in lines.decode("ascii").split("\n")[:-1]:
        yield len(line) + 1, _decode(line)
