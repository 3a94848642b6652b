"""Media of messages: what is kept of each, and where it lies."""

from dataclasses import dataclass
from datetime import datetime

from local.twilio.core.sids import new_sid


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One piece of media: its bytes are kept here as `content`, or lie at a foreign `url`, or are unknown."""

    sid: str
    message_sid: str
    content_type: str
    created: datetime
    content: bytes | None = None
    url: str | None = None


def new_media_sid() -> str:
    """A fresh SID."""
    return new_sid("ME")


class MediaStore:
    """All media, in order of coming."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_sid: dict[str, Media] = {}
        self._by_message: dict[str, list[Media]] = {}

    def add(self, media: Media) -> None:
        """Keep a piece."""
        self._by_sid[media.sid] = media
        self._by_message.setdefault(media.message_sid, []).append(media)

    def of_message(self, message_sid: str) -> list[Media]:
        """The media of one message, in its order."""
        return list(self._by_message.get(message_sid, ()))

    def find(self, message_sid: str, sid: str) -> Media | None:
        """The piece with that SID, if it belongs to the message."""
        media = self._by_sid.get(sid)
        return media if media is not None and media.message_sid == message_sid else None

    def delete(self, sid: str) -> None:
        """Forget a piece, if there is one."""
        media = self._by_sid.pop(sid, None)
        if media is not None:
            self._by_message[media.message_sid].remove(media)

    def clear(self) -> None:
        """Forget everything."""
        self._by_sid.clear()
        self._by_message.clear()
