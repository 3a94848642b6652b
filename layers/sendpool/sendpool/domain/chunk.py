"""What stands on the send queue: a chunk of a broadcast, or requests that another system put there.

A chunk is a run of a broadcast's rows, in the order of the file; its number and the numbers of its messages
follow from the position alone, so a chunk that is released twice is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import Any

from sendpool.domain.broadcast import Content
from sendpool.domain.message import OutboundMessage, Place

VERSION = 1


class MalformedChunkError(ValueError):
    """A body that claims to be a chunk and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """One recipient of a chunk. With `skip`, a reason not to send, `to` is what the file said."""

    number: int
    row: int
    to: str
    body: str | None = None
    content_variables: str | None = None
    segments: int = 0
    timezone: str | None = None
    state: str | None = None
    skip: str | None = None


_COLUMNS = tuple(each.name for each in fields(ChunkRow))
_values = attrgetter(*_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A run of recipients; `rounds` counts how often a sender handed it back unfinished."""

    broadcast_id: str
    number: int
    content: Content
    rows: tuple[ChunkRow, ...] = ()
    rounds: int = 0

    @property
    def weight(self) -> int:
        """How many segments it takes of the pace: a row whose segments nobody knows takes one, a skipped row none."""
        return sum(max(1, row.segments) for row in self.rows if not row.skip)

    def message_id(self, row: ChunkRow) -> str:
        return Place(self.broadcast_id, self.number, row.number).message_id

    def message(self, row: ChunkRow) -> OutboundMessage:
        content = self.content
        return OutboundMessage(
            to=row.to,
            body=row.body,
            content_sid=content.content_sid,
            content_variables=row.content_variables,
            media_urls=content.media_urls,
            validity_period=content.validity_period,
            shorten_urls=content.shorten_urls,
            smart_encoded=content.smart_encoded,
            intent=content.intent,
            category=content.category,
            timezone=row.timezone,
            state=row.state,
        )


def to_body(chunk: Chunk) -> dict[str, Any]:
    """Write a chunk as the queue carries it; what every row shares stands once."""
    return {
        "version": VERSION,
        "chunk": {
            "broadcast_id": chunk.broadcast_id,
            "number": chunk.number,
            "content": _given(asdict(chunk.content)),
            "rows": [_plain_row(row) for row in chunk.rows],
            "rounds": chunk.rounds,
        },
    }


def from_body(body: Mapping[str, Any]) -> Chunk:
    """Read a chunk back.

    Raises MalformedChunkError when it is none.
    """
    try:
        plain = body["chunk"]
        content = plain["content"]
        return Chunk(
            broadcast_id=plain["broadcast_id"],
            number=plain["number"],
            content=Content(**{**content, "media_urls": tuple(content.get("media_urls", ()))}),
            rows=tuple(ChunkRow(**row) for row in plain["rows"]),
            rounds=plain["rounds"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedChunkError(str(error)) from error


def _plain_row(row: ChunkRow) -> dict[str, Any]:
    # there are millions of them, and asdict would take longer than all the rest
    return {
        name: value for name, value in zip(_COLUMNS, _values(row), strict=True) if value is not None
    }


def _given(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value not in (None, ())}
