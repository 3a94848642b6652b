"""What is told of clicks on short links: those of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sendpool.domain.clicks import Click, Clicks, Kind
from sendpool.domain.conversation import broadcast_of
from sendpool.domain.events.event import Event, EventType, make_event
from sendpool.domain.message import MessageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickData:
    """A person followed a short link in a message to them, as far as one can tell; `is_first` for their first click."""

    message_id: str
    link: str
    is_first: bool
    to: str | None = None
    broadcast_id: str | None = None
    user_agent: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clicking:
    """The clicks on a message changed."""

    message_id: str
    before: Clicks | None
    after: Clicks


def of_clicking(change: Clicking, record: MessageRecord | None) -> Iterator[Event]:
    known = _human(change.before) if change.before else []
    every = _human(change.after)
    for click in every:
        if click not in known:
            data = ClickData(
                message_id=change.message_id,
                link=click.link,
                is_first=click == every[0] and not known,
                to=record.to if record else None,
                broadcast_id=broadcast_of(change.message_id),
                user_agent=click.agent or None,
                tags=record.tags if record else {},
            )
            of = (change.message_id, click.at.isoformat(), click.digest)
            yield make_event(EventType.CLICKED, click.at, data, *of)


def _human(clicks: Clicks) -> list[Click]:
    return [each.click for each in clicks.judged if each.verdict.kind is Kind.HUMAN]
