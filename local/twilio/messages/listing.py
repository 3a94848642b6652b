"""Pages of messages: filters, newest first.

Filters by DateSent see only messages that were sent: one still queued has no such date.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from local.twilio.core.errors import ApiError
from local.twilio.core.paging import Page, first_of, read_page_request
from local.twilio.messages.message import Message, MessageStore

DATE_LENGTH = len("2026-01-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list request asks for; `made_until` hides messages that the list does not show yet."""

    to: str | None
    sender: str | None
    sent_on: date | None
    sent_from: date | None
    sent_until: date | None
    made_until: datetime

    def matches(self, message: Message) -> bool:
        """The message passes the filters other than `to`."""
        if message.created > self.made_until:
            return False
        if self.sender and message.sender != self.sender:
            return False
        if not (self.sent_on or self.sent_from or self.sent_until):
            return True
        if message.sent is None:
            return False
        day = message.sent.date()
        return (
            self.sent_on in {None, day}
            and (self.sent_from is None or day >= self.sent_from)
            and (self.sent_until is None or day <= self.sent_until)
        )


def read_filters(query: Mapping[str, str], *, made_until: datetime) -> Filters:
    """The filters of a query string; ApiError 20001 if a date cannot be read."""
    return Filters(
        to=query.get("To"),
        sender=query.get("From"),
        sent_on=_read_date(query.get("DateSent")),
        sent_from=_read_date(query.get("DateSent>")),
        sent_until=_read_date(query.get("DateSent<")),
        made_until=made_until,
    )


def list_page(store: MessageStore, query: Mapping[str, str], *, made_until: datetime) -> Page:
    """The page that a query string asks for; messages made after `made_until` are not shown yet."""
    filters = read_filters(query, made_until=made_until)
    request = read_page_request(query)
    last = store.find_any(request.after) if request.after else None
    if request.after and last is None:
        raise ApiError(20001, detail="Invalid PageToken")
    before = last.position if last else None
    return first_of(_found(store, filters, before), request)


def _found(store: MessageStore, filters: Filters, before: int | None) -> Iterator[dict[str, Any]]:
    for message in store.newest_first(to=filters.to, before=before):
        if filters.matches(message):
            yield message.to_json()


def _read_date(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:DATE_LENGTH])
    except ValueError as exc:
        raise ApiError(20001, detail=f"Invalid date: {text}") from exc
