"""The fan-out: read the next slice of a broadcast's rows, release it in chunks at its pace, move the cursor.

One tick does one slice and posts the next tick. The order is: release chunks, move the cursor (only if it
still stands where this tick found it), post the next tick. Wherever it dies, the tick's queue message comes
again: before the cursor moved it releases the same chunks again, under the same numbers; after, it sees that
it was itself who moved it and posts the next tick again.

Every tick asks whether the broadcast may go on. Of a paused one it is dropped: who resumes posts one at the cursor.
Of a canceled or expired one everything is released at once, as ever: chunks must be the same whenever they are
made, so that it is the sender who skips their rows. A chunk of whose people none may be texted yet is parked until
the first one may (workflows/park.py), and takes nothing of the pace until then. At the first chunk that a budget does
not allow the broadcast is paused; what was released before goes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from typing import Any

from sendpool.adapters.files import Files
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.queues import MAX_DELAY_SECONDS, Outgoing, Queues, encode
from sendpool.domain.broadcast import (
    STANDS_STILL_AFTER,
    Broadcast,
    Content,
    Cursor,
    Go,
    Hold,
    Order,
    State,
    order_for,
    pace_of,
    releases,
)
from sendpool.domain.chunk import Chunk, ChunkRow, to_body
from sendpool.domain.decision import NOTHING_KNOWN, Defer, Policy, decide
from sendpool.domain.rows import rows_of
from sendpool.domain.template import RenderError, Template, compile_template
from sendpool.domain.text import as_sent, segment
from sendpool.domain.whereabouts import us_state
from sendpool.workflows.decide import asked_of_row
from sendpool.workflows.import_recipients import Importing, import_recipients
from sendpool.workflows.park import Parking
from sendpool.workflows.pricing import Prices
from sendpool.workflows.recipients import source_of
from sendpool.workflows.spend import Spending

ROWS_A_CHUNK = 100
SLICE_BYTES = 1024 * 1024
# SQS bills each 64 KB; the sender reads up to ten chunks in Lambda's 6 MB, and a parked one must fit an item
_CHUNK_BYTES = 200_000
_BYTES_A_ROW = 200  # beside its text
_LONGEST_VARIABLES = 64_000
# how far ahead work is released: pause and cancel bite within this
LOOK_AHEAD_SECONDS = 30
# at a low rate, chunks are so small that one is sent in about this time
_SECONDS_A_CHUNK = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """Asks to work on a broadcast from this byte of its rows on."""

    broadcast_id: str
    offset: int = 0

    def to_body(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Tick:
        return cls(broadcast_id=body["broadcast_id"], offset=body["offset"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatching:
    """What the dispatcher needs."""

    broadcasts: Broadcasts
    tallies: Tallies
    messages: Messages
    files: Files
    queues: Queues
    parking: Parking
    policy: Callable[[], Policy]
    pool_rate: Callable[[], float | None]
    prices: Callable[[], Prices]
    default_region: str
    now: Callable[[], datetime]


def on_tick(tick: Tick, dispatching: Dispatching, *, by: str) -> State | None:
    """Work on a broadcast; `by` is the id of the tick's queue message. Returns the state it is in now."""
    broadcast = dispatching.broadcasts.get(tick.broadcast_id)
    if broadcast is None:
        return None
    order = order_for(broadcast, dispatching.now())
    match broadcast.state:
        case State.IMPORTING:
            _import(broadcast, dispatching, by=by)
        case State.SENDING if not releases(broadcast, order):
            pass
        case State.SENDING if broadcast.cursor.offset == tick.offset:
            _release(broadcast, order, dispatching, by=by)
        case State.SENDING if broadcast.advanced_by == by:
            _post_next(broadcast, broadcast.cursor, dispatching)
    after = dispatching.broadcasts.get(tick.broadcast_id)
    return after.state if after else None


def _import(broadcast: Broadcast, dispatching: Dispatching, *, by: str) -> None:
    importing = Importing(
        progress=dispatching.broadcasts,
        files=dispatching.files,
        default_region=dispatching.default_region,
        now=dispatching.now,
    )
    source = source_of(
        broadcast,
        files=dispatching.files,
        tallies=dispatching.tallies,
        messages=dispatching.messages,
        again=dispatching.broadcasts.get(broadcast.retry_of) if broadcast.retry_of else None,
    )
    if import_recipients(broadcast, source, importing, by=by):
        _post_next(broadcast, Cursor(), dispatching)


