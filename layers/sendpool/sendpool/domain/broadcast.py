"""A broadcast: one text to many people, how far it has come, and whether it may go on.

    created -> importing -> sending -> dispatched   (completed: every recipient has an outcome)
    created, importing   -> failed                  (the recipients file is missing or cannot be used)

How far it has come, `state`, and whether it may go on, `held`, are kept apart: the dispatcher moves the one, people
and the failure share the other. `scheduled`, `paused`, `canceled` and `completed` are never stored as a state; they
are what both and the counters add up to (`shown_state`), so that nothing can contradict anything.

`order_for` is asked by everybody before anything goes out: go, wait, or skip with a reason. A skip is for ever, and
holds for a message wherever it is met, so a canceled or expired broadcast still gives everybody an outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import inf
from typing import Literal

from sendpool.domain.message import TERMINAL, UNDECIDED, Category, Status
from sendpool.domain.pace import Slowed, rate_at, slow_down
from sendpool.domain.quiet_hours import Window
from sendpool.domain.tally import BILLED, CLICKS, PRICE
from sendpool.domain.twilio_codes import ErrorClass, explain

# what a Twilio account takes, in segments a second
DEFAULT_PACE = 2_000.0


class State(StrEnum):
    """How far a broadcast has come; the last four are shown and never stored."""

    CREATED = "created"
    IMPORTING = "importing"
    SENDING = "sending"
    DISPATCHED = "dispatched"
    FAILED = "failed"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    CANCELED = "canceled"
    COMPLETED = "completed"


UNDER_WAY = frozenset({State.IMPORTING, State.SENDING, State.DISPATCHED})
# with no sign of life for so long, somebody has to look whether a broadcast stands still
STANDS_STILL_AFTER = timedelta(minutes=10)


class Hold(StrEnum):
    """Why a broadcast does not go on: for now, or for good.

    At the end of its budget nothing more is released, and what was released before still goes out.
    """

    PAUSED = "paused"
    BUDGET = "budget"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What every recipient gets: a Liquid template or a content template, and Twilio's switches.

    `link_domain` is that of short links, for counting: it stays as it was when the broadcast was made.
    """

    body: str | None = None
    content_sid: str | None = None
    media_urls: tuple[str, ...] = ()
    validity_period: int | None = None
    shorten_urls: bool | None = None
    smart_encoded: bool | None = None
    intent: str | None = None
    category: Category = "marketing"
    link_domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the dispatcher has come: bytes and chunks behind it, and until when work is paced out.

    `spent` is what those chunks cost at most, in millionths, if the broadcast has a budget.
    """

    offset: int = 0
    chunk: int = 0
    paced_until: float = 0.0
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCursor:
    """How far the import of a long recipients file has come: so many parts of its rows are kept.

    `upload_etag` is the file that they are of, `upload_id` the multipart upload that they go to, and `moved_by`
    the tick that moved the cursor here.
    """

    upload_etag: str
    upload_id: str
    moved_by: str
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a recipients file cannot be used."""

    code: str
    detail: str
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoPause:
    """Pause by itself when this share of the decided messages failed, once at least `after` are decided."""

    failure_share: float
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiven:
    """What no longer counts against a broadcast: what its counters said when it was last resumed.

    `errors` are the messages by Twilio code, of those codes that pause a broadcast.
    """

    decided: int = 0
    failed: int = 0
    errors: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """What the ledger keeps of a broadcast.

    `rate` is in segments a second, and so is `pool_rate`, what the senders of the pool passed on when it was dispatched
    last; `first` caps how many are sent to. `retry_of` is the broadcast whose failures it
    tries again, those with one of `retry_codes` (`is_tried_again`). `window` is its own hours, at the place of each
    recipient, `budget` what it may cost, in millionths of the account's currency. `due_at` is when somebody has to
    look at it if nothing happens; it changes whenever something does. `parkings` counts what was parked until some
    hour. `despite_errors` are Twilio codes that pause it no more.
    """

    id: str
    name: str
    content: Content
    state: State
    created_at: datetime
    fingerprint: str = ""
    rate: float | None = None
    pool_rate: float | None = None
    slowed: Slowed | None = None
    start_at: datetime | None = None
    expire_at: datetime | None = None
    first: int | None = None
    retry_of: str | None = None
    retry_codes: tuple[int, ...] = ()
    auto_pause: AutoPause | None = None
    forgiven: Forgiven = Forgiven()
    despite_errors: frozenset[int] = frozenset()
    window: Window | None = None
    budget: int | None = None
    held: Hold | None = None
    held_reason: str | None = None
    held_at: datetime | None = None
    resumed_at: datetime | None = None
    due_at: datetime | None = None
    parkings: int = 0
    started_at: datetime | None = None
    total: int | None = None
    rows_etag: str | None = None
    import_cursor: ImportCursor | None = None
    cursor: Cursor = field(default_factory=Cursor)
    advanced_by: str | None = None
    problem: Problem | None = None


