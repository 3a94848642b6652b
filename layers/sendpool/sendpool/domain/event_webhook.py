"""Events at a team's own URL: how a call is signed, and when one that failed is made again.

As Standard Webhooks has it (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` and
`webhook-signature`, an HMAC-SHA256 over all three parts, so that its libraries check our calls.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

_PREFIX: Final = "whsec_"
_SHORTEST: Final = 16
# after the first try, the second, and so on: more than a day in all
_WAITS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
LONGEST_WAIT: Final = 36_000


class SecretError(ValueError):
    """A signing secret is not `whsec_` and base64 of at least 16 bytes."""


def read_secret(text: str) -> bytes:
    """Return the key that a secret stands for; raises SecretError."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError as error:
        raise SecretError("not base64") from error
    if len(key) < _SHORTEST:
        raise SecretError(f"shorter than {_SHORTEST} bytes")
    return key


def headers(*, event_id: str, body: bytes, at: datetime, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of a call; with two keys it bears two signatures, as long as a secret is rotated."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    return {
        "content-type": "application/json",
        "user-agent": "Sendpool",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def wait_after(tries: int, *, asked: int | None = None) -> int:
    """Return how many seconds to wait after so many tries; `asked` is what the other side wants at least."""
    wait = _WAITS[min(tries, len(_WAITS)) - 1]
    return min(max(wait, asked or 0), LONGEST_WAIT)
