"""Quiet hours, held against an oracle that walks the wall clock by a table and clocks of its own."""

from __future__ import annotations

import json
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpool.domain import quiet_hours as module
from sendpool.domain.quiet_hours import (
    Cap,
    Closed,
    InvalidWindowError,
    Open,
    Watch,
    Window,
    caps_at,
    hours_at,
    load_rules,
)
from sendpool.domain.whereabouts import (
    UnknownStateError,
    Whereabouts,
    anywhere_in_the_us,
    whereabouts,
    zone_info,
)

RULES = load_rules()
HALF_HOUR = timedelta(minutes=30)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

# -------------------------------------------------------------------------------------------------------- the oracle

# Mon-Fri, Sat, Sun, closed on holidays; by hand from the compliance notes as of the autumn of 2026
FEDERAL = ("08-21", "08-21", "08-21", False)
TABLE = {
    "AL": ("08-20", "08-20", None, True),
    "CT": ("09-20", "09-20", "09-20", False),
    "FL": ("08-20", "08-20", "08-20", False),
    "KY": ("10-21", "10-21", "10-21", False),
    "LA": ("08-20", "08-20", None, True),
    "MA": ("08-20", "08-20", "08-20", False),
    "MD": ("08-20", "08-20", "08-20", False),
    "MI": ("09-21", "09-21", "09-21", False),
    "MN": ("09-21", "09-21", "09-21", False),
    "MS": ("08-20", "08-20", None, False),
    "NM": ("09-21", "09-21", "09-21", False),
    "NV": ("09-20", "09-20", "09-20", False),
    "OK": ("08-20", "08-20", "08-20", False),
    "OR": ("08-20", "08-20", "08-20", False),
    "PA": ("09-19", "09-19", None, True),
    "RI": ("09-18", "10-17", None, True),
    "SD": ("09-21", "09-21", None, False),
    "TX": ("09-21", "09-21", "12-21", False),
    "UT": ("08-21", "08-21", None, True),
    "WA": ("08-20", "08-20", "08-20", False),
    "WY": ("08-20", "08-20", "08-20", False),
}
PENNSYLVANIA_BEFORE = ("08-21", "08-21", "08-21", True)
PENNSYLVANIA_CHANGES = date(2026, 10, 18)
LEFT_AT_FEDERAL = [
    "AK", "AR", "AS", "AZ", "CA", "CO", "DC", "DE", "GA", "GU", "HI", "IA", "ID", "IL", "IN", "KS",
    "ME", "MO", "MP", "MT", "NC", "ND", "NE", "NH", "NJ", "NY", "OH", "PR", "SC", "TN", "VA", "VI",
    "VT", "WI", "WV",
]  # fmt: skip
# those near the changes of clocks
EVERYWHERE_CLOSED = {date(2026, 11, 11), date(2027, 11, 11)}
HOLIDAYS = {
    "LA": {date(2026, 11, 1), date(2026, 11, 2), date(2027, 11, 1)},
    "PA": {date(2026, 11, 3), date(2027, 11, 2)},
    "RI": {date(2026, 11, 3)},
}
STANDARD_TIME = {
    "America/New_York": -5,
    "America/Chicago": -6,
    "America/Denver": -7,
    "America/Boise": -7,
    "America/Phoenix": -7,
    "America/Los_Angeles": -8,
    "America/Anchorage": -9,
    "America/Adak": -10,
    "Pacific/Honolulu": -10,
    "America/Puerto_Rico": -4,
    "America/St_Thomas": -4,
    "Pacific/Guam": 10,
    "Pacific/Saipan": 10,
    "Pacific/Pago_Pago": -11,
}
NO_SUMMER_TIME = {
    "America/Phoenix",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "America/St_Thomas",
    "Pacific/Guam",
    "Pacific/Saipan",
    "Pacific/Pago_Pago",
}
# clocks go on at 02:00 standard time, and back at 02:00 summer time
SUMMERS = [
    (datetime(2026, 3, 8, 2), datetime(2026, 11, 1, 1)),  # noqa: DTZ001 - standard time of the zone
    (datetime(2027, 3, 14, 2), datetime(2027, 11, 7, 1)),  # noqa: DTZ001
]
CHANGES = [date(2026, 3, 8), date(2026, 11, 1), date(2027, 3, 14), date(2027, 11, 7)]


