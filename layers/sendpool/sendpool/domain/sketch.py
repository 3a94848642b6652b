"""Two long lists of names held against each other in little memory: which names only one of them has.

A sketch is a table of fixed size. Each name is added to four of its cells, which sum up how many names they hold, the
names (as numbers) and a check of each. Sketches add up, and that of one list less that of another holds nothing but
what differs: a cell with one name tells it, taking it out of its other cells lays open the next. Up to some 250 names
come out again; of more, only how many there are. (An invertible Bloom lookup table; Eppstein, Goodrich, Uyeda and
Varghese, "What's the Difference?", SIGCOMM 2011.)
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import batched
from typing import Final, NamedTuple

_TABLES: Final = 4
# one byte of a name's hash chooses a cell of each table
_CELLS_A_TABLE: Final = 256 // 2
_CELLS: Final = _TABLES * _CELLS_A_TABLE


class Cell(NamedTuple):
    """How often names were added, and the sums of them and of their checks; negative where they were taken away."""

    times: int = 0
    names: int = 0
    checks: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """The names that came out of a sketch, each with how often it is there, and how many others there are on balance.

    A name that was taken away more often than added counts negatively. `is_all`: there are no others.
    """

    names: Counter[str]
    others: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class Sketch:
    """Names, each any number of times."""

    cells: tuple[Cell, ...] = (Cell(),) * _CELLS

    @classmethod
    def of(cls, names: Iterable[str]) -> Sketch:
        cells = list(NOTHING.cells)
        for name in names:
            _add(cells, name, 1)
        return cls(tuple(cells))

    @property
    def balance(self) -> int:
        """How many names there are, repeats included, less those that were taken away."""
        return sum(cell.times for cell in self.cells[:_CELLS_A_TABLE])

    def __add__(self, other: Sketch) -> Sketch:
        return self._with(other, 1)

    def __sub__(self, other: Sketch) -> Sketch:
        return self._with(other, -1)

    def _with(self, other: Sketch, times: int) -> Sketch:
        return Sketch(
            tuple(
                Cell(*(a + times * b for a, b in zip(mine, its, strict=True)))
                for mine, its in zip(self.cells, other.cells, strict=True)
            )
        )

    def named(self) -> Named:
        """Return the names that are in here, as far as they come out."""
        cells = list(self.cells)
        found: Counter[str] = Counter()
        waiting = list(range(_CELLS))
        while waiting:
            at = waiting.pop()
            name = _only_name(cells[at], at)
            if name is not None:
                times = cells[at].times
                found[name] += times
                _add(cells, name, -times)
                waiting += _places(name)
        is_all = not any(any(cell) for cell in cells)
        return Named(found, Sketch(tuple(cells)).balance, is_all)

    def dump(self) -> str:
        """Write it as text, short while it holds little and some 30,000 characters at most."""
        text = " ".join(f"{number:x}" for cell in self.cells for number in cell)
        return base64.b85encode(zlib.compress(text.encode())).decode()

    @classmethod
    def load(cls, text: str) -> Sketch:
        """Read what `dump` wrote."""
        numbers = (int(each, 16) for each in zlib.decompress(base64.b85decode(text)).split())
        return cls(tuple(Cell(*cell) for cell in batched(numbers, 3, strict=True)))


NOTHING: Final = Sketch()


def _add(cells: list[Cell], name: str, times: int) -> None:
    number, check = int.from_bytes(name.encode()), _check(name)
    for at in _places(name):
        before, names, checks = cells[at]
        cells[at] = Cell(before + times, names + times * number, checks + times * check)


def _only_name(cell: Cell, at: int) -> str | None:
    """Return the name that a cell holds if it holds one alone, however often."""
    if not cell.times or cell.names % cell.times or cell.names // cell.times < 0:
        return None
    number = cell.names // cell.times
    try:
        name = number.to_bytes((number.bit_length() + 7) // 8).decode()
    except UnicodeDecodeError:
        return None
    is_it = cell.checks == cell.times * _check(name) and at in _places(name)
    return name if is_it else None


def _places(name: str) -> Iterator[int]:
    """Yield a name's cell in each table."""
    for table, byte in enumerate(blake2b(name.encode(), digest_size=_TABLES).digest()):
        yield table * _CELLS_A_TABLE + byte % _CELLS_A_TABLE


def _check(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=6, key=b"check").digest())
