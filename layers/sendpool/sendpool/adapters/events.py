"""The event bus: EventBridge takes ten events a call, and says of each whether it took it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.queues import encode
from sendpool.domain.events.event import Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE: Final = "sendpool"
_EVENTS_A_CALL = 10
CALLS_AT_A_TIME = 8


class NotPublishedError(Exception):
    """The bus did not take some events although it was asked several times."""


class EventBus:
    """One bus of EventBridge."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[Event]) -> None:
        """Put events on the bus.

        Raises NotPublishedError, or what the client raises, when some were not taken; others may have been.
        """
        calls = list(batched(events, _EVENTS_A_CALL, strict=False))
        lanes = min(CALLS_AT_A_TIME, len(calls))
        if lanes > 1:
            with ThreadPoolExecutor(lanes) as threads:
                list(threads.map(self._put, calls))
        else:
            for call in calls:
                self._put(call)

    def _put(self, events: Sequence[Event]) -> None:
        entries = [self._entry(each) for each in events]
        for attempt in Retrying(
            retry=retry_if_exception_type(NotPublishedError),
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            reraise=True,
        ):
            with attempt:
                answer = self._client.put_events(Entries=entries)
                told = zip(entries, answer["Entries"], strict=True)
                left = [(entry, each) for entry, each in told if "ErrorCode" in each]
                if left:
                    entries = [entry for entry, _ in left]
                    raise NotPublishedError(left[0][1]["ErrorCode"])

    def _entry(self, event: Event) -> Any:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": str(event.type),
            "Time": event.timestamp,
            "Detail": encode(event.plain()),
        }