def wall_clock(at: datetime, zone: str) -> datetime:
    standard = at.replace(tzinfo=None) + timedelta(hours=STANDARD_TIME[zone])
    in_summer = zone not in NO_SUMMER_TIME and any(on <= standard < off for on, off in SUMMERS)
    return standard + timedelta(hours=1) if in_summer else standard


def may_go(at: datetime, state: str, zone: str) -> bool:
    wall = wall_clock(at, zone)
    row = TABLE.get(state, FEDERAL)
    if state == "PA" and wall.date() < PENNSYLVANIA_CHANGES:
        row = PENNSYLVANIA_BEFORE
    if row[3] and wall.date() in EVERYWHERE_CLOSED | HOLIDAYS.get(state, set()):
        return False
    hours = row[max(0, wall.weekday() - 4)]
    if hours is None:
        return False
    opens, closes = map(int, hours.split("-"))
    return opens <= wall.hour < closes


@cache
def edges(state: str, zone: str, change: date) -> tuple[tuple[datetime, bool], ...]:
    """Each half hour from two days before a change of clocks to five after at which it opens or closes."""
    at = datetime.combine(change - 2 * DAY, time(), UTC)
    found = [(at, may_go(at, state, zone))]
    while at < datetime.combine(change + 5 * DAY, time(), UTC):
        at += HALF_HOUR
        if may_go(at, state, zone) is not found[-1][1]:
            found.append((at, not found[-1][1]))
    return tuple(found)


def until(at: datetime, state: str, zone: str, change: date) -> datetime:
    known = edges(state, zone, change)
    return known[bisect_left(known, (at + timedelta(microseconds=1),))][0]


def moments(change: date) -> list[datetime]:
    """Every half hour of the three days around a change of clocks, and the last second before each full hour."""
    first = datetime.combine(change - DAY, time(), UTC)
    halves = [first + each * HALF_HOUR for each in range(3 * 48)]
    return sorted([*halves, *(at - SECOND for at in halves[2::2])])


# --------------------------------------------------------------------------------------------------------- the matrix


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("zone", STANDARD_TIME)
def test_every_row_in_every_zone_opens_and_closes_by_the_wall_clock(
    zone: str, change: date
) -> None:
    for state in [*TABLE, "NY"]:
        places = (Whereabouts("US", state, zone),)
        for at in moments(change):
            hours = hours_at(at, places, RULES)
            assert isinstance(hours, Open) is may_go(at, state, zone), (state, at)
            assert hours.until == until(at, state, zone, change), (state, at)


@pytest.mark.parametrize("state", LEFT_AT_FEDERAL)
def test_a_state_without_a_row_of_its_own_has_the_federal_hours(state: str) -> None:
    for place in whereabouts("+18005550123", state=state):
        for hour in range(24):
            at = datetime(2026, 7, 5, hour, tzinfo=UTC)
            assert isinstance(hours_at(at, [place], RULES), Open) is may_go(at, "NY", place.zone)


def test_every_state_stands_in_the_oracle() -> None:
    rows = {rule.removeprefix("US-") for rule in RULES.rows if rule.startswith("US-")}
    assert rows == set(TABLE)
    assert {
        place.zone
        for state in [*TABLE, *LEFT_AT_FEDERAL]
        for place in whereabouts("+18005550123", state=state)
    } == set(STANDARD_TIME)


def local(at: str, zone: str = "America/New_York") -> datetime:
    """A moment by the wall clock of a zone."""
    return datetime.fromisoformat(at).replace(tzinfo=zone_info(zone))


def of(code: str, state: str | None = None, timezone: str | None = None) -> tuple[Whereabouts, ...]:
    return whereabouts(f"+1{code}5550123", state=state, timezone=timezone)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-24T07:59:59.999999", False),
        ("2026-11-24T08:00:00", True),
        ("2026-11-24T20:59:59.999999", True),
        ("2026-11-24T21:00:00", False),
    ],
)
def test_the_first_second_is_in_and_the_last_is_out(at: str, is_open: bool) -> None:
    assert isinstance(hours_at(local(at), of("212"), RULES), Open) is is_open


# -------------------------------------------------------------------------------------------------------- single laws


