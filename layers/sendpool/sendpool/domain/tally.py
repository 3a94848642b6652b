"""Counting a broadcast exactly, although changes are reported twice and out of order.

Each chunk has a tally: for every message in it, where it stands. A change moves a message forward or not at
all, so applying it twice changes nothing the second time; a broadcast's counters move by the difference
between a chunk's old and new tally, written in one transaction with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sendpool.domain.message import Status, later

_WITH_A_CODE = frozenset({Status.FAILED, Status.UNDELIVERED})
_WITH_A_REASON = frozenset({Status.SKIPPED, Status.FAILED})
_WRITTEN = re.compile(r"([a-z]+)(?::(.*?))?(?:@(\d+)([A-Z]*))?", re.ASCII)

BILLED = "billed"
"""The counter of messages that have a price."""
PRICE = "price:"
"""What begins the name of a counter that sums up prices; the currency follows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one message stands, and why: a Twilio error code or a reason for skipping.

    `price` is what Twilio billed for it, in millionths of `currency`; None until that is known.
    """

    status: Status
    why: str = ""
    price: int | None = None
    currency: str = ""

    @property
    def name(self) -> str:
        """The counter of those that stand here for the same reason."""
        return f"{self.status}:{self.why}" if self.why else str(self.status)

    @property
    def error_code(self) -> int | None:
        """The Twilio error with which it failed; None if it did not, or for another reason."""
        return int(self.why) if self.status in _WITH_A_CODE and self.why.isdigit() else None

    def __str__(self) -> str:
        return self.name if self.price is None else f"{self.name}@{self.price}{self.currency}"

    @classmethod
    def parse(cls, text: str) -> Standing:
        """Read what `str` wrote; raises ValueError when it is something else."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("not a standing")
        status, why, price, currency = found.groups(default="")
        return cls(Status(status), why, int(price) if price else None, currency)


def standing(
    status: Status,
    *,
    error_code: int | None,
    reason: str | None,
    price: int | None = None,
    currency: str | None = None,
) -> Standing:
    """Say where a message stands, by its send result or its delivery."""
    why = error_code if status in _WITH_A_CODE else None
    if why is None and status in _WITH_A_REASON:
        return Standing(status, reason or "", price, currency or "")
    return Standing(status, str(why) if why else "", price, currency or "")


Tally = dict[int, Standing]
"""The standing of each message of a chunk, by its number; a message nobody reported yet is absent."""


def moved(tally: Tally, changes: Iterable[tuple[int, Standing]]) -> Tally:
    """Return the tally after these changes, in any order and however often each is given.

    Of each message the later status stands, and the larger price.
    """
    after = dict(tally)
    for number, standing in changes:
        before = after.get(number)
        after[number] = _forward(before, standing) if before else standing
    return after


def _forward(before: Standing, said: Standing) -> Standing:
    is_later = later(before.status, said.status) is not before.status
    priced = max(before, said, key=lambda each: -1 if each.price is None else each.price)
    return replace(said if is_later else before, price=priced.price, currency=priced.currency)


def counts(tally: Tally) -> Counter[str]:
    """Count a tally: one under the status, and one under `<status>:<why>` where there is a why.

    Of those with a price, `billed` is the number, and `price:<currency>` the sum in millionths.
    """
    counted: Counter[str] = Counter()
    for standing in tally.values():
        counted[str(standing.status)] += 1
        if standing.why:
            counted[standing.name] += 1
        if standing.price is not None:
            counted[BILLED] += 1
            counted[PRICE + standing.currency] += standing.price
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
