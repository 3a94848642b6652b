"""One message: what is to be sent, what came of sending it, and what became of it afterwards.

A message has our id before Twilio hears of it. Two records tell its fate, each with one writer: the *send
result* (did Twilio take it?) and the *delivery* (what the callbacks said). `current_status` puts both together.

Statuses are Twilio's, and five of ours: `deferred` (not before a later hour), `claimed` (about to be sent),
`unknown` (sent, no answer), `skipped` (never offered to Twilio, with a reason); `failed` also stands for what Twilio
refused at create.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from sendpool.domain.twilio_codes import Retry, explain

Category = Literal["transactional", "marketing"]


class Status(StrEnum):
    """Where a message stands, in the order of a life."""

    DEFERRED = "deferred"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    READ = "read"


_RANK = {
    Status.DEFERRED: 0,
    Status.CLAIMED: 0,
    Status.UNKNOWN: 1,
    Status.ACCEPTED: 2,
    Status.SCHEDULED: 2,
    Status.QUEUED: 3,
    Status.SENDING: 4,
    Status.SENT: 5,
    Status.DELIVERED: 6,
    Status.UNDELIVERED: 6,
    Status.FAILED: 6,
    Status.CANCELED: 6,
    Status.SKIPPED: 6,
    Status.READ: 7,
}
TERMINAL = frozenset(status for status, rank in _RANK.items() if rank >= _RANK[Status.DELIVERED])
UNDECIDED = frozenset({Status.DEFERRED, Status.CLAIMED, Status.UNKNOWN})


def later(known: Status, heard: Status) -> Status:
    """Return which of two statuses stands: only forward, terminal ones stay, delivered may become read."""
    if known in TERMINAL:
        return heard if known is Status.DELIVERED and heard is Status.READ else known
    return heard if _RANK[heard] > _RANK[known] else known


# ------------------------------------------------------------------------------------------------ identity


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broadcast's message stands: which chunk, and which number in it."""

    broadcast_id: str
    chunk: int
    number: int

    @property
    def message_id(self) -> str:
        return f"{self.broadcast_id}-{self.chunk:06d}-{self.number:03d}"


_PLACE = re.compile(r"(bc_[0-9a-f]{32})-(\d{6})-(\d{3})")
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}", re.ASCII)
_SINGLE = re.compile(r"msg_[0-9a-f]{32}|req_[A-Za-z0-9._-]{1,128}")


def place_of(message_id: str) -> Place | None:
    """Read the place that a broadcast message's id carries; None for a single message."""
    found = _PLACE.fullmatch(message_id)
    return Place(found[1], int(found[2]), int(found[3])) if found else None


def is_message_id(text: str) -> bool:
    return bool(_SINGLE.fullmatch(text) or _PLACE.fullmatch(text))


def is_sid(text: str) -> bool:
    """Tell whether it has the form of an id of Twilio's."""
    return bool(_SID.fullmatch(text))


def new_id(kind: Literal["msg", "bc"], *, key: str | None) -> str:
    """Return the id of a new message or broadcast; with an idempotency key, a repeat arrives at it again."""
    return f"{kind}_{hashlib.sha256(key.encode()).hexdigest()[:32] if key else uuid4().hex}"


# ------------------------------------------------------------------------------------------------ content


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """What is to be sent to one person.

    `to` is E.164; `content_variables` is JSON text; `validity_period` is in seconds; `sender` pins one sender
    of the service's pool. A text has `body`, an MMS also `media_urls`, a template `content_sid`. `timezone` (IANA) and
    `state` (two letters) are where the person is, if that is known.
    """

    to: str
    body: str | None = None
    content_sid: str | None = None
    content_variables: str | None = None
    media_urls: tuple[str, ...] = ()
    sender: str | None = None
    send_at: datetime | None = None
    validity_period: int | None = None
    shorten_urls: bool | None = None
    smart_encoded: bool | None = None
    intent: str | None = None
    category: Category = "transactional"
    timezone: str | None = None
    state: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A hash over all fields: equal for the same request, different for any other."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


# ------------------------------------------------------------------------------------------------ sending


@dataclass(frozen=True, slots=True)
class Accepted:
    """Twilio made the message, at `made_at` by its own clock if it says so."""

    sid: str
    status: Status
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Twilio made nothing and will not for this request."""

    code: int | None


@dataclass(frozen=True, slots=True)
class RefusedForNow:
    """Twilio made nothing; the same request may go again after `retry_after` seconds.

    `halt` is the code, or without one the HTTP status, of a refusal that any other message would meet as well.
    """

    code: int | None
    retry_after: int
    halt: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whether Twilio made the message cannot be told from here; never repeat without evidence."""

    why: str


Outcome = Accepted | Refused | RefusedForNow | Unknown

_WAIT = {Retry.BACKOFF: 2, Retry.LATER: 300}
_WAIT_FOR_THE_OPERATOR = 60
_SERVER_ERROR = 500
_REQUEST_TIMEOUT = 408