@pytest.mark.parametrize(
    ("at", "rule", "opens"),
    [
        # until 17 October 2026 from eight to nine, on Sundays too
        ("2026-10-17T08:00:00", None, None),
        ("2026-10-17T20:59:59", None, None),
        ("2026-10-11T12:00:00", None, None),
        # the 18th is a Sunday, and the new law's first day
        ("2026-10-17T21:00:00", "US-PA", "2026-10-19T09:00:00"),
        ("2026-10-18T12:00:00", "US-PA", "2026-10-19T09:00:00"),
        ("2026-10-19T08:59:59", "US-PA", "2026-10-19T09:00:00"),
        ("2026-10-19T18:59:59", None, None),
        ("2026-10-19T19:00:00", "US-PA", "2026-10-20T09:00:00"),
        # holidays in both
        ("2026-04-03T12:00:00", "US-PA-holiday", "2026-04-04T08:00:00"),
        ("2026-11-03T12:00:00", "US-PA-holiday", "2026-11-04T09:00:00"),
        ("2026-12-24T20:00:00", "US-PA", "2026-12-26T09:00:00"),
        ("2026-12-25T00:00:00", "US-PA-holiday", "2026-12-26T09:00:00"),
    ],
)
def test_pennsylvania_changes_its_law_on_18_october_2026(
    at: str, rule: str | None, opens: str | None
) -> None:
    hours = hours_at(local(at), of("412"), RULES)

    if rule is None:
        assert isinstance(hours, Open)
    else:
        assert opens is not None
        assert hours == Closed(local(opens).astimezone(UTC), rule)


@pytest.mark.parametrize(
    ("state", "before", "at", "since"),
    [
        ("CT", "2023-09-30", "20:30", "2023-10-01"),
        ("FL", "2021-06-30", "20:30", "2021-07-01"),
        ("MD", "2023-12-31", "20:30", "2024-01-01"),
        ("OK", "2022-10-31", "20:30", "2022-11-01"),
        ("OR", "2025-12-31", "20:30", "2026-01-01"),
        ("TX", "2025-08-31", "08:30", "2025-09-01"),
        ("WA", "2022-06-08", "20:30", "2022-06-09"),
    ],
)
def test_a_law_holds_from_its_date_by_the_local_calendar(
    state: str, before: str, at: str, since: str
) -> None:
    place = (Whereabouts("US", state, "America/Los_Angeles"),)
    assert isinstance(hours_at(local(f"{before}T{at}", place[0].zone), place, RULES), Open)
    closed = hours_at(local(f"{since}T{at}", place[0].zone), place, RULES)
    assert isinstance(closed, Closed)
    assert closed.rule == f"US-{state}"


@pytest.mark.parametrize(
    ("to", "at", "zone", "is_open"),
    [
        ("+14165550123", "2026-11-24T21:29:59", "America/Toronto", True),
        ("+14165550123", "2026-11-24T21:30:00", "America/Toronto", False),
        ("+14165550123", "2026-11-28T09:30:00", "America/Toronto", False),
        ("+14165550123", "2026-11-29T10:00:00", "America/Toronto", True),
        ("+14165550123", "2026-11-29T18:00:00", "America/Toronto", False),
        ("+33612345678", "2026-11-24T21:59:59", "Europe/Paris", True),
        ("+33612345678", "2026-11-29T12:00:00", "Europe/Paris", False),
        ("+33612345678", "2026-05-14T12:00:00", "Europe/Paris", False),
        ("+919812345678", "2026-11-24T09:59:59", "Asia/Kolkata", False),
        ("+919812345678", "2026-11-24T10:00:00", "Asia/Kolkata", True),
        ("+442079460000", "2026-11-24T08:59:59", "Europe/London", False),
        ("+442079460000", "2026-11-24T19:59:59", "Europe/London", True),
        ("+442079460000", "2026-11-24T20:00:00", "Europe/London", False),
        ("+18765550123", "2026-11-29T20:59:59", "America/Jamaica", True),
        ("+18765550123", "2026-11-29T21:00:00", "America/Jamaica", False),
        # Portugal is on the Azores too: an hour later to open
        ("+351912345678", "2026-11-24T08:59:59", "Europe/Lisbon", False),
        ("+351912345678", "2026-11-24T09:00:00", "Europe/Lisbon", True),
    ],
)
def test_other_countries_have_their_own_hours_or_eight_to_nine(
    to: str, at: str, zone: str, is_open: bool
) -> None:
    assert isinstance(hours_at(local(at, zone), whereabouts(to), RULES), Open) is is_open


