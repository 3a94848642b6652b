"""Days on which some laws allow no marketing: federal and state holidays of the US, and those of France.

Rules of our own, not the `holidays` library: that is 9 MB and 0.3 to 0.8 s of import for six calendars that need
thirty lines, and it knows neither the laws' lists nor our caution at weekends. Source: compliance notes, section 1.2
(federal: 5 U.S.C. 6103; the states' own days come from tables and are less certain; France: Code du travail L3133-1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

_MONDAY: Final = 0
_THURSDAY: Final = 3
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_DAY: Final = timedelta(days=1)


class Elections(StrEnum):
    """Years in which the day of the general election, the Tuesday after the first Monday of November, is a holiday."""

    NEVER = "never"
    YEARLY = "yearly"
    EVEN_YEARS = "even years"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The holidays of a place.

    `fixed` are months and days; `floating` month, weekday (0 is Monday) and which one in the month, -1 the last;
    `from_easter` days after Easter Sunday. With `at_weekends` a fixed day on a Saturday closes the Friday too, and
    one on a Sunday the Monday.
    """

    fixed: tuple[tuple[int, int], ...]
    floating: tuple[tuple[int, int, int], ...] = ()
    from_easter: tuple[int, ...] = ()
    elections: Elections = Elections.NEVER
    at_weekends: bool = True


_FEDERAL_FIXED: Final = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_FEDERAL_FLOATING: Final = (
    (1, _MONDAY, 3),
    (2, _MONDAY, 3),
    (5, _MONDAY, -1),
    (9, _MONDAY, 1),
    (10, _MONDAY, 2),
    (11, _THURSDAY, 4),
)
_GOOD_FRIDAY: Final = -2
_MARDI_GRAS: Final = -47

CALENDARS: Final = {
    "US": Calendar(fixed=_FEDERAL_FIXED, floating=_FEDERAL_FLOATING),
    "US-AL": Calendar(
        fixed=_FEDERAL_FIXED,
        # Confederate Memorial Day, Jefferson Davis' Birthday
        floating=(*_FEDERAL_FLOATING, (4, _MONDAY, 4), (6, _MONDAY, 1)),
        from_easter=(_MARDI_GRAS,),
    ),
    "US-LA": Calendar(
        fixed=(*_FEDERAL_FIXED, (11, 1)),
        floating=_FEDERAL_FLOATING,
        from_easter=(_MARDI_GRAS, _GOOD_FRIDAY),
    ),
    "US-PA": Calendar(
        fixed=(*_FEDERAL_FIXED, (6, 14)),
        floating=_FEDERAL_FLOATING,
        from_easter=(_GOOD_FRIDAY,),
        elections=Elections.YEARLY,
    ),
    "US-RI": Calendar(
        fixed=_FEDERAL_FIXED,
        # Victory Day
        floating=(*_FEDERAL_FLOATING, (8, _MONDAY, 2)),
        elections=Elections.EVEN_YEARS,
    ),
    "US-UT": Calendar(fixed=(*_FEDERAL_FIXED, (7, 24)), floating=_FEDERAL_FLOATING),
    "FR": Calendar(
        fixed=((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)),
        from_easter=(1, 39, 50),
        at_weekends=False,
    ),
}


@lru_cache(maxsize=256)
def holidays(calendar: str, year: int) -> frozenset[date]:
    """Return the days of a year that are closed by a calendar of CALENDARS, with those closed for a weekend."""
    # a New Year's Day on a Saturday closes the last day of the year before
    days = (day for of in (year, year + 1) for day in _closed(CALENDARS[calendar], of))
    return frozenset(day for day in days if day.year == year)


def easter(year: int) -> date:
    """Return Easter Sunday of a Gregorian year, by the anonymous algorithm of Nature, 1876."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    moon = (
        19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _closed(calendar: Calendar, year: int) -> Iterator[date]:
    for month, day in calendar.fixed:
        fixed = date(year, month, day)
        yield fixed
        if calendar.at_weekends and fixed.weekday() == _SATURDAY:
            yield fixed - _DAY
        if calendar.at_weekends and fixed.weekday() == _SUNDAY:
            yield fixed + _DAY
    for month, weekday, count in calendar.floating:
        yield _nth(year, month, weekday, count)
    for days in calendar.from_easter:
        yield easter(year) + days * _DAY
    if _votes(calendar.elections, year):
        yield _nth(year, 11, _MONDAY, 1) + _DAY


def _votes(elections: Elections, year: int) -> bool:
    return elections is Elections.YEARLY or (elections is Elections.EVEN_YEARS and year % 2 == 0)


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    """Return the first, second, … such weekday of a month; -1 is the last."""
    if count > 0:
        first = date(year, month, 1)
        return first + ((weekday - first.weekday()) % 7 + 7 * (count - 1)) * _DAY
    last = date(year + month // 12, month % 12 + 1, 1) - _DAY
    return last - (last.weekday() - weekday) % 7 * _DAY
