"""Every hour: read the lists of deactivated numbers that have come out, and mark those of people that we know.

Only numbers are kept to which something went, or from which something came, within the retention: a list has some
hundred thousand numbers a day, and keeping all of them would cost ten times as much as asking for each.
A number that nobody has been texted at before comes with a consent that is newer than any deactivation that matters.

How far it has come stands in the ledger. Dying anywhere leaves part of a batch to be done again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import batched, islice

from sendpool.adapters.ledger.reach import Reachability, ReadingPlace
from sendpool.adapters.twilio.products import Deactivations, NotOutYetError, TooOldError
from sendpool.domain.phone import InvalidPhoneError, to_e164

SOURCE = "deactivations"
_BATCH = 1000
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading the lists needs; `may_go_on` says whether there is time for another thousand numbers."""

    deactivations: Deactivations
    reachability: Reachability
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(slots=True)
class Read:
    """What a run did: whole days that were read, numbers in them, those of people we know, and lines that are none."""

    days: int = 0
    numbers: int = 0
    marked: int = 0
    unreadable: int = 0


def catch_up(needs: Reading) -> Read:
    """Read on from where the last run stopped, as far as lists are out and time allows.

    Raises TwilioUnavailableError or TwilioBusyError; the next run goes on then.
    """
    read = Read()
    yesterday = needs.now().date() - timedelta(days=1)
    place: ReadingPlace | None
    place = needs.reachability.reading_place() or ReadingPlace(yesterday, 0)
    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        while place and place.day <= yesterday:
            place = _read_day(place, read, needs, threads)
    return read


def _read_day(
    place: ReadingPlace, read: Read, needs: Reading, threads: ThreadPoolExecutor
) -> ReadingPlace | None:
    """Read the rest of a day's list; returns the place after it, None when this run is over."""
    try:
        lines = needs.deactivations.of(place.day)
    except NotOutYetError:
        return None
    except TooOldError:
        return _moved(place, ReadingPlace(place.day + timedelta(days=1), 0), needs)
    for some in batched(islice(lines, place.line, None), _BATCH, strict=False):
        if not needs.may_go_on():
            return None
        people = list(_people(some, read))
        read.marked += sum(threads.map(partial(_mark, on=place.day, needs=needs), people))
        read.numbers += len(people)
        after = _moved(place, ReadingPlace(place.day, place.line + len(some)), needs)
        if after is None:
            return None
        place = after
    read.days += 1
    return _moved(place, ReadingPlace(place.day + timedelta(days=1), 0), needs)


def _moved(before: ReadingPlace, after: ReadingPlace, needs: Reading) -> ReadingPlace | None:
    """Note how far this run has come; None when another one is at it."""
    return after if needs.reachability.move_reading(before, after) else None


def _people(lines: tuple[str, ...], read: Read) -> Iterator[str]:
    for line in filter(None, lines):
        try:
            yield to_e164(line, default_region="US")
        except InvalidPhoneError:
            read.unreadable += 1


def _mark(person: str, *, on: date, needs: Reading) -> bool:
    if not needs.reachability.is_known(person):
        return False
    needs.reachability.learn(person, "deactivated_on", on, source=SOURCE)
    return True
