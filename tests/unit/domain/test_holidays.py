"""Holidays that close a state: the days of 2026 and 2027 by hand, Easter against dateutil, weekends with care."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dateutil.easter import easter as easter_of_dateutil
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.holidays import CALENDARS, easter, holidays

FEDERAL = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25",
    # 19 June, Christmas and the next New Year's Day are Saturdays, 4 July is a Sunday
    2027: "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
}
OF_STATES = {
    ("US", 2026): "",
    ("US", 2027): "",
    ("US-AL", 2026): "02-17 04-27 06-01",
    ("US-AL", 2027): "02-09 04-26 06-07",
    ("US-LA", 2026): "02-17 04-03 11-01 11-02",
    ("US-LA", 2027): "02-09 03-26 11-01",
    ("US-PA", 2026): "04-03 06-14 06-15 11-03",
    ("US-PA", 2027): "03-26 06-14 11-02",
    ("US-RI", 2026): "08-10 11-03",
    ("US-RI", 2027): "08-09",
    ("US-UT", 2026): "07-24",
    ("US-UT", 2027): "07-23 07-24",
}
FRENCH = {
    2026: "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
    2027: "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25",
}


def days(year: int, *written: str) -> set[date]:
    return {date.fromisoformat(f"{year}-{day}") for line in written for day in line.split()}


@pytest.mark.parametrize(("calendar", "year"), OF_STATES)
def test_a_state_is_closed_on_the_federal_days_and_its_own(calendar: str, year: int) -> None:
    assert holidays(calendar, year) == days(year, FEDERAL[year], OF_STATES[calendar, year])


@pytest.mark.parametrize("year", FRENCH)
def test_france_has_its_own_days_and_moves_none_of_them(year: int) -> None:
    assert holidays("FR", year) == days(year, FRENCH[year])


def test_every_calendar_stands_here() -> None:
    assert {calendar for calendar, _ in OF_STATES} | {"FR"} == set(CALENDARS)


@given(st.integers(1900, 2199))
def test_easter_is_when_dateutil_has_it(year: int) -> None:
    assert easter(year) == easter_of_dateutil(year)


@given(
    st.sampled_from([name for name, each in CALENDARS.items() if each.at_weekends]),
    st.integers(2020, 2100),
)
def test_a_fixed_day_at_the_weekend_closes_the_working_day_beside_it(
    calendar: str, year: int
) -> None:
    for month, day in CALENDARS[calendar].fixed:
        fixed = date(year, month, day)
        beside = {5: fixed - timedelta(days=1), 6: fixed + timedelta(days=1)}.get(fixed.weekday())
        for closed in {fixed, beside or fixed}:
            assert closed in holidays(calendar, closed.year)
