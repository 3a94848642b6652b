"""Validity periods: how long a message may wait in Twilio's queues, in seconds."""

from local.twilio.core.errors import ApiError

MAX_VALIDITY = 36_000


def read_validity(text: str) -> int:
    """A validity period from a form; 21624 unless it is a whole number from 1 to 36,000."""
    if not (text.isdecimal() and 1 <= int(text) <= MAX_VALIDITY):
        raise ApiError(21624, value=text)
    return int(text)
