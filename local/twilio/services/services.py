"""All Messaging Services of the account, and who of its senders is in which."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from local.twilio.account.senders import AccountSenders, Sender, SenderKind
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.settings import Behaviour, Settings
from local.twilio.core.sids import new_sid
from local.twilio.services.alpha import new_alpha_sender
from local.twilio.services.pool import COUNTED
from local.twilio.services.service import Service as Service

MESSAGING = frozenset({"SMS", "MMS"})


class Services:
    """The services, in order of making."""

    def __init__(
        self,
        settings: Settings,
        senders: AccountSenders,
        now: datetime,
        *,
        behaviour: Callable[[], Behaviour],
        is_registered: Callable[[str], bool],
    ) -> None:
        """Start with the default service, which holds the numbers of the settings, and one with an empty pool.

        `is_registered` tells of a service SID whether its A2P campaign is approved.
        """
        self._settings = settings
        self._senders = senders
        self._behaviour = behaviour
        self.is_registered = is_registered
        self._by_sid: dict[str, Service] = {}
        self.default: Service
        self.restore(now)

    def __iter__(self) -> Iterator[Service]:
        """All services."""
        return iter(list(self._by_sid.values()))

    def restore(self, now: datetime) -> None:
        """Put everything back to how the settings have it."""
        given = self._settings
        self.default = Service(
            sid=given.service_sid,
            created=now,
            updated=now,
            friendly_name="default",
            inbound_request_url=given.inbound_request_url or None,
            status_callback=given.status_callback or None,
        )
        for sender in self._senders:
            if sender.address in given.numbers:
                self.default.attach(sender, now)
        empty = Service(
            sid=given.empty_service_sid, created=now, updated=now, friendly_name="empty pool"
        )
        self._by_sid = {service.sid: service for service in (self.default, empty)}

    def find(self, sid: str) -> Service | None:
        """The service with that SID."""
        return self._by_sid.get(sid)

    def with_address(self, address: str) -> Service | None:
        """The service that a number, short code or channel sender is in: at most one."""
        return next((service for service in self if service.owns(address)), None)

    def holder_of(self, sender_sid: str) -> Service | None:
        """The service in whose pool a sender is."""
        return next((service for service in self if service.pool.with_sid(sender_sid)), None)

    def create(self, form: Form, now: datetime) -> Service:
        """A new service, from a form with at least FriendlyName."""
        form.require("FriendlyName")
        if len(self._by_sid) >= self._behaviour().max_services:
            raise ApiError(21102)
        service = Service(sid=new_sid("MG"), created=now, updated=now, friendly_name="")
        service.change(form, now)
        self._by_sid[service.sid] = service
        return service

    def delete(self, sid: str) -> None:
        """Remove a service; its numbers stay on the account, free for another."""
        del self._by_sid[sid]

    def attach(
        self, service: Service, sender_sid: str, *, kinds: Collection[SenderKind], now: datetime
    ) -> Sender:
        """Put a sender of the account into a pool; ApiError unless it is of these kinds and free."""
        sender = self._senders.with_sid(sender_sid)
        if sender is None or sender.kind not in kinds:
            raise ApiError(20404, path=sender_sid)
        owner = self.holder_of(sender_sid)
        if owner is not None:
            raise ApiError(21710 if owner is service else 21712)
        if sender.kind in COUNTED:
            self._check_room(service, sender)
        service.attach(sender, now)
        return sender

    def attach_alpha(self, service: Service, *, name: str, country: str, now: datetime) -> Sender:
        """Give a service an alphanumeric ID of its own; ApiError if it has one for that country (or as default)."""
        sender = new_alpha_sender(name, country=country, now=now)
        taken = {each.country for each in service.pool if each.kind is SenderKind.ALPHA}
        if sender.country in taken:
            raise ApiError(21710)
        service.attach(sender, now)
        return sender

    def release(self, sender_sid: str) -> None:
        """Take a sender that leaves the account out of whichever pool it is in."""
        service = self.holder_of(sender_sid)
        sender = service and service.pool.with_sid(sender_sid)
        if service and sender:
            service.detach(sender)

    def find_sender(self, service: Service, sender_sid: str, *, path: str) -> Sender:
        """A sender of the pool; ApiError 21711 if it is the account's, but elsewhere, 20404 if unknown."""
        sender = service.pool.with_sid(sender_sid)
        if sender is not None:
            return sender
        is_known = self._senders.with_sid(sender_sid) or self.holder_of(sender_sid)
        raise ApiError(21711) if is_known else ApiError(20404, path=path)

    def _check_room(self, service: Service, sender: Sender) -> None:
        if not MESSAGING & set(sender.capabilities):
            raise ApiError(21715)
        if service.pool.counted_size >= self._behaviour().max_pool:
            raise ApiError(21714)
