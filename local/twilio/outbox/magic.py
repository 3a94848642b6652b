"""Twilio's magic numbers: what test credentials answer to a create. Nothing is kept, sent or called back."""

from local.twilio.core.errors import ApiError

GOOD_SENDER = "+15005550006"
REFUSED_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
REFUSED_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}


def check_magic_sender(sender: str) -> None:
    """Only one number may send; the others of the table have a code each."""
    if sender != GOOD_SENDER:
        raise ApiError(REFUSED_SENDERS.get(sender, 21606), sender=sender)


def check_magic_recipient(to: str, *, sender: str, with_media: bool) -> None:
    """Refuse the recipients of the table."""
    if to in REFUSED_RECIPIENTS:
        channel = "MMS" if with_media else "SMS"
        raise ApiError(REFUSED_RECIPIENTS[to], to=to, sender=sender, channel=channel)
