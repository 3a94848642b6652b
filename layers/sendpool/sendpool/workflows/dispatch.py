"""The fan-out: read the next slice of a broadcast's rows, release it in chunks at its pace, move the cursor.

One tick does one slice and posts the next tick. The order is: release chunks, move the cursor (only if it
still stands where this tick found it), post the next tick. Wherever it dies, the tick's queue message comes
again: before the cursor moved it releases the same chunks again, under the same numbers; after, it sees that
it was itself who moved it and posts the next tick again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sendpool.adapters.files import Files
from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.adapters.queues import Outgoing, Queues, encode
from sendpool.domain.broadcast import Broadcast, Content, Cursor, Problem, State
from sendpool.domain.chunk import Chunk, ChunkRow, to_body
from sendpool.domain.recipients import UploadError
from sendpool.domain.template import RenderError, Template, compile_template
from sendpool.domain.text import segment
from sendpool.workflows.import_recipients import import_recipients, rows_of

ROWS_A_CHUNK = 100
SLICE_BYTES = 1024 * 1024
# SQS bills each 64 KB; the sender reads up to five chunks in Lambda's 6 MB
_CHUNK_BYTES = 200_000
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
    files: Files
    queues: Queues
    default_region: str
    now: Callable[[], datetime]


def on_tick(tick: Tick, dispatching: Dispatching, *, by: str) -> State | None:
    """Work on a broadcast; `by` is the id of the tick's queue message. Returns the state it is in now."""
    broadcast = dispatching.broadcasts.get(tick.broadcast_id)
    if broadcast is None:
        return None
    match broadcast.state:
        case State.IMPORTING:
            _import(broadcast, dispatching)
        case State.SENDING if broadcast.cursor.offset == tick.offset:
            _release(broadcast, dispatching, by=by)
        case State.SENDING if broadcast.advanced_by == by:
            _post_next(broadcast, broadcast.cursor, dispatching)
    after = dispatching.broadcasts.get(tick.broadcast_id)
    return after.state if after else None


def _import(broadcast: Broadcast, dispatching: Dispatching) -> None:
    try:
        imported = import_recipients(
            broadcast.id, files=dispatching.files, default_region=dispatching.default_region
        )
    except UploadError as error:
        problem = Problem(code=error.code, detail=error.detail, row=error.row)
        dispatching.broadcasts.fail(broadcast.id, problem)
        return
    dispatching.broadcasts.imported(broadcast.id, total=imported.total, etag=imported.etag)
    _post_next(broadcast, Cursor(), dispatching)


def _release(broadcast: Broadcast, dispatching: Dispatching, *, by: str) -> None:
    start = broadcast.cursor
    lines = dispatching.files.read_rows(
        broadcast.id, etag=broadcast.rows_etag or "", start=start.offset, size=SLICE_BYTES
    )
    at_end = len(lines) < SLICE_BYTES
    now = dispatching.now().timestamp()
    cursor = replace(start, paced_until=max(start.paced_until, now))
    outgoing: list[Outgoing] = []
    released_all = True
    for rows, size in _chunks(lines, rows_a_chunk(broadcast.rate), at_end=at_end):
        if broadcast.rate and cursor.paced_until > now + LOOK_AHEAD_SECONDS:
            released_all = False
            break
        chunk, segments = _chunk(broadcast, cursor.chunk, rows)
        outgoing.append(Outgoing(encode(to_body(chunk)), delay=round(cursor.paced_until - now)))
        cursor = Cursor(
            offset=cursor.offset + size,
            chunk=cursor.chunk + 1,
            paced_until=cursor.paced_until + (segments / broadcast.rate if broadcast.rate else 0),
        )
    dispatching.queues.release(broadcast.id, outgoing)
    last = at_end and released_all
    moved = dispatching.broadcasts.advance(
        broadcast.id, before=start, after=cursor, by=by, last=last
    )
    if moved and not last:
        _post_next(broadcast, cursor, dispatching)


def _post_next(broadcast: Broadcast, cursor: Cursor, dispatching: Dispatching) -> None:
    ahead = cursor.paced_until - dispatching.now().timestamp()
    delay = max(0, round(ahead - LOOK_AHEAD_SECONDS / 2)) if broadcast.rate else 0
    dispatching.queues.tick(broadcast.id, Tick(broadcast.id, cursor.offset).to_body(), delay=delay)


def rows_a_chunk(rate: float | None) -> int:
    """How many rows a chunk takes; it depends on the broadcast alone, so that chunks stay the same."""
    return ROWS_A_CHUNK if rate is None else max(1, min(ROWS_A_CHUNK, int(rate * _SECONDS_A_CHUNK)))


def _chunks(lines: bytes, most: int, *, at_end: bool) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """Cut a slice into runs of rows with their size in bytes.

    A run that the slice cuts off is left for the next slice, unless it is all there is.
    """
    rows: list[dict[str, Any]] = []
    size = 0
    any_yet = False
    for length, row in rows_of(lines):
        if rows and (len(rows) == most or size + length > _CHUNK_BYTES):
            yield rows, size
            rows, size, any_yet = [], 0, True
        rows.append(row)
        size += length
    if rows and (at_end or not any_yet or len(rows) == most):
        yield rows, size


def _chunk(broadcast: Broadcast, number: int, rows: list[dict[str, Any]]) -> tuple[Chunk, int]:
    render = _renderer(broadcast.content)
    chunk_rows = tuple(render(position, row) for position, row in enumerate(rows))
    content = replace(broadcast.content, body=None)
    chunk = Chunk(broadcast_id=broadcast.id, number=number, content=content, rows=chunk_rows)
    return chunk, sum(row.segments for row in chunk_rows)


def _renderer(content: Content) -> Callable[[int, Mapping[str, Any]], ChunkRow]:
    """Return what makes a chunk's row of a recipient: rendered and counted, or skipped with the reason."""
    template: Template | None = compile_template(content.body) if content.body is not None else None

    def row(number: int, recipient: Mapping[str, Any]) -> ChunkRow:
        plain = ChunkRow(
            number=number,
            row=recipient["row"],
            to=recipient["to"],
            timezone=recipient.get("timezone"),
            skip=recipient.get("skip"),
        )
        if plain.skip:
            return plain
        variables = recipient["variables"]
        if template is None:
            return replace(plain, content_variables=json.dumps(variables))
        try:
            body = template.render(variables)
        except RenderError as error:
            return replace(plain, skip=error.code)
        segments = segment(body, smart_encoded=bool(content.smart_encoded)).segments
        return replace(plain, body=body, segments=1 if content.media_urls else segments)

    return row
