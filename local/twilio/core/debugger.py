"""The debugger: what went wrong while a webhook was called or its answer carried out."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.twilio.core.clock import Clock
from local.twilio.core.errors import title

ALERTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Alert:
    """One error: the webhook's URL and the message that it was about."""

    code: int
    at: datetime
    url: str
    sid: str


class Debugger:
    """The latest errors."""

    def __init__(self, clock: Clock) -> None:
        """Take the time of each error from a clock."""
        self._clock = clock
        self._alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)

    def note(self, code: int, *, url: str, sid: str) -> None:
        """Write an error down."""
        self._alerts.append(Alert(code, self._clock.now(), url, sid))

    def to_json(self) -> list[dict[str, Any]]:
        """All errors kept, oldest first."""
        return [
            {
                "code": alert.code,
                "message": title(alert.code),
                "at": alert.at.isoformat(),
                "url": alert.url,
                "sid": alert.sid,
            }
            for alert in self._alerts
        ]

    def clear(self) -> None:
        """Forget everything."""
        self._alerts.clear()