def outcome_of_refusal(*, http_status: int, code: int | None) -> Outcome:
    """Tell what an error answer to create means: 4xx made nothing, 5xx may have.

    What is wrong with the account, its service or its pool is no fault of the message: it may go when that is mended.
    """
    if http_status >= _SERVER_ERROR or http_status == _REQUEST_TIMEOUT:
        return Unknown(f"http_{http_status}")
    row = explain(code or http_status)
    if row.halts:
        return RefusedForNow(code, _WAIT.get(row.retry, _WAIT_FOR_THE_OPERATOR), halt=row.code)
    wait = _WAIT.get(row.retry)
    return Refused(code) if wait is None else RefusedForNow(code, wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What came of sending: the part of a message's record that its sender writes.

    `segments` is our own count: Twilio does not know its own until it has picked a sender. `reason` says why a
    message was skipped, deferred or is unknown; `evidence` how an acceptance was learned when no answer told it;
    `decision` what was decided about it last, in plain words (domain/decision.py). `made_at` is when Twilio made the
    message with this SID, by its own clock; None while only a callback told of it.
    """

    status: Status
    sid: str | None = None
    made_at: datetime | None = None
    segments: int = 0
    error_code: int | None = None
    reason: str | None = None
    evidence: Literal["callback", "list"] | None = None
    decision: Mapping[str, Any] | None = None

    @property
    def earliest(self) -> datetime | None:
        """When a deferred message may go."""
        until = self.decision.get("until") if self.decision else None
        return datetime.fromisoformat(until) if until and self.status is Status.DEFERRED else None


def result_of(outcome: Accepted | Refused | Unknown, *, segments: int) -> SendResult:
    match outcome:
        case Accepted(sid, status, made_at):
            return SendResult(status=status, sid=sid, made_at=made_at, segments=segments)
        case Refused(code):
            return SendResult(
                status=Status.FAILED, error_code=code, reason="refused_by_twilio", segments=segments
            )
        case Unknown(why):
            return SendResult(status=Status.UNKNOWN, reason=why, segments=segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """The send side of a message as the ledger keeps it.

    `attempts` counts the calls to create whose end was seen. While the outcome is unknown, `attempted_at` is the
    last moment at which such a call may have been under way, and `due_at` when the sweeper shall look at it; that of a
    deferred one is when it may go.
    """

    id: str
    to: str
    created_at: datetime
    result: SendResult
    message: OutboundMessage | None = None
    fingerprint: str = ""
    row: int | None = None
    attempts: int = 0
    attempted_at: datetime | None = None
    due_at: datetime | None = None

    @property
    def tags(self) -> dict[str, str]:
        """What a single message was sent with; those of broadcasts have none."""
        return self.message.tags if self.message else {}


# ------------------------------------------------------------------------------------------------ delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCallback:
    """One status callback of Twilio, checked, or what its list shows of a message, put as one.

    `status` is None when Twilio used a word we do not know. `price` is in millionths of `currency`, `segments` what
    Twilio counted; both are None as long as Twilio does not say. Of the list, `received_at` is when Twilio changed
    the message last.
    """

    sid: str
    word: str
    received_at: datetime
    message_id: str | None = None
    error_code: int | None = None
    to: str = ""
    service_sid: str | None = None
    price: int | None = None
    currency: str | None = None
    segments: int | None = None
    source: Literal["callback", "list"] = "callback"

    @property
    def status(self) -> Status | None:
        return Status(self.word) if self.word in Status else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the callbacks of one message add up to; `timeline` has the first time that each status was heard.

    `price` is what Twilio billed, in millionths of `currency`, `segments` how many it counted; None until it said so.
    `to` is whom the callbacks name.
    """

    sid: str
    status: Status
    to: str | None = None
    error_code: int | None = None
    timeline: dict[str, str] = field(default_factory=dict)
    price: int | None = None
    currency: str | None = None
    segments: int | None = None
    version: int = 0


def heard(delivery: Delivery | None, callback: StatusCallback) -> Delivery:
    """Fold one callback in. Callbacks may come late, doubled or in any order: the result is the same."""
    known = delivery or Delivery(sid=callback.sid, status=Status.ACCEPTED)
    status = later(known.status, callback.status) if callback.status else known.status
    at = callback.received_at.astimezone(UTC).isoformat(timespec="milliseconds")
    earliest = min(at, known.timeline.get(callback.word, at))
    return replace(
        known,
        status=status,
        to=known.to or callback.to or None,
        error_code=known.error_code or callback.error_code,
        timeline={**known.timeline, callback.word: earliest},
        price=_larger(known.price, callback.price),
        currency=known.currency or callback.currency,
        segments=_larger(known.segments, callback.segments),
    )


def _larger(known: int | None, said: int | None) -> int | None:
    return max((each for each in (known, said) if each is not None), default=None)


def says_more(callback: StatusCallback, delivery: Delivery | None) -> bool:
    """Tell whether a callback would add a status, an error or a price to what is known of its message."""
    after = heard(delivery, callback)
    return delivery is None or (after.status, after.error_code, after.price) != (
        delivery.status,
        delivery.error_code,
        delivery.price,
    )


def current_status(result: SendResult | None, delivery: Delivery | None) -> Status:
    """Put both records together. A callback proves that Twilio has the message, whatever the answer said."""
    if delivery is None:
        return result.status if result else Status.CLAIMED
    return later(result.status, delivery.status) if result else delivery.status
