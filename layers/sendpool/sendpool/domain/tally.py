"""Counting a broadcast exactly, although changes are reported twice and out of order.

Each chunk has a tally: for every message in it, where it stands, and how its clicks are counted. A change moves a
message forward or not at all, so applying it twice changes nothing the second time; a broadcast's counters move by the
difference between a chunk's old and new tally, written in one transaction with it.

Statuses move forward by their rank. Clicks have none: one that counted as a person's may turn out to be a scanner's, so
counts go down as well as up, and of two the one of the later version stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sendpool.domain.message import Status, later

_WITH_A_CODE = frozenset({Status.FAILED, Status.UNDELIVERED})
_WITH_A_REASON = frozenset({Status.SKIPPED, Status.FAILED})
_WRITTEN = re.compile(r"([a-z]+)(?::(.*?))?(?:@(\d+)([A-Z]*))?", re.ASCII)
_CLICKS_WRITTEN = re.compile(r"(\d+):(\d+)/(\d+)/(\d+)(\+?)", re.ASCII)

BILLED = "billed"
"""The counter of messages that have a price."""
PRICE = "price:"
"""What begins the name of a counter that sums up prices; the currency follows."""
CLICKS = "clicks"
"""The counter of clicks; after it and a colon `previews`, `scanners`, `human`, and of messages `people`, `capped`."""


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


@dataclass(frozen=True, slots=True)
class Clicked:
    """How the clicks of one message are counted, as of a version of theirs; `has_more` when there were more of them."""

    version: int
    previews: int
    scanners: int
    human: int
    has_more: bool = False

    def __str__(self) -> str:
        more = "+" * self.has_more
        return f"{self.version}:{self.previews}/{self.scanners}/{self.human}{more}"

    @classmethod
    def parse(cls, text: str) -> Clicked:
        """Read what `str` wrote; raises ValueError when it is something else."""
        found = _CLICKS_WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("not counts of clicks")
        version, previews, scanners, human, more = found.groups()
        return cls(int(version), int(previews), int(scanners), int(human), has_more=bool(more))


@dataclass(frozen=True, slots=True)
class Tally:
    """The standing of each message of a chunk, and how its clicks are counted, by its number.

    A message of which nobody reported the one or the other yet is absent there.
    """

    standings: Mapping[int, Standing] = field(default_factory=dict)
    clicks: Mapping[int, Clicked] = field(default_factory=dict)


Reported = tuple[int, Standing | Clicked]
"""What is reported of a message, by its number."""


def moved(tally: Tally, changes: Iterable[Reported]) -> Tally:
    """Return the tally after these changes, in any order and however often each is given.

    Of each message the later status stands, the larger price, and the later version of its clicks.
    """
    standings, clicks = dict(tally.standings), dict(tally.clicks)
    for number, said in changes:
        match said:
            case Standing():
                before = standings.get(number)
                standings[number] = _forward(before, said) if before else said
            case Clicked():
                clicks[number] = max(clicks.get(number, said), said, key=lambda each: each.version)
    return Tally(standings, clicks)


def _forward(before: Standing, said: Standing) -> Standing:
    is_later = later(before.status, said.status) is not before.status
    priced = max(before, said, key=lambda each: -1 if each.price is None else each.price)
    return replace(said if is_later else before, price=priced.price, currency=priced.currency)


def counts(tally: Tally) -> Counter[str]:
    """Count a tally: one under the status, and one under `<status>:<why>` where there is a why.

    Of those with a price, `billed` is the number, and `price:<currency>` the sum in millionths. Clicks are summed up
    under `clicks` and by what made them; `clicks:people` is how many messages a person followed a link of, and
    `clicks:capped` how many had more clicks than are counted.
    """
    counted: Counter[str] = Counter()
    for standing in tally.standings.values():
        counted[str(standing.status)] += 1
        if standing.why:
            counted[standing.name] += 1
        if standing.price is not None:
            counted[BILLED] += 1
            counted[PRICE + standing.currency] += standing.price
    for each in tally.clicks.values():
        counted[CLICKS] += each.previews + each.scanners + each.human
        counted[f"{CLICKS}:previews"] += each.previews
        counted[f"{CLICKS}:scanners"] += each.scanners
        counted[f"{CLICKS}:human"] += each.human
        counted[f"{CLICKS}:people"] += bool(each.human)
        counted[f"{CLICKS}:capped"] += each.has_more
    return counted


def difference(before: Tally, after: Tally) -> dict[str, int]:
    """Return by how much each counter moves, without the ones that stay."""
    moves = counts(after)
    moves.subtract(counts(before))
    return {name: by for name, by in moves.items() if by}


def dump(tally: Tally) -> str:
    """Write a tally as text: `number=standing`, and `number~clicks` where there are any, separated by spaces."""
    standings = (f"{number}={standing}" for number, standing in sorted(tally.standings.items()))
    clicks = (f"{number}~{each}" for number, each in sorted(tally.clicks.items()))
    return " ".join((*standings, *clicks))


def load(text: str) -> Tally:
    return moved(Tally(), map(_read, text.split()))


def _read(entry: str) -> Reported:
    number, sign, said = re.split("([=~])", entry, maxsplit=1)
    return int(number), Standing.parse(said) if sign == "=" else Clicked.parse(said)
