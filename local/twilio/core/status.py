"""The words in which Twilio says where a message stands."""

from enum import StrEnum


class Status(StrEnum):
    """Where a message stands; the values are Twilio's words."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    RECEIVED = "received"

    @property
    def is_terminal(self) -> bool:
        """Nothing follows."""
        return self in TERMINAL


TERMINAL = frozenset(
    {
        Status.CANCELED,
        Status.DELIVERED,
        Status.UNDELIVERED,
        Status.FAILED,
        Status.RECEIVED,
    }
)
# `sent` may be the last word of a carrier without receipts, so it may be deleted too
DELETABLE = TERMINAL | {Status.SENT}
