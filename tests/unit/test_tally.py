"""Counting exactly although changes come twice, late and in other batches."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.broadcast import (
    Bill,
    ClickCounts,
    Counters,
    delivery_rate,
    error_counts,
    is_complete,
)
from sendpool.domain.message import Status
from sendpool.domain.tally import Clicked, Standing, Tally, counts, difference, dump, load, moved

LIVES = [
    [Standing(Status.ACCEPTED), Standing(Status.SENT), Standing(Status.DELIVERED)],
    [Standing(Status.ACCEPTED), Standing(Status.QUEUED), Standing(Status.UNDELIVERED, "30003")],
    [Standing(Status.UNKNOWN), Standing(Status.QUEUED), Standing(Status.DELIVERED)],
    [Standing(Status.SKIPPED, "duplicate")],
    [Standing(Status.FAILED, "21211")],
    [
        Standing(Status.ACCEPTED),
        Standing(Status.DELIVERED),
        Standing(Status.DELIVERED, price=8_300, currency="USD"),
    ],
    [Standing(Status.SENT, price=4_000, currency="USD"), Standing(Status.SENT, "", 8_000, "USD")],
    [
        Standing(Status.ACCEPTED),
        Standing(Status.UNDELIVERED, "30003", 0, "USD"),
    ],
]

# one that looked like a person's first, then like a scanner's, and clicks whose first report is lost
CLICKS = [
    [],
    [Clicked(1, 0, 0, 1), Clicked(2, 0, 2, 0)],
    [Clicked(3, 1, 0, 2), Clicked(4, 1, 3, 0), Clicked(5, 1, 3, 1, has_more=True)],
]
Said = Standing | Clicked
Story = tuple[Tally, list[list[tuple[int, Said]]]]


@st.composite
def reported(draw: st.DrawFn) -> Story:
    """The lives of a chunk's messages, and a way in which a stream may report them and their clicks."""
    lives = draw(st.lists(st.sampled_from(LIVES), min_size=1, max_size=8))
    followed = [draw(st.sampled_from(CLICKS)) for _ in lives]
    changes: list[tuple[int, Said]] = [
        (number, said)
        for number, (life, clicks) in enumerate(zip(lives, followed, strict=True))
        for said in (*life, *clicks)
    ]
    shuffled = draw(
        st.permutations(changes + draw(st.lists(st.sampled_from(changes), max_size=10)))
    )
    cuts = draw(st.lists(st.integers(0, len(shuffled)), max_size=5).map(sorted))
    edges = [0, *cuts, len(shuffled)]
    batches = [list(shuffled[a:b]) for a, b in itertools.pairwise(edges)]
    truth = Tally(
        {number: life[-1] for number, life in enumerate(lives)},
        {number: clicks[-1] for number, clicks in enumerate(followed) if clicks},
    )
    return truth, batches


@given(reported())
def test_counters_equal_the_truth_however_changes_are_reported(story: Story) -> None:
    truth, batches = story
    tally = Tally()
    counters: Counter[str] = Counter()
    for batch in [*batches, *batches]:
        after = moved(tally, batch)
        counters.update(difference(tally, after))
        tally = after
    assert tally == truth
    assert +counters == counts(tally)
    assert load(dump(tally)) == tally


def test_a_click_that_turns_out_to_be_a_scanners_counts_no_more_as_a_persons() -> None:
    person, scanner = Clicked(1, 0, 0, 1), Clicked(2, 0, 1, 0)
    before, after = Tally(clicks={3: person}), Tally(clicks={3: scanner})
    assert moved(before, [(3, scanner)]) == moved(after, [(3, person)]) == after
    assert difference(before, after) == {
        "clicks:human": -1,
        "clicks:people": -1,
        "clicks:scanners": 1,
    }


