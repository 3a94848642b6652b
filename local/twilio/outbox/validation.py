"""What a create must look like: the form becomes a `Draft`, or an `ApiError` with Twilio's code.

The order of the checks is ours (Twilio documents none): missing pieces, content, options, service, sender,
schedule, recipient, and last what only a bare sender is told at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local.twilio.account.senders import AccountSenders, Sender, SenderKind, country_of
from local.twilio.core.addresses import (
    ALPHANUMERIC,
    E164,
    PREMIUM_PREFIXES,
    SERVICE_SID,
    SHORT_CODE,
    SMS,
    channel_of,
    is_number,
    is_sender,
)
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.settings import Behaviour
from local.twilio.fates.fates import Plan
from local.twilio.optouts.blocks import BlockList
from local.twilio.outbox.content import Templates
from local.twilio.outbox.magic import check_magic_recipient, check_magic_sender
from local.twilio.outbox.options import (
    Options,
    read_fallback_sender,
    read_media,
    read_options,
    read_send_at,
)
from local.twilio.services.services import Service, Services

MAX_BODY = 1600
NORTH_AMERICA = frozenset({"US", "CA"})
NO_SUCH_CHANNEL = 63007


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A create that passed every synchronous check; without a service its sender is known."""

    to: str
    sender: Sender | None
    service: Service | None
    body: str
    media: tuple[str, ...]
    options: Options
    send_at: datetime | None

    @property
    def is_mms(self) -> bool:
        """The message goes out as an MMS."""
        return bool(self.media) or self.options.as_mms


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """The checks, with what they need to know of the account."""

    services: Services
    senders: AccountSenders
    blocks: BlockList
    templates: Templates
    behaviour: Callable[[], Behaviour]
    allows_country: Callable[[str], bool]
    is_queue_full: Callable[[Sender], bool]
    plan_for: Callable[[str], Plan]

    def read(self, form: Form, *, now: datetime) -> Draft:
        """The draft that a form describes; ApiError if Twilio would refuse it at once."""
        check_pieces(form)
        text, template_media = self.templates.render(form)
        media = read_media(form.get_all("MediaUrl")) or template_media
        options = read_options(form)
        service = self._find_service(form)
        draft = Draft(
            to=form.get("To"),
            sender=self._find_sender(form, service),
            service=service,
            body=form.get("Body") or text,
            media=media,
            options=options,
            send_at=read_send_at(form, has_service=service is not None, now=now),
        )
        self._check_fallback(form, service)
        self._check_recipient(draft)
        if draft.service is None and draft.sender is not None:
            self._check_bare_sender(draft, draft.sender)
        return draft

    def _find_service(self, form: Form) -> Service | None:
        sid = form.get("MessagingServiceSid")
        if not sid and form.get("From").startswith("MG"):
            sid = form.get("From")
        if not sid:
            return None
        if not SERVICE_SID.fullmatch(sid):
            raise ApiError(21705, sid=sid)
        service = self.services.find(sid)
        if service is None:
            raise ApiError(21701, sid=sid)
        if not service.pool:
            raise ApiError(21704)
        return service

    def _find_sender(self, form: Form, service: Service | None) -> Sender | None:
        address = form.get("From")
        if not address or SERVICE_SID.fullmatch(address):
            return None
        if not is_sender(address):
            raise ApiError(21212, sender=address)
        if service is not None:
            return self._pinned(service, address)
        if ALPHANUMERIC.fullmatch(address):
            return self._alphanumeric(address)
        sender = self.senders.with_address(address)
        if sender is None:
            missing = 21606 if channel_of(address) == SMS else NO_SUCH_CHANNEL
            raise ApiError(missing, sender=address)
        return sender

    def _pinned(self, service: Service, address: str) -> Sender:
        """A sender named beside a service must be of its pool."""
        for sender in service.pool:
            if sender.address == address:
                return sender
        raise ApiError(21709 if ALPHANUMERIC.fullmatch(address) else 21606, sender=address)

    def _alphanumeric(self, address: str) -> Sender:
        """An alphanumeric ID needs no registration here, but no trial account may use one."""
        if self.behaviour().trial:
            raise ApiError(21267)
        moment = self.services.default.created
        return Sender(
            sid="", kind=SenderKind.ALPHA, address=address, country="", created=moment,
            capabilities=("SMS",),
        )  # fmt: skip

    def _check_fallback(self, form: Form, service: Service | None) -> None:
        if read_fallback_sender(form) and service is not None:
            channels = {channel_of(sender.address) for sender in service.pool}
            if "rcs" not in channels:
                raise ApiError(21667)

    def _check_recipient(self, draft: Draft) -> None:
        to, sender = draft.to, draft.sender.address if draft.sender else None
        _check_form_of(to)
        if to == sender:
            raise ApiError(21266, to=to)
        if sender and channel_of(to) != channel_of(sender):
            raise ApiError(21910)
        if to.startswith(PREMIUM_PREFIXES):
            raise ApiError(21268)
        behaviour = self.behaviour()
        if behaviour.trial and to not in behaviour.verified_numbers:
            raise ApiError(21608, to=to)
        if to.startswith(behaviour.blocked_prefixes) or not self.allows_country(country_of(to)):
            raise ApiError(21408, to=to)
        refused = self.plan_for(to).refused
        if refused:
            channel = "MMS" if draft.is_mms else "SMS"
            raise ApiError(refused, to=to, sender=sender, channel=channel)

    def _check_bare_sender(self, draft: Draft, sender: Sender) -> None:
        """What a sender is told at once, and a service only later."""
        country = country_of(draft.to)
        if draft.is_mms and not sender.can_mms:
            raise ApiError(21621)
        if not can_route(sender, country, is_mms=draft.is_mms):
            channel = "MMS" if draft.is_mms else "SMS"
            raise ApiError(21612, to=draft.to, sender=sender.address, channel=channel)
        owner = self.services.with_address(sender.address)
        scope = owner.sid if owner else sender.address
        is_blocked = self.blocks.is_blocked(number=draft.to, scope=scope)
        if is_blocked or self.plan_for(draft.to).is_opted_out:
            raise ApiError(21610)
        if self.is_queue_full(sender):
            raise ApiError(21611)


