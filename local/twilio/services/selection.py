"""Which sender of its pool a service takes for a recipient.

What can reach the recipient is ranked by kind of sender, area code, country; within the best rank traffic goes to
whoever waits least. A sender that the recipient knows comes before all that, but for RCS.
"""

from collections.abc import Callable, Sequence
from zlib import crc32

from local.twilio.account.senders import Sender, SenderKind
from local.twilio.services.area_codes import distance
from local.twilio.services.reach import (
    HOME,
    Recipient,
    carries,
    is_rcs,
    reaches,
    recipient_of,
)
from local.twilio.services.service import Service

NO_MATCH = 2
RANKS = {
    SenderKind.CHANNEL: 0,
    SenderKind.SHORT_CODE: 1,
    SenderKind.ALPHA: 2,
    SenderKind.TOLL_FREE: 4,
    SenderKind.LONG_CODE: 4,
}
TOLL_FREE_RANK_IN_CANADA = 3

type Rank = tuple[int, int, int]


def choose_sender(
    service: Service, *, to: str, with_media: bool, wait_of: Callable[[Sender], float]
) -> Sender | None:
    """The sender for a message, None if none of the pool can carry it there (21703).

    `wait_of` gives the seconds that a sender's queue holds. With sticky sender the recipient keeps what is chosen.
    """
    recipient = recipient_of(to)
    usable = [
        sender
        for sender in service.pool
        if reaches(sender, recipient) and carries(sender, with_media=with_media)
    ]
    if not usable:
        return None
    is_sticky = service.sticky_sender and not any(is_rcs(sender) for sender in usable)
    known = service.sticky.recall(to) if is_sticky else None
    if known and any(sender is known for sender in usable):
        return known
    nearest = _nearest(usable, recipient, by_area=service.area_code_geomatch)
    chosen = _least_busy(nearest, to, wait_of)
    if is_sticky:
        service.sticky.remember(to, chosen)
    return chosen


def _nearest(usable: Sequence[Sender], recipient: Recipient, *, by_area: bool) -> list[Sender]:
    """The senders of the best rank."""
    matches_area = by_area and recipient.country in HOME
    ranks = [_rank(sender, recipient, matches_area=matches_area) for sender in usable]
    best = min(ranks)
    return [sender for sender, rank in zip(usable, ranks, strict=True) if rank == best]


def _rank(sender: Sender, recipient: Recipient, *, matches_area: bool) -> Rank:
    """Kind, area, country: less is better."""
    kind, area = RANKS[sender.kind], NO_MATCH
    if sender.kind is SenderKind.TOLL_FREE and recipient.country == "CA":
        kind = TOLL_FREE_RANK_IN_CANADA
    if sender.kind is SenderKind.LONG_CODE and matches_area:
        area = distance(sender.address, recipient.address)
    return kind, area, _country_rank(sender, recipient.country)


def _country_rank(sender: Sender, country: str) -> int:
    """The recipient's country first, then a US number, then any; a channel has no favourite abroad."""
    if sender.country == country:
        return 0
    return 1 if sender.country == "US" and sender.kind is not SenderKind.CHANNEL else 2


def _least_busy(senders: Sequence[Sender], to: str, wait_of: Callable[[Sender], float]) -> Sender:
    """The shortest queue; among equals the recipient decides, always alike."""
    waits = [wait_of(sender) for sender in senders]
    shortest = min(waits)
    idle = [sender for sender, wait in zip(senders, waits, strict=True) if wait == shortest]
    return idle[crc32(to.encode()) % len(idle)]
