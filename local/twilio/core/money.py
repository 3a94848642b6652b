"""How Twilio writes money: a negative number as text, in dollars."""

from decimal import Decimal

FIVE_PLACES = Decimal("0.00001")


def charged(amount: Decimal) -> str:
    """An amount that was charged, as the `price` of a message."""
    return str(-amount.quantize(FIVE_PLACES))
