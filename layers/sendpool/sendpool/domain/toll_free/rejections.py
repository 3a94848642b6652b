"""Why toll-free numbers are rejected: each of Twilio's codes, with what is wrong, what to change and where.

The table is `data/toll-free-rejections.json`. Codes 308xx and 309xx are the same reasons in the numbers that Twilio
shares among its verification programmes. Source: Twilio's error dictionary of 2026; advice and fields are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).parents[1] / "data" / "toll-free-rejections.json"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a code means. `fields` are those to change; none if nothing in the form helps."""

    problem: str
    fix: str
    fields: tuple[str, ...]


_UNKNOWN: Final = Advice(
    problem="A reason that sendpool does not know.",
    fix="Read Twilio's words, or look the code up in Twilio's error dictionary; then edit what they name.",
    fields=(),
)


@cache
def table() -> Mapping[int, Advice]:
    """Return the advice for each known code."""
    written = json.loads(_TABLE.read_text(encoding="utf-8"))
    known = {
        int(code): Advice(each["problem"], each["fix"], tuple(each["fields"]))
        for code, each in written["codes"].items()
    }
    return known | {int(code): known[as_code] for code, as_code in written["same_as"].items()}


def advice(code: int | None) -> Advice:
    """Tell what to change for a code; for an unknown one, how to find out."""
    return table().get(code or 0, _UNKNOWN)
