"""Send, each message once.

A single message is claimed in the ledger before Twilio hears of it; a chunk's messages are covered by the
chunk's lease. Results are written by whoever holds the claim or lease, and by nobody else.

A message whose create had no clear answer has the result `unknown` and stays open. Whoever works on it next, or
on a claim or lease that ended without a word, looks for evidence first (workflows/evidence.py) and offers it
again only when it was not made. So dying between any two calls leaves either nothing done, or a doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Literal
from uuid import uuid4

from sendpool.adapters.ledger.chunks import Attempt, Chunks
from sendpool.adapters.ledger.messages import (
    Claim,
    Claimed,
    Doubtful,
    Foreign,
    Held,
    Lease,
    Messages,
    Settled,
)
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.domain.broadcast import Broadcast, refused_at_once
from sendpool.domain.chunk import Chunk, ChunkRow
from sendpool.domain.decision import Asked, Defer, Send, Skip, explanation, validity_seconds
from sendpool.domain.errors import (
    IdempotencyKeyReusedError,
    InProgressError,
    TwilioBusyError,
    TwilioUnavailableError,
)
from sendpool.domain.evidence import Doubt
from sendpool.domain.message import (
    Delivery,
    MessageRecord,
    OutboundMessage,
    RefusedForNow,
    SendResult,
    Status,
    result_of,
)
from sendpool.domain.messaging_service import CALLBACK_OVERRIDES
from sendpool.domain.pace import Signal, is_queue_full, signal_of
from sendpool.domain.text import as_sent, segment
from sendpool.domain.twilio_codes import Effect, explain
from sendpool.workflows import park
from sendpool.workflows.decide import Deciding, Known, asked_of, asked_of_row
from sendpool.workflows.evidence import Asking, find_made, proven
from sendpool.workflows.opting_out import Failed, OptingOut, take_effects
from sendpool.workflows.pause import Tell, nobody, pause_by_itself
from sendpool.workflows.pool import Pool
from sendpool.workflows.slow import slow_down
from sendpool.workflows.withdraw import before_settling

_RESULTS_A_WRITE = 25
# other senders of the pool may have room; so many refusals say that few have
_FULL_QUEUES_A_CHUNK = 10
_ASK_AGAIN_SECONDS = 30
# beyond the age at which evidence counts: everything that was left in doubt is old enough then
_EVIDENCE_SLACK_SECONDS = 30
# skipped for what happened to the broadcast, not for what the row is: it may have been offered before
_SKIPPED_LATE = frozenset({"canceled", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What sending needs: the ledger's parts, Twilio, our public address, and the time.

    `lease` is how long a claim holds: longer than the function can still run, so that a claim that is over has
    no call in flight any more. `evidence_age` is how long after that Twilio's list says nothing for certain.
    """

    messages: Messages
    chunks: Chunks
    deciding: Deciding
    opting_out: OptingOut
    gateway: TwilioGateway
    public_url: str
    link_domain: str
    now: Callable[[], datetime]
    lease: timedelta
    evidence_age: timedelta
    pool: Pool
    parking: park.Parking
    tell_paused: Tell = nobody

    def new_lease(self) -> Lease:
        now = self.now()
        until = now + self.lease
        return Lease(owner=uuid4().hex, begun_at=now, until=until, due_at=until + self.evidence_age)

    @property
    def ask_again_seconds(self) -> int:
        """In how many seconds evidence about what is in doubt now will count."""
        return int(self.evidence_age.total_seconds()) + _EVIDENCE_SLACK_SECONDS

    def status_callback(self, message_id: str) -> str:
        """Our id rides in the query, so a callback finds its message even when create never answered."""
        return f"{self.public_url}/webhooks/status?m={message_id}#{CALLBACK_OVERRIDES}"

    def offer(
        self, message_id: str, message: OutboundMessage, decision: Send, *, segments: int
    ) -> SendResult | RefusedForNow:
        """Offer a message that may go to Twilio, once, and say what came of it."""
        validity = validity_seconds(
            decision, message.send_at or self.now(), wanted=message.validity_period
        )
        if validity != message.validity_period:
            message = replace(message, validity_period=validity)
        outcome = self.gateway.create(message, status_callback=self.status_callback(message_id))
        if isinstance(outcome, RefusedForNow):
            code = outcome.code or outcome.halt
            if code and Effect.ALARM in explain(code).effects:
                self.opting_out.alarm(code)
            return outcome
        return replace(result_of(outcome, segments=segments), decision=explanation(decision))

    def find_made(self, doubt: Doubt) -> SendResult | Literal["not_made", "too_early"]:
        """Look for evidence (workflows/evidence.py)."""
        asking = Asking(messages=self.messages, gateway=self.gateway, age=self.evidence_age)
        return find_made(doubt, asking, now=self.now())


