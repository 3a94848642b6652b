"""Adding up a plan: in however many goes, the sums are the same, and they stay small."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.decision import Policy
from sendpool.domain.plan import (
    ANYWHERE,
    MOST_EXAMPLES,
    MOST_TEXTS_READ,
    REPORT_HEADER,
    Ending,
    Forecast,
    PlaceRows,
    Plan,
    PlannedRow,
    PlannedText,
    PlanState,
    changes,
    ending,
    name_of,
    places_named,
    report_lines,
)
from sendpool.domain.prices import Cost
from sendpool.domain.quiet_hours import Watch, Window, load_rules
from sendpool.domain.smart_encoding import REPLACEMENTS
from sendpool.domain.text import (
    CostlyCharacter,
    costly_characters,
    costly_in_many,
    encoding_of,
    segment,
)
from sendpool.domain.whereabouts import Whereabouts, whereabouts

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
NUMBERS = [
    "+12025550123",
    "+14155550123",
    "+13055550123",
    "+442079460123",
    "+8005550123",
    "+18005550123",
]

# ------------------------------------------------------------------------------------------------ adding up

characters = st.builds(
    CostlyCharacter,
    character=st.sampled_from(["\N{GRINNING FACE}", "\N{EURO SIGN}", "e\u0301", "\u4e00"]),
    position=st.just(0),
    name=st.just("SIGN"),
    segments=st.integers(0, 3),
    together=st.integers(0, 3),
    replacement=st.none(),
)
texts = st.builds(
    PlannedText,
    segments=st.integers(0, 9),
    encoding=st.sampled_from(["GSM-7", "UCS-2", None]),
    costly=st.lists(characters, max_size=3).map(tuple),
    cost=st.none() | st.builds(Cost, st.integers(0, 10**6), st.integers(0, 10**6)),
    currency=st.sampled_from(["", "USD"]),
)


@st.composite
def rows(draw: st.DrawFn) -> PlannedRow:
    row = PlannedRow(
        row=draw(st.integers(1, 10**7)), to=draw(st.sampled_from(NUMBERS)), verdict="send"
    )
    hours = draw(st.booleans())
    places = whereabouts(row.to) if hours else None
    match draw(st.sampled_from(["send", "defer", "skip"])):
        case "send":
            return replace(row, text=draw(texts), places=places, until=AT if hours else None)
        case "defer":
            return replace(
                row,
                verdict="defer",
                reason="quiet_hours",
                text=draw(texts),
                places=places or (),
                until=AT,
            )
    reason = draw(st.sampled_from(["opted_out", "duplicate", "never_open"]))
    return replace(row, verdict="skip", reason=reason, detail=draw(st.none() | st.just("US")))


@given(st.lists(rows(), max_size=60), st.sets(st.integers(0, 60)))
def test_a_plan_that_is_put_down_and_taken_up_again_says_the_same(
    planned: list[PlannedRow], interrupted: set[int]
) -> None:
    # GIVEN one that is made in one go
    at_once = Forecast()
    for row in planned:
        at_once.add(row)
        at_once.wants_to_read(row.to)
        at_once.add_finding("L-CAPS", "warning", "loud", row=row.row, text="HI")
    # WHEN it is interrupted anywhere
    forecast = Forecast()
    for place, row in enumerate(planned):
        forecast.add(row)
        forecast.wants_to_read(row.to)
        forecast.add_finding("L-CAPS", "warning", "loud", row=row.row, text="HI")
        if place in interrupted:
            forecast = Forecast.from_json(forecast.to_json())
    # THEN
    assert forecast == at_once
    assert Forecast.from_json(forecast.to_json()) == forecast


@given(st.lists(rows(), max_size=60))
def test_every_row_is_counted_once(planned: list[PlannedRow]) -> None:
    forecast = Forecast()
    for row in planned:
        forecast.add(row)
    going = [row.text for row in planned if row.text]
    assert forecast.rows == sum(forecast.verdicts.values()) == len(planned)
    assert sum(forecast.reasons.values()) == sum(row.verdict != "send" for row in planned)
    assert sum(forecast.segments.values()) == sum(forecast.encodings.values()) == len(going)
    assert forecast.total_segments == sum(text.segments for text in going)
    assert sum(each.priced + each.unpriced for each in forecast.costs.values()) == len(going)
    assert sum(each.cost.low for each in forecast.costs.values()) == sum(
        text.cost.low for text in going if text.cost
    )
    assert all(len(each) <= MOST_EXAMPLES for each in forecast.examples.values())


def test_examples_show_no_number() -> None:
    forecast = Forecast()
    for number in range(9):
        forecast.add(PlannedRow(row=number, to="+12025550123", verdict="skip", reason="duplicate"))
    [examples] = forecast.examples.values()
    assert [each.row for each in examples] == [0, 1, 2, 3, 4]
    assert {each.to for each in examples} == {"+1202***0123"}


def test_what_is_without_end_is_counted_together() -> None:
    forecast = Forecast()
    for number in range(2_000):
        costly = CostlyCharacter(chr(0x4E00 + number) * 50, 0, "N" * 5_000, 1, 1, None)
        place = Whereabouts("US", "NY", f"Zone/{number}")
        forecast.add(
            PlannedRow(
                row=number,
                to="+12025550123",
                verdict="defer",
                reason="quiet_hours",
                until=AT,
                places=(place,),
                text=PlannedText(segments=1, costly=(costly,)),
            )
        )
        forecast.wants_to_read(str(number))
    assert sum(each.rows for each in forecast.places.values()) == 2_000
    assert (
        sum(each.rows for each in forecast.characters.values()) + forecast.other_characters == 2_000
    )
    assert len(forecast.read) == MOST_TEXTS_READ
    assert len(forecast.to_json()) < 150_000


@given(
    st.sampled_from(NUMBERS),
    st.none() | st.sampled_from(["NY", "FL", "TX"]),
    st.none() | st.just("Asia/Tokyo"),
)
def test_the_name_of_a_place_names_it(to: str, state: str | None, timezone: str | None) -> None:
    places = whereabouts(to, state=state, timezone=timezone)
    assert places_named(name_of(places)) == places


# ------------------------------------------------------------------------------------------------ the report


@given(st.lists(st.tuples(rows(), st.text(max_size=20)), max_size=5))
def test_a_report_is_csv_that_no_spreadsheet_takes_for_formulas(
    planned: list[tuple[PlannedRow, str]],
) -> None:
    lines = report_lines(replace(row, to=to) for row, to in planned)
    text = (REPORT_HEADER + lines).decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(found) == len(planned)
    assert all(each["to"] in {to, f"'{to}"} for each, (_, to) in zip(found, planned, strict=True))
    assert not [each for each in found if each["to"][:1] in tuple("=@\t\r")]


# ------------------------------------------------------------------------------------------------ when it is over


def going(verdict: Any, segments: int, until: datetime | None = None) -> PlaceRows:
    return PlaceRows(verdict=verdict, until=until, rows=segments, segments=segments)


NINE = AT + timedelta(hours=1)

ENDINGS: dict[str, tuple[list[PlaceRows], Ending | None]] = {
    "nobody": ([], None),
    "nobody goes": ([going("skip", 5)], None),
    "all at once": ([going("send", 600)], Ending(AT + timedelta(seconds=60), 0)),
    "some wait": (
        [going("send", 600, NINE), going("defer", 100, NINE)],
        Ending(NINE + timedelta(seconds=10), 0),
    ),
    "who waits comes while others go out": (
        [going("send", 72_000), going("defer", 100, NINE)],
        Ending(AT + timedelta(seconds=7_210), 0),
    ),
    "it gets too late for half of them": (
        [going("send", 72_000, NINE)],
        Ending(AT + timedelta(seconds=7_200), 36_000),
    ),
}


@pytest.mark.parametrize(("places", "expected"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_plan_says_when_it_is_over(places: list[PlaceRows], expected: Ending | None) -> None:
    assert ending(places, pace=10.0, at=AT) == expected


def test_the_slowest_pace_ends_within_the_calendar() -> None:
    end = ending([going("send", 10**9)], pace=1e-9, at=AT)
    assert end
    assert end.at.year < 2100


# ------------------------------------------------------------------------------------------------ changed since


def plan_of(places: dict[str, PlaceRows]) -> Plan:
    return Plan(
        broadcast_id="bc_1",
        run="1",
        state=PlanState.DONE,
        requested_at=AT,
        at=AT,
        upload_etag="1",
        rules_version=load_rules().version,
        forecast=Forecast(places=places),
    )


def in_new_york(verdict: Any, until: datetime | None) -> dict[str, PlaceRows]:
    return {"US-NY America/New_York": PlaceRows(verdict=verdict, until=until, rows=7)}


NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("planned", "at", "more", "others"),
    [
        (in_new_york("send", None), AT, {}, 0),
        (in_new_york("send", None), NIGHT, {}, 7),
        (in_new_york("defer", MORNING), NIGHT, {}, 0),
        (in_new_york("defer", MORNING), NIGHT + timedelta(days=1), {}, 7),
        (in_new_york("defer", MORNING), NIGHT, {"expire_at": MORNING}, 7),
        (in_new_york("send", None), AT, {"window": Window(time(20), time(21))}, 7),
        ({ANYWHERE: PlaceRows(verdict="send", rows=7)}, NIGHT, {}, 0),
        ({"elsewhere send": PlaceRows(verdict="send", rows=7)}, NIGHT, {}, 0),
        ({"": PlaceRows(verdict="send", rows=7)}, NIGHT, {}, 7),
    ],
)
def test_by_place_it_is_seen_how_many_have_other_hours_now(
    planned: dict[str, PlaceRows], at: datetime, more: dict[str, Any], others: int
) -> None:
    found = changes(
        plan_of(planned),
        at=at,
        now=AT + timedelta(minutes=1),
        upload_etag="1",
        policy=Policy(hours=Watch(load_rules())),
        **({"window": None, "expire_at": None} | more),
    )
    assert found.rows == others
    assert sum(found.verdicts.values()) == 7
    assert (found.upload_replaced, found.rules_changed) == (False, False)
    assert found.age == timedelta(minutes=1)


# ------------------------------------------------------------------------------------------------ many texts


def _bodies() -> Iterator[str]:
    yield from (
        "",
        "Hi",
        "e\u0301",
        "ae\u0301x",
        "x\r\n\N{GRINNING FACE}",
        "1\ufe0f\u20e3",
        "€" * 70 + "\u4e00",
    )


bodies = st.text(
    st.sampled_from("abcXYZ019 #*?\r\n\f€^[{}é")
    | st.sampled_from("\u0301\u200d\ufe0f\u20e3\u0600ëç“…\u4e00👩👧🇺🇸"),
    max_size=200,
)


@given(st.sampled_from(list(_bodies())) | bodies | st.text(max_size=100), st.booleans())
def test_costly_characters_are_the_same_for_texts_of_the_same_shape(body: str, smart: bool) -> None:
    assert costly_in_many(body, smart_encoded=smart) == costly_characters(body, smart_encoded=smart)


@given(bodies, st.booleans())
def test_the_encoding_is_that_of_the_segments(body: str, smart: bool) -> None:
    encoding = encoding_of(body, smart_encoded=smart)
    assert encoding == segment(body, smart_encoded=smart).encoding


def test_smart_encoding_swaps_nothing_that_a_shape_leaves_out() -> None:
    assert not [
        character for character in map(chr, REPLACEMENTS) if encoding_of(character) == "GSM-7"
    ]
