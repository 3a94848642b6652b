"""Status callbacks: which ones a message gives, in what order they go, and a record of all tries."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.twilio.core.background import Background
from local.twilio.core.errors import title
from local.twilio.core.settings import Behaviour
from local.twilio.core.status import Status
from local.twilio.fates.fates import CallbackStyle
from local.twilio.messages.message import Message, status_fields
from local.twilio.webhooks.client import Answer, Call, WebhookClient, new_token

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
    params = status_fields(message)
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    if message.error_code:
        params["ErrorCode"] = str(message.error_code)
        params["ErrorMessage"] = title(message.error_code)
    if message.status in WITH_RECEIPT:
        params["RawDlrDoneDate"] = message.updated.strftime("%y%m%d%H%M")
    return Event(message.sid, message.status, Call(url=url, params=params, token=new_token()))


class StatusCallbacks:
    """Sends events with bounded concurrency; may be paused."""

    def __init__(
        self,
        client: WebhookClient,
        *,
        background: Background,
        behaviour: Callable[[], Behaviour],
    ) -> None:
        """Send through a client; `behaviour` gives the concurrency of the moment."""
        self._client = client
        self._background = background
        self._behaviour = behaviour
        self._waiting: deque[tuple[Event, ...]] = deque()
        self._held: dict[str, list[Event]] = {}
        self._pending: Counter[str] = Counter()
        self._in_flight = 0
        self._paused = False
        self._records: deque[dict[str, Any]] = deque(maxlen=RECORDS_KEPT)
        self._succeeded = 0
        self._failed = 0

    def announce(self, message: Message, url: str | None) -> None:
        """Send the callback for the message's new status in the style of its plan."""
        style = message.plan.callbacks
        if not url or _is_lost(style, message.status):
            return
        event = build_event(message, url)
        if style is CallbackStyle.REVERSED:
            held = self._held.setdefault(message.sid, [])
            held.insert(0, event)
            if message.status.is_terminal:
                self._enqueue(tuple(self._held.pop(message.sid)))
        else:
            self._enqueue((event, event) if style is CallbackStyle.DOUBLED else (event,))

    def has_pending(self, sid: str) -> bool:
        """Some callback of this message has not been answered yet."""
        return self._pending[sid] > 0

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
        self._pending.clear()
        self._records.clear()
        self._succeeded = self._failed = 0
        self.resume()

    def health(self) -> dict[str, Any]:
        """How busy it is."""
        return {
            "pending": sum(len(events) for events in self._waiting),
            "in_flight": self._in_flight,
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

    def close(self) -> None:
        """Send nothing more."""
        self._waiting.clear()

    def _enqueue(self, events: tuple[Event, ...]) -> None:
        self._pending[events[0].sid] += len(events)
        self._waiting.append(events)
        self._pump()

    def _pump(self) -> None:
        limit = self._behaviour().callback_concurrency
        while self._waiting and not self._paused and self._in_flight < limit:
            self._in_flight += 1
            task = self._background.start(self._send(self._waiting.popleft()))
            task.add_done_callback(lambda _task: self._finish())

    def _finish(self) -> None:
        self._in_flight -= 1
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
        self._settle(event.sid)
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

    def _settle(self, sid: str) -> None:
        self._pending[sid] -= 1
        if self._pending[sid] <= 0:
            del self._pending[sid]


def _is_lost(style: CallbackStyle, status: Status) -> bool:
    return style is CallbackStyle.LOST or (style is CallbackStyle.LAST_LOST and status.is_terminal)