def _not_sent(decision: Defer | Skip, *, segments: int) -> SendResult:
    return SendResult(
        status=Status.DEFERRED if isinstance(decision, Defer) else Status.SKIPPED,
        reason=str(decision.reason),
        segments=segments,
        decision=explanation(decision),
    )


def segments_of(message: OutboundMessage, link_domain: str) -> int:
    """Count what a message will be billed for: an MMS is one, a template cannot be counted from here."""
    if message.media_urls:
        return 1
    if message.body is None:
        return 0
    body = as_sent(message.body, shortens_urls=bool(message.shorten_urls), link_domain=link_domain)
    return segment(body, smart_encoded=bool(message.smart_encoded)).segments


# ------------------------------------------------------------------------------------------------ one message


def send_one(message_id: str, message: OutboundMessage, sending: Sending) -> MessageRecord:
    """Send one message, or go on with what was begun before, or return what came of it.

    Raises InProgressError, IdempotencyKeyReusedError, and TwilioBusyError or TwilioUnavailableError when nothing
    was sent this time and the same call may be repeated.
    """
    lease = sending.new_lease()
    return _go_on(sending.messages.claim(message_id, message, lease), lease, sending)


def take_up(message_id: str, sending: Sending) -> MessageRecord | None:
    """Go on with a single message that is in the ledger as a repeat of its request would; None when it is not.

    Raises what `send_one` raises.
    """
    lease = sending.new_lease()
    claim = sending.messages.claim_existing(message_id, lease)
    return _go_on(claim, lease, sending) if claim else None


def _go_on(claim: Claim, lease: Lease, sending: Sending) -> MessageRecord:
    match claim:
        case Settled(before):
            return before
        case Held():
            raise InProgressError
        case Foreign():
            raise IdempotencyKeyReusedError
        case Claimed(record, deferred):
            return _send_fresh(record, deferred, lease, sending)
        case Doubtful(record, until):
            return _send_doubtful(record, until, sending)


def _send_fresh(
    record: MessageRecord, deferred: MessageRecord | None, lease: Lease, sending: Sending
) -> MessageRecord:
    """Send what nobody offered before. If Twilio takes nothing now, it is as it was: not there, or deferred."""
    try:
        decided = _decide_and_offer(record, sending)
    except TwilioBusyError as busy:
        if deferred:
            again = sending.now() + timedelta(seconds=busy.retry_after or 0)
            sending.messages.put_back(replace(deferred, due_at=again), owner=lease.owner)
        else:
            sending.messages.release(record.id, owner=lease.owner)
        raise
    _settle(decided, sending)
    return decided


def _settle(record: MessageRecord, sending: Sending) -> None:
    """Write what came of a message, after what it means beyond the message: all of it may be done again."""
    _take_effects([record], sending)
    before_settling(
        record,
        opt_outs=sending.deciding.opt_outs,
        queues=sending.opting_out.queues,
        scope=sending.gateway.service_sid,
        now=sending.now(),
    )
    sending.messages.settle([record])


def _take_effects(records: Iterable[MessageRecord], sending: Sending) -> None:
    """Do what Twilio's refusals say about the people."""
    scope, now = sending.gateway.service_sid, sending.now()
    refused = [
        Failed(code=each.result.error_code, to=each.to, scope=scope, at=now)
        for each in records
        if each.result.status is Status.FAILED and each.result.error_code
    ]
    if refused:
        take_effects(refused, sending.opting_out)


def _send_doubtful(record: MessageRecord, until: datetime, sending: Sending) -> MessageRecord:
    """Look for evidence, and offer the message again if it was not made; else it stays open."""
    open_still = replace(
        record,
        result=replace(
            record.result, status=Status.UNKNOWN, reason=record.result.reason or "no_result"
        ),
        attempts=max(record.attempts, 1),
        attempted_at=until,
        due_at=sending.now() + sending.evidence_age,
    )
    try:
        decided = _resolve(open_still, until, sending)
    except (TwilioBusyError, TwilioUnavailableError):
        sending.messages.settle([open_still])
        raise
    _settle(decided, sending)
    return decided


