"""The answer book in the ledger: one item, replaced as a whole by whoever edits it."""

from __future__ import annotations

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.table import Table
from sendpool.domain.answers import AnswerBook, read_answers, to_plain


class AnswerBooks:
    """Reads and replaces the answer book."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self) -> AnswerBook | None:
        """Return the answers; None before anybody wrote some."""
        item = self._table.get(keys.answer_book())
        return read_answers(item["book"]) if item else None

    def put(self, book: AnswerBook) -> None:
        self._table.put_many([{**keys.answer_book()._asdict(), "book": to_plain(book)}])