def test_the_rule_that_keeps_it_closed_is_named() -> None:
    night = local("2026-11-24T22:00:00")

    def rule(places: tuple[Whereabouts, ...], window: Window | None = None) -> str:
        hours = hours_at(night, places, RULES, window=window)
        assert isinstance(hours, Closed)
        return hours.rule

    assert rule(of("212")) == "US"
    assert rule(of("305")) == "US-FL"
    assert rule(whereabouts("+442079460000")) == "GB"
    assert rule(whereabouts("+4930123456")) == "default"
    assert rule(()) == "US-strictest"
    assert rule(of("212"), Window(time(12), time(13))) == "window"


# ---------------------------------------------------------------------------------------------------- several places


def test_a_split_code_opens_with_its_western_zone_and_closes_with_its_eastern() -> None:
    # 850 is Florida in two zones
    assert hours_at(local("2026-11-24T08:30:00"), of("850"), RULES) == Closed(
        local("2026-11-24T09:00:00").astimezone(UTC), "US-FL"
    )
    assert hours_at(local("2026-11-24T09:00:00"), of("850"), RULES) == Open(
        local("2026-11-24T20:00:00").astimezone(UTC)
    )


def test_a_number_and_a_state_that_disagree_must_both_be_open() -> None:
    # GIVEN somebody in Florida with a number of New York
    places = of("212", state="FL", timezone="America/New_York")
    # THEN it closes as Florida does
    assert hours_at(local("2026-11-24T12:00:00"), places, RULES) == Open(
        local("2026-11-24T20:00:00").astimezone(UTC)
    )
    # AND the other way round, as the area code presumes
    places = of("305", state="NY", timezone="America/New_York")
    assert hours_at(local("2026-11-24T12:00:00"), places, RULES) == Open(
        local("2026-11-24T20:00:00").astimezone(UTC)
    )


def test_sundays_and_holidays_of_two_states_add_up() -> None:
    # GIVEN a number of Rhode Island, on Christmas Eve after hours, and a state that closes on Sundays
    places = of("401", state="MS")
    # THEN Friday is Christmas; on Saturday Rhode Island opens at ten
    christmas = hours_at(local("2026-12-24T20:00:00"), places, RULES)
    assert christmas == Closed(local("2026-12-26T10:00:00").astimezone(UTC), "US-RI")
    # AND after Saturday it is Monday
    sunday = hours_at(local("2026-12-26T17:00:00"), places, RULES)
    assert sunday.until == local("2026-12-28T09:00:00").astimezone(UTC)


def test_navajo_time_and_arizona_time_both_count_in_928() -> None:
    # in summer the Navajo Nation is an hour ahead of Phoenix
    assert hours_at(local("2026-07-07T07:30:00", "America/Phoenix"), of("928"), RULES).until == (
        local("2026-07-07T08:00:00", "America/Phoenix").astimezone(UTC)
    )
    assert hours_at(local("2026-07-07T12:00:00", "America/Phoenix"), of("928"), RULES).until == (
        local("2026-07-07T20:00:00", "America/Phoenix").astimezone(UTC)
    )


@pytest.mark.parametrize(
    ("code", "utc_opens"),
    [("808", 18), ("787", 12), ("340", 12), ("671", 22), ("670", 22), ("684", 19), ("602", 15)],
)
@pytest.mark.parametrize("month", [1, 7])
def test_where_clocks_never_change_it_opens_at_the_same_utc_hour_all_year(
    code: str, utc_opens: int, month: int
) -> None:
    opens = datetime(2026, month, 14, utc_opens, tzinfo=UTC)
    assert hours_at(opens - SECOND, of(code), RULES) == Closed(opens, "US")
    assert isinstance(hours_at(opens, of(code), RULES), Open)


def test_toll_free_numbers_get_the_strictest_hours_of_all_zones() -> None:
    places = whereabouts("+18005550123")
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    is_open = [
        hour
        for hour in range(24)
        if isinstance(hours_at(monday.replace(hour=hour), places, RULES), Open)
    ]
    # American Samoa opens at ten (Kentucky's hour), Puerto Rico closes at six (Rhode Island's)
    assert is_open == [21]
    # AND never on Saturday, Sunday or Thanksgiving
    friday_evening = datetime(2026, 11, 20, 22, tzinfo=UTC)
    assert hours_at(friday_evening, places, RULES).until == monday.replace(hour=21)
    thanksgiving = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert hours_at(thanksgiving, places, RULES) == Closed(
        datetime(2026, 11, 27, 21, tzinfo=UTC), "US-strictest-holiday"
    )