def _resolve(record: MessageRecord, until: datetime, sending: Sending) -> MessageRecord:
    message = _message_of(record)
    verdict = sending.find_made(
        Doubt(
            message_id=record.id,
            message=message,
            segments=segments_of(message, sending.link_domain),
            since=record.created_at,
            until=until,
        )
    )
    match verdict:
        case SendResult():
            return replace(record, result=replace(verdict, decision=record.result.decision))
        case "not_made":
            return _decide_and_offer(record, sending)
        case "too_early":
            return record


def _message_of(record: MessageRecord) -> OutboundMessage:
    if record.message is None:
        raise ValueError(f"{record.id} is a broadcast's: its text is in its chunk")
    return record.message


def _decide_and_offer(record: MessageRecord, sending: Sending) -> MessageRecord:
    message = _message_of(record)
    now = sending.now()
    if message.send_at and message.send_at <= now:
        message = replace(message, send_at=None)  # its hour came while it was deferred
    asked = asked_of(message)
    known = sending.deciding.known([asked])
    decision = known.decide_at_hand_over(asked, record.id, at=message.send_at)
    if not isinstance(decision, Send):
        not_sent = _not_sent(decision, segments=segments_of(message, sending.link_domain))
        return replace(record, result=not_sent, due_at=not_sent.earliest)
    result = sending.offer(
        record.id, message, decision, segments=segments_of(message, sending.link_domain)
    )
    if isinstance(result, RefusedForNow):
        raise TwilioBusyError(result.code, retry_after=result.retry_after)
    if result.status is Status.FAILED:
        known.refused(asked, record.id)
    now = sending.now()
    return replace(
        record,
        result=result,
        attempts=record.attempts + 1,
        attempted_at=now,
        due_at=now + sending.evidence_age,
    )


def _took(record: MessageRecord) -> bool:
    """Tell whether Twilio's answer was that it took the message."""
    return record.result.sid is not None and record.result.evidence is None


# ------------------------------------------------------------------------------------------------ a chunk


@dataclass(frozen=True, slots=True)
class Done:
    """Every message of the chunk has a result."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The chunk is kept elsewhere: until its broadcast goes on, or until the next of its people may be texted."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Another sender holds the chunk."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Some messages have no result yet.

    `retry_after`: Twilio refused, and may take more in so many seconds, or in longer if it refuses again and again.
    `evidence_in`: about some nothing can be known before so many seconds.
    """

    retry_after: int = 0
    evidence_in: int = 0


def send_chunk(
    chunk: Chunk, sending: Sending, *, may_go_on: Callable[[], bool]
) -> Done | Parked | Busy | Unfinished:
    """Send what is left of a chunk, side by side (workflows/pool.py).

    A row that Twilio throttles is left, and the others go on more slowly. No more begin when `may_go_on` says no,
    or when the next one would be refused as well; those in flight are awaited.
    """
    admitted = park.admitted(chunk, sending.parking)
    if admitted is None:
        return Parked()
    chunk = admitted.chunk
    owner = uuid4().hex
    attempt = sending.chunks.begin(
        chunk.broadcast_id, chunk.number, owner=owner, now=sending.now(), lease=sending.lease
    )
    if attempt == "held":
        return Busy()
    if attempt == "done":
        return Done()
    run = _ChunkRun(chunk, admitted.broadcast, attempt, sending, may_go_on=may_go_on)
    for records in batched(run.results(), _RESULTS_A_WRITE, strict=False):
        _take_effects(records, sending)
        sending.messages.settle(records)
    is_done = not run.left and run.deferred_until is None
    sending.chunks.end(
        chunk.broadcast_id, chunk.number, owner=owner, clean=run.is_clean, done=is_done
    )
    if run.queues_full:
        slow_down(chunk.broadcast_id, sending.parking.broadcasts, now=sending.now())
    return _end_of(run, sending)


