"""What only one of two long lists has comes out of their sketches, exactly or with the word that it does not."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.sketch import Sketch

SIDS = st.builds(
    lambda kind, number: f"{kind}{number:032x}",
    st.sampled_from(["SM", "MM"]), st.integers(0, 2**128 - 1),
)  # fmt: skip


@given(st.sets(SIDS, max_size=60), st.sets(SIDS, max_size=60), st.integers(0, 3_000))
def test_the_difference_of_two_lists_comes_out_whatever_they_share(
    ours: set[str], theirs: set[str], shared: int
) -> None:
    both = Sketch.of(f"SM{n:032x}" for n in range(0, shared, 7))
    named = (both + Sketch.of(ours) - Sketch.of(theirs) - both).named()
    assert named.is_all
    assert named.others == 0
    assert {sid for sid, times in named.names.items() if times > 0} == ours - theirs
    assert {sid for sid, times in named.names.items() if times < 0} == theirs - ours


@given(st.lists(st.sampled_from([f"SM{n:032x}" for n in range(5)]), max_size=40))
def test_a_name_comes_out_as_often_as_it_is_there(names: list[str]) -> None:
    named = Sketch.of(names).named()
    assert (named.names, named.is_all) == (Counter(names), True)


@given(st.lists(SIDS, max_size=200), st.lists(SIDS, max_size=200))
def test_sketches_add_up_and_count(some: list[str], more: list[str]) -> None:
    added = Sketch.of(some) + Sketch.of(more)
    assert added == Sketch.of([*more, *some])
    assert added.balance == len(some) + len(more)
    assert (added - Sketch.of(more)).balance == len(some)


@given(st.lists(SIDS, max_size=300), st.lists(SIDS, max_size=300))
def test_what_is_written_down_reads_back(some: list[str], others: list[str]) -> None:
    sketch = Sketch.of(some) - Sketch.of(others)
    assert Sketch.load(sketch.dump()) == sketch


def test_it_stays_small_however_many_names_it_holds() -> None:
    assert len(Sketch().dump()) < 100
    assert len(Sketch.of(f"SM{n:032x}" for n in range(100_000)).dump()) < 40_000


def test_two_hundred_names_come_out_of_a_hundred_thousand() -> None:
    ours = [f"SM{n * 7919:032x}" for n in range(100_000)]
    named = (Sketch.of(ours) - Sketch.of(ours[200:])).named()
    assert (set(named.names), named.is_all) == (set(ours[:200]), True)