def test_places_that_are_never_open_together_say_so() -> None:
    unknown_or_guam = (*anywhere_in_the_us(), *of("671"))
    hours = hours_at(local("2026-11-24T12:00:00"), unknown_or_guam, RULES)
    assert isinstance(hours, Closed)
    assert hours.until is None


# ------------------------------------------------------------------------------------------------------------ windows


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        (time(20), time(9)),
        (time(9), time(9)),
        (time(9), time(0)),
        (time(9, tzinfo=UTC), time(10, tzinfo=UTC)),
    ],
)
def test_a_window_over_midnight_or_with_a_zone_is_refused(opens: time, closes: time) -> None:
    with pytest.raises(InvalidWindowError) as caught:
        Window(opens, closes)
    assert caught.value.code == "invalid_window"


def test_a_window_is_local_to_whoever_receives() -> None:
    window = Window(time(12), time(13))
    for code, zone in (("212", "America/New_York"), ("312", "America/Chicago")):
        hours = hours_at(local("2026-11-24T12:30:00", zone), of(code), RULES, window=window)
        assert hours == Open(local("2026-11-24T13:00:00", zone).astimezone(UTC))
        after = hours_at(local("2026-11-24T13:00:00", zone), of(code), RULES, window=window)
        assert after == Closed(local("2026-11-25T12:00:00", zone).astimezone(UTC), "window")


def test_a_window_outside_the_laws_hours_never_opens() -> None:
    window = Window(time(20), time(21))
    for at in ("2026-11-24T12:00:00", "2026-11-24T20:30:00"):
        hours = hours_at(local(at), of("305"), RULES, window=window)
        assert isinstance(hours, Closed)
        assert hours.until is None


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize(
    "window",
    [
        Window(time(1, 15), time(1, 45)),
        Window(time(1, 30), time(2, 30)),
        Window(time(2, 15), time(2, 45)),
        Window(time(2, 30), time(3, 30)),
        Window(time(0, 0), time(23, 59)),
    ],
    ids=lambda window: f"{window.opens}-{window.closes}",
)
def test_an_hour_that_is_skipped_or_repeated_is_what_the_wall_shows(
    window: Window, change: date
) -> None:
    # WHEN a window lies in the hour of the change (the law would keep it closed: ask for the window alone)
    spans = module._spans(change, "America/New_York", window)
    # THEN it is open in exactly those minutes in which the wall clock is within it
    at = datetime.combine(change, time(), UTC)
    while at < datetime.combine(change + 2 * DAY, time(), UTC):
        wall = wall_clock(at, "America/New_York")
        shown = wall.date() == change and window.opens <= wall.time() < window.closes
        assert any(opens <= at < closes for opens, closes in spans) is shown, at
        at += timedelta(minutes=5)
    assert all(before[1] < after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("day", "zone", "instants"),
    [
        (date(2026, 3, 8), "America/Havana", [("2026-03-08T05:00", "2026-03-09T03:30")]),
        (date(2026, 4, 25), "Africa/Cairo", [("2026-04-24T21:30", "2026-04-25T20:30")]),
    ],
)
def test_days_that_begin_late_are_whole_days(
    day: date, zone: str, instants: list[tuple[str, str]]
) -> None:
    # in Havana midnight is skipped: the day begins at one
    found = module._spans(day, zone, Window(time(0, 30), time(23, 30)))
    assert [tuple(f"{at:%Y-%m-%dT%H:%M}" for at in span) for span in found] == instants


# ----------------------------------------------------------------------------------------------------- switches, caps


def test_a_state_that_is_off_has_the_federal_hours_and_no_cap() -> None:
    off = load_rules(off=frozenset({"MI", "FL"}))
    for code in ("313", "305"):
        assert hours_at(local("2026-11-24T08:00:00"), of(code), off) == Open(
            local("2026-11-24T21:00:00").astimezone(UTC)
        )
        assert caps_at(of(code), off, local("2026-11-24T12:00:00")) == ()
    assert isinstance(hours_at(local("2026-11-24T08:30:00"), of("313"), RULES), Closed)


