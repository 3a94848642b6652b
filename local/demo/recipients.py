"""The people of the demo: always the same 2,000 rows, and what has to become of each.

The numbers are fictitious ones (+1 NPA 555 01XX). Some of their endings have a fixed fate in the simulated
Twilio (local/twilio/README.md); only such fates are used that come to an end.
"""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

ROWS = 2_000
SEED = 2_000

_AREAS = (
    201, 203, 205, 206, 207, 208, 209, 210, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229,
    231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 301, 302, 303, 304,
)  # fmt: skip
_FIRST = ("Ada", "Alan", "Barbara", "Claude", "Donald", "Edsger", "Grace", "Hedy", "José", "Zoë")
_LAST = ("Allen", "Hopper", "Johnson", "Lamarr", "O'Neil", 'Shannon "Bit"', "Turing, Jr.", "Núñez")

# an ending of a number, and how many people have one
_FATES = {
    "5550173": 20,  # delivered; every callback comes twice
    "5550174": 20,  # delivered; callbacks come in reverse order
    "5550181": 4,  # failed, 30001
    "5550183": 12,  # undelivered, 30003
    "5550184": 3,  # undelivered, 30034
    "5550185": 8,  # undelivered, 30005
    "5550186": 6,  # undelivered, 30006
    "5550187": 5,  # undelivered, 30007
    "5550188": 4,  # undelivered, 30008
    "5550190": 3,  # opted out elsewhere, 21610
}
# what Twilio refuses at once: a number that cannot be, and two endings made for it
_REFUSED = {"+15005550001": 21211, "+12015550196": 21612, "+12015550194": 21614}
_UNREADABLE = (
    "n/a", "call me", "12345", "+1 202 555", "2.0255550123E+10", "whatsapp:+12025550123",
    "+999 5550123", "202-555-01O3", "(202) 555-0123 ext. 4", "+1202555012345678",
)  # fmt: skip
_UNREADABLE_ROWS = 20
_REPEATED_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A row of the file. `skip` is the reason it has to be left out with, `refusal` Twilio's answer to it."""

    to: str
    name: str
    skip: str | None = None
    refusal: int | None = None


def recipients() -> list[Recipient]:
    """Make the rows, in the order of the file."""
    chance = random.Random(SEED)
    unique = [*_refused(chance), *_fated(chance)]
    ordinary = ROWS - len(unique) - _UNREADABLE_ROWS - _REPEATED_ROWS
    unique += islice(_ordinary(chance), ordinary)
    unreadable = [
        Recipient(to=chance.choice(_UNREADABLE), name=_name(chance), skip="invalid_phone")
        for _ in range(_UNREADABLE_ROWS)
    ]
    repeated = [
        replace(each, to=_as_people_write(each.to), skip="duplicate", refusal=None)
        for each in chance.sample(unique, _REPEATED_ROWS)
    ]
    once = unique + unreadable
    chance.shuffle(once)
    # at the end, so that the first of two is the one that counts
    return once + repeated


def as_csv(rows: list[Recipient]) -> bytes:
    """Write the file that is uploaded."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["to", "name"])
    writer.writerows((row.to, row.name) for row in rows)
    return text.getvalue().encode()


def _refused(chance: random.Random) -> Iterator[Recipient]:
    for to, code in _REFUSED.items():
        yield Recipient(to=to, name=_name(chance), refusal=code)


def _fated(chance: random.Random) -> Iterator[Recipient]:
    for ending, count in _FATES.items():
        for area in _AREAS[:count]:
            yield Recipient(to=f"+1{area}{ending}", name=_name(chance))


def _ordinary(chance: random.Random) -> Iterator[Recipient]:
    for line, area in product(range(100, 160), _AREAS):
        yield Recipient(to=f"+1{area}5550{line}", name=_name(chance))


def _name(chance: random.Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


def _as_people_write(e164: str) -> str:
    return f"({e164[2:5]}) {e164[5:8]}-{e164[8:]}"
