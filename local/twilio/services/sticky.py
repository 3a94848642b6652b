"""Sticky sender: which sender a recipient knows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from local.twilio.account.senders import Sender, SenderKind, country_of

NUMBERS = frozenset({SenderKind.LONG_CODE, SenderKind.TOLL_FREE})
LOCAL = NUMBERS | {SenderKind.SHORT_CODE}


@dataclass(slots=True)
class StickySenders:
    """Recipient and sender; a recipient's channel is part of its address, so each channel has a map of its own."""

    _sender_of: dict[str, Sender] = field(default_factory=dict)

    def recall(self, to: str) -> Sender | None:
        """The sender that the recipient knows."""
        return self._sender_of.get(to)

    def remember(self, to: str, sender: Sender) -> None:
        """Keep a sender for a recipient who knows none yet."""
        self._sender_of.setdefault(to, sender)

    def forget(self, sender: Sender) -> None:
        """Drop the recipients of a sender that leaves."""
        self._keep(lambda _, known: known.sid != sender.sid)

    def make_room_for(self, sender: Sender) -> None:
        """Drop the recipients in the country of a new number or short code who know a number from abroad."""
        if sender.kind in LOCAL:
            self._keep(lambda to, known: not _gives_way(to, known, sender.country))

    def _keep(self, wanted: Callable[[str, Sender], bool]) -> None:
        self._sender_of = {
            to: sender for to, sender in self._sender_of.items() if wanted(to, sender)
        }


def _gives_way(to: str, known: Sender, country: str) -> bool:
    is_foreign_number = known.kind in NUMBERS and known.country != country
    return is_foreign_number and country_of(to) == country
