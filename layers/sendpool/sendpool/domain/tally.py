"""Counting a broadcast exactly, although changes are reported twice and out of order.

Each chunk has a tally: for every message in it, where it stands. A change moves a message forward or not at
all, so applying it twice changes nothing the second time; a broadcast's counters move by the difference
between a chunk's old and new tally, written in one transaction with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sendpool.domain.message import Status, later


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one message stands, and why: a Twilio error code or a reason for skipping."""

    status: Status
    why: str = ""

    def __str__(self) -> str:
        return f"{self.status}:{self.why}" if self.why else str(self.status)

    @classmethod
    def parse(cls, text: str) -> Standing:
        status, _, why = text.partition(":")
        return cls(Status(status), why)


Tally = dict[int, Standing]
"""The standing of each message of a chunk, by its number; a message nobody reported yet is absent."""


def moved(tally: Tally, changes: Iterable[tuple[int, Standing]]) -> Tally:
    """Return the tally after these changes, in any order and however often each is given."""
    after = dict(tally)
    for number, standing in changes:
        before = after.get(number)
        if before is None or later(before.status, standing.status) is not before.status:
            after[number] = standing
    return after


def counts(tally: Tally) -> Counter[str]:
    """Count a tally: one under the status, and one under `<status>:<why>` where there is a why."""
    counted: Counter[str] = Counter()
    for standing in tally.values():
        counted[str(standing.status)] += 1
        if standing.why:
            counted[str(standing)] += 1
    return counted


def difference(before: Tally, after: Tally) -> dict[str, int]:
    """Return by how much each counter moves, without the ones that stay."""
    moves = counts(after)
    moves.subtract(counts(before))
    return {name: by for name, by in moves.items() if by}


def dump(tally: Tally) -> str:
    """Write a tally as text: `number=standing` separated by spaces."""
    return " ".join(f"{number}={standing}" for number, standing in sorted(tally.items()))


def load(text: str) -> Tally:
    pairs = (entry.split("=", 1) for entry in text.split())
    return {int(number): Standing.parse(standing) for number, standing in pairs}