def test_a_state_that_is_closed_stays_so_and_others_do_not() -> None:
    closed = load_rules(closed=frozenset({"LA", "GA"}))
    noon = local("2026-11-24T12:00:00")
    assert hours_at(noon, of("504"), closed) == Closed(None, "US-LA-closed")
    assert hours_at(noon, of("404"), closed) == Closed(None, "US-GA-closed")
    assert isinstance(hours_at(noon, of("212"), closed), Open)
    assert hours_at(noon, of("212", state="LA"), closed) == Closed(None, "US-LA-closed")
    # who may be anywhere may be there
    assert hours_at(noon, (), closed) == Closed(None, "US-strictest-closed")


def test_switches_show_in_the_version_and_give_the_same_rules_again() -> None:
    first = load_rules(off=frozenset({"UT", "MI"}), closed=frozenset({"LA"}))
    assert first.version == f"{RULES.version} off=MI,UT closed=LA"
    assert load_rules(closed=frozenset({"la"}), off=frozenset({"mi", "ut"})) is first
    assert load_rules() is RULES
    with pytest.raises(UnknownStateError):
        load_rules(off=frozenset({"XX"}))


@pytest.mark.parametrize("state", ["FL", "MD", "OK", "OR"])
def test_four_states_cap_at_three_a_day(state: str) -> None:
    cap = Cap(count=3, within=timedelta(hours=24), rule=f"US-{state}")
    places = whereabouts("+18005550123", state=state)
    assert caps_at(places, RULES, local("2026-11-24T12:00:00")) == (cap,)


def test_other_places_have_no_cap_and_unknown_ones_the_strictest() -> None:
    noon = local("2026-11-24T12:00:00")
    for state in sorted({*TABLE, *LEFT_AT_FEDERAL} - {"FL", "MD", "OK", "OR"}):
        assert caps_at(whereabouts("+18005550123", state=state), RULES, noon) == ()
    assert caps_at(whereabouts("+442079460000"), RULES, noon) == ()
    assert [(cap.count, cap.within) for cap in caps_at((), RULES, noon)] == [(3, DAY)]
    # a number of Florida keeps its cap in New York; one of Oregon had none before 2026
    assert [cap.rule for cap in caps_at(of("305", state="NY"), RULES, noon)] == ["US-FL"]
    assert caps_at(of("503"), RULES, local("2025-12-31T12:00:00", "America/Los_Angeles")) == ()


def test_an_override_adds_or_takes_away_a_holiday() -> None:
    rules = module.Rules(
        version="test",
        rows=RULES.rows,
        overrides={"US-PA": {date(2026, 11, 24): True, date(2026, 11, 26): False}},
    )
    assert hours_at(local("2026-11-24T12:00:00"), of("412"), rules).until == (
        local("2026-11-25T09:00:00").astimezone(UTC)
    )
    assert isinstance(hours_at(local("2026-11-26T12:00:00"), of("412"), rules), Open)


def test_no_state_is_wider_than_the_federal_hours_and_every_row_has_its_source() -> None:
    (federal,) = RULES.rows["US"]
    for rule, rows in RULES.rows.items():
        assert [row.since for row in rows] == sorted({row.since for row in rows})
        for row in rows:
            assert row.source
            assert row.quality in {"A", "A/B", "B", "C", "-"}
            if rule.startswith("US-"):
                for hours in filter(None, (row.weekdays, row.saturday, row.sunday)):
                    assert federal.weekdays.opens <= hours.opens < hours.closes
                    assert hours.closes <= federal.weekdays.closes
    assert json.loads(module._ROWS.read_text())["version"] == RULES.version


# --------------------------------------------------------------------------------------------------------- properties

