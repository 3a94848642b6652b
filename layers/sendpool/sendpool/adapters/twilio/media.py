"""Pictures and files that came with texts, read from Twilio.

Our credentials go to Twilio's API only, whatever host a URL names; what it points at is read without them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import urllib3

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.transport import CONNECT_SECONDS, FAILURES
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.media import MediaGoneError

_TIMEOUT = urllib3.Timeout(connect=CONNECT_SECONDS, read=10)
_PIECE_BYTES = 64 * 1024
_MOST_HOPS = 3
# credentials may be rotated this minute, and Twilio may take more requests in a while
_FOR_NOW = {HTTPStatus.UNAUTHORIZED: 60, HTTPStatus.TOO_MANY_REQUESTS: 2}
_NOT_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


@dataclass(frozen=True, slots=True)
class MediaFile:
    """What is read: its type, and its bytes piece by piece."""

    content_type: str
    pieces: Iterator[bytes]


type MediaSource = Callable[[str], MediaFile]


def open_media(api_url: str, credentials: Credentials) -> MediaSource:
    """Return what opens the URLs of inbound webhooks (MediaUrlN).

    It raises MediaGoneError, TwilioBusyError and TwilioUnavailableError; the pieces, TwilioUnavailableError.
    """
    pool = urllib3.PoolManager(num_pools=4, retries=False, timeout=_TIMEOUT)
    user = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()

    def read(url: str) -> MediaFile:
        target = api_url + urlsplit(url).path
        headers = {"Authorization": f"Basic {user}"}
        for _ in range(_MOST_HOPS):
            answer = _asked(pool, target, headers)
            if not answer.get_redirect_location():
                return MediaFile(answer.headers.get("Content-Type", ""), _pieces(answer))
            target, headers = str(answer.get_redirect_location()), {}
            answer.close()
        raise TwilioUnavailableError

    return read


def _asked(
    pool: urllib3.PoolManager, url: str, headers: dict[str, str]
) -> urllib3.BaseHTTPResponse:
    try:
        answer = pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
    except FAILURES as error:
        raise TwilioUnavailableError from error
    if answer.status == HTTPStatus.OK or answer.get_redirect_location():
        return answer
    answer.close()
    if answer.status in _NOT_THERE:
        raise MediaGoneError
    if answer.status in _FOR_NOW:
        raise TwilioBusyError(answer.status, retry_after=_FOR_NOW[HTTPStatus(answer.status)])
    raise TwilioUnavailableError


def _pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from answer.stream(_PIECE_BYTES)
    except FAILURES as error:
        raise TwilioUnavailableError from error
    finally:
        answer.close()
