"""The answer book, read again once a minute; when the ledger does not give it, what was read last goes on to hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sendpool.domain.answers import DEFAULT_LANGUAGE, AnswerBook
from sendpool.edge import warm

_FRESH = timedelta(minutes=1)


@dataclass(slots=True)
class _AtHand:
    book: AnswerBook | None = None
    read_at: datetime | None = None


_at_hand = _AtHand()


def answer_book() -> AnswerBook:
    """Return the answers that hold now. Before anybody wrote some, only InboundReply answers."""
    now = warm.now()
    if _at_hand.book is None or _at_hand.read_at is None or now - _at_hand.read_at >= _FRESH:
        _at_hand.book = read_answer_book()
        _at_hand.read_at = now
    return _at_hand.book


def read_answer_book() -> AnswerBook:
    """Read the answers anew."""
    return warm.answer_books().get() or _by_setting()


def answer_book_at_hand() -> AnswerBook:
    """Return the answers that were read last, without asking for newer ones; none if none were."""
    return _at_hand.book or AnswerBook()


def _by_setting() -> AnswerBook:
    reply = warm.settings().inbound_reply
    return AnswerBook(otherwise={DEFAULT_LANGUAGE: reply} if reply else {})


def _forget() -> None:
    _at_hand.book = _at_hand.read_at = None


warm.on_start_over(_forget)
