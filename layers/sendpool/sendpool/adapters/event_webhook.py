"""A team's own URL that takes events: one call, with a timeout, and no redirect that it follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError

_TIMEOUT: Final = urllib3.Timeout(connect=3, read=10)
_NO_RETRY: Final = urllib3.Retry(total=False, redirect=False)

type EventWebhook = Callable[[bytes, Mapping[str, str]], None]
"""Makes one call with this body and these headers; raises NotTakenError."""


class NotTakenError(Exception):
    """The call was not answered with a 2xx. `why` is the status or the kind of failure, `retry_after` in seconds."""

    def __init__(self, why: str, *, retry_after: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


def open_webhook(url: str) -> EventWebhook:
    """Return what calls this URL."""
    pool = urllib3.PoolManager(num_pools=1, maxsize=10, retries=_NO_RETRY, timeout=_TIMEOUT)

    def call(body: bytes, headers: Mapping[str, str]) -> None:
        try:
            answer = pool.request(
                "POST", url, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
        except (HTTPError, OSError) as error:
            raise NotTakenError(type(error).__name__) from error
        # nobody reads the body, however long it is
        answer.close()
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            asked = answer.headers.get("Retry-After", "")
            raise NotTakenError(
                f"http_{answer.status}", retry_after=int(asked) if asked.isdigit() else None
            )

    return call
