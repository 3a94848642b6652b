"""Media of inbound messages, as the control API gives them: a URL, bytes, or a size to make bytes of."""

import base64
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.twilio.messages.media import Media, new_media_sid

MAX_MEDIA = 10
MAX_SIZE = 64 * 1024 * 1024
USUAL_TYPE = "image/jpeg"
PATTERN = bytes(range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One piece of media of a message to come: bytes, or the URL where it lies."""

    content_type: str
    content: bytes | None = None
    url: str | None = None

    def keep(self, message_sid: str, now: datetime) -> Media:
        """The piece as it is kept with its message."""
        return Media(
            sid=new_media_sid(),
            message_sid=message_sid,
            content_type=self.content_type,
            created=now,
            content=self.content,
            url=self.url,
        )


def read_attachments(given: Iterable[object]) -> tuple[Attachment, ...]:
    """The `media` of a control request; ValueError if there are too many or one cannot be read."""
    attachments = tuple(_read_attachment(each) for each in given)
    if len(attachments) > MAX_MEDIA:
        raise ValueError(f"media: at most {MAX_MEDIA} are possible")
    return attachments


def _read_attachment(given: object) -> Attachment:
    if isinstance(given, str):
        guessed, _ = mimetypes.guess_type(given)
        return Attachment(content_type=guessed or USUAL_TYPE, url=given)
    if not isinstance(given, Mapping):
        raise TypeError("media: a URL or an object is wanted")
    return Attachment(
        content_type=str(given.get("content_type", USUAL_TYPE)), content=_read_content(given)
    )


def _read_content(given: Mapping[str, Any]) -> bytes:
    if "content" in given:
        return base64.b64decode(str(given["content"]), validate=True)
    size = int(given["size"])
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"size: 0 to {MAX_SIZE} bytes are possible")
    return (PATTERN * (size // len(PATTERN) + 1))[:size]
