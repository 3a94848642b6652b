"""How Twilio's APIs write moments: ISO 8601 in the product APIs, RFC 2822 in the 2010 API."""

from datetime import datetime
from email.utils import format_datetime


def iso(moment: datetime) -> str:
    """A moment as the product APIs (v1) write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc2822(moment: datetime) -> str:
    """A moment as the 2010 API writes it."""
    return format_datetime(moment)
