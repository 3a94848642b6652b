"""The moment when a message meets its sender: who sends it, what goes over the air, and why it may not go."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from local.twilio.account.senders import Sender, country_of
from local.twilio.core.clock import Clock
from local.twilio.core.settings import Behaviour
from local.twilio.delivery.queues import SEGMENTS_OF_MMS, Lane, Queues, lane_of
from local.twilio.delivery.registration import Registration
from local.twilio.links.links import Links, ShorteningError
from local.twilio.messages.message import Message
from local.twilio.messages.segments import count_segments, smart_encode
from local.twilio.optouts.blocks import UNSUBSCRIBED, BlockList
from local.twilio.services.selection import choose_sender
from local.twilio.services.services import Service, Services

EMPTY_POOL = 21704
NO_USABLE_SENDER = 21703
QUEUE_OVERFLOW = 30001
MMS_NOT_TAKEN = 30011
PUMPING = 30450
MMS_COUNTRIES = frozenset({"US", "CA", "AU"})
CONVERTER_CODE_LENGTH = 7


class RefusedError(Exception):
    """A message that fails before it is queued; `code` becomes its error code."""

    def __init__(self, code: int) -> None:
        """Keep the code."""
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a message goes: `carrier_error` is what the carriers answer for its sender, if they refuse it."""

    sender: Sender
    lane: Lane
    text: str
    is_mms: bool
    carrier_error: int | None

    @property
    def segments(self) -> int:
        """Segments charged; an MMS is one."""
        return 1 if self.is_mms else count_segments(self.text)

    @property
    def units(self) -> int:
        """Room in the queue, in segments."""
        return SEGMENTS_OF_MMS if self.is_mms else self.segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Finds routes, with what it needs to know of the account."""

    clock: Clock
    services: Services
    blocks: BlockList
    links: Links
    registration: Registration
    queues: Queues
    behaviour: Callable[[], Behaviour]
    is_safe: Callable[[str], bool]

    def find(self, message: Message, pinned: Sender | None) -> Route:
        """The route of a message; RefusedError if it has none."""
        service = self.services.find(message.service_sid or "")
        if message.service_sid and (service is None or not service.pool):
            raise RefusedError(EMPTY_POOL)
        self._check_risk(message)
        is_mms = self._goes_as_mms(message, service)
        sender = pinned or self._choose(message, service, is_mms=is_mms)
        network_block = self._find_block(message, service, sender)
        lane = self.lane(sender)
        if self._is_lane_full(lane):
            raise RefusedError(QUEUE_OVERFLOW)
        return Route(
            sender=sender,
            lane=lane,
            text=self._text(message, service, sender, converts=message.is_mms and not is_mms),
            is_mms=is_mms,
            carrier_error=network_block or self._carrier_error(message, sender, is_mms=is_mms),
        )

    def lane(self, sender: Sender) -> Lane:
        """The lane of a sender, at the rate of its campaign if it has one."""
        service = self.services.with_address(sender.address)
        return lane_of(
            sender,
            service_sid=service.sid if service else None,
            campaign_rate=self.registration.campaign_rate(sender),
        )

    def is_full(self, sender: Sender) -> bool:
        """The sender's queue takes no more."""
        return self._is_lane_full(self.lane(sender))

    def wait_of(self, sender: Sender) -> float:
        """Seconds that a sender's queue holds."""
        return self.queues.wait(self.lane(sender), now=self.clock.seconds())

    def _is_lane_full(self, lane: Lane) -> bool:
        behaviour = self.behaviour()
        return self.queues.is_full(
            lane,
            depth=behaviour.queue_seconds,
            now=self.clock.seconds(),
            scale=behaviour.rate_scale,
        )

    def _choose(self, message: Message, service: Service | None, *, is_mms: bool) -> Sender:
        found = service and choose_sender(
            service, to=message.to, with_media=is_mms, wait_of=self.wait_of
        )
        if not found:
            raise RefusedError(NO_USABLE_SENDER)
        return found

    def _check_risk(self, message: Message) -> None:
        """SMS pumping protection, unless the message or the safe list says otherwise."""
        prefixes = self.behaviour().pumping_prefixes
        if not prefixes or message.skips_risk_check or not message.to.startswith(prefixes):
            return
        if not self.is_safe(message.to):
            raise RefusedError(PUMPING)

    def _find_block(self, message: Message, service: Service | None, sender: Sender) -> int | None:
        """Twilio's own block refuses; one of a carrier's network lets the message run into it."""
        owner = service or self.services.with_address(sender.address)
        scope = owner.sid if owner else sender.address
        block = self.blocks.find(scope=scope, number=message.to, sender=sender)
        if block is not None and block.code == UNSUBSCRIBED:
            raise RefusedError(block.code)
        return block.code if block else None

    def _goes_as_mms(self, message: Message, service: Service | None) -> bool:
        """An MMS stays one unless the service converts what the recipient's carrier does not take."""
        if not message.is_mms:
            return False
        return _takes_mms(message) or service is None or not service.mms_converter

    def _text(
        self, message: Message, service: Service | None, sender: Sender, *, converts: bool
    ) -> str:
        text = message.body
        if message.shorten_urls and service is not None:
            text = self._shorten(text, message, service, sender)
        if converts and message.media:
            text = f"{text}\n{converter_link(message.sid)}".lstrip("\n")
        wanted = message.smart_encoded
        if wanted is None:
            wanted = service is not None and service.smart_encoding
        return smart_encode(text) if wanted else text

    def _shorten(self, text: str, message: Message, service: Service, sender: Sender) -> str:
        try:
            return self.links.shorten(
                text,
                service_sid=service.sid,
                message_sid=message.sid,
                to=message.to,
                sender=sender.address,
                now=self.clock.now(),
            )
        except ShorteningError as exc:
            if self.links.continue_on_failure(service.sid):
                return text
            raise RefusedError(exc.code) from exc

    def _carrier_error(self, message: Message, sender: Sender, *, is_mms: bool) -> int | None:
        if is_mms and not _takes_mms(message):
            return MMS_NOT_TAKEN
        return self.registration.find_error(sender, to=message.to, now=self.clock.now())


def _takes_mms(message: Message) -> bool:
    return not message.plan.takes_no_mms and country_of(message.to) in MMS_COUNTRIES


def converter_link(message_sid: str) -> str:
    """The link that stands for the media of a converted MMS; the same for the same message."""
    digest = hashlib.sha256(message_sid.encode()).digest()
    code = base64.b32encode(digest).decode().lower()[:CONVERTER_CODE_LENGTH]
    return f"https://p.twil.io/{code}"
