"""Fetch a picture that came with a text, once: Twilio's URL needs Twilio's credentials, ours does not.

The file is put first and then noted with the text. Dying in between puts the same file again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sendpool.adapters.files import Files
from sendpool.adapters.ledger.people import InboundMessages
from sendpool.adapters.twilio.media import MediaSource
from sendpool.domain.media import (
    KeptMedia,
    MediaGoneError,
    MediaTooLargeError,
    WantedMedia,
    key_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """What fetching needs."""

    inbound: InboundMessages
    files: Files
    source: MediaSource


def fetch(wanted: WantedMedia, needs: Fetching) -> KeptMedia | None:
    """Fetch a picture and keep it; None when its text is not there any more.

    Raises TwilioBusyError or TwilioUnavailableError when it is worth another try.
    """
    text = needs.inbound.get(wanted.sid)
    if text is None:
        return None
    known = text.kept_media.get(wanted.number)
    if known:
        return known
    kept = _kept(wanted, needs)
    needs.inbound.note_media(wanted.sid, wanted.number, kept)
    return kept


def _kept(wanted: WantedMedia, needs: Fetching) -> KeptMedia:
    key = key_of(wanted)
    try:
        file = needs.source(wanted.url)
        size = needs.files.keep_media(key, file.pieces, content_type=file.content_type)
    except MediaGoneError:
        return KeptMedia(missing="gone")
    except MediaTooLargeError:
        return KeptMedia(missing="too_large")
    return KeptMedia(key=key, content_type=file.content_type, size=size)
