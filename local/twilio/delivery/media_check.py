"""Fetching the media of an MMS, as Twilio does before it sends: type and size, or the code that fails the message."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from local.twilio.core.background import Background
from local.twilio.messages.message import Message

NOT_FETCHED = 11200
BAD_TYPE = 12300
TOO_LARGE = 11751
TOO_LARGE_FOR_CARRIERS = 30019
MAX_TOTAL = 5 * 1024 * 1024
MAX_UNRESIZED = 500 * 1024
RESIZED = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif"})
ACCEPTED_FAMILIES = ("audio/", "video/", "image/", "text/vcard", "text/x-vcard", "text/plain",
                     "text/csv", "text/calendar", "application/pdf", "application/vcard")  # fmt: skip
TIMEOUT = aiohttp.ClientTimeout(total=15)


@dataclass(slots=True)
class MediaCheck:
    """Fetches through a session, beside everything else."""

    session: aiohttp.ClientSession
    background: Background

    def start(self, message: Message, *, then: Callable[[int | None], None]) -> None:
        """Look at all media of a message, then go on with the code that fails it, or None."""

        async def look() -> None:
            then(await self._find_error(message.media))

        self.background.start(look())

    async def _find_error(self, urls: tuple[str, ...]) -> int | None:
        total = 0
        for url in urls:
            try:
                content_type, size = await self._fetch(url, MAX_TOTAL - total)
            except (aiohttp.ClientError, TimeoutError):
                return NOT_FETCHED
            total += size
            error = judge(content_type, size=size, total=total)
            if error:
                return error
        return None

    async def _fetch(self, url: str, room: int) -> tuple[str, int]:
        async with self.session.get(url, timeout=TIMEOUT, raise_for_status=True) as response:
            size = 0
            async for part in response.content.iter_chunked(64 * 1024):
                size += len(part)
                if size > room:
                    break
            return response.content_type, size


def judge(content_type: str, *, size: int, total: int) -> int | None:
    """The code for media that Twilio or carriers do not take."""
    if not content_type.startswith(ACCEPTED_FAMILIES):
        return BAD_TYPE
    if total > MAX_TOTAL:
        return TOO_LARGE
    if content_type not in RESIZED and size > MAX_UNRESIZED:
        return TOO_LARGE_FOR_CARRIERS
    return None