def test_clicks_are_counted_beside_the_outcomes_by_what_made_them() -> None:
    tally = Tally(
        {1: Standing(Status.DELIVERED)},
        {1: Clicked(4, 2, 3, 2, has_more=True), 2: Clicked(1, 1, 0, 0), 3: Clicked(1, 0, 0, 1)},
    )
    counters = Counters(counts(tally))
    assert counters.clicks == ClickCounts(9, 3, 3, 3, people=2, capped=1)
    assert (counters.outcomes, counters.final) == (1, 1)
    assert Counters().clicks == ClickCounts(0, 0, 0, 0, 0)
    assert dump(tally) == "1=delivered 1~4:2/3/2+ 2~1:1/0/0 3~1:0/0/1"


@pytest.mark.parametrize("text", ["", "1:2/3", "1:2/3/4/5", "1:2/3/x", "delivered"])
def test_what_is_no_count_of_clicks_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which words it says does not matter
        Clicked.parse(text)


def test_a_price_stays_when_a_later_status_comes_without_it() -> None:
    sent = Standing(Status.SENT, price=8_300, currency="USD")
    delivered = Standing(Status.DELIVERED)
    expected = Tally({1: Standing(Status.DELIVERED, price=8_300, currency="USD")})
    either = [(1, sent)], [(1, delivered)]
    assert moved(Tally({1: sent}), either[1]) == moved(Tally({1: delivered}), either[0]) == expected


def test_a_price_is_written_after_the_standing() -> None:
    standings = {
        1: Standing(Status.DELIVERED, price=8_300, currency="USD"),
        2: Standing(Status.UNDELIVERED, "30003", 0, "EUR"),
        3: Standing(Status.DELIVERED),
    }
    assert dump(Tally(standings)) == "1=delivered@8300USD 2=undelivered:30003@0EUR 3=delivered"


@pytest.mark.parametrize(
    ("written", "standing"),
    [
        ("delivered", Standing(Status.DELIVERED)),
        ("failed:21211", Standing(Status.FAILED, "21211")),
        ("skipped:invalid_phone", Standing(Status.SKIPPED, "invalid_phone")),
        ("failed:refused_by_twilio", Standing(Status.FAILED, "refused_by_twilio")),
    ],
)
def test_tallies_from_before_there_were_prices_are_read(written: str, standing: Standing) -> None:
    assert load(f"7={written}") == Tally({7: standing})
    assert dump(load(f"7={written}")) == f"7={written}"


@pytest.mark.parametrize("text", ["", "sold", "delivered@", "delivered@x", "delivered@-1"])
def test_what_is_no_standing_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which words it says does not matter
        Standing.parse(text)


def test_what_was_billed_is_counted_beside_the_outcomes_and_not_among_them() -> None:
    standings = {
        1: Standing(Status.DELIVERED, price=8_300, currency="USD"),
        2: Standing(Status.UNDELIVERED, "30003", 4_000, "USD"),
        3: Standing(Status.DELIVERED),
    }
    counters = Counters(counts(Tally(standings)))
    assert counters.bill == Bill("USD", 12_300, 2)
    assert (counters.outcomes, counters.final, counters.failures) == (3, 3, 1)
    assert counters.whys(Status.UNDELIVERED) == {"30003": 1}
    assert counters.whys(Status.DELIVERED) == {}
    assert is_complete(total=3, counters=counters)
    assert not is_complete(total=4, counters=counters)


def test_nothing_is_billed_until_a_price_comes() -> None:
    assert Counters(counts(Tally({1: Standing(Status.DELIVERED)}))).bill is None


def test_a_broadcast_is_complete_when_everybody_has_an_outcome_and_not_before() -> None:
    counters = Counters({"accepted": 2, "skipped": 1, "unknown": 1})
    assert not is_complete(total=None, counters=counters)
    assert not is_complete(total=4, counters=counters)
    assert is_complete(total=3, counters=counters)


def test_errors_come_most_frequent_first_with_what_to_do() -> None:
    counters = Counters(
        {
            "failed": 1,
            "failed:21211": 1,
            "undelivered": 3,
            "undelivered:30003": 2,
            "undelivered:30005": 1,
        }
    )
    errors = error_counts(counters)
    assert next((each.code, each.count) for each in errors) == (30003, 2)
    assert all(each.remedy and each.error_class for each in errors)
    assert delivery_rate(counters) == 0.0
    assert delivery_rate(Counters()) is None
