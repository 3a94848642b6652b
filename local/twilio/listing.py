"""Pages of messages: filters, newest first, and the envelope of the 2010 API.

Filters by DateSent see only messages that were sent: one still queued has no such date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from local.twilio.errors import ApiError
from local.twilio.messages import API_VERSION, Message, MessageStore

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
TOKEN_PREFIX = "PASM"  # Twilio's page token, not a secret
DATE_LENGTH = len("2026-01-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One list request."""

    to: str | None
    sender: str | None
    sent_on: date | None
    sent_from: date | None
    sent_until: date | None
    page_size: int
    page: int
    before: int | None

    def matches(self, message: Message) -> bool:
        """The message passes the filters other than `to`."""
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


def parse_query(query: Mapping[str, str]) -> Query:
    """A query string as a list request; ApiError 20001 if it cannot be read."""
    token = query.get("PageToken", "")
    return Query(
        to=query.get("To"),
        sender=query.get("From"),
        sent_on=_read_date(query.get("DateSent")),
        sent_from=_read_date(query.get("DateSent>")),
        sent_until=_read_date(query.get("DateSent<")),
        page_size=min(MAX_PAGE_SIZE, max(1, _read_int(query.get("PageSize"), DEFAULT_PAGE_SIZE))),
        page=_read_int(query.get("Page"), 0),
        before=_read_token(token) if token else None,
    )


def list_page(store: MessageStore, given: Mapping[str, str], account_sid: str) -> dict[str, Any]:
    """The page that a query string asks for."""
    query = parse_query(given)
    found = filter(query.matches, store.newest_first(to=query.to, before=query.before))
    messages = list(islice(found, query.page_size + 1))
    shown = messages[: query.page_size]
    path = f"/{API_VERSION}/Accounts/{account_sid}/Messages.json"
    filters = {name: value for name, value in given.items() if name not in {"Page", "PageToken"}}
    filters["PageSize"] = str(query.page_size)
    token = f"{TOKEN_PREFIX}{shown[-1].position:032x}" if len(messages) > len(shown) else None
    start = query.page * query.page_size
    return {
        "messages": [message.to_json() for message in shown],
        "page": query.page,
        "page_size": query.page_size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": f"{path}?{urlencode(given)}",
        "first_page_uri": f"{path}?{urlencode({**filters, 'Page': 0})}",
        "next_page_uri": (
            f"{path}?{urlencode({**filters, 'Page': query.page + 1, 'PageToken': token})}"
            if token
            else None
        ),
        "previous_page_uri": None,
    }


def _read_date(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:DATE_LENGTH])
    except ValueError as exc:
        raise ApiError(20001, detail=f"Invalid date: {text}") from exc


def _read_int(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def _read_token(token: str) -> int:
    try:
        return int(token.removeprefix(TOKEN_PREFIX), 16)
    except ValueError as exc:
        raise ApiError(20001, detail=f"Invalid PageToken: {token}") from exc
