"""Send, each message once.

A single message is claimed in the ledger before Twilio hears of it; a chunk's messages are covered by the
chunk's lease. Whoever finds a claim or a lease that ended without a word looks for evidence before it sends
(workflows/evidence.py). Results are written by whoever holds the claim or lease, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched, islice
from uuid import uuid4

from sendpool.adapters.ledger.chunks import Attempt, Chunks
from sendpool.adapters.ledger.messages import Abandoned, Foreign, Held, Messages, Settled
from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.chunk import Chunk, ChunkRow
from sendpool.domain.errors import (
    IdempotencyKeyReusedError,
    InProgressError,
    TwilioBusyError,
    TwilioUnavailableError,
)
from sendpool.domain.message import (
    Delivery,
    MessageRecord,
    OutboundMessage,
    RefusedForNow,
    SendResult,
    Status,
    result_of,
)
from sendpool.domain.text import segment
from sendpool.workflows.evidence import find_made

_RESULTS_A_WRITE = 25
_ASK_AGAIN_SECONDS = 30
# Twilio's connection overrides: three retries, also when we answered 5xx or too late
_CALLBACK_OVERRIDES = "rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What sending needs: the ledger's parts, Twilio, our public address, and the time.

    `lease` is how long a claim holds: longer than the function can still run, so that a claim that is over has
    no call in flight any more.
    """

    messages: Messages
    chunks: Chunks
    opt_outs: OptOuts
    gateway: TwilioGateway
    public_url: str
    now: Callable[[], datetime]
    lease: timedelta

    def status_callback(self, message_id: str) -> str:
        """Our id rides in the query, so a callback finds its message even when create never answered."""
        return f"{self.public_url}/webhooks/status?m={message_id}#{_CALLBACK_OVERRIDES}"

    def offer(
        self, message_id: str, message: OutboundMessage, *, segments: int
    ) -> SendResult | RefusedForNow:
        """Offer a message to Twilio, once, and say what came of it."""
        outcome = self.gateway.create(message, status_callback=self.status_callback(message_id))
        return (
            outcome if isinstance(outcome, RefusedForNow) else result_of(outcome, segments=segments)
        )

    def find_made(
        self, message_id: str, message: OutboundMessage, *, since: datetime, segments: int
    ) -> SendResult | None:
        return find_made(
            message_id,
            message,
            since=since,
            segments=segments,
            messages=self.messages,
            gateway=self.gateway,
        )


def segments_of(message: OutboundMessage) -> int:
    """Count what a message will be billed for: an MMS is one, a template cannot be counted from here."""
    if message.media_urls:
        return 1
    if message.body is None:
        return 0
    return segment(message.body, smart_encoded=bool(message.smart_encoded)).segments


# ------------------------------------------------------------------------------------------------ one message


def send_one(message_id: str, message: OutboundMessage, sending: Sending) -> MessageRecord:
    """Send one message, or return what came of it before.

    Raises InProgressError, IdempotencyKeyReusedError, and TwilioBusyError or TwilioUnavailableError when
    nothing was sent and the same call may be repeated.
    """
    owner = uuid4().hex
    segments = segments_of(message)
    now = sending.now()
    claim = sending.messages.claim(message_id, message, owner=owner, now=now, lease=sending.lease)
    record = MessageRecord(
        id=message_id,
        to=message.to,
        created_at=now,
        message=message,
        fingerprint=message.fingerprint,
        result=SendResult(status=Status.CLAIMED),
    )
    made: SendResult | None = None
    match claim:
        case Settled(before):
            return before
        case Held():
            raise InProgressError
        case Foreign():
            raise IdempotencyKeyReusedError
        case Abandoned(since):
            record = replace(record, created_at=since)
            made = sending.find_made(message_id, message, since=since, segments=segments)
    record = replace(
        record, result=made or _decide_and_offer(record, message, sending, owner, segments)
    )
    sending.messages.settle([record])
    return record


def _decide_and_offer(
    record: MessageRecord, message: OutboundMessage, sending: Sending, owner: str, segments: int
) -> SendResult:
    if sending.opt_outs.among([message.to], sending.gateway.service_sid):
        return SendResult(status=Status.SKIPPED, reason="opted_out")
    result = sending.offer(record.id, message, segments=segments)
    if isinstance(result, RefusedForNow):
        sending.messages.release(record.id, owner=owner)
        raise TwilioBusyError(result.code, retry_after=result.retry_after)
    return result


# ------------------------------------------------------------------------------------------------ a chunk


@dataclass(frozen=True, slots=True)
class Done:
    """Every message of the chunk has a result."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Another sender holds the chunk."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Some messages have no result yet; go on after `retry_after` seconds."""

    retry_after: int


