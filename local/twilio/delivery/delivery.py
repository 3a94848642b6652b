"""The life of a message after its creation.

accepted or scheduled -> queued -> sent -> delivered or undelivered; failed instead where Twilio cannot send. Each
step is an action on the clock; each new status, never the first, is announced.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from local.twilio.account.senders import country_of
from local.twilio.core.clock import Clock
from local.twilio.core.money import charged
from local.twilio.core.settings import Behaviour
from local.twilio.core.status import Status
from local.twilio.delivery.media_check import MediaCheck
from local.twilio.delivery.queues import Queues
from local.twilio.delivery.routing import RefusedError, Route, Routing
from local.twilio.messages.message import Message
from local.twilio.pricing.prices import PriceList
from local.twilio.services.services import Services
from local.twilio.webhooks.callbacks import StatusCallbacks

EXPIRED = 30036
WAITING = frozenset({Status.ACCEPTED, Status.SCHEDULED})


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Moves messages on; `behaviour` gives the settings of the moment."""

    clock: Clock
    services: Services
    routing: Routing
    queues: Queues
    media_check: MediaCheck
    prices: PriceList
    callbacks: StatusCallbacks
    behaviour: Callable[[], Behaviour]
    scheduled: int = 0
    _chance: random.Random = field(default_factory=random.Random)  # jitter, not secrecy

    def __post_init__(self) -> None:
        """Seed the jitter."""
        self._chance.seed(self.behaviour().seed)

    def begin(self, message: Message) -> None:
        """Plan the first step of a message just made."""
        if message.send_at is not None:
            self.scheduled += 1
            self.clock.at(message.send_at, partial(self._due, message))
        elif message.status is Status.QUEUED:
            self._route(message)
        else:
            self.clock.after(self._step(message), partial(self._route, message))

    def cancel(self, message: Message) -> None:
        """End a scheduled message; the caller has checked that it is one."""
        self.scheduled -= 1
        self._move(message, Status.CANCELED)

    def clear(self) -> None:
        """Empty the queues and start chance anew, so that a run repeats."""
        self.queues.clear()
        self.scheduled = 0
        self._chance.seed(self.behaviour().seed)

    def _due(self, message: Message) -> None:
        if message.status is Status.SCHEDULED:
            self.scheduled -= 1
            self._route(message)

    def _route(self, message: Message) -> None:
        """Choose the sender: the point where a service finds out that it cannot send."""
        if message.media and self.behaviour().fetch_media:
            self.media_check.start(message, then=partial(self._go, message))
        else:
            self._go(message, None)

    def _go(self, message: Message, media_error: int | None) -> None:
        try:
            route = self.routing.find(message, message.pinned)
        except RefusedError as refused:
            self._fail(message, refused.code)
            return
        plan = message.plan
        if media_error or (message.status in WAITING and plan.final is Status.FAILED):
            self._fail(message, media_error or plan.error_code)
            return
        self._queue(message, route)

    def _queue(self, message: Message, route: Route) -> None:
        message.sender = route.sender.address
        message.text = route.text
        message.num_segments = route.segments
        if message.status is not Status.QUEUED:
            self._move(message, Status.QUEUED)
        if message.plan.final is Status.QUEUED:
            return
        wait = max(self._step(message), self.queues.wait(route.lane, now=self.clock.seconds()))
        if wait > message.validity_period:
            self.clock.after(message.validity_period, partial(self._fail, message, EXPIRED))
            return
        self.queues.join(
            route.lane,
            units=route.units,
            now=self.clock.seconds(),
            scale=self.behaviour().rate_scale,
        )
        self.clock.after(wait, partial(self._send, message, route))

    def _send(self, message: Message, route: Route) -> None:
        if message.plan.final is Status.FAILED:
            self._fail(message, message.plan.error_code)
            return
        message.sent = self.clock.now()
        self._move(message, Status.SENT)
        self.clock.after(self.behaviour().price_ms / 1000, partial(self._bill, message, route))
        if message.plan.final is not Status.SENT:
            self.clock.after(self._step(message), partial(self._receipt, message, route))

    def _receipt(self, message: Message, route: Route) -> None:
        error_code = route.carrier_error or message.plan.error_code
        message.error_code = error_code
        self._move(message, Status.UNDELIVERED if error_code else message.plan.final)

    def _bill(self, message: Message, route: Route) -> None:
        """Fill the price, which Twilio knows later than it sends."""
        price = self.prices.outbound(
            country_of(message.to), kind=route.sender.kind, is_mms=route.is_mms
        )
        message.price = charged(price * route.segments)

    def _fail(self, message: Message, error_code: int | None) -> None:
        message.error_code = error_code
        self._move(message, Status.FAILED)

    def _move(self, message: Message, status: Status) -> None:
        message.status = status
        message.updated = self.clock.now()
        service = self.services.find(message.service_sid or "")
        service_url = service.status_callback if service else None
        self.callbacks.announce(message, message.status_callback or service_url)

    def _step(self, message: Message) -> float:
        """Seconds until the next step."""
        behaviour = self.behaviour()
        if message.plan.is_slow:
            return behaviour.slow_ms / 1000
        spread = self._chance.uniform(-behaviour.jitter_ms, behaviour.jitter_ms)
        return max(0.0, behaviour.latency_ms + spread) / 1000
