"""What happens when an event is to be told at a team's own URL: it is signed, and the URL is called.

Whoever did not take an event is asked again, later each time, for more than a day; then it is put aside by the queue.
Dying after the call tells the event again, with the same id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sendpool.adapters.event_webhook import EventWebhook, NotTakenError
from sendpool.adapters.queues import Queues, encode
from sendpool.domain.event_webhook import headers, wait_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifying:
    """What telling an event needs."""

    webhook: EventWebhook
    keys: Sequence[bytes]
    queues: Queues
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """An event as EventBridge queued it, received so many times; `receipt` is how the queue knows it."""

    body: str
    receives: int
    receipt: str


def notify(event: QueuedEvent, needs: Notifying) -> None:
    """Tell an event. Raises NotTakenError when it was not taken and comes again, and ValueError when it is none."""
    match json.loads(event.body):
        case {"detail": {"id": str(event_id), "type": str(_)} as told} if event_id.isascii():
            body = encode(told).encode()
        case _:
            raise ValueError("not an event")
    try:
        needs.webhook(body, headers(event_id=event_id, body=body, at=needs.now(), keys=needs.keys))
    except NotTakenError as error:
        wait = wait_after(event.receives, asked=error.retry_after)
        needs.queues.tell_again(event.receipt, after=wait)
        raise
