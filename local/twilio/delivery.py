"""The life of a message after its creation.

accepted or scheduled -> queued -> sent -> delivered or undelivered; failed instead where Twilio
cannot send. Each step is an action on the clock; each new status, never the first, is announced.
"""

import random
from collections.abc import Callable
from functools import partial

from local.twilio.callbacks import StatusCallbacks
from local.twilio.clock import Clock
from local.twilio.messages import Message
from local.twilio.optouts import BlockList
from local.twilio.segments import count_segments
from local.twilio.services import Services
from local.twilio.settings import Behaviour
from local.twilio.status import Status

PRICE_OF_SEGMENT = 0.0083
PRICE_OF_MMS = 0.022


class Delivery:
    """Moves messages on."""

    def __init__(
        self,
        *,
        clock: Clock,
        services: Services,
        blocks: BlockList,
        callbacks: StatusCallbacks,
        behaviour: Callable[[], Behaviour],
    ) -> None:
        """Work on these collaborators; `behaviour` gives the settings of the moment."""
        self._clock = clock
        self._services = services
        self._blocks = blocks
        self._callbacks = callbacks
        self._behaviour = behaviour
        self._chance = random.Random(behaviour().seed)  # jitter, not secrecy

    def begin(self, message: Message) -> None:
        """Plan the first step of a message just made."""
        if message.status is Status.QUEUED:
            message.num_segments = segments_of(message)
            self._plan_send(message)
        elif message.send_at is not None:
            self._clock.at(message.send_at, partial(self._queue, message))
        else:
            self._clock.after(self._step(message), partial(self._queue, message))

    def cancel(self, message: Message) -> None:
        """End a scheduled message; the caller has checked that it is one."""
        self._move(message, Status.CANCELED)

    def _queue(self, message: Message) -> None:
        """Choose the sender: the point where a service finds out that it cannot send."""
        if message.status not in {Status.ACCEPTED, Status.SCHEDULED}:
            return
        refusal = self._find_refusal(message)
        if refusal is not None:
            self._fail(message, refusal)
            return
        service = self._services.find(message.service_sid or "")
        if message.sender is None and service is not None:
            message.sender = service.choose_sender(message.to)
        message.num_segments = segments_of(message)
        self._move(message, Status.QUEUED)
        self._plan_send(message)

    def _find_refusal(self, message: Message) -> int | None:
        service = self._services.find(message.service_sid or "")
        if service is None or not service.pool:
            return 21704
        if self._blocks.is_blocked(number=message.to, scope=service.sid):
            return 21610
        return message.plan.error_code if message.plan.final is Status.FAILED else None

    def _plan_send(self, message: Message) -> None:
        wait = self._step(message)
        if wait > message.validity_period:
            self._clock.after(message.validity_period, partial(self._fail, message, 30036))
        else:
            self._clock.after(wait, partial(self._send, message))

    def _send(self, message: Message) -> None:
        if message.plan.final is Status.FAILED:
            self._fail(message, message.plan.error_code)
            return
        message.sent = self._clock.now()
        message.price = price_of(message)
        self._move(message, Status.SENT)
        if message.plan.final is not Status.SENT:
            self._clock.after(self._step(message), partial(self._receipt, message))

    def _receipt(self, message: Message) -> None:
        message.error_code = message.plan.error_code
        self._move(message, message.plan.final)

    def _fail(self, message: Message, error_code: int | None) -> None:
        message.error_code = error_code
        self._move(message, Status.FAILED)

    def _move(self, message: Message, status: Status) -> None:
        message.status = status
        message.updated = self._clock.now()
        service = self._services.find(message.service_sid or "")
        service_url = service.status_callback if service else None
        self._callbacks.announce(message, message.status_callback or service_url)

    def _step(self, message: Message) -> float:
        """Seconds until the next step."""
        behaviour = self._behaviour()
        if message.plan.is_slow:
            return behaviour.slow_ms / 1000
        spread = self._chance.uniform(-behaviour.jitter_ms, behaviour.jitter_ms)
        return max(0.0, behaviour.latency_ms + spread) / 1000


def segments_of(message: Message) -> int:
    """Segments charged; an MMS is one."""
    return 1 if message.media else count_segments(message.body)


def price_of(message: Message) -> str:
    """The price as Twilio writes it: negative dollars, five places."""
    return f"{-(PRICE_OF_MMS if message.media else PRICE_OF_SEGMENT * message.num_segments):.5f}"