def send_chunk(
    chunk: Chunk, sending: Sending, *, concurrency: int, may_go_on: Callable[[], bool]
) -> Done | Busy | Unfinished:
    """Send what is left of a chunk, `concurrency` calls at a time.

    Stops taking new rows when `may_go_on` says no or Twilio is busy; those in flight are awaited.
    """
    owner = uuid4().hex
    attempt = sending.chunks.begin(
        chunk.broadcast_id, chunk.number, owner=owner, now=sending.now(), lease=sending.lease
    )
    if attempt == "held":
        return Busy()
    if attempt == "done":
        return Done()
    run = _ChunkRun(chunk, attempt, sending, concurrency=concurrency, may_go_on=may_go_on)
    for records in batched(run.results(), _RESULTS_A_WRITE, strict=False):
        sending.messages.settle(records)
    sending.chunks.end(
        chunk.broadcast_id, chunk.number, owner=owner, clean=run.is_clean, done=not run.left
    )
    return Unfinished(run.retry_after) if run.left else Done()


@dataclass(slots=True)
class _ChunkRun:
    """One attempt at a chunk: yields results as they come, and counts what it leaves undone."""

    chunk: Chunk
    attempt: Attempt
    sending: Sending
    concurrency: int
    may_go_on: Callable[[], bool]
    left: int = 0
    retry_after: int = 0
    is_clean: bool = True
    opted_out: frozenset[str] = frozenset()

    def results(self) -> Iterator[MessageRecord]:
        """Yield a record for each message that has a result now and had none before."""
        truth = self.sending.chunks.truth(self.chunk.broadcast_id, self.chunk.number)
        open_rows = [row for row in self.chunk.rows if row.number not in truth.results]
        people = (row.to for row in open_rows if not row.skip)
        self.opted_out = frozenset(
            self.sending.opt_outs.among(people, self.sending.gateway.service_sid)
        )
        to_send: list[ChunkRow] = []
        for row in open_rows:
            known = self._known(row, truth.deliveries.get(row.number))
            if known:
                yield self._record(row, known)
            else:
                to_send.append(row)
        yield from self._send_all(to_send)

    def _known(self, row: ChunkRow, delivery: Delivery | None) -> SendResult | None:
        """Return the result of a message that need not be sent: it exists, or must not go."""
        if delivery:
            return SendResult(
                status=Status.ACCEPTED,
                sid=delivery.sid,
                segments=row.segments,
                evidence="callback",
            )
        if row.skip:
            return SendResult(status=Status.SKIPPED, reason=row.skip)
        return None if self.attempt.ambiguous else self._opted_out(row)

    def _opted_out(self, row: ChunkRow) -> SendResult | None:
        if row.to in self.opted_out:
            return SendResult(status=Status.SKIPPED, reason="opted_out")
        return None

    def _send_all(self, rows: list[ChunkRow]) -> Iterator[MessageRecord]:
        begun = 0
        for row, result in _in_parallel(
            rows,
            self._send,
            workers=self.concurrency,
            go_on=lambda: not self.left and self.may_go_on(),
        ):
            begun += 1
            match result:
                case SendResult():
                    yield self._record(row, result)
                case RefusedForNow(_, retry_after):
                    self._leave(1, retry_after=retry_after, clean=True)
                case TwilioUnavailableError():
                    self._leave(1, retry_after=_ASK_AGAIN_SECONDS, clean=False)
        if begun < len(rows):
            self._leave(len(rows) - begun, retry_after=0, clean=not self.attempt.ambiguous)

    def _leave(self, rows: int, *, retry_after: int, clean: bool) -> None:
        self.left += rows
        self.retry_after = max(self.retry_after, retry_after)
        self.is_clean = self.is_clean and clean

    def _send(self, row: ChunkRow) -> SendResult | RefusedForNow | TwilioUnavailableError:
        """Send one message; after an attempt that ended without a word, only what was not made."""
        message, message_id = self.chunk.message(row), self.chunk.message_id(row)
        if self.attempt.ambiguous:
            try:
                made = self.sending.find_made(
                    message_id, message, since=self.attempt.since, segments=row.segments
                )
            except TwilioUnavailableError as unanswered:
                return unanswered
            if made:
                return made
        return self._opted_out(row) or self.sending.offer(
            message_id, message, segments=row.segments
        )

    def _record(self, row: ChunkRow, result: SendResult) -> MessageRecord:
        return MessageRecord(
            id=self.chunk.message_id(row),
            to=row.to,
            row=row.row,
            created_at=self.sending.now(),
            result=result,
        )


def _in_parallel[Row, Result](
    rows: Iterable[Row], work: Callable[[Row], Result], *, workers: int, go_on: Callable[[], bool]
) -> Iterator[tuple[Row, Result]]:
    """Work on rows, a few at a time, and yield results as they come; begin no more when told not to go on."""
    waiting = iter(rows)
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[Result], Row] = {
            pool.submit(work, row): row for row in islice(waiting, workers)
        }
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
                following = next(waiting, None) if go_on() else None
                if following is not None:
                    running[pool.submit(work, following)] = following
