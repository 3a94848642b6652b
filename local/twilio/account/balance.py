"""The balance: what an account began with, less what its messages cost."""

from collections.abc import Iterable
from decimal import Decimal

OPENING_BALANCE = Decimal("1000.00")
CURRENCY = "USD"


def balance_after(prices: Iterable[str | None]) -> Decimal:
    """What is left after these prices, which are negative; it may fall below zero."""
    return OPENING_BALANCE + sum((Decimal(price) for price in prices if price), Decimal(0))
