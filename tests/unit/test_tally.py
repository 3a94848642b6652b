"""Counting exactly although changes come twice, late and in other batches."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.broadcast import Counters, delivery_rate, error_counts, is_complete
from sendpool.domain.message import Status
from sendpool.domain.tally import Standing, counts, difference, dump, load, moved

LIVES = [
    [Standing(Status.ACCEPTED), Standing(Status.SENT), Standing(Status.DELIVERED)],
    [Standing(Status.ACCEPTED), Standing(Status.QUEUED), Standing(Status.UNDELIVERED, "30003")],
    [Standing(Status.UNKNOWN), Standing(Status.QUEUED), Standing(Status.DELIVERED)],
    [Standing(Status.SKIPPED, "duplicate")],
    [Standing(Status.FAILED, "21211")],
]


@st.composite
def reported(
    draw: st.DrawFn,
) -> tuple[list[tuple[int, Standing]], list[list[tuple[int, Standing]]]]:
    """The lives of a chunk's messages, and a way in which a stream may report them."""
    lives = draw(st.lists(st.sampled_from(LIVES), min_size=1, max_size=8))
    changes = [(number, standing) for number, life in enumerate(lives) for standing in life]
    shuffled = draw(
        st.permutations(changes + draw(st.lists(st.sampled_from(changes), max_size=10)))
    )
    cuts = draw(st.lists(st.integers(0, len(shuffled)), max_size=5).map(sorted))
    edges = [0, *cuts, len(shuffled)]
    batches = [list(shuffled[a:b]) for a, b in itertools.pairwise(edges)]
    return [(number, life[-1]) for number, life in enumerate(lives)], batches


@given(reported())
def test_counters_equal_the_truth_however_changes_are_reported(
    story: tuple[list[tuple[int, Standing]], list[list[tuple[int, Standing]]]],
) -> None:
    truth, batches = story
    tally: dict[int, Standing] = {}
    counters: Counter[str] = Counter()
    for batch in [*batches, *batches]:
        after = moved(tally, batch)
        counters.update(difference(tally, after))
        tally = after
    assert tally == dict(truth)
    assert +counters == counts(dict(truth))
    assert load(dump(tally)) == tally


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
