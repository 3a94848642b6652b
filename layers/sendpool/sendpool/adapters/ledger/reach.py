"""Whether texts reach a number, in the ledger: landlines, numbers out of service, numbers that were given up.

Each date is written on its own, on the condition that it is later than what is there. Kept for ever: a number that
was given up may belong to a stranger until somebody consents anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table, Update
from sendpool.domain.reach import Reach

Fact = Literal["landline_since", "unreachable_since", "deactivated_on", "consented_at", "texted_at"]
_FACTS: tuple[Fact, ...] = (
    "landline_since",
    "unreachable_since",
    "deactivated_on",
    "consented_at",
    "texted_at",
)


@dataclass(frozen=True, slots=True)
class ReadingPlace:
    """How far the lists of deactivated numbers have been read: `line` lines of this day's."""

    day: date
    line: int


class Reachability:
    """What is known of numbers; a number of which nothing is known has no item."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def among(self, people: Iterable[str]) -> Mapping[str, Reach]:
        """Return what is known of these people's numbers; absent where nothing is."""
        wanted = {keys.reach(person): person for person in people}
        return {wanted[key]: _to_reach(item) for key, item in self._table.get_many(wanted).items()}

    def learn(self, person: str, fact: Fact, at: date | datetime, *, source: str) -> None:
        """Write one date down; one that is not later than the one that is known changes nothing."""
        self._learn(person, fact, at, source=source, of_whom="")

    def heard_from(self, person: str, at: datetime, *, source: str) -> None:
        """Write down that a text came from a number, if anything is known of it that this could lift."""
        self._learn(person, "texted_at", at, source=source, of_whom="attribute_exists(pk) AND ")

    def _learn(
        self, person: str, fact: Fact, at: date | datetime, *, source: str, of_whom: str
    ) -> None:
        written = items.written(at) if isinstance(at, datetime) else at.isoformat()
        self._table.update(
            Update(
                key=keys.reach(person),
                expression="SET #fact = :at, #source = :source",
                condition=f"{of_whom}(attribute_not_exists(#fact) OR #fact < :at)",
                names={"fact": fact, "source": _source_of(fact)},
                values={"at": written, "source": source},
            )
        )

    def is_known(self, person: str) -> bool:
        """Tell whether a message went to this person, or came from them, within the retention."""
        passed, _ = self._table.index_page(
            "by_person", partition=("person", person), after=None, limit=1
        )
        return bool(passed)

    def reading_place(self) -> ReadingPlace | None:
        """Return how far the lists of deactivated numbers have been read; None before the first one."""
        item = self._table.get(keys.deactivations())
        return (
            ReadingPlace(date.fromisoformat(item["read_day"]), item["read_lines"]) if item else None
        )

    def move_reading(self, before: ReadingPlace, after: ReadingPlace) -> bool:
        """Note how far the lists have been read now; False when another one has read on meanwhile."""
        there = {"read_day": after.day.isoformat(), "read_lines": after.line}
        put = self._table.put_if(
            {**keys.deactivations()._asdict(), **there},
            "attribute_not_exists(pk) OR (read_day = :day AND read_lines = :lines)",
            {"day": before.day.isoformat(), "lines": before.line},
        )
        # or it is our own write, repeated by the client after a lost answer
        return put.written or there.items() <= (put.existing or {}).items()


def _source_of(fact: Fact) -> str:
    return f"{fact}_by"


def _to_reach(item: Item) -> Reach:
    def moment(fact: Fact) -> datetime | None:
        return datetime.fromisoformat(item[fact]) if fact in item else None

    return Reach(
        landline_since=moment("landline_since"),
        unreachable_since=moment("unreachable_since"),
        deactivated_on=date.fromisoformat(item["deactivated_on"])
        if "deactivated_on" in item
        else None,
        consented_at=moment("consented_at"),
        texted_at=moment("texted_at"),
        sources={fact: item[_source_of(fact)] for fact in _FACTS if fact in item},
    )