# ------------------------------------------------------------------------------------------------ may it go on?


@dataclass(frozen=True, slots=True)
class Go:
    """It may go out."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: keep it where nothing is lost."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Never again: whatever has not gone out is skipped for this reason."""

    reason: Literal["canceled", "expired"]


Order = Go | Wait | Skip


def order_for(broadcast: Broadcast, now: datetime) -> Order:
    """Tell whether messages of a broadcast may go out. Once it says skip, it says so for ever."""
    if broadcast.held is Hold.CANCELED:
        return Skip("canceled")
    if has_expired(broadcast, now):
        return Skip("expired")
    return Wait() if broadcast.held is Hold.PAUSED else Go()


def releases(broadcast: Broadcast, order: Order) -> bool:
    """Tell whether the dispatcher releases more of a broadcast."""
    if isinstance(order, Wait):
        return False
    return isinstance(order, Skip) or broadcast.held is not Hold.BUDGET


def pace_of(broadcast: Broadcast, order: Order, now: datetime) -> float:
    """How many segments a second may go out now; what is skipped needs no pace."""
    if isinstance(order, Skip):
        return inf
    return rate_at(_asked(broadcast), broadcast.slowed, now)


def slowed_down(broadcast: Broadcast, now: datetime) -> Slowed | None:
    """Return to what a full queue slows a broadcast now; None if it changes nothing (domain/pace.py)."""
    return slow_down(_asked(broadcast), broadcast.slowed, now)


def _asked(broadcast: Broadcast) -> float:
    """Return the rate that was asked for; without one, as fast as the pool passes on, as far as that is known."""
    return broadcast.rate or broadcast.pool_rate or DEFAULT_PACE


def has_expired(broadcast: Broadcast, now: datetime) -> bool:
    return broadcast.expire_at is not None and broadcast.expire_at <= now


def shown_state(broadcast: Broadcast, counters: Counters) -> State:
    """Return the one word that tells a caller where a broadcast stands."""
    if broadcast.held is Hold.CANCELED:
        return State.CANCELED
    if counters.completed_at:
        return State.COMPLETED
    if broadcast.held:
        return State.PAUSED
    if broadcast.state is State.CREATED and broadcast.start_at:
        return State.SCHEDULED
    return broadcast.state


# ------------------------------------------------------------------------------------------------ counters


@dataclass(frozen=True, slots=True)
class Bill:
    """What Twilio billed so far, in millionths of `currency`, and for how many messages."""

    currency: str
    amount: int
    messages: int


@dataclass(frozen=True, slots=True)
class ClickCounts:
    """How often links were followed, by what; `people` is how many recipients did so themselves.

    `capped` is how many messages had more clicks than the earliest that are kept of each: the others are not in here.
    """

    raw: int
    previews: int
    scanners: int
    human: int
    people: int
    capped: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """A broadcast's counters, kept by the rollup alone: `<status>` and `<status>:<why>`, the bill, and clicks."""

    counts: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None

    def of(self, *statuses: Status) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def outcomes(self) -> int:
        """How many recipients have an outcome: Twilio took it, or it failed, or there is a reason to skip."""
        return self.of(*(status for status in Status if status not in UNDECIDED))

    @property
    def decided(self) -> int:
        """How many messages Twilio took or refused: outcomes without those that were never to go, or no more."""
        return self.outcomes - self.of(Status.SKIPPED, Status.CANCELED)

    @property
    def failures(self) -> int:
        """How many messages failed, without those to people who had opted out: that is no fault of the broadcast."""
        failed = (Status.FAILED, Status.UNDELIVERED)
        opted_out = sum(
            count
            for status in failed
            for why, count in self.whys(status).items()
            if why.isdigit() and explain(int(why)).error_class is ErrorClass.OPTED_OUT
        )
        return self.of(*failed) - opted_out

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

    @property
    def clicks(self) -> ClickCounts:
        kinds = ("previews", "scanners", "human", "people", "capped")
        return ClickCounts(
            self.counts.get(CLICKS, 0), *(self.counts.get(f"{CLICKS}:{kind}", 0) for kind in kinds)
        )

    @property
    def bill(self) -> Bill | None:
        """What was billed so far; None as long as nothing was. An account has one currency."""
        messages = self.counts.get(BILLED, 0)
        amounts = {
            name.removeprefix(PRICE): n for name, n in self.counts.items() if name.startswith(PRICE)
        }
        currency = max(amounts, key=amounts.__getitem__, default=None)
        return Bill(currency, amounts[currency], messages) if messages and currency else None


