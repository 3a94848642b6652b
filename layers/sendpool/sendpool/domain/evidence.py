"""Is that message in Twilio's list the one whose answer we never got?

Wrong either way hurts: taking a stranger's message for ours loses a text, missing ours sends it twice. The
second is worse, so what may be ours counts as ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sendpool.domain.message import OutboundMessage
from sendpool.domain.text import smart_encode

# Twilio's clock and ours; messages that were given to others of ours are excluded by SID
CLOCK_SLACK = timedelta(minutes=2)

_URL = re.compile(r"https?://\S+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A message that Twilio may have made: calls to create were under way between `since` and `until` only."""

    message_id: str
    message: OutboundMessage
    segments: int
    since: datetime
    until: datetime

    def may_be(self, *, listed_body: str, created_at: datetime) -> bool:
        """Tell whether a listed message may be this one: made in time, with this text."""
        in_time = self.since - CLOCK_SLACK <= created_at <= self.until + CLOCK_SLACK
        return in_time and may_be(self.message, listed_body=listed_body)


def may_be(message: OutboundMessage, *, listed_body: str) -> bool:
    """Tell whether a listed text may be this message's.

    Twilio may have swapped look-alike characters (Smart Encoding), shortened links, filled in a template, or
    redacted the text; none of these tells a message apart.
    """
    if not listed_body or message.body is None:
        return True
    return _essence(message.body) == _essence(listed_body)


def _essence(body: str) -> str:
    return _SPACE.sub(" ", _URL.sub("<link>", smart_encode(body))).strip()
