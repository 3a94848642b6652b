"""Channel senders: what an account has on WhatsApp, RCS and Messenger, set up outside of the messaging API."""

from datetime import datetime

from local.twilio.account.senders import Sender, SenderKind, country_of, steady_sid
from local.twilio.core.addresses import channel_of

SENDER_TYPES = {"whatsapp": "WhatsApp", "rcs": "RCS", "messenger": "Messenger"}


def channel_sender(address: str, *, country: str, now: datetime) -> Sender:
    """A sender such as `whatsapp:+12025550100`, by default of its number's country, else of the US.

    ValueError if the address names no channel.
    """
    if channel_of(address) not in SENDER_TYPES:
        raise ValueError(f"sender: {address!r} is not of whatsapp, rcs or messenger")
    return Sender(
        sid=steady_sid("XE", address),
        kind=SenderKind.CHANNEL,
        address=address,
        country=country or country_of(address.partition(":")[2]) or "US",
        created=now,
        friendly_name=address,
    )


def sender_type(sender: Sender) -> str:
    """The channel as the API names it."""
    return SENDER_TYPES[channel_of(sender.address)]