def _release(found: Broadcast, order: Order, dispatching: Dispatching, *, by: str) -> None:
    broadcast = replace(found, pool_rate=dispatching.pool_rate())
    lines, at_end = read_slice(
        dispatching.files,
        broadcast.id,
        etag=broadcast.rows_etag or "",
        start=broadcast.cursor.offset,
    )
    now = dispatching.now()
    spending = (
        Spending(broadcast.budget, broadcast.content, dispatching.prices())
        if broadcast.budget is not None and isinstance(order, Go)
        else None
    )
    slice_ = _within_look_ahead(
        broadcast,
        order,
        lines,
        at_end=at_end,
        now=now,
        policy=dispatching.policy(),
        spending=spending,
    )
    cursor = slice_.cursor
    for until, chunks in slice_.later.items():
        dispatching.parking.parked.park(chunks, until=until, now=now)
    dispatching.queues.release(broadcast.id, slice_.outgoing)
    last = at_end and slice_.is_whole
    delay = _seconds_to_next(cursor, now)
    stands_still_at = now + timedelta(seconds=delay) + STANDS_STILL_AFTER
    moved = dispatching.broadcasts.advance(
        broadcast, after=cursor, by=by, last=last, due_at=min([stands_still_at, *slice_.later])
    )
    if moved and slice_.over_budget:
        reason = f"budget: {slice_.over_budget}"
        dispatching.broadcasts.pause(broadcast, reason=reason, at=now, hold=Hold.BUDGET)
    elif moved and not last:
        _post_next(broadcast, cursor, dispatching)


@dataclass(slots=True)
class _Slice:
    """What becomes of a slice: chunks that go now, chunks that wait until an hour, and where the cursor stands then.

    `is_whole`: these are all chunks of the slice; `over_budget` says why the budget does not allow the next one.
    """

    cursor: Cursor
    outgoing: list[Outgoing] = field(default_factory=list)
    later: dict[datetime, list[Chunk]] = field(default_factory=dict)
    is_whole: bool = True
    over_budget: str | None = None


def _within_look_ahead(
    broadcast: Broadcast,
    order: Order,
    lines: bytes,
    *,
    at_end: bool,
    now: datetime,
    policy: Policy,
    spending: Spending | None,
) -> _Slice:
    """Make chunks of a slice, as many as the look-ahead takes."""
    pace = pace_of(broadcast, order, now)
    at = now.timestamp()
    start = broadcast.cursor
    made = _Slice(replace(start, paced_until=max(start.paced_until, at) if pace < inf else at))
    for rows, size in _chunks(lines, broadcast, at_end=at_end):
        cursor = made.cursor
        if cursor.paced_until > at + LOOK_AHEAD_SECONDS:
            made.is_whole = False
            break
        content = replace(broadcast.content, body=None)
        chunk = Chunk(broadcast_id=broadcast.id, number=cursor.chunk, content=content, rows=rows)
        made.over_budget = spending.against(chunk, cursor.spent) if spending else None
        if made.over_budget:
            made.is_whole = False
            break
        until = _waits_until(chunk, broadcast, policy, now) if isinstance(order, Go) else None
        seconds = chunk.weight / pace
        if until:
            made.later.setdefault(until, []).append(chunk)
            seconds = 0.0
        else:
            delay = round(cursor.paced_until - at)
            made.outgoing.append(Outgoing(encode(to_body(chunk)), delay=delay))
        made.cursor = Cursor(
            offset=cursor.offset + size,
            chunk=cursor.chunk + 1,
            paced_until=cursor.paced_until + seconds,
            spent=cursor.spent + (spending.at_most(chunk) or 0 if spending else 0),
        )
    return made


def _waits_until(
    chunk: Chunk, broadcast: Broadcast, policy: Policy, now: datetime
) -> datetime | None:
    """Return when the first of a chunk's people may be texted; None if one may now, or never will.

    Asks without what the ledger knows of them: whether each may go is decided when it is sent.
    """
    if broadcast.content.category == "transactional" or policy.hours is None:
        return None
    waits: list[datetime] = []
    for row in chunk.rows:
        if row.skip:
            continue
        asked = asked_of_row(row, broadcast.content.category, broadcast)
        decision = decide(asked, NOTHING_KNOWN, policy, now)
        if not isinstance(decision, Defer):
            return None
        waits.append(decision.until)
    return min(waits, default=None)


