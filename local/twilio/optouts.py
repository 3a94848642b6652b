"""Opt-out keywords as Twilio handles them by default, and the block list they keep.

A block is between a recipient and a scope: a Messaging Service, or a number outside all services.
"""

from enum import StrEnum


class Keyword(StrEnum):
    """What a one-word inbound message asks for; the values are those of OptOutType."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})


def find_keyword(body: str) -> Keyword | None:
    """The keyword that a whole message is, whatever its case; `STOP PLEASE` is none."""
    word = body.strip().upper()
    if word in STOP_WORDS:
        return Keyword.STOP
    if word in START_WORDS:
        return Keyword.START
    return Keyword.HELP if word in HELP_WORDS else None


class BlockList:
    """Who may not be written to, by scope."""

    def __init__(self) -> None:
        """Start with nobody blocked."""
        self._blocked: set[tuple[str, str]] = set()

    def apply(self, keyword: Keyword, *, number: str, scope: str) -> None:
        """Block on STOP, unblock on START; HELP changes nothing."""
        if keyword is Keyword.STOP:
            self._blocked.add((scope, number))
        elif keyword is Keyword.START:
            self._blocked.discard((scope, number))

    def is_blocked(self, *, number: str, scope: str) -> bool:
        """A send from this scope to this number is refused with 21610."""
        return (scope, number) in self._blocked

    def to_json(self) -> list[dict[str, str]]:
        """All blocks."""
        return [{"scope": scope, "number": number} for scope, number in sorted(self._blocked)]

    def clear(self) -> None:
        """Forget all blocks."""
        self._blocked.clear()
