"""How fast: the window goes up slowly and down at once; a broadcast's rate halves and comes back within an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sendpool.domain.message import MessageRecord, RefusedForNow, SendResult, Status
from sendpool.domain.pace import (
    SLOWEST,
    Signal,
    Slowed,
    Window,
    is_queue_full,
    rate_at,
    signal_of,
    slow_down,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def call(
    window: Window, signal: Signal = Signal.ANSWERED, *, account: int = 0, now: float = 0.0
) -> float:
    """One call of a full window, from beginning to end."""
    while not window.is_full:
        window.begin()
    return window.end(window.generation, signal, account=account, now=now)


def calls(window: Window, count: int, *, account: int = 0, now: float = 0.0) -> None:
    for _ in range(count):
        call(window, account=account, now=now)


# ------------------------------------------------------------------------------------------------ the window


@pytest.mark.parametrize(("ceiling", "size"), [(1, 1), (4, 4), (10, 10), (64, 10), (0, 1)])
def test_a_window_begins_with_ten_or_its_ceiling(ceiling: int, size: int) -> None:
    assert Window(ceiling).size == size


def test_a_window_of_answers_makes_it_one_wider() -> None:
    window = Window(64)
    calls(window, 9)
    assert window.size == 10
    calls(window, 1)
    assert window.size == 11
    calls(window, 10)
    assert window.size == 11
    calls(window, 1)
    assert window.size == 12


def test_it_never_grows_beyond_its_ceiling() -> None:
    window = Window(12)
    calls(window, 1_000)
    assert window.size == 12


def test_a_window_that_is_not_used_says_nothing_about_a_wider_one() -> None:
    window = Window(64)
    for _ in range(1_000):
        window.begin()
        window.end(window.generation, Signal.ANSWERED, account=0, now=0)
    assert window.size == 10


def test_silence_neither_widens_nor_narrows() -> None:
    window = Window(64)
    for _ in range(100):
        call(window, Signal.SILENT)
    assert window.size == 10


def test_a_20429_halves_it_at_once_and_pauses() -> None:
    window = Window(64)
    assert call(window, Signal.THROTTLED, now=100.0) == pytest.approx(0.1)
    assert (window.size, window.paused_until) == (5, pytest.approx(100.1))


def test_the_calls_that_were_in_flight_then_narrow_it_no_further() -> None:
    window = Window(64)
    for _ in range(10):
        window.begin()
    paused = [window.end(0, Signal.THROTTLED, account=0, now=0) for _ in range(10)]
    assert window.size == 5
    assert [pause > 0 for pause in paused] == [True] + [False] * 9


def test_it_narrows_down_to_one_and_pauses_longer_each_time_up_to_a_second() -> None:
    window = Window(64)
    pauses = [call(window, Signal.THROTTLED) for _ in range(6)]
    assert window.size == 1
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_luck_shortens_a_pause_by_half_at_most() -> None:
    window = Window(64)
    window.begin()
    assert window.end(0, Signal.THROTTLED, account=0, now=0, luck=0.0) == pytest.approx(0.05)


def test_a_whole_window_of_answers_makes_the_next_pause_short_again() -> None:
    window = Window(64)
    for _ in range(3):
        call(window, Signal.THROTTLED)
    calls(window, window.size)
    assert call(window, Signal.THROTTLED) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("account", "now", "grows"),
    [
        pytest.param(200, 1.0, False, id="others use the account up"),
        pytest.param(185, 1.0, False, id="nearly"),
        pytest.param(150, 1.0, True, id="there is room"),
        pytest.param(8, 1.0, True, id="nobody else is there"),
        pytest.param(0, 1.0, True, id="Twilio does not say"),
        pytest.param(200, 61.0, True, id="the limit was seen long ago"),
    ],
)
def test_it_does_not_grow_while_others_use_up_what_twilio_takes(
    account: int, now: float, *, grows: bool
) -> None:
    # GIVEN Twilio refused when the account had 200 requests in flight
    window = Window(64)
    call(window, Signal.THROTTLED, account=200)
    before = window.size
    # WHEN some windows are answered
    calls(window, 50, account=account, now=now)
    # THEN
    assert (window.size > before) is grows


def test_a_sender_alone_at_the_limit_probes_it() -> None:
    # GIVEN the limit is this sender's own doing
    window = Window(64)
    call(window, Signal.THROTTLED, account=10)
    # WHEN all that is in flight is its own
    calls(window, 100, account=10, now=1.0)
    # THEN it goes on growing
    assert window.size > 5


class Windows(RuleBasedStateMachine):
    """Calls that begin, end and are throttled in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(20)
        self.in_flight: list[int] = []
        self.now = 0.0

    @precondition(lambda self: not self.window.is_full)
    @rule()
    def begin(self) -> None:
        self.window.begin()
        self.in_flight.append(self.window.generation)

    @precondition(lambda self: self.in_flight)
    @rule(
        place=st.integers(0, 100),
        signal=st.sampled_from(Signal),
        account=st.integers(0, 300),
        luck=st.floats(0, 1),
    )
    def end(self, place: int, signal: Signal, account: int, luck: float) -> None:
        generation = self.in_flight.pop(place % len(self.in_flight))
        before, in_flight = self.window.size, self.window.in_flight
        is_news = signal is Signal.THROTTLED and generation == self.window.generation
        pause = self.window.end(generation, signal, account=account, now=self.now, luck=luck)
        assert self.window.in_flight == in_flight - 1
        assert 0 <= pause <= 1
        assert (pause > 0) is is_news
        if signal is Signal.ANSWERED:
            assert before <= self.window.size <= before + 1
        elif pause:
            assert self.window.size == max(1, before // 2)
        else:
            assert self.window.size == before

    @precondition(lambda self: not self.window.is_full)
    @rule()
    def leave(self) -> None:
        self.window.begin()
        self.window.leave()

    @rule(seconds=st.floats(0, 100))
    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def stays_within_its_bounds(self) -> None:
        assert 1 <= self.window.size <= 20
        assert self.window.in_flight == len(self.in_flight)


TestWindows = Windows.TestCase


# ------------------------------------------------------------------------------------------------ what results say


def _record(status: Status) -> MessageRecord:
    return MessageRecord(
        id="msg_1", to="+12025550123", created_at=NOW, result=SendResult(status=status)
    )


@pytest.mark.parametrize(
    ("result", "signal"),
    [
        (_record(Status.ACCEPTED), Signal.ANSWERED),
        (_record(Status.FAILED), Signal.ANSWERED),
        (_record(Status.UNKNOWN), Signal.SILENT),
        (RefusedForNow(20429, 2), Signal.THROTTLED),
        (RefusedForNow(21611, 300), Signal.SILENT),
        (RefusedForNow(20003, 60), Signal.SILENT),
        (RefusedForNow(None, 5), Signal.SILENT),
        (None, Signal.SILENT),
    ],
)
def test_what_a_result_says_to_the_window(result: object, signal: Signal) -> None:
    assert signal_of(result) is signal


@pytest.mark.parametrize(
    ("result", "is_full"),
    [
        (RefusedForNow(21611, 300), True),
        (RefusedForNow(20429, 2), False),
        (RefusedForNow(None, 5), False),
        (_record(Status.ACCEPTED), False),
    ],
)
def test_a_full_queue_is_told_from_too_many_requests(result: object, *, is_full: bool) -> None:
    assert is_queue_full(result) is is_full


# ------------------------------------------------------------------------------------------------ the rate


def test_a_full_queue_halves_the_rate_once_a_minute() -> None:
    first = slow_down(100.0, None, NOW)
    assert first == Slowed(50.0, NOW)
    assert slow_down(100.0, first, NOW + timedelta(seconds=59)) is None
    again = slow_down(100.0, first, NOW + timedelta(minutes=1))
    assert again is not None
    assert again.rate == pytest.approx((50 + 100 / 60) / 2)


def test_the_rate_comes_back_within_the_hour() -> None:
    slowed = Slowed(10.0, NOW)
    rates = [rate_at(100.0, slowed, NOW + timedelta(minutes=each)) for each in (0, 6, 30, 54, 600)]
    assert rates == pytest.approx([10, 20, 60, 100, 100])


@given(
    asked=st.floats(0.01, 10_000), minutes=st.lists(st.integers(0, 200), min_size=1, max_size=30)
)
def test_the_rate_stays_between_the_slowest_and_what_was_asked_for(
    asked: float, minutes: list[int]
) -> None:
    slowed: Slowed | None = None
    now = NOW
    for each in minutes:
        now += timedelta(minutes=each)
        slowed = slow_down(asked, slowed, now) or slowed
        assert min(SLOWEST, asked) <= rate_at(asked, slowed, now) <= asked


def test_without_a_full_queue_the_rate_is_what_was_asked_for() -> None:
    assert rate_at(7.5, None, NOW) == 7.5
