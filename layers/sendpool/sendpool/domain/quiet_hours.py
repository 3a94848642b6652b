"""Quiet hours: whether marketing may go at this moment to a person who may be at these places, and if not, when.

The law counts by the clock on the wall of whoever receives, and everybody has another: federal hours, stricter ones of
some states with their Sundays and holidays, those of other countries, and the broadcast's own window on top. Marketing
may go only while it is open everywhere the person may be (domain/whereabouts.py).

`data/quiet_hours.json` has the hours as rows with their sources and the dates from which they hold; its version goes
into the log with every decision. Edges are times of the wall clock on their own date, converted to UTC: an hour that
a change of clocks skips or repeats is treated as the wall shows it. Days are searched one by one, two weeks ahead.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from sendpool.domain.holidays import CALENDARS, holidays
from sendpool.domain.whereabouts import (
    Whereabouts,
    anywhere_in_the_us,
    check_state,
    zone_info,
)

_ROWS: Final = Path(__file__).parent / "data" / "quiet_hours.json"
_HORIZON: Final = timedelta(days=14)
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_MIDNIGHT: Final = time()
_SATURDAY: Final = 5
_NEVER_HOLDS_FOR: Final = _DAY
_MOST_HELD: Final = 4_096

Span = tuple[datetime, datetime]
"""From, inclusive, and to, exclusive, in UTC."""


class InvalidWindowError(ValueError):
    """A broadcast's window must open before it closes, on one day, in times without a zone."""

    code = "invalid_window"


