"""Simulated time: wall time plus an offset that the control API may push forward.

Everything that happens later (a status step, a scheduled message) is an action on this clock,
so a test can make the time of a scheduled message come without waiting for it.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

type Action = Callable[[], None]


class Clock:
    """Runs actions on the running event loop when they fall due."""

    def __init__(self) -> None:
        """Start at wall time, with nothing planned."""
        self._offset = 0.0
        self._planned: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Count the actions planned."""
        return len(self._planned)

    def now(self) -> datetime:
        """The simulated time, in UTC."""
        return datetime.fromtimestamp(self._seconds(), UTC)

    def after(self, seconds: float, action: Action) -> None:
        """Plan an action that many seconds ahead."""
        self._plan(self._seconds() + seconds, action)

    def at(self, moment: datetime, action: Action) -> None:
        """Plan an action at a moment."""
        self._plan(moment.timestamp(), action)

    def advance(self, seconds: float) -> None:
        """Move the time on; what falls due runs at once."""
        self._offset += seconds
        self._run_due()

    def clear(self) -> None:
        """Drop everything planned; the time stays."""
        self._planned.clear()
        self._set_alarm()

    def _seconds(self) -> float:
        return time.time() + self._offset

    def _plan(self, due: float, action: Action) -> None:
        heapq.heappush(self._planned, (due, next(self._order), action))
        if self._planned[0][2] is action:
            self._set_alarm()

    def _run_due(self) -> None:
        now = self._seconds()
        while self._planned and self._planned[0][0] <= now:
            heapq.heappop(self._planned)[2]()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._planned:
            wait = max(0.0, self._planned[0][0] - self._seconds())
            self._alarm = asyncio.get_running_loop().call_later(wait, self._run_due)
