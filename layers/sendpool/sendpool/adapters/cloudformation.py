"""What CloudFormation hears of a custom resource: one PUT to the URL that its request brought.

It waits for that answer until the resource's ServiceTimeout, and its own cleaning up waits as well, so an answer comes
whatever happens; what cannot be brought is raised, and Lambda asks once more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

import urllib3
from urllib3.exceptions import HTTPError

# it warns of each try that failed, and names the URL
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

MOST_BYTES: Final = 4096
"""CloudFormation takes no longer answer."""

_TIMEOUT: Final = urllib3.Timeout(connect=2, read=4)
# the same answer may be brought again
_RETRIES: Final = urllib3.Retry(
    total=2,
    redirect=False,
    allowed_methods={"PUT"},
    status_forcelist=(500, 502, 503, 504),
    backoff_factor=0.5,
    raise_on_status=False,
)
LONGEST_SECONDS: Final = 20
"""How long bringing an answer takes at most: three tries of 6 s, and the pauses between them."""

type Responder = Callable[[str, bytes], None]
"""Brings a body to a URL; raises NotAnsweredError."""


class NotAnsweredError(Exception):
    """CloudFormation did not take the answer. The URL is a secret, and stands nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request. `reason` is needed when it failed; `attributes` are what GetAtt gives."""

    status: Literal["SUCCESS", "FAILED"]
    resource_id: str
    reason: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def to(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return it as CloudFormation reads it, the reason cut to what fits."""
        said: dict[str, Any] = {
            "Status": self.status,
            "PhysicalResourceId": self.resource_id,
            **{name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
            "Reason": self.reason,
            "Data": dict(self.attributes),
        }
        while (beyond := len(encoded(said)) - MOST_BYTES) > 0 and said["Reason"]:
            # a character takes six bytes at most
            said["Reason"] = said["Reason"][: -max(1, beyond // 6)]
        return said


def encoded(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode()


def open_responder() -> Responder:
    pool = urllib3.PoolManager(num_pools=1, maxsize=1)

    def bring(url: str, body: bytes) -> None:
        try:
            # the URL is signed for a request without a content type
            answer = pool.request(
                "PUT",
                url,
                body=body,
                headers={"Content-Type": ""},
                timeout=_TIMEOUT,
                retries=_RETRIES,
                redirect=False,
            )
        except (HTTPError, OSError) as error:
            raise NotAnsweredError(type(error).__name__) from None
        if answer.status != HTTPStatus.OK:
            raise NotAnsweredError(f"http_{answer.status}")

    return bring
