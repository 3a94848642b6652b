"""Which senders can reach a recipient at all, and with what."""

from dataclasses import dataclass

from local.twilio.account.senders import Sender, SenderKind, country_of
from local.twilio.core.addresses import SMS, channel_of
from local.twilio.services.alpha import COUNTRIES_WITHOUT_ALPHA

HOME = frozenset({"US", "CA"})
RCS = "rcs"


@dataclass(frozen=True, slots=True)
class Recipient:
    """What stands in `To`, with its channel and its country; the latter is empty if the number tells none."""

    address: str
    channel: str
    country: str


def recipient_of(to: str) -> Recipient:
    """The recipient that a `To` names."""
    return Recipient(to, channel_of(to), country_of(to.rpartition(":")[2]))


def reaches(sender: Sender, recipient: Recipient) -> bool:
    """The sender can send to that channel and country, and is not the recipient."""
    if sender.kind is SenderKind.CHANNEL:
        own = channel_of(sender.address)
        return own == recipient.channel or (own == RCS and recipient.channel == SMS)
    if recipient.channel != SMS or sender.address == recipient.address:
        return False
    country = recipient.country
    if sender.kind is SenderKind.SHORT_CODE:
        return country == sender.country
    if sender.kind is SenderKind.ALPHA:
        return country not in COUNTRIES_WITHOUT_ALPHA and sender.country in {"", country}
    if sender.kind is SenderKind.TOLL_FREE:
        return country in HOME
    return country not in HOME or sender.country in HOME


def carries(sender: Sender, *, with_media: bool) -> bool:
    """The sender takes messages of that sort."""
    if sender.kind is SenderKind.CHANNEL:
        return True
    return sender.can_mms if with_media else "SMS" in sender.capabilities


def is_rcs(sender: Sender) -> bool:
    """The sender is an RCS agent."""
    return sender.kind is SenderKind.CHANNEL and channel_of(sender.address) == RCS
