"""A broadcast: one text to many people, and how far it has come.

    created -> importing -> sending -> dispatched   (completed: every recipient has an outcome)
               importing -> failed                  (the recipients file cannot be used)

`completed` is not stored here: the counters say it, so that it cannot contradict them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sendpool.domain.message import TERMINAL, UNDECIDED, Category, Status
from sendpool.domain.twilio_codes import Retry, explain


class State(StrEnum):
    """How far a broadcast has come."""

    CREATED = "created"
    IMPORTING = "importing"
    SENDING = "sending"
    DISPATCHED = "dispatched"
    FAILED = "failed"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What every recipient gets: a Liquid template or a content template, and Twilio's switches."""

    body: str | None = None
    content_sid: str | None = None
    media_urls: tuple[str, ...] = ()
    validity_period: int | None = None
    shorten_urls: bool | None = None
    smart_encoded: bool | None = None
    intent: str | None = None
    category: Category = "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the dispatcher has come: bytes and chunks behind it, and until when work is paced out."""

    offset: int = 0
    chunk: int = 0
    paced_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a recipients file cannot be used."""

    code: str
    detail: str
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """What the ledger keeps of a broadcast. `rate` is in segments a second; None sends as fast as it goes."""

    id: str
    name: str
    content: Content
    state: State
    created_at: datetime
    fingerprint: str = ""
    rate: float | None = None
    started_at: datetime | None = None
    total: int | None = None
    rows_etag: str | None = None
    cursor: Cursor = field(default_factory=Cursor)
    advanced_by: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """A broadcast's counters: `<status>` and `<status>:<why>`, kept by the rollup alone."""

    counts: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None

    def of(self, *statuses: Status) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def outcomes(self) -> int:
        """How many recipients have an outcome: Twilio took it, or it failed, or there is a reason to skip."""
        return self.of(*(status for status in Status if status not in UNDECIDED))

    @property
    def final(self) -> int:
        """How many recipients have a status that cannot change any more."""
        return self.of(*TERMINAL)

    def whys(self, status: Status) -> dict[str, int]:
        """The reasons or error codes under one status, with their counts."""
        prefix = f"{status}:"
        return {
            name.removeprefix(prefix): n
            for name, n in self.counts.items()
            if name.startswith(prefix) and n
        }


def is_complete(*, total: int | None, counters: Counters) -> bool:
    """Tell whether every recipient has an outcome; never before the total is known."""
    return total is not None and counters.outcomes >= total


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """How often one Twilio error came, and what to do about it."""

    code: int
    error_class: str
    count: int
    retryable: bool
    remedy: str


def error_counts(counters: Counters) -> list[ErrorCount]:
    """The errors of a broadcast, most frequent first."""
    by_code: dict[int, int] = {}
    for status in (Status.FAILED, Status.UNDELIVERED):
        for why, count in counters.whys(status).items():
            if why.isdigit():
                by_code[int(why)] = by_code.get(int(why), 0) + count
    rows = [(code, count, explain(code)) for code, count in by_code.items()]
    return [
        ErrorCount(
            code=code,
            error_class=row.error_class,
            count=count,
            retryable=row.retry in {Retry.LATER, Retry.BACKOFF},
            remedy=row.remedy,
        )
        for code, count, row in sorted(rows, key=lambda entry: -entry[1])
    ]


def delivery_rate(counters: Counters) -> float | None:
    """Delivered among those that Twilio took and that are final; None as long as none is."""
    delivered = counters.of(Status.DELIVERED, Status.READ)
    ended = delivered + counters.of(Status.UNDELIVERED) + counters.of(Status.FAILED)
    return round(delivered / ended, 4) if ended else None
