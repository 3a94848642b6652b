"""When a broadcast pauses by itself: for what any further message would meet, and not for a few errors among many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.broadcast import (
    AutoPause,
    Broadcast,
    Content,
    Counters,
    Hold,
    State,
    failing,
    forgive,
    refused_at_once,
)
from sendpool.domain.message import Status
from sendpool.domain.twilio_codes import TABLE, ErrorClass

UNDER_WAY = Broadcast(
    id="bc_0",
    name="Sale",
    content=Content(body="Hi"),
    state=State.SENDING,
    created_at=datetime(2026, 11, 23, tzinfo=UTC),
)
OF_ONE_SENDER = sorted(
    code
    for code, row in TABLE.items()
    if row.halts and row.error_class is ErrorClass.NOT_REGISTERED
)
OF_EVERYBODY = sorted(
    code for code, row in TABLE.items() if row.halts and code not in OF_ONE_SENDER
)
HARMLESS = sorted(code for code, row in TABLE.items() if not row.halts)
# what the 2,000 recipients of `make demo` come to
DEMO = {30001: 4, 30003: 12, 30034: 3, 30005: 8, 30006: 6, 30007: 5, 30008: 4, 21610: 3}


def counted(delivered: int, errors: Mapping[int, int]) -> Counters:
    """Counters of a broadcast, with so many undelivered by code."""
    counts = {str(Status.DELIVERED): delivered, str(Status.UNDELIVERED): sum(errors.values())}
    return Counters(counts | {f"{Status.UNDELIVERED}:{code}": n for code, n in errors.items()})


mixes = st.dictionaries(st.sampled_from(sorted(TABLE)), st.integers(1, 2_000), max_size=6)
delivered = st.integers(0, 20_000)


@given(delivered, st.dictionaries(st.sampled_from(sorted(TABLE)), st.integers(1, 9), max_size=9))
def test_a_few_of_each_error_pause_nothing(delivered: int, errors: dict[int, int]) -> None:
    assert failing(UNDER_WAY, counted(delivered, errors)) is None


@given(
    st.integers(0, 1_955),
    st.fixed_dictionaries({code: st.integers(0, n) for code, n in DEMO.items()}),
)
def test_the_errors_of_the_demo_pause_nothing_whichever_come_first(
    delivered: int, errors: dict[int, int]
) -> None:
    assert failing(UNDER_WAY, counted(delivered, errors)) is None


@pytest.mark.parametrize("code", OF_EVERYBODY)
def test_what_everybody_would_meet_pauses_at_ten_however_many_went_before(code: int) -> None:
    assert failing(UNDER_WAY, counted(1_000_000, {code: 9})) is None
    why = failing(UNDER_WAY, counted(1_000_000, {code: 10}))
    assert why == f"error_{code}: 10 of 1000010 messages failed. {TABLE[code].remedy}"


@pytest.mark.parametrize("code", OF_ONE_SENDER)
def test_what_one_number_of_a_pool_meets_pauses_at_a_twentieth(code: int) -> None:
    assert failing(UNDER_WAY, counted(951, {code: 49})) is None
    assert failing(UNDER_WAY, counted(950, {code: 50}))
    assert failing(UNDER_WAY, counted(0, {code: 9})) is None


@given(delivered, st.dictionaries(st.sampled_from(HARMLESS), st.integers(1, 20_000), max_size=6))
def test_what_is_a_recipients_own_trouble_pauses_nothing(
    delivered: int, errors: dict[int, int]
) -> None:
    assert failing(UNDER_WAY, counted(delivered, errors)) is None


@given(delivered, mixes, st.sampled_from([None, AutoPause(failure_share=0.1, after=1)]))
def test_what_failed_before_a_resume_does_not_pause_after_it(
    delivered: int, errors: dict[int, int], rule: AutoPause | None
) -> None:
    counters = counted(delivered, errors)
    resumed = replace(UNDER_WAY, auto_pause=rule, forgiven=forgive(counters))
    assert failing(resumed, counters) is None
    # nor do counters that were read before the resume
    older = counted(delivered // 2, {code: n // 2 for code, n in errors.items()})
    assert failing(resumed, older) is None


@given(delivered, mixes, st.sampled_from(OF_EVERYBODY), st.integers(10, 500))
def test_what_fails_after_a_resume_counts_anew(
    delivered: int, errors: dict[int, int], code: int, new: int
) -> None:
    resumed = replace(UNDER_WAY, forgiven=forgive(counted(delivered, errors)))
    later = counted(delivered, errors | {code: errors.get(code, 0) + new})
    assert (failing(resumed, later) or "").startswith(f"error_{code}: {new} of {new} ")


@given(delivered, mixes)
def test_what_one_goes_on_despite_pauses_nothing(delivered: int, errors: dict[int, int]) -> None:
    determined = replace(UNDER_WAY, despite_errors=frozenset(errors))
    assert failing(determined, counted(delivered, errors)) is None


@pytest.mark.parametrize("held", [Hold.PAUSED, Hold.CANCELED])
def test_what_is_held_is_not_paused(held: Hold) -> None:
    counters = counted(0, {30023: 1_000})
    assert failing(replace(UNDER_WAY, held=held), counters) is None
    assert failing(replace(UNDER_WAY, held=Hold.BUDGET), counters)


@pytest.mark.parametrize("halt", [21704, 401])
def test_a_refusal_of_everybody_names_code_count_and_remedy(halt: int) -> None:
    why = refused_at_once(halt, 4)
    assert why.startswith(f"error_{halt}: refused 4 times at create, nobody is lost. ")
    assert why.endswith("then resume.")
