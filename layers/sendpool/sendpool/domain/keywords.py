"""What a text that somebody sends us means: Twilio's default opt-out, opt-in and help words.

A word counts when it is the whole message, in any case; "stop please" is no opt-out for Twilio.
Source: Twilio, default opt-out keywords (OPTOUT and REVOKE since 2025).
"""

from __future__ import annotations

from typing import Literal

Meaning = Literal["stop", "start", "help"]

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})


def meaning(body: str, *, opt_out_type: str | None = None) -> Meaning | None:
    """Say what an inbound text asks for. Twilio's own verdict (`OptOutType`) wins over the words."""
    word = (opt_out_type or body).strip().upper()
    if word in STOP:
        return "stop"
    if word in START:
        return "start"
    return "help" if word in HELP else None