NUMBERS = st.sampled_from(
    [
        *(f"+1{code}5550123" for code in (212, 305, 401, 412, 504, 671, 684, 808, 850, 907, 928)),
        *("+14165550123", "+442079460000", "+33612345678", "+919812345678", "+79161234567"),
    ]
)
PLACES = st.builds(
    lambda to, state: whereabouts(to, state=state),
    NUMBERS,
    st.sampled_from([None, None, "AZ", "FL", "HI", "PA", "TX", "UT"]),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
WINDOWS = (
    st.tuples(st.times(), st.times())
    .filter(lambda both: both[0] != both[1])
    .map(lambda both: Window(*sorted(both)))
)


@settings(deadline=None)  # the first call reads time zones
@given(MOMENTS, PLACES, st.none() | WINDOWS)
def test_until_is_later_and_exact(
    at: datetime, places: tuple[Whereabouts, ...], window: Window | None
) -> None:
    hours = hours_at(at, places, RULES, window=window)
    if hours.until is None:
        return
    assert hours.until > at
    assert hours.until.tzinfo is UTC
    tick = timedelta(microseconds=1)
    then = hours_at(hours.until, places, RULES, window=window)
    before = hours_at(hours.until - tick, places, RULES, window=window)
    assert isinstance(then, Closed) is isinstance(hours, Open)
    assert before.until == hours.until


@settings(deadline=None)  # the first call reads time zones
@given(MOMENTS, PLACES, PLACES)
def test_one_more_place_never_opens_earlier_nor_closes_later(
    at: datetime, places: tuple[Whereabouts, ...], more: tuple[Whereabouts, ...]
) -> None:
    few, many = hours_at(at, places, RULES), hours_at(at, places + more, RULES)
    if isinstance(many, Open):
        assert isinstance(few, Open)
        assert many.until <= few.until
    elif isinstance(few, Closed) and many.until is not None:
        assert few.until is not None
        assert few.until <= many.until


@settings(deadline=None)  # the first call reads time zones
@given(MOMENTS, PLACES, WINDOWS)
def test_a_window_never_widens(
    at: datetime, places: tuple[Whereabouts, ...], window: Window
) -> None:
    law, both = hours_at(at, places, RULES), hours_at(at, places, RULES, window=window)
    if isinstance(both, Open):
        assert isinstance(law, Open)
        assert both.until <= law.until
        assert all(
            window.opens <= at.astimezone(zone_info(place.zone)).time() < window.closes
            for place in places
        )
    elif isinstance(law, Closed) and both.until is not None:
        assert law.until is not None
        assert law.until <= both.until


@settings(deadline=None)  # the first call reads time zones
@given(MOMENTS, st.permutations(whereabouts("+79161234567")[:4]))
def test_the_order_of_places_does_not_matter(at: datetime, places: list[Whereabouts]) -> None:
    shuffled = hours_at(at, places, RULES)
    assert shuffled.until == hours_at(at, sorted(places, key=str), RULES).until


@settings(deadline=None)  # the first call reads time zones
@given(MOMENTS, PLACES, st.none() | WINDOWS, st.lists(st.timedeltas(-DAY, 3 * DAY), max_size=8))
def test_a_watch_answers_as_if_it_asked_every_time(
    at: datetime,
    places: tuple[Whereabouts, ...],
    window: Window | None,
    steps: list[timedelta],
) -> None:
    watch = Watch(RULES)
    for step in (timedelta(), *steps):
        at += step
        seen, asked = watch.at(at, places, window), hours_at(at, places, RULES, window=window)
        assert type(seen) is type(asked)
        # what opens in two weeks and a bit comes into sight as time goes by
        assert seen.until == asked.until or seen.until is None


def test_a_watch_forgets_rather_than_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 3)
    watch = Watch(RULES)
    for minute in range(10):
        watch.at(local("2026-11-24T12:00:00"), of("212"), Window(time(9, minute), time(20)))
    assert len(watch._held) <= 3


def test_a_table_with_a_calendar_that_nobody_knows_is_refused() -> None:
    row = json.loads(module._ROWS.read_text())["rows"]["US-PA"][0]
    with pytest.raises(ValueError, match="US-PA"):
        module._row("US-PA", row | {"holidays": "US-XX"})


def test_a_law_that_never_opens_is_closed_for_good() -> None:
    every_day = {date(2026, 11, 1) + each * DAY: True for each in range(60)}
    rules = module.Rules(version="test", rows=RULES.rows, overrides={"US-PA": every_day})
    hours = hours_at(local("2026-11-24T12:00:00"), of("412"), rules)
    assert hours == Closed(None, "US-PA-holiday")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        hours_at(datetime(2026, 11, 24, 12), of("212"), RULES)  # noqa: DTZ001
