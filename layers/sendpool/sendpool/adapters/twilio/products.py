"""Twilio's other products, where we ask them one thing each: who wants no texts, which numbers were given up, and
whether a service may text US numbers.

All can be asked again at any time. What gets no clear answer raises TwilioUnavailableError, a 429 or refused
credentials TwilioBusyError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any

import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.creation import raise_if_unclear, said
from sendpool.adapters.twilio.transport import FAILURES, TransportError
from sendpool.domain.errors import TwilioUnavailableError
from sendpool.domain.withdrawal import Forward

_TWILIO = "https://api.twilio.com"
_TOO_OLD, _NOT_YET = 30113, 30114
_PIECE_BYTES = 64 * 1024
_STORAGE_TIMEOUT = urllib3.Timeout(connect=3, read=20)
_LONGEST_LINE = 64
# more than a pool can hold
_PAGE = 500

type Storage = Callable[[str], Iterator[bytes]]


def product_url(api_url: str, product: str) -> str:
    """Return where a product is: at a host of its own at Twilio, at the same one everywhere else."""
    return f"https://{product}.twilio.com" if api_url == _TWILIO else api_url


class _Product:
    """A product of Twilio's, asked with our credentials."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient, product: str) -> None:
        self._url = f"https://{product}.twilio.com"
        self._auth = (credentials.username, credentials.password)
        self._http = http_client

    def _ask(self, method: str, path: str, **more: Any) -> Response:
        try:
            answer = self._http.request(method, self._url + path, auth=self._auth, **more)
        except TransportError as error:
            raise TwilioUnavailableError from error
        raise_if_unclear(answer)
        return answer


# ------------------------------------------------------------------------------------------------ consents


@dataclass(frozen=True, slots=True)
class RefusedConsent:
    """A consent that Twilio did not take: its code (30646) and reasons, such as INVALID_SENDER_ID."""

    code: int
    reasons: tuple[str, ...]


class Consents(_Product):
    """Twilio's Consents API: it blocks and unblocks people for a sender. There is no way to read them back."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        super().__init__(credentials=credentials, http_client=http_client, product="accounts")

    def tell(
        self, people: Sequence[str], service_sid: str, forward: Forward
    ) -> list[RefusedConsent]:
        """Tell Twilio of at most 25 people; the ids follow from what is told, so a repeat is the same."""
        items = [
            json.dumps(
                {
                    "contact_id": person,
                    "correlation_id": correlation_id(person, service_sid, forward),
                    "sender_id": service_sid,
                    "status": forward.status,
                    "source": forward.source,
                    "date_of_consent": forward.at,
                }
            )
            for person in people
        ]
        answer = self._ask("POST", "/v1/Consents/Bulk", data={"Items": items})
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            return [RefusedConsent(said(answer).get("code") or answer.status_code, ())] * len(
                people
            )
        return [
            RefusedConsent(each["error_code"], tuple(each.get("error_messages") or ()))
            for each in said(answer).get("items", [])
            if each.get("error_code")
        ]


def correlation_id(person: str, service_sid: str, forward: Forward) -> str:
    """Return 32 hex digits that are the same for the same word of the same person."""
    told = f"{person}\n{service_sid}\n{forward.status}\n{forward.at}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


# ------------------------------------------------------------------------------------------------ deactivations


class NotOutYetError(Exception):
    """The list of that day is not out yet."""


class TooOldError(Exception):
    """The list of that day is not kept any more."""


class Deactivations(_Product):
    """Twilio's lists of US numbers that carriers gave up, one for each day.

    A list is a file behind a signed URL that is good for two minutes. Our credentials do not go there.
    """

    def __init__(
        self, *, credentials: Credentials, http_client: HttpClient, storage: Storage
    ) -> None:
        super().__init__(credentials=credentials, http_client=http_client, product="messaging")
        self._storage = storage

    def of(self, day: date) -> Iterator[str]:
        """Yield the lines of a day's list, read as they come; raises NotOutYetError or TooOldError."""
        answer = self._ask("GET", "/v1/Deactivations", params={"Date": day.isoformat()})
        match said(answer).get("code"):
            case code if code == _NOT_YET:
                raise NotOutYetError
            case code if code == _TOO_OLD:
                raise TooOldError
        url = said(answer).get("redirect_to") or (answer.headers or {}).get("Location")
        if not isinstance(url, str):
            raise TwilioUnavailableError
        return _lines(self._storage(url))


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode("ascii", "replace").strip() for line in whole)
        rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest.decode("ascii", "replace").strip()


def open_storage() -> Storage:
    """Return what reads a file by its URL, piece by piece; raises TwilioUnavailableError."""
    pool = urllib3.PoolManager(num_pools=2, retries=False, timeout=_STORAGE_TIMEOUT)
    return lambda url: _pieces(pool, url)


def _pieces(pool: urllib3.PoolManager, url: str) -> Iterator[bytes]:
    with _translated():
        answer = pool.request("GET", url, preload_content=False, redirect=False)
        try:
            if answer.status != HTTPStatus.OK:
                raise TwilioUnavailableError
            yield from answer.stream(_PIECE_BYTES)
        finally:
            answer.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise TwilioUnavailableError from error
