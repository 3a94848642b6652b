"""Every message is looked at twice in Twilio's list, whenever rounds begin and however long they take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.reconciliation import Round, first_round

START = datetime(2026, 11, 23, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)

# how many minutes after it may begin a round is over: at once, or because Twilio or the sweeper was away
ENDS = st.lists(st.integers(0, 3_000), min_size=40, max_size=60)


def rounds(ends: list[int]) -> list[tuple[Round, datetime]]:
    """Each round, and when it was over."""
    made: list[tuple[Round, datetime]] = []
    this = first_round(START)
    for minutes in ends:
        over_at = this.begins_at + timedelta(minutes=minutes)
        made.append((this, over_at))
        this = this.next(over_at)
    return made


@given(ENDS)
def test_a_message_is_looked_at_once_soon_and_once_late(ends: list[int]) -> None:
    made = rounds(ends)
    for first, second in ((made[at][0], made[at + 1][0]) for at in range(len(made) - 1)):
        assert first.soon.until == second.soon.since
        assert first.late.until == second.late.since
        assert first.begins_at + HOUR <= second.begins_at
    for this, _ in made:
        assert this.soon.until <= this.begins_at - HOUR
        assert this.late.until <= this.begins_at - 25 * HOUR
        assert not this.soon.is_empty
        assert this.page is None


def test_a_message_is_looked_at_an_hour_or_two_after_it_went_and_again_within_32_hours() -> None:
    made = rounds([5] * 200)
    for minutes in range(0, 24 * 60, 7):
        went = START + timedelta(hours=5, minutes=minutes)
        soon = [this for this, _ in made if this.soon.since <= went < this.soon.until]
        late = [this for this, _ in made if this.late.since <= went < this.late.until]
        assert [len(soon), len(late)] == [1, 1]
        assert HOUR <= soon[0].begins_at - went <= 2 * HOUR
        assert 25 * HOUR <= late[0].begins_at - went <= 32 * HOUR


def test_most_rounds_do_not_go_down_the_list_for_a_day() -> None:
    made = rounds([5] * 24 * 7)
    assert 26 <= sum(not this.late.is_empty for this, _ in made) <= 28


def test_the_first_round_looks_a_day_back_and_waits_an_hour() -> None:
    first = first_round(START)
    assert (first.soon.since, first.soon.until) == (START - 24 * HOUR, START)
    assert first.begins_at == START + HOUR
    assert first.spans == (first.soon,)
