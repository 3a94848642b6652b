"""The SDK's HTTP client, on one pool of connections, with a timeout on everything and no retry of its own.

The SDK's default client opens sessions through `requests`, has no timeout, and lets the pool repeat a POST.
Here a call either answers, or raises one of two errors that say the one thing that matters to a sender:
whether Twilio can have seen the request.

    TransportError
    ├── NeverSentError   no connection was made; repeating is safe
    └── NoAnswerError    the request may have arrived; repeating may send twice
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

# the SDK logs URLs and queries, phone numbers included, at INFO
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
_TIMEOUT = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
_NO_RETRY = urllib3.Retry(total=False, redirect=False)

NEVER_SENT = (
    NewConnectionError,
    NameResolutionError,
    ConnectTimeoutError,
    LocationValueError,
    ProxyError,
)

FAILURES = (HTTPError, OSError)


class TransportError(Exception):
    """The call has no answer."""


class NeverSentError(TransportError):
    """No connection was made: Twilio has not seen the request."""


class NoAnswerError(TransportError):
    """The request may have arrived, and its answer did not."""


class PooledTransport(HttpClient):
    """Sends the SDK's requests over a pool of at most `connections` to `api_url` (scheme and host)."""

    def __init__(self, *, api_url: str, connections: int) -> None:
        super().__init__(
            logging.getLogger("twilio.http_client"), is_async=False, timeout=READ_SECONDS
        )
        self._pool = urllib3.connection_from_url(api_url, maxsize=connections, block=True)

    def request(  # noqa: PLR0913, PLR0917  the SDK's signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002
    ) -> Response:
        target = _target(uri)
        if params:
            target += ("&" if "?" in target else "?") + _encoded(params)
        try:
            answer = self._pool.urlopen(
                method,
                target,
                body=_encoded(data) if data else None,
                headers=_headers(headers, auth, form=bool(data)),
                retries=_NO_RETRY,
                timeout=_TIMEOUT if timeout is None else _timeout(timeout),
                redirect=allow_redirects,
            )
        except NEVER_SENT as error:
            raise NeverSentError(type(error).__name__) from error
        except FAILURES as error:
            raise NoAnswerError(type(error).__name__) from error
        return Response(answer.status, answer.data.decode(), answer.headers)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def _target(uri: str) -> str:
    """Return what follows the host of a URL: the SDK names Twilio's, the pool knows ours."""
    parts = urlsplit(uri)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _timeout(seconds: float) -> urllib3.Timeout:
    return urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds)


def _encoded(fields: Mapping[str, Any]) -> str:
    return urlencode(fields, doseq=True)


def _headers(
    given: Mapping[str, str] | None, auth: tuple[str, str] | None, *, form: bool
) -> dict[str, str]:
    headers = dict(given or {})
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if auth:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    return headers
