"""Is that message in Twilio's list the one whose answer we never got?

Wrong either way hurts: taking a stranger's message for ours loses a text, missing ours sends it twice. The
second is worse, so what may be ours counts as ours.
"""

from __future__ import annotations

import re
from datetime import timedelta

from sendpool.domain.message import OutboundMessage
from sendpool.domain.text import smart_encode

# Twilio's clock and ours; messages that were given to others of ours are excluded by SID
CLOCK_SLACK = timedelta(minutes=2)

_URL = re.compile(r"https?://\S+")
_SPACE = re.compile(r"\s+")


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
