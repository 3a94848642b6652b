"""Reviews: what people at Twilio, carriers and registries decide, by time or by a word of the control API.

A resource that waits for somebody opens a review with what to do about the verdict. If the settings let time decide
(`auto_review`), the clock calls it with no verdict and the resource judges itself; the control API may come first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.twilio.core.clock import Clock
from local.twilio.core.settings import Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the reviewer says; `codes` are Twilio's rejection codes, `score` is a brand's trust score."""

    approved: bool
    codes: tuple[int, ...] = ()
    reason: str = ""
    score: int | None = None


type Decide = Callable[[Verdict | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One open question; `key` is the SID of the resource (of its service, for a campaign)."""

    key: str
    kind: str
    decide: Decide = field(repr=False)


class Reviews:
    """The open reviews, at most one a resource."""

    def __init__(self, clock: Clock, behaviour: Callable[[], Behaviour]) -> None:
        """Let time pass on this clock."""
        self._clock = clock
        self._behaviour = behaviour
        self._open: dict[str, Review] = {}

    def open(self, key: str, *, kind: str, seconds: float, decide: Decide) -> None:
        """Ask for a verdict that comes after so many seconds; `decide(None)` means: judge yourself."""
        review = Review(key=key, kind=kind, decide=decide)
        self._open[key] = review
        if self._behaviour().auto_review:
            self._clock.after(seconds, lambda: self._time_is_up(review))

    def conclude(self, key: str, verdict: Verdict) -> None:
        """Give a verdict; KeyError if nothing is open under that key."""
        self._open.pop(key).decide(verdict)

    def withdraw(self, key: str) -> None:
        """Forget the question, as the resource is gone."""
        self._open.pop(key, None)

    def clear(self) -> None:
        """Forget all questions."""
        self._open.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """The open questions."""
        return [{"key": review.key, "kind": review.kind} for review in self._open.values()]

    def _time_is_up(self, review: Review) -> None:
        if self._open.get(review.key) is review:
            del self._open[review.key]
            review.decide(None)