def check_pieces(form: Form) -> None:
    """A recipient, a sender, and something to say that is not too long."""
    if not form.get("To"):
        raise ApiError(21604)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise ApiError(21603)
    if not any(form.get(name) for name in ("Body", "MediaUrl", "ContentSid", "ContentVariables")):
        raise ApiError(21602 if "Body" in form else 21619)
    if len(form.get("Body")) > MAX_BODY:
        raise ApiError(21617)


def _check_form_of(to: str) -> None:
    if SHORT_CODE.fullmatch(to):
        raise ApiError(21265, to=to)
    if not is_number(to):
        raise ApiError(21211, to=to)


def can_route(sender: Sender, country: str, *, is_mms: bool) -> bool:
    """The sender reaches that country: short codes at home, alphanumeric IDs outside North America."""
    if sender.kind is SenderKind.SHORT_CODE:
        return country == sender.country
    if sender.kind is SenderKind.ALPHA:
        return country not in NORTH_AMERICA and not is_mms
    return not is_mms or country in NORTH_AMERICA or not E164.fullmatch(sender.address)


def read_test_draft(form: Form, *, now: datetime) -> Draft:
    """The draft of a create with test credentials, which know magic numbers alone."""
    check_pieces(form)
    media = read_media(form.get_all("MediaUrl"))
    options = read_options(form)
    if form.get("MessagingServiceSid"):
        raise ApiError(21701, sid=form.get("MessagingServiceSid"))
    sender = form.get("From")
    check_magic_sender(sender)
    check_magic_recipient(form.get("To"), sender=sender, with_media=bool(media))
    _check_form_of(form.get("To"))
    pinned = Sender(
        sid="", kind=SenderKind.LONG_CODE, address=sender, country="US", created=now
    )  # fmt: skip
    return Draft(
        to=form.get("To"),
        sender=pinned,
        service=None,
        body=form.get("Body"),
        media=media,
        options=options,
        send_at=read_send_at(form, has_service=False, now=now),
    )