def is_complete(*, total: int | None, counters: Counters) -> bool:
    """Tell whether every recipient has an outcome; never before the total is known."""
    return total is not None and counters.outcomes >= total


# ------------------------------------------------------------------------------------------------ pausing by itself

# so many messages with one such error are no accident
_ERRORS_THAT_PAUSE = 10
# one number of a pool that is not registered yet is no reason to stop the others
_SHARE_OF_A_POOL = 0.05


def forgive(counters: Counters) -> Forgiven:
    """Return what no longer counts against a broadcast that is resumed now."""
    return Forgiven(decided=counters.decided, failed=counters.failures, errors=_halting(counters))


def failing(broadcast: Broadcast, counters: Counters) -> str | None:
    """Say why a broadcast should pause by itself; None when it should not, or is held already.

    An error that Twilio would give any further message pauses it, and with its own rule the share of all failures.
    What was forgiven when it was resumed does not count.
    """
    if not can_pause(broadcast):
        return None
    before = broadcast.forgiven
    decided, failed = counters.decided - before.decided, counters.failures - before.failed
    for code, count in sorted(_halting(counters).items()):
        new = count - before.errors.get(code, 0)
        if code not in broadcast.despite_errors and new >= max(
            _ERRORS_THAT_PAUSE, _least_share(code) * decided
        ):
            return f"error_{code}: {new} of {decided} messages failed. {explain(code).remedy}"
    rule = broadcast.auto_pause
    if rule and decided >= max(rule.after, 1) and failed >= rule.failure_share * decided:
        return f"failure_share: {failed} of {decided} messages failed"
    return None


def refused_at_once(halt: int, times: int) -> str:
    """Say why a broadcast pauses of which Twilio refuses each message at create: so many, and none is lost."""
    return f"error_{halt}: refused {times} times at create, nobody is lost. {explain(halt).remedy}"


def can_pause(broadcast: Broadcast) -> bool:
    """Tell whether a pause would hold back anything that is not held back already."""
    return broadcast.held in {None, Hold.BUDGET}


def _halting(counters: Counters) -> dict[int, int]:
    """How many messages failed with each error that pauses a broadcast."""
    return {each.code: each.count for each in error_counts(counters) if explain(each.code).halts}


def _least_share(code: int) -> float:
    """Return the share of all messages below which an error is one sender's; others are everybody's at any share."""
    is_of_one_sender = explain(code).error_class is ErrorClass.NOT_REGISTERED
    return _SHARE_OF_A_POOL if is_of_one_sender else 0.0


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
            retryable=row.passes,
            remedy=row.remedy,
        )
        for code, count, row in sorted(rows, key=lambda entry: -entry[1])
    ]


def is_tried_again(code: int, codes: Collection[int]) -> bool:
    """Tell whether a retry tries again what failed with this code; without `codes`, what passes by itself."""
    return code in codes if codes else explain(code).passes


def delivery_rate(counters: Counters) -> float | None:
    """Delivered among those that Twilio took and that are final; None as long as none is."""
    delivered = counters.of(Status.DELIVERED, Status.READ)
    ended = delivered + counters.of(Status.UNDELIVERED) + counters.of(Status.FAILED)
    return round(delivered / ended, 4) if ended else None
