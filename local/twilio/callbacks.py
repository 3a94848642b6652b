"""Status callbacks: which ones a message gives, in what order they go, and a record of all tries."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.twilio.errors import DELIVERY_ERRORS
from local.twilio.messages import API_VERSION, Message
from local.twilio.outcomes import CallbackStyle
from local.twilio.settings import Behaviour
from local.twilio.status import Status
from local.twilio.webhooks import Answer, Call, WebhookClient, new_token

RECORDS_KEPT = 20_000
WITH_RECEIPT = frozenset({Status.DELIVERED, Status.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Event:
    """One status of one message on its way to its webhook."""

    sid: str
    status: Status
    call: Call


def build_event(message: Message, url: str) -> Event:
    """The callback for the status that the message has now."""
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": message.status.value,
        "SmsStatus": message.status.value,
        "AccountSid": message.account_sid,
        "From": message.sender or "",
        "To": message.to,
        "ApiVersion": API_VERSION,
    }
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    if message.error_code:
        params["ErrorCode"] = str(message.error_code)
        params["ErrorMessage"] = DELIVERY_ERRORS.get(message.error_code, "Unknown error")
    if message.status in WITH_RECEIPT:
        params["RawDlrDoneDate"] = message.updated.strftime("%y%m%d%H%M")
    return Event(message.sid, message.status, Call(url=url, params=params, token=new_token()))


class StatusCallbacks:
    """Sends events with bounded concurrency; may be paused."""

    def __init__(self, client: WebhookClient, behaviour: Callable[[], Behaviour]) -> None:
        """Send through a client; `behaviour` gives the concurrency of the moment."""
        self._client = client
        self._behaviour = behaviour
        self._waiting: deque[tuple[Event, ...]] = deque()
        self._held: dict[str, list[Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._paused = False
        self._records: deque[dict[str, Any]] = deque(maxlen=RECORDS_KEPT)
        self._succeeded = 0
        self._failed = 0

    def announce(self, message: Message, url: str | None) -> None:
        """Send the callback for the message's new status in the style of its plan."""
        style = message.plan.callbacks
        if not url or style is CallbackStyle.LOST:
            return
        event = build_event(message, url)
        if style is CallbackStyle.REVERSED:
            held = self._held.setdefault(message.sid, [])
            held.insert(0, event)
            if message.status.is_terminal:
                self._enqueue(tuple(self._held.pop(message.sid)))
        else:
            self._enqueue((event, event) if style is CallbackStyle.DOUBLED else (event,))

    def pause(self) -> None:
        """Hold back what is not under way yet."""
        self._paused = True

    def resume(self) -> None:
        """Let it go."""
        self._paused = False
        self._pump()

    def clear(self) -> None:
        """Forget what waits and what was; those under way finish."""
        self._waiting.clear()
        self._held.clear()
        self._records.clear()
        self._succeeded = self._failed = 0
        self.resume()

    def health(self) -> dict[str, Any]:
        """How busy it is."""
        return {
            "pending": sum(len(events) for events in self._waiting),
            "in_flight": len(self._tasks),
            "paused": self._paused,
        }

    def to_json(self, sid: str | None) -> dict[str, Any]:
        """Totals, and the tries kept."""
        return {
            "posted": self._succeeded + self._failed,
            "succeeded": self._succeeded,
            "failed": self._failed,
            "attempts": [record for record in self._records if sid in {None, record["sid"]}],
        }

    async def close(self) -> None:
        """Stop at once."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _enqueue(self, events: tuple[Event, ...]) -> None:
        self._waiting.append(events)
        self._pump()

    def _pump(self) -> None:
        limit = self._behaviour().callback_concurrency
        while self._waiting and not self._paused and len(self._tasks) < limit:
            task = asyncio.get_running_loop().create_task(self._send(self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._pump()

    async def _send(self, events: tuple[Event, ...]) -> None:
        """Events that belong together go one after the other, so their order is kept."""
        for event in events:
            self._record(event, await self._client.call(event.call))

    def _record(self, event: Event, answer: Answer) -> None:
        if answer.is_success:
            self._succeeded += 1
        else:
            self._failed += 1
        for number, attempt in enumerate(answer.attempts, start=1):
            self._records.append(
                {
                    "sid": event.sid,
                    "status": event.status.value,
                    "url": event.call.url,
                    "attempt": number,
                    "outcome": attempt.outcome,
                    "at": datetime.fromtimestamp(attempt.at, UTC).isoformat(),
                    "duration_ms": attempt.duration_ms,
                }
            )
