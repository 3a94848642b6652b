"""Calls to Twilio side by side: threads that live as long as the process, and a window that says how many work.

All chunks that a sender works on draw on one window, so that the account sees one sender; a thread that finds no
more rows in one chunk goes on with the next. Results are handed out by a generator, and the calls go on while its
reader writes them down. When the reader stops, by an error or a kill, no more calls begin and those in flight are
awaited: what they come to is as unknown as if the process had died.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Condition

from sendpool.domain.pace import Signal, Window

# the pauses of one chunk in all; what needs longer is handed back
PATIENCE_SECONDS = 2.0


@dataclass(slots=True)
class _Run[Row, Result]:
    """Rows on their way. `patience` is how many seconds of pauses are left."""

    waiting: Iterator[Row]
    work: Callable[[Row], Result]
    signal: Callable[[Result], Signal]
    go_on: Callable[[], bool]
    results: SimpleQueue[tuple[Row, Result] | Future[None]] = field(default_factory=SimpleQueue)
    patience: float = PATIENCE_SECONDS
    is_over: bool = False

    def next(self) -> Row | None:
        """Return the next row; None from the moment on that there is none, or that no more may begin."""
        row = None if self.is_over or not self.go_on() else next(self.waiting, None)
        self.is_over = row is None
        return row


class Pool:
    """Works on rows, as many at a time as Twilio takes and at most `ceiling`.

    `clock` counts seconds and `sleep` waits for some. A pool of one does one row after the other, without threads.
    """

    def __init__(
        self,
        ceiling: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.window = Window(ceiling)
        self._clock = clock
        self._sleep = sleep
        self._account = 0
        self._freed = Condition()
        self._threads = ThreadPoolExecutor(self.window.ceiling)

    def heard(self, account: int) -> None:
        """Note how many requests the account has in flight, as Twilio's last answer says."""
        self._account = account

    def work[Row, Result](
        self,
        rows: Iterable[Row],
        work: Callable[[Row], Result],
        *,
        signal: Callable[[Result], Signal],
        go_on: Callable[[], bool],
    ) -> Iterator[tuple[Row, Result]]:
        """Work on rows and yield results as they come; `signal` is asked about one at a time.

        No more begin when `go_on` says no, or when what Twilio throttled has cost two seconds of pauses.
        """
        all_rows = list(rows)
        run = _Run(iter(all_rows), work, signal, go_on)
        if self.window.ceiling == 1:
            return self._one_by_one(run)
        return self._side_by_side(run, min(len(all_rows), self.window.ceiling))

    def _one_by_one[Row, Result](self, run: _Run[Row, Result]) -> Iterator[tuple[Row, Result]]:
        while (row := self._next(run)) is not None:
            yield row, self._call(run, row)

    def _side_by_side[Row, Result](
        self, run: _Run[Row, Result], workers: int
    ) -> Iterator[tuple[Row, Result]]:
        working = [self._threads.submit(self._serve, run) for _ in range(workers)]
        for worker in working:
            worker.add_done_callback(run.results.put)
        try:
            while workers:
                match run.results.get():
                    case Future() as ended:
                        workers -= 1
                        ended.result()
                    case result:
                        yield result
        finally:
            run.is_over = True
            wait(working)

    def _serve[Row, Result](self, run: _Run[Row, Result]) -> None:
        try:
            while (row := self._next(run)) is not None:
                run.results.put((row, self._call(run, row)))
        finally:
            run.is_over = True

    def _next[Row, Result](self, run: _Run[Row, Result]) -> Row | None:
        """Take a place in the window and a row to fill it with; None when there is no more for this run."""
        with self._freed:
            while self.window.is_full and not run.is_over:
                self._freed.wait()
            self.window.begin()
            pause = self.window.paused_until - self._clock()
        if pause > 0 and not run.is_over:
            self._sleep(pause)
        with self._freed:
            row = None
            try:
                row = run.next()
            finally:
                if row is None:
                    self.window.leave()
                    self._freed.notify_all()
        return row

    def _call[Row, Result](self, run: _Run[Row, Result], row: Row) -> Result:
        generation = self.window.generation
        results: list[Result] = []
        try:
            results.append(run.work(row))
        finally:
            self._end(run, generation, results)
        return results[0]

    def _end[Row, Result](
        self, run: _Run[Row, Result], generation: int, results: list[Result]
    ) -> None:
        """Give a call's place in the window back; `results` is empty when it raised."""
        with self._freed:
            run.patience -= self.window.end(
                generation,
                run.signal(results[0]) if results else Signal.SILENT,
                account=self._account,
                now=self._clock(),
                luck=random.random(),  # noqa: S311 - spreads pauses, keeps no secret
            )
            run.is_over = run.is_over or run.patience < 0
            self._freed.notify(2)
