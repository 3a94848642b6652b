"""How fast: how many calls to Twilio at a time a sender may make, and how many segments a second a broadcast may.

Twilio limits an account in two ways. Too many requests at once are refused with 20429 and made nothing of: that is
the sender's window, and it reacts within one answer. More messages than the senders of the pool can pass on fill
their queues, ten hours deep: creates are refused with 21611, messages fail with 30001 in a callback; that is the
broadcast's rate, and it reacts within minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sendpool.domain.message import MessageRecord, RefusedForNow, SendResult, Status
from sendpool.domain.twilio_codes import ErrorClass, Retry, explain

# ------------------------------------------------------------------------------------------------ calls at a time

_FIRST_SIZE = 10
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
# how long a count of the account's requests at which Twilio refused one is held to be its limit
_LIMIT_HOLDS_SECONDS = 60.0
_NEAR = 0.9
_BY_FAR = 2


class Signal(Enum):
    """What a call says about how many Twilio takes at a time."""

    ANSWERED = auto()
    THROTTLED = auto()
    SILENT = auto()
    """Nothing: no clear answer, or a refusal for another reason."""


def signal_of(result: object) -> Signal:
    """Tell what the result of a call says to the window."""
    match result:
        case RefusedForNow(code) if code and explain(code).retry is Retry.BACKOFF:
            return Signal.THROTTLED
        case MessageRecord(result=SendResult(status=status)) if status is not Status.UNKNOWN:
            return Signal.ANSWERED
    return Signal.SILENT


def is_queue_full(result: object) -> bool:
    """Tell whether Twilio refused because the queue of the sender it chose is full."""
    return (
        isinstance(result, RefusedForNow)
        and result.code is not None
        and explain(result.code).error_class is ErrorClass.QUEUE_FULL
    )


@dataclass(slots=True)
class Window:
    """How many calls one sender has in flight at most: up slowly, down at once.

    Starts at ten and never leaves 1 to `ceiling`. A whole window of answers, heard while all of it was in use,
    makes it one wider. A 20429 halves it, and nothing new begins for 0.1 s, doubling up to 1 s as long as no whole
    window is answered in between. Calls that were in flight when it shrank say nothing new: their 20429 shrinks it
    no further.

    Other senders share the account's limit. Answers carry how many requests the account has in flight; the count
    at a 20429 is taken for the limit during the next minute. While the account is within a tenth of it, and has
    more than twice what this sender has, others are using it up: then the window does not grow.

    Times are seconds of any clock that never goes back.
    """

    ceiling: int
    size: int = 0
    in_flight: int = 0
    paused_until: float = 0.0
    generation: int = 0
    _answers: int = 0
    _streak: int = 0
    _limit: int = 0
    _limit_until: float = 0.0

    def __post_init__(self) -> None:
        self.ceiling = max(1, self.ceiling)
        self.size = min(self.size or _FIRST_SIZE, self.ceiling)

    @property
    def is_full(self) -> bool:
        return self.in_flight >= self.size

    def begin(self) -> None:
        """Count a call in."""
        self.in_flight += 1

    def end(
        self, generation: int, signal: Signal, *, account: int, now: float, luck: float = 1.0
    ) -> float:
        """Count a call out. Returns for how many seconds nothing new may begin because of it.

        `generation` is the window's when the call began; `account` is how many requests the account has in
        flight by Twilio's last word, 0 if it never said; `luck`, 0 to 1, spreads the pauses of several senders.
        """
        was_full = self.is_full
        mine = self.in_flight
        self.in_flight -= 1
        match signal:
            case Signal.ANSWERED if was_full and not self._is_crowded(account, mine, now):
                self._grow()
            case Signal.THROTTLED if generation == self.generation:
                return self._shrink(account, now, luck)
        return 0.0

    def leave(self) -> None:
        """Count a call out that was never made."""
        self.in_flight -= 1

    def _grow(self) -> None:
        self._answers += 1
        if self._answers >= self.size:
            self._answers = 0
            self._streak = 0
            self.size = min(self.size + 1, self.ceiling)

    def _shrink(self, account: int, now: float, luck: float) -> float:
        self.generation += 1
        self._answers = 0
        self.size = max(1, self.size // 2)
        self._limit, self._limit_until = account, now + _LIMIT_HOLDS_SECONDS
        pause = min(_FIRST_PAUSE_SECONDS * 2.0**self._streak, _LONGEST_PAUSE_SECONDS)
        pause *= 0.5 + luck / 2
        self._streak += 1
        self.paused_until = now + pause
        return pause

    def _is_crowded(self, account: int, mine: int, now: float) -> bool:
        return bool(
            self._limit
            and now < self._limit_until
            and account >= _NEAR * self._limit
            and account > _BY_FAR * mine
        )


# ------------------------------------------------------------------------------------------------ segments a second

SLOWEST = 1.0
_SLOWS_AGAIN_AFTER = timedelta(minutes=1)
_RECOVERS_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slowed:
    """A broadcast was slowed to `rate` segments a second at `at`, because queues of the pool were full."""

    rate: float
    at: datetime


def rate_at(asked: float, slowed: Slowed | None, now: datetime) -> float:
    """Return the rate that holds now: what was slowed comes back evenly, by what was asked for within an hour."""
    if slowed is None:
        return asked
    recovered = asked * max(0.0, (now - slowed.at) / _RECOVERS_WITHIN)
    return min(asked, slowed.rate + recovered)


def slow_down(asked: float, slowed: Slowed | None, now: datetime) -> Slowed | None:
    """Halve the rate that holds now, to 1 a second at the least; None if that was done within the last minute."""
    if slowed is not None and now - slowed.at < _SLOWS_AGAIN_AFTER:
        return None
    slowest = min(SLOWEST, asked)
    return Slowed(rate=max(slowest, rate_at(asked, slowed, now) / 2), at=now)
