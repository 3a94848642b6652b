"""The simulated account as a whole: what the HTTP routes act on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from local.twilio.a2p.a2p import A2p
from local.twilio.account.addresses import Addresses
from local.twilio.account.consents import Consents
from local.twilio.account.credentials import Credentials
from local.twilio.account.geo import GeoPermissions
from local.twilio.account.numbers import IncomingPhoneNumbers
from local.twilio.account.safe_list import SafeList
from local.twilio.account.senders import AccountSenders
from local.twilio.contract.contract import Contract
from local.twilio.core.background import Background
from local.twilio.core.clock import Clock
from local.twilio.core.debugger import Debugger
from local.twilio.core.reviews import Reviews
from local.twilio.core.settings import Behaviour, Settings
from local.twilio.core.status import Status
from local.twilio.deactivations import Deactivations
from local.twilio.delivery.delivery import Delivery
from local.twilio.delivery.media_check import MediaCheck
from local.twilio.delivery.queues import Queues
from local.twilio.delivery.registration import Registration
from local.twilio.delivery.routing import Routing
from local.twilio.fates.fates import Fates, Plan
from local.twilio.faults.script import FaultScript, parse_fault
from local.twilio.inbound.inbound import Reception
from local.twilio.inbound.incoming import Inbound, Incoming
from local.twilio.inbound.replies import Replies, Reply
from local.twilio.links.clicks import Clicks
from local.twilio.links.domains import Domains
from local.twilio.links.issuing import Issuer
from local.twilio.links.links import Links
from local.twilio.messages.media import MediaStore
from local.twilio.messages.message import Message, MessageStore
from local.twilio.optouts.blocks import BlockList
from local.twilio.optouts.keywords import AdvancedOptOut
from local.twilio.outbox.content import Templates
from local.twilio.outbox.outbox import Outbox
from local.twilio.outbox.validation import Validator
from local.twilio.pricing.prices import PriceList
from local.twilio.services.services import Services
from local.twilio.tollfree.verifications import TollfreeVerifications
from local.twilio.trusthub.notices import Notices
from local.twilio.trusthub.trusthub import TrustHub
from local.twilio.webhooks.callbacks import StatusCallbacks
from local.twilio.webhooks.client import WebhookClient

SERVICE_SETTINGS = ("inbound_request_url", "fallback_url", "status_callback")


class Simulator:
    """Everything behind the routes."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        """Put the parts together; webhooks go out through the session."""
        self.settings = settings
        self.account = settings.account
        self.behaviour = settings.behaviour
        self.clock = Clock()
        self.store = MessageStore()
        self.media = MediaStore()
        self.debugger = Debugger(self.clock)
        self.blocks = BlockList()
        self.requests_in_flight = 0
        self.contract = Contract()
        self.reviews = Reviews(self.clock, self.current_behaviour)
        self.credentials = Credentials(settings.account)
        self.senders = AccountSenders(settings, self.clock.now())
        self.services = Services(
            settings,
            self.senders,
            self.clock.now(),
            behaviour=self.current_behaviour,
            is_registered=self._is_registered,
        )
        self.started = self.clock.now()
        self.numbers = IncomingPhoneNumbers(self.senders, self.services.release)
        self.addresses = Addresses()
        self.geo = GeoPermissions(settings.behaviour.blocked_prefixes)
        self.safe_list = SafeList()
        self.consents = Consents(
            scope_of=self._scope_of, block=self.blocks.block, unblock=self.blocks.unblock
        )
        self.faults = FaultScript(settings.behaviour.seed)
        client = WebhookClient(session, lambda: self.credentials.primary, self.current_behaviour)
        self.background = Background()
        self.callbacks = StatusCallbacks(
            client, background=self.background, behaviour=self.current_behaviour
        )
        self.advanced_opt_out = AdvancedOptOut()
        self.replies = self._build_replies(client)
        self.reception = self._build_reception(client)
        self.templates = Templates()
        self.fates = Fates()
        self.trusthub = self._build_trusthub(client)
        self.a2p = A2p(
            default_service_sid=settings.service_sid,
            trusthub=self.trusthub,
            clock=self.clock,
            reviews=self.reviews,
            behaviour=self.current_behaviour,
            has_service=lambda sid: self.services.find(sid) is not None,
        )
        self.tollfree = TollfreeVerifications(
            account_sid=self.account.account_sid,
            senders=self.senders,
            clock=self.clock,
            reviews=self.reviews,
            behaviour=self.current_behaviour,
        )
        self.domains = Domains()
        self.issuer = Issuer(
            clock=self.clock,
            reviews=self.reviews,
            debugger=self.debugger,
            behaviour=self.current_behaviour,
        )
        self.links = Links(self.domains, self.issuer)
        self.clicks = self._build_clicks(client)
        self.deactivations = Deactivations(self.account.auth_token)
        self.prices = PriceList()
        self.queues = Queues()
        self.media_check = MediaCheck(session, self.background)
        self.routing = self._build_routing()
        self.delivery = self._build_delivery()
        self.outbox = self._build_outbox()
        self.script(settings.faults)

    def _build_clicks(self, client: WebhookClient) -> Clicks:
        return Clicks(
            account_sid=self.account.account_sid,
            links=self.links,
            domains=self.domains,
            clock=self.clock,
            debugger=self.debugger,
            client=client,
            background=self.background,
            behaviour=self.current_behaviour,
        )

    def _build_trusthub(self, client: WebhookClient) -> TrustHub:
        return TrustHub(
            clock=self.clock,
            reviews=self.reviews,
            notices=Notices(
                account_sid=self.account.account_sid,
                client=client,
                debugger=self.debugger,
                background=self.background,
            ),
            behaviour=self.current_behaviour,
            has_address=lambda sid: self.addresses.find(sid) is not None,
            has_number=lambda sid: self.senders.with_sid(sid) is not None,
        )

    def _build_replies(self, client: WebhookClient) -> Replies:
        return Replies(
            client=client,
            senders=self.senders,
            services=self.services,
            blocks=self.blocks,
            debugger=self.debugger,
            send=self.reply,
            seconds=self.clock.seconds,
        )

    def _build_reception(self, client: WebhookClient) -> Reception:
        return Reception(
            account_sid=self.account.account_sid,
            clock=self.clock,
            senders=self.senders,
            services=self.services,
            store=self.store,
            media=self.media,
            blocks=self.blocks,
            advanced=self.advanced_opt_out,
            client=client,
            replies=self.replies,
            debugger=self.debugger,
            behaviour=self.current_behaviour,
        )

    def _build_routing(self) -> Routing:
        return Routing(
            clock=self.clock,
            services=self.services,
            blocks=self.blocks,
            links=self.links,
            registration=Registration(
                a2p=self.a2p,
                tollfree=self.tollfree,
                services=self.services,
                behaviour=self.current_behaviour,
            ),
            queues=self.queues,
            behaviour=self.current_behaviour,
            is_safe=self.safe_list.covers,
        )

    def _build_delivery(self) -> Delivery:
        return Delivery(
            clock=self.clock,
            services=self.services,
            routing=self.routing,
            queues=self.queues,
            media_check=self.media_check,
            prices=self.prices,
            callbacks=self.callbacks,
            behaviour=self.current_behaviour,
        )

    def _build_outbox(self) -> Outbox:
        validator = Validator(
            services=self.services,
            senders=self.senders,
            blocks=self.blocks,
            templates=self.templates,
            behaviour=self.current_behaviour,
            allows_country=self.geo.allows,
            is_queue_full=self.routing.is_full,
            plan_for=self.fates.foresee,
        )
        return Outbox(
            account_sid=self.account.account_sid,
            test_account_sid=self.account.test_account_sid,
            clock=self.clock,
            store=self.store,
            media=self.media,
            validator=validator,
            fates=self.fates,
            delivery=self.delivery,
            behaviour=self.current_behaviour,
        )

    async def receive(self, incoming: Incoming) -> Inbound:
        """Play a person who writes to one of our numbers."""
        return await self.reception.receive(incoming)

    def reply(self, reply: Reply) -> Message:
        """Send what a webhook answered with."""
        service = self.services.with_address(reply.sender.address)
        message = self.outbox.reply(
            sender=reply.sender,
            to=reply.to,
            body=reply.body,
            media=reply.media,
            service_sid=service.sid if service else None,
            status_callback=reply.status_callback,
        )
        if reply.failure is not None:
            message.plan = Plan(final=Status.FAILED, error_code=reply.failure)
        return message

    def _is_registered(self, service_sid: str) -> bool:
        """The service has a verified A2P campaign; asked only once all parts are there."""
        return self.a2p.is_registered(service_sid)

    def _scope_of(self, sender_id: str) -> str:
        """What blocks of a sender count for: its service, or itself outside all services."""
        service = self.services.with_address(sender_id)
        return service.sid if service else sender_id

    async def close(self) -> None:
        """End everything that is planned or under way."""
        self.clock.clear()
        self.callbacks.close()
        await self.background.close()

    def current_behaviour(self) -> Behaviour:
        """The settings of the moment, for parts that must see every change."""
        return self.behaviour

    def listed_until(self) -> datetime:
        """Messages made after that moment are not in lists yet."""
        return self.clock.now() - timedelta(milliseconds=self.behaviour.list_lag_ms)

    def change(self, changes: Mapping[str, object]) -> None:
        """Change behaviour, or the webhooks of the default service; ValueError if unreadable."""
        behaviour = {name: changes[name] for name in changes if name not in SERVICE_SETTINGS}
        self.behaviour = self.behaviour.changed(behaviour)
        for name in SERVICE_SETTINGS:
            if name in changes:
                setattr(self.services.default, name, str(changes[name] or "") or None)

    def script(self, faults: tuple[Mapping[str, Any], ...]) -> None:
        """Add faults, all or none; ValueError if one is wrong."""
        for fault in [parse_fault(given) for given in faults]:
            self.faults.add(fault)

    def reset(self, *, services: bool, settings: bool) -> None:
        """Forget what happened; put configuration back only where asked, and time where both are."""
        self.clock.clear(to_wall_time=services and settings)
        self.reviews.clear()
        self.store.clear()
        self.media.clear()
        self.debugger.clear()
        self.blocks.clear()
        self.replies.rates.clear()
        self.faults.clear()
        self.fates.clear()
        self.templates.clear()
        self.delivery.clear()
        self.callbacks.clear()
        self.links.clear()
        self.deactivations.clear()
        if services:
            self.domains.clear()
            self.tollfree.clear()
            self.trusthub.restore()
            self.a2p.restore()
            self.senders.restore(self.clock.now())
            self.services.restore(self.clock.now())
            self.advanced_opt_out.clear()
            self.credentials.restore()
            self.addresses.clear()
            self.geo.restore()
            self.safe_list.clear()
        if settings:
            self.behaviour = self.settings.behaviour
        self.issuer.resume(self.domains)
        self.tollfree.resume()
        self.trusthub.resume()
        self.a2p.resume()