def read_slice(files: Files, name: str, *, etag: str, start: int) -> tuple[bytes, bool]:
    """Read rows from a byte on, one whole row at least; tells whether they are the last.

    Raises FileChangedError and FileGoneError.
    """
    size = SLICE_BYTES
    while True:
        lines = files.read_rows(name, etag=etag, start=start, size=size)
        if len(lines) < size or b"\n" in lines:
            return lines, len(lines) < size
        size *= 2


def _post_next(broadcast: Broadcast, cursor: Cursor, dispatching: Dispatching) -> None:
    tick = Tick(broadcast.id, cursor.offset)
    delay = _seconds_to_next(cursor, dispatching.now())
    dispatching.queues.tick(broadcast.id, tick.to_body(), delay=delay)


def _seconds_to_next(cursor: Cursor, now: datetime) -> int:
    """In how many seconds the next tick is due: when half of the look-ahead is used up."""
    ahead = cursor.paced_until - now.timestamp()
    return min(max(0, round(ahead - LOOK_AHEAD_SECONDS / 2)), MAX_DELAY_SECONDS)


def rows_a_chunk(rate: float | None) -> int:
    """How many rows a chunk takes; it depends on the broadcast alone, so that chunks stay the same."""
    return ROWS_A_CHUNK if rate is None else max(1, min(ROWS_A_CHUNK, int(rate * _SECONDS_A_CHUNK)))


def _chunks(
    lines: bytes, broadcast: Broadcast, *, at_end: bool
) -> Iterator[tuple[tuple[ChunkRow, ...], int]]:
    """Cut a slice into runs of rows, each with the size of its lines in bytes.

    A run that the slice cuts off is left for the next slice, unless it is all there is.
    """
    render = renderer(broadcast.content)
    most = rows_a_chunk(broadcast.rate)
    rows: list[ChunkRow] = []
    read = written = 0
    any_yet = False
    for length, recipient in rows_of(lines):
        row = render(len(rows), recipient)
        size = _written_size(row)
        if rows and (len(rows) == most or written + size > _CHUNK_BYTES):
            yield tuple(rows), read
            rows, read, written, any_yet = [], 0, 0, True
            row = replace(row, number=0)
        rows.append(row)
        read += length
        written += size
    if rows and (at_end or not any_yet or len(rows) == most):
        yield tuple(rows), read


def _written_size(row: ChunkRow) -> int:
    """About how many bytes a row takes on the queue, where a character beyond ASCII takes six or twelve."""
    return _BYTES_A_ROW + len(json.dumps(row.body or row.content_variables))


def renderer(content: Content) -> Callable[[int, Mapping[str, Any]], ChunkRow]:
    """Return what makes a chunk's row of a recipient: rendered and counted, or skipped with the reason."""
    template: Template | None = compile_template(content.body) if content.body is not None else None

    def filled(recipient: Mapping[str, Any]) -> dict[str, Any]:
        if "skip" in recipient:
            return {"skip": recipient["skip"]}
        variables = recipient["variables"]
        if template is None:
            return _content_variables(variables)
        try:
            body = template.render(variables)
        except RenderError as error:
            return {"skip": error.code}
        counted = as_sent(
            body, shortens_urls=bool(content.shorten_urls), link_domain=content.link_domain
        )
        segments = segment(counted, smart_encoded=bool(content.smart_encoded)).segments
        return {"body": body, "segments": 1 if content.media_urls else segments}

    def row(number: int, recipient: Mapping[str, Any]) -> ChunkRow:
        return ChunkRow(
            number=number,
            row=recipient["row"],
            to=recipient["to"],
            timezone=recipient.get("timezone"),
            state=us_state(recipient.get("variables", {}).get("state")),
            **filled(recipient),
        )

    return row


def _content_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    text = json.dumps(variables)
    if len(text) > _LONGEST_VARIABLES:
        return {"skip": "variables_too_long"}
    return {"content_variables": text}
