"""The sender's pool: side by side, slower when Twilio says so, never stuck, and nothing lost or doubled by it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from functions.dispatcher.app import lambda_handler as dispatcher
from functions.sender.app import lambda_handler as sender
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters.twilio.transport import NeverSentError
from sendpool.domain.message import RefusedForNow
from sendpool.domain.pace import Signal, Slowed, signal_of
from sendpool.edge import outbound, warm
from sendpool.workflows.pool import PATIENCE_SECONDS, Pool
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.twilio import Answer, FakeTwilio

THROTTLED = RefusedForNow(20429, 2)


@dataclass
class Seconds:
    """A clock that goes on when somebody sleeps."""

    now: float = 0.0
    slept: dict[int, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            thread = threading.get_ident()
            self.slept[thread] = self.slept.get(thread, 0.0) + seconds
            self.now += seconds

    @property
    def longest(self) -> float:
        """How long one thread slept in all."""
        return max(self.slept.values(), default=0.0)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pool(seconds: Seconds) -> Pool:
    return Pool(8, clock=seconds, sleep=seconds.sleep)


def answered(_: object) -> Signal:
    return Signal.ANSWERED


def always() -> bool:
    return True


# ------------------------------------------------------------------------------------------------ the pool


def test_every_row_is_worked_on_once_and_as_many_at_a_time_as_the_window_allows(pool: Pool) -> None:
    lock = threading.Lock()
    running, most = 0, 0
    together = threading.Barrier(8, timeout=10)

    def work(row: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if row < 8:
            together.wait()  # all eight are in flight at once
        with lock:
            running -= 1
        return -row

    results = dict(pool.work(range(500), work, signal=answered, go_on=always))
    assert results == {row: -row for row in range(500)}
    assert most == 8


@pytest.mark.parametrize("ceiling", [1, 8])
def test_no_row_begins_after_the_word_to_stop(ceiling: int, seconds: Seconds) -> None:
    pool = Pool(ceiling, clock=seconds, sleep=seconds.sleep)
    words = iter([True] * 20 + [False] * 1_000)
    results = list(
        pool.work(range(100), lambda row: row, signal=answered, go_on=lambda: next(words))
    )
    assert sorted(row for row, _ in results) == list(range(20))


@pytest.mark.parametrize("ceiling", [1, 8])
def test_a_throttled_row_slows_the_others_and_does_not_stop_them(
    ceiling: int, seconds: Seconds
) -> None:
    pool = Pool(ceiling, clock=seconds, sleep=seconds.sleep)
    refused = {10, 11, 12}
    results = dict(
        pool.work(
            range(200),
            lambda row: THROTTLED if row in refused else row,
            signal=lambda result: signal_of(result) if result == THROTTLED else Signal.ANSWERED,
            go_on=always,
        )
    )
    assert len(results) == 200
    assert {row for row, result in results.items() if result == THROTTLED} == refused
    assert seconds.slept


@pytest.mark.parametrize("ceiling", [1, 2, 8])
def test_a_twilio_that_goes_on_throttling_ends_a_run_within_its_patience(
    ceiling: int, seconds: Seconds
) -> None:
    # GIVEN a Twilio that refuses everything
    pool = Pool(ceiling, clock=seconds, sleep=seconds.sleep)
    # WHEN there are a thousand rows
    results = list(pool.work(range(1_000), lambda _: THROTTLED, signal=signal_of, go_on=always))
    # THEN it gives up early, and waited no longer than it may
    assert 0 < len(results) < 50
    assert 0 < seconds.longest <= PATIENCE_SECONDS
    # AND the next run begins where this one ended
    assert pool.window.size == 1
    assert pool.window.in_flight == 0


def test_runs_side_by_side_share_the_window_and_none_is_stuck(pool: Pool) -> None:
    found: dict[int, int] = {}

    def run(number: int) -> None:
        found[number] = len(
            list(pool.work(range(200), lambda row: row, signal=answered, go_on=always))
        )

    threads = [threading.Thread(target=run, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == dict.fromkeys(range(5), 200)
    assert pool.window.in_flight == 0


class KilledError(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("ceiling", [1, 8])
def test_what_a_call_raises_is_raised_to_whoever_reads_and_no_more_begin(
    ceiling: int, seconds: Seconds
) -> None:
    pool = Pool(ceiling, clock=seconds, sleep=seconds.sleep)
    began = itertools.count(1)

    def work(row: int) -> int:
        next(began)
        if row == 5:
            raise KilledError
        return row

    with pytest.raises(KilledError):
        list(pool.work(range(1_000), work, signal=answered, go_on=always))
    assert next(began) < 200
    # AND the pool works for whoever comes next
    assert pool.window.in_flight == 0
    assert len(list(pool.work(range(50), abs, signal=answered, go_on=always))) == 50


def test_a_reader_that_stops_ends_the_run(pool: Pool) -> None:
    began = itertools.count(1)

    def work(_: int) -> int:
        time.sleep(0.002)
        return next(began)

    run = pool.work(range(10_000), work, signal=answered, go_on=always)
    next(run)
    assert isinstance(run, Iterator)
    run.close()  # type: ignore[attr-defined]
    assert next(began) < 10_000
    assert pool.window.in_flight == 0


def test_nothing_to_do_is_done_at_once(pool: Pool) -> None:
    assert list(pool.work([], abs, signal=answered, go_on=always)) == []


# ------------------------------------------------------------------------------------------------ the sender


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": f"+1202555{1000 + n}"} for n in range(count)]


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio, seconds: Seconds) -> Flow:
    outbound.use_transport(lambda: twilio, sleep=seconds.sleep)
    return Flow(aws)


def started(flow: Flow, count: int, **request: Any) -> str:
    broadcast_id = flow.created(body="Hi", recipients=people(count), start="now", **request)
    flow.dispatch()
    return broadcast_id


def each_once(twilio: FakeTwilio, count: int) -> bool:
    expected = Counter(person["to"] for person in people(count))
    return Counter(message["to"] for message in twilio.made) == expected


def test_a_20429_hands_back_its_own_row_only(flow: Flow, aws: Aws, twilio: FakeTwilio) -> None:
    # GIVEN Twilio throttles three people of a chunk
    started(flow, 60)
    for number in (3, 17, 40):
        twilio.answers[f"+1202555{1000 + number}"] = [Answer(429, 20429)]
    [chunk] = aws.records("SEND_QUEUE")
    # WHEN a sender works on it
    assert flow.send([chunk]) == []
    # THEN all the others have their text, and the chunk comes again for the three
    assert len(twilio.made) == 57
    flow.send_all()
    assert each_once(twilio, 60)
    assert twilio.lists == 0


def test_a_twilio_that_throttles_everything_gets_the_chunk_later_and_soon_fewer_calls(
    flow: Flow, aws: Aws, twilio: FakeTwilio, seconds: Seconds
) -> None:
    # GIVEN
    started(flow, 100)
    twilio.answers["*"] = [Answer(429, 20429)] * 1_000
    [chunk] = aws.records("SEND_QUEUE")
    # WHEN
    assert flow.send([chunk]) == []
    # THEN few calls were made, no more than two seconds were waited, and the chunk waits on the queue
    assert 0 < len(twilio.requests) < 30
    assert 0 < seconds.longest <= PATIENCE_SECONDS
    assert outbound.pool().window.size == 1
    # WHEN Twilio takes messages again
    twilio.answers.clear()
    flow.send_all()
    # THEN nobody is lost or got it twice, and nobody had to be looked for
    assert each_once(twilio, 100)
    assert twilio.lists == 0


def test_what_the_pool_learned_holds_for_the_next_invocation(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    started(flow, 20)
    twilio.answers["*"] = [Answer(429, 20429)]
    [chunk] = aws.records("SEND_QUEUE")
    assert outbound.pool().window.size == 4
    flow.send([chunk])
    assert outbound.pool().window.size < 4
    before = outbound.pool()
    flow.send_all()
    assert outbound.pool() is before


def test_a_batch_of_chunks_is_sent_side_by_side_and_everybody_gets_the_text_once(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    started(flow, 450)
    chunks = aws.records("SEND_QUEUE")
    assert len(chunks) == 5
    # WHEN a batch holds all chunks, one of them twice
    assert flow.send([*chunks, chunks[0]]) == []
    assert each_once(twilio, 450)


def test_a_chunk_of_a_batch_that_fails_fails_alone(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN another sender died in the first of three chunks, and its lease still holds
    started(flow, 300)
    first, *others = aws.records("SEND_QUEUE")
    twilio.on_create = lambda _fields: (_ for _ in ()).throw(KilledError())
    with pytest.raises(KilledError):
        flow.send([first])
    twilio.on_create = lambda _fields: None
    # WHEN
    assert flow.send([first, *others]) == [first["messageId"]]
    # THEN the others are sent
    assert len(twilio.made) == 200
    clock.pass_by(minutes=5)
    assert flow.send([first]) == []
    flow.send_all()
    assert each_once(twilio, 300)


@pytest.mark.parametrize("time_left", [27_000, 0])
def test_without_time_no_chunk_of_a_batch_begins_a_row(
    flow: Flow, aws: Aws, twilio: FakeTwilio, time_left: int
) -> None:
    started(flow, 250)
    chunks = aws.records("SEND_QUEUE")
    answer = sender({"Records": chunks}, Context(milliseconds=[time_left]))
    assert answer == {"batchItemFailures": []}
    assert twilio.made == []
    flow.send_all()
    assert each_once(twilio, 250)


def test_when_no_connection_can_be_made_the_chunk_stops(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    started(flow, 100)
    twilio.answers["*"] = [Answer(503, error=NeverSentError("ConnectTimeoutError"))] * 100
    [chunk] = aws.records("SEND_QUEUE")
    flow.send([chunk])
    assert len(twilio.requests) < 20
    twilio.answers.clear()
    flow.send_all()
    assert each_once(twilio, 100)


# ------------------------------------------------------------------------------------------------ the rate


def broadcast_item(aws: Aws, broadcast_id: str) -> dict[str, Any]:
    [item] = [each for each in aws.items(prefix=f"BC#{broadcast_id}") if each["sk"] == "META"]
    return item


def effective_rate(aws: Aws, broadcast_id: str) -> float | None:
    rate = broadcast_item(aws, broadcast_id).get("effective_rate")
    return float(rate) if rate else None


def test_full_queues_leave_their_rows_and_slow_the_broadcast(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    # GIVEN the queue of a sender of the pool is full for two people
    broadcast_id = started(flow, 50, rate=100)
    for number in (3, 17):
        twilio.answers[f"+1202555{1000 + number}"] = [Answer(429, 21611)]
    [chunk] = aws.records("SEND_QUEUE")
    # WHEN
    flow.send([chunk])
    # THEN the others have their text, and the broadcast goes on at half its rate
    assert len(twilio.made) == 48
    assert effective_rate(aws, broadcast_id) == 50
    flow.send_all()
    assert each_once(twilio, 50)


def test_many_full_queues_stop_a_chunk(flow: Flow, aws: Aws, twilio: FakeTwilio) -> None:
    started(flow, 100)
    twilio.answers["*"] = [Answer(429, 21611)] * 100
    [chunk] = aws.records("SEND_QUEUE")
    flow.send([chunk])
    assert len(twilio.requests) < 40
    twilio.answers.clear()
    flow.send_all()
    assert each_once(twilio, 100)


def test_30001_in_callbacks_halves_the_rate_once_a_minute(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN
    broadcast_id = started(flow, 50, rate=100)
    flow.send_all()
    failed = [callback(message, "failed", error_code=30001) for message in twilio.made]
    # WHEN many come at once, and again
    flow.call_back(*failed[:20])
    flow.call_back(*failed[20:40])
    # THEN it is halved once
    assert effective_rate(aws, broadcast_id) == 50
    # WHEN there are more a minute later
    clock.pass_by(minutes=1)
    flow.call_back(*failed[40:])
    # THEN it is halved again
    assert effective_rate(aws, broadcast_id) == pytest.approx((50 + 100 / 60) / 2)


@pytest.mark.parametrize("error_code", [None, 30003, 21610])
def test_other_callbacks_leave_the_rate_alone(
    flow: Flow, aws: Aws, twilio: FakeTwilio, error_code: int | None
) -> None:
    broadcast_id = started(flow, 5, rate=100)
    flow.send_all()
    flow.call_back(callback(twilio.made[0], "failed", error_code=error_code))
    assert effective_rate(aws, broadcast_id) is None


def test_the_dispatcher_goes_at_the_rate_that_holds_now(
    flow: Flow, aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN a broadcast of which 30 seconds' work is out, and that was slowed from 20 to 10 a second
    broadcast_id = flow.created(body="Hi", recipients=people(2_000), start="now", rate=20)
    tick(aws)
    tick(aws)
    flow.send_all()
    released = len(twilio.made)
    flow.call_back(callback(twilio.made[0], "failed", error_code=30001))
    assert effective_rate(aws, broadcast_id) == 10
    # WHEN a minute later the next tick releases
    clock.pass_by(minutes=1)
    tick(aws)
    flow.send_all()
    # THEN it is about half as much
    assert 0.4 < (len(twilio.made) - released) / released < 0.7


def tick(aws: Aws) -> None:
    """Let the dispatcher do one tick."""
    assert dispatcher({"Records": aws.records("DISPATCH_QUEUE")}, Context()) == {
        "batchItemFailures": []
    }


def test_a_second_word_that_was_read_before_the_first_was_written_changes_nothing(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    broadcast_id = started(flow, 5, rate=100)
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    at = warm.now()
    assert warm.broadcasts().slow_down(broadcast, Slowed(50, at))
    assert not warm.broadcasts().slow_down(broadcast, Slowed(25, at + timedelta(seconds=1)))
    assert effective_rate(aws, broadcast_id) == 50


# ------------------------------------------------------------------------------------------------ without a rate


def looked_at(twilio: FakeTwilio, mps: float | None, *campaigns: str) -> None:
    """Let the sweeper find a US long code, and what carriers grant its campaign: three times so much as AT&T."""
    twilio.numbers, twilio.campaigns, twilio.campaign_mps = ["+12025550100"], [*campaigns], mps
    sweeper({}, Context())


@pytest.mark.parametrize(
    ("mps", "request_", "people_out"),
    [
        (1.0, {}, 100),  # a chunk of a hundred takes half a minute
        (2.0, {}, 200),
        (75.0, {}, 900),
        (1.0, {"rate": 1000}, 900),
    ],
)
def test_a_broadcast_without_a_rate_goes_as_fast_as_the_pool_passes_on(
    flow: Flow,
    aws: Aws,
    twilio: FakeTwilio,
    mps: float,
    request_: dict[str, Any],
    people_out: int,
) -> None:
    looked_at(twilio, mps, "VERIFIED")
    request = {"body": "Hi", "category": "transactional", **request_}
    broadcast_id = flow.created(recipients=people(900), start="now", **request)
    tick(aws)
    tick(aws)
    flow.send_all()
    assert len(twilio.made) == people_out
    report = flow.report(broadcast_id)
    assert (report["rate"], report["pool_rate"]) == (request_.get("rate"), mps * 3)


def test_what_the_pool_passes_on_is_halved_when_its_queues_are_full(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    looked_at(twilio, 10.0, "VERIFIED")
    broadcast_id = flow.created(
        recipients=people(5), body="Hi", start="now", category="transactional"
    )
    flow.dispatch()
    flow.send_all()
    flow.call_back(callback(twilio.made[0], "failed", error_code=30001))
    assert effective_rate(aws, broadcast_id) == 15


@pytest.mark.parametrize("campaigns", [[], ["VERIFIED"]])
def test_a_pool_of_which_nobody_knows_how_fast_it_is_slows_nothing(
    flow: Flow, aws: Aws, twilio: FakeTwilio, campaigns: list[str]
) -> None:
    # neither before anybody looked, nor where carriers say nothing
    if campaigns:
        twilio.numbers, twilio.short_codes = [], []
        sweeper({}, Context())
    broadcast_id = flow.created(
        recipients=people(900), body="Hi", start="now", category="transactional"
    )
    tick(aws)
    tick(aws)
    flow.send_all()
    assert len(twilio.made) == 900
    assert flow.report(broadcast_id)["pool_rate"] is None


def test_what_was_found_before_nobody_looks_any_more_slows_nothing(
    flow: Flow, aws: Aws, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    looked_at(twilio, 1.0, "VERIFIED")
    monkeypatch.setenv("REGISTRATION_CHECK", "off")
    warm.start_over(clock=clock)
    assert len(sent_at_once(flow, aws, twilio)) == 900


def test_a_pool_of_which_a_part_is_not_known_is_not_taken_for_as_slow_as_the_rest(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    # GIVEN a short code of a hundred a second, and long codes of whose campaign Twilio tells no rate
    twilio.short_codes = ["55501"]
    looked_at(twilio, None, "VERIFIED")
    assert len(sent_at_once(flow, aws, twilio, people_=4_000)) == 4_000


def sent_at_once(
    flow: Flow, aws: Aws, twilio: FakeTwilio, *, people_: int = 900
) -> list[dict[str, str]]:
    """Let a broadcast without a rate begin; returns what goes out by its first tick."""
    flow.created(recipients=people(people_), body="Hi", start="now", category="transactional")
    tick(aws)
    tick(aws)
    flow.send_all()
    return twilio.made
