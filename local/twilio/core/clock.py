"""Simulated time: wall time plus an offset that the control API may push forward, or time that stands still.

Everything that happens later (a status step, a scheduled message, a review) is an action on this clock, so a test
can make a month pass in a second: `advance` runs what falls due on the way in its order, each action at its own
moment, also what those actions plan in turn.
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
        self._standing: float | None = None
        self._planned: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Count the actions planned."""
        return len(self._planned)

    @property
    def is_frozen(self) -> bool:
        """Time stands still but for `advance`."""
        return self._standing is not None

    @property
    def next_due(self) -> datetime | None:
        """When the next action falls due."""
        return datetime.fromtimestamp(self._planned[0][0], UTC) if self._planned else None

    def now(self) -> datetime:
        """The simulated time, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """The simulated time, in seconds since 1970."""
        return time.time() + self._offset if self._standing is None else self._standing

    def after(self, seconds: float, action: Action) -> None:
        """Plan an action that many seconds ahead."""
        self._plan(self.seconds() + seconds, action)

    def at(self, moment: datetime, action: Action) -> None:
        """Plan an action at a moment."""
        self._plan(moment.timestamp(), action)

    def advance(self, seconds: float) -> None:
        """Move the time on; what falls due on the way runs at once, in order."""
        target = self.seconds() + seconds
        while self._planned and self._planned[0][0] <= target:
            due, _, action = heapq.heappop(self._planned)
            self._move_to(due)
            action()
        self._move_to(target)
        self._set_alarm()

    def run_out(self) -> None:
        """Move the time on until nothing is planned any more."""
        while self._planned:
            self.advance(max(0.0, self._planned[0][0] - self.seconds()))

    def freeze(self) -> None:
        """Let time stand still."""
        self._standing = self.seconds()
        self._set_alarm()

    def thaw(self) -> None:
        """Let time run again from where it stood."""
        if self._standing is not None:
            self._offset = self._standing - time.time()
            self._standing = None
        self._set_alarm()

    def clear(self, *, to_wall_time: bool = False) -> None:
        """Drop everything planned and let time run, from where it is or from wall time."""
        self._planned.clear()
        self.thaw()
        if to_wall_time:
            self._offset = 0.0

    def _move_to(self, moment: float) -> None:
        """Set the time, never back."""
        if self._standing is not None:
            self._standing = max(self._standing, moment)
        else:
            self._offset += max(0.0, moment - self.seconds())

    def _plan(self, due: float, action: Action) -> None:
        heapq.heappush(self._planned, (due, next(self._order), action))
        if self._planned[0][2] is action:
            self._set_alarm()

    def _run_due(self) -> None:
        now = self.seconds()
        while self._planned and self._planned[0][0] <= now:
            heapq.heappop(self._planned)[2]()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._planned and not self.is_frozen:
            wait = max(0.0, self._planned[0][0] - self.seconds())
            self._alarm = asyncio.get_running_loop().call_later(wait, self._run_due)
