"""What a broadcast may cost: chunks count at their highest estimate when they are released, so that the sum holds.

What is skipped later, because somebody opted out, counts all the same; what Twilio charges is mostly less.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sendpool.domain.broadcast import Content
from sendpool.domain.chunk import Chunk, ChunkRow
from sendpool.domain.countries import country_of
from sendpool.domain.prices import Budget, Cost, PriceTable, estimate
from sendpool.workflows.pricing import Prices

_MILLION = 1_000_000


@dataclass(slots=True)
class Spending:
    """Holds chunks against a budget, in millionths; prices are asked for once a country."""

    limit: int
    content: Content
    prices: Prices
    _tables: dict[str, PriceTable | None] = field(default_factory=dict)

    def against(self, chunk: Chunk, spent: int) -> str | None:
        """Say why a chunk must not go after so much was spent; None if it may."""
        cost = self.at_most(chunk)
        if cost is None:
            unknown = next(row for row in chunk.rows if not row.skip and self._cost(row) is None)
            return f"no price is known for {country_of(unknown.to) or 'a number without a country'}"
        if Budget(self.limit, spent).fits(Cost(cost, cost)):
            return None
        return f"{_plain(spent)} of {_plain(self.limit)} spent, the next {len(chunk.rows)} cost up to {_plain(cost)}"

    def at_most(self, chunk: Chunk) -> int | None:
        """Add up what a chunk costs at most; None if the price of one of its messages is not known."""
        most = 0
        for row in chunk.rows:
            if row.skip:
                continue
            cost = self._cost(row)
            if cost is None:
                return None
            most += cost.high
        return most

    def _cost(self, row: ChunkRow) -> Cost | None:
        country = country_of(row.to)
        if country is None:
            return None
        if country not in self._tables:
            self._tables[country] = self.prices.table([country])
        table = self._tables[country]
        return estimate(
            row.to, segments=row.segments, is_mms=bool(self.content.media_urls), prices=table
        )


def _plain(millionths: int) -> str:
    return f"{millionths / _MILLION:.2f}"