@dataclass(frozen=True, slots=True)
class Window:
    """A broadcast's own hours by the recipient's wall clock: `opens` inclusive, `closes` exclusive.

    Raises InvalidWindowError; a window over midnight is refused, for no law leaves any of it.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise InvalidWindowError("write times without a zone; the recipient's counts")
        if self.opens >= self.closes:
            raise InvalidWindowError("the window must open before it closes, on the same day")


@dataclass(frozen=True, slots=True)
class Open:
    """Marketing may go before `until` (UTC), when it closes at the first of the places."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """Marketing may not go before `until` (UTC), the first instant at which it is open at all places.

    `until` is None if there is none within two weeks: places half a world apart, a window outside the law's hours, or
    a state that is closed until further notice. `rule` is the one that is closed and opens last: `US` or `US-FL`,
    `US-PA-holiday`, `US-LA-closed`, `US-strictest` where the state is unknown, a country, `default`, or `window`.
    """

    until: datetime | None
    rule: str


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` marketing messages to one person in any stretch of `within`, by `rule`."""

    count: int
    within: timedelta
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The hours of one law from `since` on, by weekday; None is closed. `holidays` names the calendar that closes it.

    `quality` is A where the law's text was seen, B where others quote it, C where only tables have it.
    """

    rule: str
    since: date
    weekdays: Window
    saturday: Window | None
    sunday: Window | None
    holidays: str | None
    cap: Cap | None
    source: str
    quality: str

    def hours_on(self, day: date) -> Window | None:
        if day.weekday() < _SATURDAY:
            return self.weekdays
        return self.saturday if day.weekday() == _SATURDAY else self.sunday


# By identity: there are few, they are big, and every cache below has one in its key.
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rules:
    """All rows as they are to be applied; `version` names the table and every switch that was set.

    `rows` has them by rule, oldest first; `closed` are states in which nothing may go until further notice, with
    `overrides` days that a calendar's holidays lack (True) or have too much (False).
    """

    version: str
    rows: Mapping[str, tuple[Row, ...]]
    closed: frozenset[str] = frozenset()
    overrides: Mapping[str, Mapping[date, bool]] = field(default_factory=dict)

    def in_force(self, place: Whereabouts, day: date) -> tuple[Row, ...]:
        """Return the rows that hold at a place on a local date: one, or those of all states if its own is unknown."""
        if place.country != "US":
            return self._latest(place.country, day) or self._latest("default", day)
        if place.state is not None:
            return self._latest(f"US-{place.state}", day) or self._latest("US", day)
        return tuple(
            row
            for rule in self.rows
            if rule == "US" or rule.startswith("US-")
            for row in self._latest(rule, day)
        )

    def is_holiday(self, calendar: str, day: date) -> bool:
        listed = self.overrides.get(calendar, {}).get(day)
        return day in holidays(calendar, day.year) if listed is None else listed

    def is_closed(self, place: Whereabouts) -> bool:
        if place.country != "US":
            return False
        return bool(self.closed) if place.state is None else place.state in self.closed

    def _latest(self, rule: str, day: date) -> tuple[Row, ...]:
        return tuple(row for row in self.rows.get(rule, ()) if row.since <= day)[-1:]


def load_rules(*, off: frozenset[str] = frozenset(), closed: frozenset[str] = frozenset()) -> Rules:
    """Read the rows, without those of the states in `off` (federal hours hold there), with states `closed` altogether.

    The same switches give the same object. Raises UnknownStateError.
    """
    return _load(frozenset(map(check_state, off)), frozenset(map(check_state, closed)))


@cache
def _load(off: frozenset[str], closed: frozenset[str]) -> Rules:
    table = json.loads(_ROWS.read_text())
    switches = [
        f"{name}={','.join(sorted(states))}"
        for name, states in (("off", off), ("closed", closed))
        if states
    ]
    return Rules(
        version=" ".join([table["version"], *switches]),
        rows={
            rule: tuple(sorted((_row(rule, row) for row in rows), key=lambda row: row.since))
            for rule, rows in table["rows"].items()
            if rule.removeprefix("US-") not in off or not rule.startswith("US-")
        },
        closed=closed,
        overrides={
            calendar: {date.fromisoformat(day): is_closed for day, is_closed in days.items()}
            for calendar, days in table["holiday_overrides"].items()
        },
    )


def hours_at(
    now: datetime,
    places: Collection[Whereabouts],
    rules: Rules,
    *,
    window: Window | None = None,
) -> Open | Closed:
    """Tell whether marketing may go at `now`, which is aware, to a person who may be at any of these places.

    Of no places at all the strictest row holds in every US time zone (but see `anywhere_in_the_us`), which leaves an
    hour or two on a working day. A window narrows the law's hours and never widens them.
    """
    if now.tzinfo is None:
        raise ValueError("the time must say its zone")
    candidates = places or anywhere_in_the_us()
    at, rule = now.astimezone(UTC), ""
    while at - now <= _HORIZON:
        latest: Span | None = None
        until = datetime.max.replace(tzinfo=UTC)
        for span, closed_by in _next_spans(at, candidates, rules, window):
            if span is None:
                return Closed(None, rule or closed_by)
            until = min(until, span[1])
            if span[0] > at and (latest is None or span[0] > latest[0]):
                latest, latest_rule = span, closed_by
        if latest is None:
            return Closed(at, rule) if rule else Open(until)
        at, rule = latest[0], rule or latest_rule
    return Closed(None, rule)


def caps_at(places: Collection[Whereabouts], rules: Rules, now: datetime) -> tuple[Cap, ...]:
    """Return the caps that hold at any of these places at `now`, each strength once."""
    found: dict[tuple[int, timedelta], Cap] = {}
    for place in places or anywhere_in_the_us():
        for cap in _caps_on(now.astimezone(zone_info(place.zone)).date(), place, rules):
            found.setdefault((cap.count, cap.within), cap)
    return tuple(found.values())


@lru_cache(maxsize=1 << 14)
def _caps_on(day: date, place: Whereabouts, rules: Rules) -> tuple[Cap, ...]:
    return tuple(row.cap for row in rules.in_force(place, day) if row.cap is not None)


@dataclass(slots=True)
class Watch:
    """Asks `hours_at` only when the last answer for the same places and window has run out.

    `Closed.rule` stays the one of the first question. For one thread; holds some thousand answers at most.
    """

    rules: Rules
    _held: dict[tuple[tuple[Whereabouts, ...], Window | None], tuple[Span, Open | Closed]] = field(
        default_factory=dict
    )

    def at(
        self, now: datetime, places: tuple[Whereabouts, ...], window: Window | None = None
    ) -> Open | Closed:
        held = self._held.get((places, window))
        if held is not None and held[0][0] <= now < held[0][1]:
            return held[1]
        hours = hours_at(now, places, self.rules, window=window)
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        # if it opens within no two weeks from now, it does not within the next day
        self._held[places, window] = (now, hours.until or now + _NEVER_HOLDS_FOR), hours
        return hours


def _next_spans(
    at: datetime, places: Collection[Whereabouts], rules: Rules, window: Window | None
) -> Iterable[tuple[Span | None, str]]:
    """Yield, for the law and the window at each place, the span that holds at `at` or comes next, and the rule now."""
    for place in places:
        day = at.astimezone(zone_info(place.zone)).date()
        yield _law_next(at, day, place, rules), _law_on(day, place, rules)[1]
    if window is not None:
        for zone in {place.zone for place in places}:
            day = at.astimezone(zone_info(zone)).date()
            # a day of the window may be skipped whole by a change of clocks, but not two
            spans = (span for days in range(3) for span in _spans(day + days * _DAY, zone, window))
            yield next((span for span in spans if at < span[1]), None), "window"


def _law_next(at: datetime, day: date, place: Whereabouts, rules: Rules) -> Span | None:
    if rules.is_closed(place):
        return None
    for days in range(_HORIZON.days + 1):
        for span in _law_on(day + days * _DAY, place, rules)[0]:
            if at < span[1]:
                return span
    return None


@lru_cache(maxsize=1 << 14)
def _law_on(day: date, place: Whereabouts, rules: Rules) -> tuple[tuple[Span, ...], str]:
    """Return when a local date is open by the law, and by which rule it is closed the rest of it."""
    if rules.is_closed(place):
        return (), f"US-{place.state or 'strictest'}-closed"
    rows = rules.in_force(place, day)
    rule = rows[0].rule if len(rows) == 1 else "US-strictest"
    if any(row.holidays and rules.is_holiday(row.holidays, day) for row in rows):
        return (), f"{rule}-holiday"
    hours = [row.hours_on(day) for row in rows]
    windows = [each for each in hours if each is not None]
    if len(windows) < len(hours):
        return (), rule
    opens, closes = max(each.opens for each in windows), min(each.closes for each in windows)
    return _spans(day, place.zone, Window(opens, closes)), rule


@lru_cache(maxsize=1 << 14)
def _spans(day: date, zone: str, window: Window) -> tuple[Span, ...]:
    """Return when the wall clock of a zone shows a time of the window on a date: once, or around a change of clocks."""
    begins, ends = (_instant(each, _MIDNIGHT, zone) for each in (day, day + _DAY))
    opens, closes = (datetime.combine(day, each, UTC) for each in (window.opens, window.closes))
    early, late = (_offset(each, zone) for each in (begins, ends - _SECOND))
    # a day without a change is all after it
    turn = begins if early == late else _turn(begins, ends, zone)
    before = max(opens - early, begins), min(closes - early, turn)
    after = max(opens - late, turn), min(closes - late, ends)
    spans = tuple(span for span in (before, after) if span[0] < span[1])
    is_one = spans == (before, after) and before[1] == after[0]
    return ((before[0], after[1]),) if is_one else spans


def _turn(begins: datetime, ends: datetime, zone: str) -> datetime:
    """Return the first instant with the later of two offsets from UTC."""
    early = _offset(begins, zone)
    while ends - begins > _SECOND:
        middle = begins + timedelta(seconds=(ends - begins) // _SECOND // 2)
        if _offset(middle, zone) == early:
            begins = middle
        else:
            ends = middle
    return ends


def _instant(day: date, wall: time, zone: str) -> datetime:
    return datetime.combine(day, wall, zone_info(zone)).astimezone(UTC)


def _offset(at: datetime, zone: str) -> timedelta:
    return at.astimezone(zone_info(zone)).replace(tzinfo=UTC) - at


def _row(rule: str, row: Mapping[str, Any]) -> Row:
    cap, calendar = row.get("cap"), row.get("holidays")
    weekdays = _window(row["weekdays"])
    if weekdays is None or (calendar is not None and calendar not in CALENDARS):
        raise ValueError(f"{_ROWS.name}: {rule}")
    return Row(
        rule=rule,
        since=date.fromisoformat(row["from"]) if row["from"] else date.min,
        weekdays=weekdays,
        saturday=_window(row["saturday"]),
        sunday=_window(row["sunday"]),
        holidays=calendar,
        cap=Cap(cap["count"], timedelta(hours=cap["within_hours"]), rule) if cap else None,
        source=row["source"],
        quality=row["quality"],
    )


def _window(hours: str | None) -> Window | None:
    if hours is None:
        return None
    opens, closes = hours.split("-")
    return Window(time.fromisoformat(opens), time.fromisoformat(closes))