def _end_of(run: _ChunkRun, sending: Sending) -> Done | Parked | Unfinished:
    """Say what is to become of a chunk after an attempt, and keep it if it has to wait."""
    if run.halts and _is_paused(run, sending):
        return Parked()
    if run.left:
        return Unfinished(run.retry_after, run.evidence_in)
    if run.deferred_until:
        park.put_off([run.chunk], run.deferred_until, sending.parking)
        return Parked()
    return Done()


def _is_paused(run: _ChunkRun, sending: Sending) -> bool:
    """Pause the broadcast of which Twilio refuses every message, and keep the chunk for when it is resumed.

    If Twilio took another message of the chunk it may be a mishap: the chunk comes back in a while, as after any
    refusal, unless somebody else has paused the broadcast.
    """
    if run.broadcast and not run.is_taken:
        pause_by_itself(
            run.broadcast,
            refused_at_once(run.halts[0], len(run.halts)),
            sending.parking.broadcasts,
            now=sending.now(),
            tell=sending.tell_paused,
        )
    return park.admitted(run.chunk, sending.parking) is None


@dataclass(slots=True)
class _ChunkRun:
    """One attempt at a chunk: yields results as they come, and counts what it leaves undone."""

    chunk: Chunk
    broadcast: Broadcast | None
    attempt: Attempt
    sending: Sending
    may_go_on: Callable[[], bool]
    left: int = 0
    retry_after: int = 0
    evidence_in: int = 0
    is_clean: bool = True
    is_stopped: bool = False
    is_taken: bool = False
    queues_full: int = 0
    halts: list[int] = field(default_factory=list)
    deferred_until: datetime | None = None
    undecided: dict[int, MessageRecord] = field(default_factory=dict)
    known: Known = field(init=False)

    def results(self) -> Iterator[MessageRecord]:
        """Yield a record for each message that has another result now than before."""
        truth = self.sending.chunks.truth(self.chunk.broadcast_id, self.chunk.number)
        self.undecided = truth.undecided
        decided = truth.results.keys() - self.undecided.keys()
        open_rows = [row for row in self.chunk.rows if row.number not in decided]
        self.known = self.sending.deciding.known(
            self._asked(row) for row in open_rows if not row.skip
        )
        to_send: list[ChunkRow] = []
        for row in open_rows:
            result = self._settled(row, truth.deliveries.get(row.number))
            if result:
                yield from self._written(row, self._record(row, result))
            else:
                to_send.append(row)
        yield from self._send_all(to_send)

    def _asked(self, row: ChunkRow) -> Asked:
        return asked_of_row(row, self.chunk.content.category, self.broadcast)

    def _settled(self, row: ChunkRow, delivery: Delivery | None) -> SendResult | None:
        """Return the result of a message that need not be sent now: it exists, or must not go, or not yet."""
        if delivery:
            return proven(delivery, segments=row.segments)
        if row.skip and row.skip not in _SKIPPED_LATE:
            return SendResult(status=Status.SKIPPED, reason=row.skip)
        if self._doubtful_until(row):
            return None
        if row.skip:
            return SendResult(status=Status.SKIPPED, reason=row.skip)
        decision = self.known.decide(self._asked(row), self.chunk.message_id(row))
        return None if isinstance(decision, Send) else _not_sent(decision, segments=row.segments)

    def _doubtful_until(self, row: ChunkRow) -> datetime | None:
        """Return the last moment at which this message may have been under way; None if it never was."""
        before = self.undecided.get(row.number)
        # an attempt that ended without a word may have offered again what was unknown
        ends = [self.attempt.until] if self.attempt.ambiguous else []
        ends += [before.attempted_at] if before and before.attempted_at else []
        return max(ends, default=None)

    def _send_all(self, rows: list[ChunkRow]) -> Iterator[MessageRecord]:
        begun = 0
        for row, result in self.sending.pool.work(
            rows,
            self._send,
            signal=self._heed,
            go_on=lambda: not self.is_stopped and self.may_go_on(),
        ):
            begun += 1
            match result:
                case MessageRecord():
                    yield from self._written(row, result)
                case RefusedForNow(_, retry_after):
                    self._leave(1, retry_after=retry_after, clean=True)
        if begun < len(rows):
            self._leave(len(rows) - begun, clean=not self.attempt.ambiguous)

    def _heed(self, result: MessageRecord | RefusedForNow) -> Signal:
        """Tell the window what a result says to it; stop when the next row would be refused as well."""
        signal = signal_of(result)
        if isinstance(result, MessageRecord):
            self.is_taken = self.is_taken or _took(result)
        elif result.halt:
            self.halts.append(result.halt)
            self.is_stopped = True
        elif is_queue_full(result):
            self.queues_full += 1
            self.is_stopped = self.is_stopped or self.queues_full >= _FULL_QUEUES_A_CHUNK
        elif signal is not Signal.THROTTLED:
            self.is_stopped = True
        return signal

    def _leave(self, rows: int, *, clean: bool, retry_after: int = 0, evidence_in: int = 0) -> None:
        self.left += rows
        self.retry_after = max(self.retry_after, retry_after)
        self.evidence_in = max(self.evidence_in, evidence_in)
        self.is_clean = self.is_clean and clean

    def _written(self, row: ChunkRow, record: MessageRecord) -> Iterator[MessageRecord]:
        """Yield what is to be written; one that is unknown waits for evidence, one that is deferred for its hour."""
        before = self.undecided.get(row.number)
        if record.result.status is Status.UNKNOWN:
            self._leave(1, evidence_in=self.sending.ask_again_seconds, clean=True)
        if record.result.status is Status.DEFERRED:
            self._defer(record)
            if before and before.result == record.result:
                return
        if record is not before:
            yield record

    def _defer(self, record: MessageRecord) -> None:
        if record.due_at:
            self.deferred_until = min(self.deferred_until or record.due_at, record.due_at)

    def _send(self, row: ChunkRow) -> MessageRecord | RefusedForNow:
        """Send one message; one that may have been made before, only if evidence says that it was not."""
        until = self._doubtful_until(row)
        if until:
            known = self._evidence(row, until)
            if known:
                return known
        if row.skip:
            return self._record(row, SendResult(status=Status.SKIPPED, reason=row.skip))
        message_id, asked = self.chunk.message_id(row), self._asked(row)
        decision = self.known.decide_at_hand_over(asked, message_id)
        if not isinstance(decision, Send):
            return self._record(row, _not_sent(decision, segments=row.segments))
        begun_at = self.sending.now()
        result = self.sending.offer(
            message_id, self.chunk.message(row), decision, segments=row.segments
        )
        if isinstance(result, RefusedForNow):
            return result
        if result.status is Status.FAILED:
            self.known.refused(asked, message_id)
        now = self.sending.now()
        return self._record(row, result, offered=1, begun_at=begun_at, attempted_at=now)

    def _evidence(self, row: ChunkRow, until: datetime) -> MessageRecord | None:
        """Return what is known of a message in doubt now; None if it was not made."""
        doubt = Doubt(
            message_id=self.chunk.message_id(row),
            message=self.chunk.message(row),
            segments=row.segments,
            since=self.attempt.since,
            until=until,
        )
        try:
            verdict = self.sending.find_made(doubt)
        except (TwilioUnavailableError, TwilioBusyError):
            self.is_stopped = True
            return self._in_doubt(row, until)
        match verdict:
            case SendResult():
                return self._record(row, verdict)
            case "not_made":
                return None
            case "too_early":
                return self._in_doubt(row, until)

    def _in_doubt(self, row: ChunkRow, until: datetime) -> MessageRecord:
        """Return the record of a message that stays unknown: the same one if nothing is new."""
        before = self.undecided.get(row.number)
        if before and before.attempted_at == until:
            return before
        was_unknown = before is not None and before.result.status is Status.UNKNOWN
        result = SendResult(status=Status.UNKNOWN, reason="no_result", segments=row.segments)
        return self._record(
            row, before.result if before and was_unknown else result, attempted_at=until
        )

    def _record(
        self,
        row: ChunkRow,
        result: SendResult,
        *,
        offered: int = 0,
        begun_at: datetime | None = None,
        attempted_at: datetime | None = None,
    ) -> MessageRecord:
        before = self.undecided.get(row.number)
        if before and result.decision is None:
            result = replace(result, decision=before.result.decision)
        return MessageRecord(
            id=self.chunk.message_id(row),
            to=row.to,
            row=row.row,
            # what was offered, never after Twilio had it: how hasty a click is, is counted from here
            created_at=before.created_at if before else begun_at or self.sending.now(),
            result=result,
            attempts=(before.attempts if before else 0) + offered,
            attempted_at=attempted_at,
            due_at=result.earliest,
        )
