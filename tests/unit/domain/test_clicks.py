"""Which clicks a person made, and that the same clicks come to the same record however they arrive."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain import clicks
from sendpool.domain.clicks import (
    LONGEST_AGENT,
    LONGEST_LINK,
    MOST_KEPT,
    NONE,
    Click,
    Clicks,
    Kind,
    by_agent,
    clicked,
)

AGENTS = Path(__file__).parents[2] / "data" / "user-agents.csv"
SENT = datetime(2026, 11, 23, 15, tzinfo=UTC)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.6 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 "
    "Mobile Safari/537.36"
)
UNFURLER = "facebookexternalhit/1.1"


def click(
    seconds: float,
    link: str = "https://example.com/a",
    *,
    event: str = "click",
    agent: str = PHONE,
) -> Click:
    """A click, so many seconds after its message was sent."""
    at = SENT + timedelta(seconds=seconds)
    return Click.told(at=at, event=event, link=link, agent=agent)


def judged(*told: Click, sent_at: datetime | None = SENT) -> list[str]:
    """What is said of each click, in the order of time: a kind, and a reason behind a colon."""
    found = clicked(NONE, told, sent_at=sent_at).judged
    return [": ".join(filter(None, each.verdict)) for each in found]


# ------------------------------------------------------------------------------------------------ by its words


def test_a_click_against_which_nothing_speaks_is_a_persons() -> None:
    assert judged(click(60)) == ["human"]


@pytest.mark.parametrize("event", ["preview", "prefetch", ""])
def test_what_twilio_does_not_call_a_click_is_a_preview(event: str) -> None:
    assert judged(click(60, event=event)) == ["preview: event_type"]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (UNFURLER, "preview: agent: facebook"),
        ("curl/8.5.0", "scanner: agent: http_client"),
        ("", "scanner: no_agent"),
        ("  ", "scanner: no_agent"),
        ("Spotify/8.7.70 iOS/16.0 (iPhone15,3)", "scanner: no_browser"),
    ],
)
def test_a_program_is_known_by_its_agent(agent: str, said: str) -> None:
    assert judged(click(60, agent=agent)) == [said]


def test_of_real_user_agents_so_many_are_caught_missed_and_falsely_caught() -> None:
    # GIVEN agents with what they belong to; a `machine` is one or the other, and was not looked at for the rules
    with AGENTS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    # WHEN each is judged by itself
    found = Counter((row["expected"], str(by_agent(row["agent"]).kind)) for row in rows)
    # THEN a person is hardly ever taken for a program, and most programs are caught
    assert found == {
        ("human", "human"): 324,
        ("human", "scanner"): 2,  # browsers in apps that scan QR codes
        ("preview", "preview"): 87,
        ("preview", "scanner"): 2,
        ("scanner", "scanner"): 193,
        ("scanner", "preview"): 1,
        ("scanner", "human"): 9,
        ("machine", "scanner"): 87,
        ("machine", "preview"): 3,
        ("machine", "human"): 10,
    }


def test_every_row_of_the_table_has_a_name_a_kind_and_a_source_and_catches_something() -> None:
    table = json.loads(clicks._PROGRAMS.read_text(encoding="utf-8"))
    with AGENTS.open(encoding="utf-8", newline="") as lines:
        reasons = {by_agent(row["agent"]).reason for row in csv.DictReader(lines)}
    names = [row["name"] for row in table["agents"]]
    assert len(set(names)) == len(names)
    for row in table["agents"]:
        assert row["kind"] in {Kind.PREVIEW, Kind.SCANNER}
        assert row["source"]
        assert row["who"]
        re.compile(row["pattern"])
    caught = {f"agent: {name}" for name in names}
    # these name themselves in no list that we found
    assert caught - reasons == {"agent: mimecast"}


# ------------------------------------------------------------------------------------------------ by its haste


@pytest.mark.parametrize(("seconds", "kind"), [(-1, "scanner"), (2.9, "scanner"), (3, "human")])
def test_a_person_takes_three_seconds_at_least(seconds: float, kind: str) -> None:
    assert judged(click(seconds))[0].partition(":")[0] == kind


def test_nobody_is_hasty_when_it_is_not_known_when_the_message_went() -> None:
    assert judged(click(0), sent_at=None) == ["human"]


def test_an_agent_says_more_than_haste() -> None:
    assert judged(click(1, agent=UNFURLER)) == ["preview: agent: facebook"]


# ------------------------------------------------------------------------------------------------ by the others


def test_nobody_follows_two_links_within_a_second() -> None:
    told = [click(60, "https://example.com/a"), click(61, "https://example.com/b")]
    assert judged(*told) == ["scanner: several_links"] * 2
    assert judged(told[0], click(62, "https://example.com/b")) == ["human"] * 2


def test_a_later_click_shows_that_an_earlier_one_was_a_scanners() -> None:
    # GIVEN a click that counts as a person's
    first = clicked(NONE, [click(60)], sent_at=SENT)
    assert first.count(Kind.HUMAN) == 1
    # WHEN one on another link of that moment becomes known
    both = clicked(first, [click(60, "https://example.com/b")], sent_at=SENT)
    # THEN neither is
    assert (both.count(Kind.HUMAN), both.count(Kind.SCANNER)) == (0, 2)
    assert both.first_human is None


def test_a_double_tap_is_a_persons_and_a_third_at_once_is_not() -> None:
    taps = [click(60 + at, agent=agent) for at, agent in ((0, PHONE), (0.4, ANDROID), (0.8, PHONE))]
    assert judged(*taps[:2]) == ["human"] * 2
    assert judged(*taps) == ["scanner: repeated"] * 3


def test_a_preview_of_another_link_makes_no_scanner_of_a_person() -> None:
    told = [
        click(60, "https://example.com/a", agent=UNFURLER),
        click(60, "https://example.com/b", event="preview"),
        click(60, "https://example.com/c"),
    ]
    assert min(judged(*told)) == "human"


def test_only_those_of_the_burst_are_scanners() -> None:
    burst = [click(60, f"https://example.com/{each}") for each in "abc"]
    assert judged(click(5), *burst, click(90)) == [
        "human",
        *["scanner: several_links"] * 3,
        "human",
    ]


# ------------------------------------------------------------------------------------------------ identity


def test_the_first_time_and_link_of_a_person_are_known() -> None:
    found = clicked(
        NONE,
        [click(90, "https://example.com/b"), click(60), click(5, agent=UNFURLER)],
        sent_at=SENT,
    )
    assert found.first_human == click(60)


def test_what_differs_in_anything_is_another_click() -> None:
    told = [
        click(60),
        click(61),
        click(60, "https://example.com/b"),
        click(60, agent=ANDROID),
        click(60, event="preview"),
    ]
    assert clicked(NONE, [*told, *told], sent_at=SENT).raw == 5


def test_links_and_agents_that_differ_behind_their_cut_are_told_apart() -> None:
    long = "https://example.com/" + "x" * LONGEST_LINK
    told = [click(60, long), click(60, long + "y"), click(60, agent=PHONE + "z" * 400)]
    found = clicked(NONE, told, sent_at=SENT)
    assert found.raw == 3
    assert max(len(each.click.link) for each in found.judged) == LONGEST_LINK
    assert max(len(each.click.agent) for each in found.judged) == LONGEST_AGENT


def test_half_a_character_can_be_written_down() -> None:
    told = click(60, "https://example.com/\ud83d", agent="\udc00")
    (told.link + told.agent).encode()


def test_of_many_the_earliest_are_kept_and_that_there_were_more_is_known() -> None:
    told = [click(60 + 5 * n) for n in range(MOST_KEPT + 1)]
    all_at_once = clicked(NONE, told, sent_at=SENT)
    assert (all_at_once.raw, all_at_once.has_more) == (MOST_KEPT, True)
    exactly = clicked(NONE, told[1:], sent_at=SENT)
    assert (exactly.raw, exactly.has_more) == (MOST_KEPT, False)
    assert clicked(exactly, told[:1], sent_at=SENT) == all_at_once
    assert clicked(all_at_once, told, sent_at=SENT) == all_at_once


def test_what_waited_apart_joins() -> None:
    told = [click(60), click(70), click(80)]
    waited = clicked(NONE, told[:2], sent_at=None)
    assert clicked(NONE, told[2:], sent_at=SENT, waited=[waited]) == clicked(
        NONE, told, sent_at=SENT
    )


# ------------------------------------------------------------------------------------------------ any order

SOME = st.builds(
    click,
    st.sampled_from([0, 1, 2.5, 3, 3.4, 4, 4.9, 60, 60.2, 60.9, 61, 62, 63]),
    st.sampled_from(["https://example.com/a", "https://example.com/b"]),
    event=st.sampled_from(["click", "click", "click", "preview"]),
    agent=st.sampled_from([PHONE, ANDROID, UNFURLER, "", "curl/8.5.0"]),
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Click], list[list[Click]]]:
    """Clicks of a message, and a way in which they may come: shuffled, doubled, in batches."""
    told = draw(st.lists(SOME, min_size=1, max_size=14))
    again = draw(st.lists(st.sampled_from(told), max_size=8))
    shuffled = draw(st.permutations(told + again))
    cuts = draw(st.lists(st.integers(0, len(shuffled)), max_size=5).map(sorted))
    edges = [0, *cuts, len(shuffled)]
    return told, [list(shuffled[a:b]) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("most", [MOST_KEPT, 4])
@given(arrivals())
def test_the_same_clicks_come_to_the_same_record_however_they_arrive(
    most: int, story: tuple[list[Click], list[list[Click]]]
) -> None:
    told, batches = story
    with patch.object(clicks, "MOST_KEPT", most):
        expected = clicked(NONE, told, sent_at=SENT)
        found: Clicks = NONE
        for batch in batches:
            found = clicked(found, batch, sent_at=SENT)
    assert found == expected
    assert found.raw == sum(map(found.count, Kind)) == min(len(set(told)), most)
    assert found.has_more is (len(set(told)) > most)


@given(st.lists(SOME, max_size=14))
def test_what_is_alone_in_its_moment_is_judged_as_if_it_were_the_only_one(
    told: list[Click],
) -> None:
    found = clicked(NONE, told, sent_at=SENT).judged
    for each, others in _with_others(found):
        if all(abs(each.click.at - other.click.at) > clicks.AT_ONCE for other in others):
            assert (each,) == clicked(NONE, [each.click], sent_at=SENT).judged


def _with_others(
    found: tuple[clicks.Judged, ...],
) -> Iterator[tuple[clicks.Judged, list[clicks.Judged]]]:
    for position, each in enumerate(found):
        yield each, [*found[:position], *found[position + 1 :]]


@given(st.lists(SOME, max_size=14), st.lists(SOME, max_size=6))
def test_more_clicks_make_no_person_of_a_program(told: list[Click], more: list[Click]) -> None:
    before = {
        each.click.digest: each.verdict.kind for each in clicked(NONE, told, sent_at=SENT).judged
    }
    after = {
        each.click.digest: each.verdict.kind
        for each in clicked(NONE, [*told, *more], sent_at=SENT).judged
    }
    for digest, kind in before.items():
        assert kind is Kind.HUMAN or after[digest] is kind
