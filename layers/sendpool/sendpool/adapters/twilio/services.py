"""Messaging Services and the senders in their pools, through Twilio's library.

Each method that changes something makes one call that does. All can be repeated except `create`: look with `named`
first, as an attempt whose answer got lost may have made the service. What Twilio refuses raises TwilioRefusedError by
its code; what else there is stands in answered.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from twilio.http import HttpClient
from twilio.rest.messaging.v1.service import ServiceContext, ServiceInstance

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library, moment
from sendpool.domain.errors import TwilioBusyError, TwilioRefusedError, TwilioUnavailableError
from sendpool.domain.messaging_service import Changes, MessagingService, ServiceSettings, Value
from sendpool.domain.senders import (
    Campaign,
    NewSender,
    Registered,
    Sender,
    SenderKind,
    kind_of_number,
)

# Twilio gives no more
_PAGE: Final = 1000
_NO_SERVICE = 21701
_ALREADY_HERE, _NOT_HERE, _ELSEWHERE = 21710, 21711, 21712
# how many services are looked through for a sender
_MOST_SERVICES: Final = 50

# our name of a setting: the library's
_NAMES: Final = {
    "name": "friendly_name",
    "inbound_url": "inbound_request_url",
    "inbound_method": "inbound_method",
    "fallback_url": "fallback_url",
    "fallback_method": "fallback_method",
    "inbound_webhook_on_number": "use_inbound_webhook_on_number",
    "status_callback": "status_callback",
    "sticky_sender": "sticky_sender",
    "mms_converter": "mms_converter",
    "smart_encoding": "smart_encoding",
    "area_code_geomatch": "area_code_geomatch",
    "validity_period": "validity_period",
    "use_case": "usecase",
}
_CHANNELS: Final = {
    "whatsapp": SenderKind.WHATSAPP,
    "rcs": SenderKind.RCS,
    "messenger": SenderKind.MESSENGER,
}


class UnknownSenderError(Exception):
    """The account has no sender with this SID, or not of this kind."""


class Services:
    """The Messaging Services of an account."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        self._messaging = library(credentials=credentials, http_client=http_client).messaging.v1

    # -------------------------------------------------------------------------------------------- settings

    def read(self, service_sid: str) -> MessagingService:
        """Return a service as it is now."""
        try:
            return _service(self._at(service_sid).fetch())
        except RefusedError as error:
            raise _no_service(error) from error

    def named(self, name: str) -> list[MessagingService]:
        """Return the services of this name, which need not be unique, the one made first first."""
        try:
            found = [
                _service(each)
                for each in self._messaging.services.stream(page_size=_PAGE)
                if each.friendly_name == name
            ]
        except RefusedError as error:
            raise TwilioRefusedError(error.code) from error
        return sorted(found, key=lambda each: (each.created_at is None, each.created_at, each.sid))

    def create(self, settings: ServiceSettings) -> MessagingService:
        """Make a service, with every setting said. A repeat makes another one."""
        spelled = _spelled({name: getattr(settings, name) for name in _NAMES})
        try:
            return _service(self._messaging.services.create(**spelled))
        except RefusedError as error:
            raise TwilioRefusedError(error.code) from error

    def update(self, service_sid: str, changes: Changes) -> MessagingService:
        """Change some settings and leave the others; returns the service as it is then."""
        try:
            return _service(self._at(service_sid).update(**_spelled(changes)))
        except RefusedError as error:
            raise _no_service(error) from error

    def delete(self, service_sid: str) -> None:
        """Delete a service, which cannot be undone; its numbers stay on the account. Again does nothing."""
        try:
            self._at(service_sid).delete()
        except RefusedError as error:
            if not error.is_missing:
                raise TwilioRefusedError(error.code) from error

    # -------------------------------------------------------------------------------------------- senders

    def senders(self, service_sid: str) -> list[Sender]:
        """Return all senders of a service, whatever they are."""
        try:
            return list(self._senders(self._at(service_sid)))
        except RefusedError as error:
            raise _no_service(error) from error

    def sender(self, service_sid: str, sender_sid: str) -> Sender | None:
        """Return a sender of a service; None when it is not in its pool."""
        for kind in _kinds(sender_sid):
            try:
                return _READ[kind](getattr(self._at(service_sid), kind)(sender_sid).fetch())
            except RefusedError as error:
                if not (error.is_missing or error.code == _NOT_HERE):
                    raise TwilioRefusedError(error.code) from error
        return None

    def add(
        self, service_sid: str, new: NewSender, *, may_go_on: Callable[[], bool]
    ) -> tuple[Sender, bool]:
        """Put a sender into a pool; returns it, and whether it was not there before.

        One that sits in another service is refused with 21712, which says in which if that is found while one may go
        on. Raises UnknownSenderError.
        """
        try:
            return self._add(self._at(service_sid), new), True
        except RefusedError as error:
            if error.code == _ALREADY_HERE:
                return self._already_there(service_sid, new), False
            if error.is_missing:
                self.read(service_sid)  # is it the sender that is not there, or the service?
                raise UnknownSenderError from error
            detail = ""
            if error.code == _ELSEWHERE and new.sid:
                holder = self._holder_of(new.sid, beside=service_sid, may_go_on=may_go_on)
                detail = f"It is in the Messaging Service {holder}." if holder else ""
            raise TwilioRefusedError(error.code, detail=detail) from error

    def remove(self, service_sid: str, sender_sid: str) -> bool:
        """Take a sender out of a pool; tells whether it was there. A number stays on the account."""
        for kind in _kinds(sender_sid):
            try:
                getattr(self._at(service_sid), kind)(sender_sid).delete()
            except RefusedError as error:
                if not (error.is_missing or error.code == _NOT_HERE):
                    raise TwilioRefusedError(error.code) from error
            else:
                return True
        self.read(service_sid)  # a service that is not there has no senders either
        return False

    def campaign(self, service_sid: str) -> Campaign | None:
        """Return the A2P campaign of a service, which has at most one; an approved one, if Twilio lists several."""
        try:
            listed = [_campaign(each) for each in self._at(service_sid).us_app_to_person.stream()]
        except RefusedError as error:
            raise _no_service(error) from error
        approved = (each for each in listed if each.registered is Registered.YES)
        return next(approved, listed[0] if listed else None)

    def _at(self, service_sid: str) -> ServiceContext:
        return self._messaging.services(service_sid)

    @staticmethod
    def _senders(service: ServiceContext) -> Iterator[Sender]:
        seen: set[str] = set()
        for kind, read in _READ.items():
            for each in getattr(service, kind).stream(page_size=_PAGE):
                # whether the list by country has those for all countries too is not documented
                if each.sid not in seen:
                    seen.add(each.sid)
                    yield read(each)

    @staticmethod
    def _add(service: ServiceContext, new: NewSender) -> Sender:
        if new.alphanumeric and new.country:
            return _destination(
                service.destination_alpha_senders.create(
                    alpha_sender=new.alphanumeric, iso_country_code=new.country
                )
            )
        if new.alphanumeric:
            return _alphanumeric(service.alpha_senders.create(alpha_sender=new.alphanumeric))
        sid = new.sid or ""
        match sid[:2]:
            case "PN":
                return _phone_number(service.phone_numbers.create(phone_number_sid=sid))
            case "SC":
                return _short_code(service.short_codes.create(short_code_sid=sid))
            case _:
                return _channel(service.channel_senders.create(sid=sid))

    def _already_there(self, service_sid: str, new: NewSender) -> Sender:
        """Return the sender that is there already; of alphanumeric ones there may be another for that country."""
        if new.sid:
            found = self.sender(service_sid, new.sid)
        else:
            wanted = (new.alphanumeric, new.country)
            there = self.senders(service_sid)
            found = next((each for each in there if (each.address, each.country) == wanted), None)
        if found is None:
            where = f"for {new.country}" if new.country else "for all countries"
            detail = (
                f"The pool has another alphanumeric sender {where}." if new.alphanumeric else ""
            )
            raise TwilioRefusedError(_ALREADY_HERE, detail=detail)
        return found

    def _holder_of(
        self, sender_sid: str, *, beside: str, may_go_on: Callable[[], bool]
    ) -> str | None:
        """Look in which service a sender is; Twilio tells that of no sender, so they are asked one by one."""
        try:
            for service in self._messaging.services.stream(page_size=_PAGE, limit=_MOST_SERVICES):
                if not may_go_on():
                    return None
                if service.sid != beside and self.sender(str(service.sid), sender_sid):
                    return str(service.sid)
        except (RefusedError, TwilioRefusedError, TwilioBusyError, TwilioUnavailableError):
            return None
        return None


def _no_service(error: RefusedError) -> TwilioRefusedError:
    """Translate a refusal by the service itself: Twilio calls one that is not there a missing resource."""
    return TwilioRefusedError(_NO_SERVICE if error.is_missing else error.code)


# ------------------------------------------------------------------------------------------------ reading and writing


def _spelled(changes: Changes) -> dict[str, Any]:
    """Spell settings as the library does; an empty URL unsets it."""
    return {_NAMES[name]: _unset(value) for name, value in changes.items()}


def _unset(value: Value) -> Value:
    return "" if value is None else value


def _service(found: ServiceInstance) -> MessagingService:
    return MessagingService(
        sid=str(found.sid),
        settings=ServiceSettings(
            name=found.friendly_name or "",
            inbound_url=found.inbound_request_url or None,
            inbound_method=found.inbound_method or "POST",
            fallback_url=found.fallback_url or None,
            fallback_method=found.fallback_method or "POST",
            inbound_webhook_on_number=bool(found.use_inbound_webhook_on_number),
            status_callback=found.status_callback or None,
            sticky_sender=bool(found.sticky_sender),
            mms_converter=bool(found.mms_converter),
            smart_encoding=bool(found.smart_encoding),
            area_code_geomatch=bool(found.area_code_geomatch),
            validity_period=found.validity_period or 0,
            use_case=found.usecase or "undeclared",
        ),
        is_registered=bool(found.us_app_to_person_registered),
        created_at=moment(found.date_created),
        updated_at=moment(found.date_updated),
    )


def _phone_number(found: Any) -> Sender:
    return Sender(
        sid=found.sid,
        kind=kind_of_number(found.phone_number),
        address=found.phone_number,
        country=found.country_code or None,
        capabilities=_capabilities(found),
        added_at=moment(found.date_created),
    )


def _short_code(found: Any) -> Sender:
    return Sender(
        sid=found.sid,
        kind=SenderKind.SHORT_CODE,
        address=found.short_code,
        country=found.country_code or None,
        capabilities=_capabilities(found),
        added_at=moment(found.date_created),
    )


def _alphanumeric(found: Any, *, country: str | None = None) -> Sender:
    return Sender(
        sid=found.sid,
        kind=SenderKind.ALPHANUMERIC,
        address=found.alpha_sender,
        country=country,
        capabilities=_capabilities(found),
        added_at=moment(found.date_created),
    )


def _destination(found: Any) -> Sender:
    return _alphanumeric(found, country=found.iso_country_code or None)


def _channel(found: Any) -> Sender:
    return Sender(
        sid=found.sid,
        kind=_CHANNELS.get(str(found.sender_type).lower(), SenderKind.OTHER),
        address=found.sender,
        country=found.country_code or None,
        added_at=moment(found.date_created),
    )


def _campaign(found: Any) -> Campaign:
    limits: Mapping[str, Any] = found.rate_limits or {}
    att, tmobile = limits.get("att") or {}, limits.get("tmobile") or {}
    return Campaign(
        status=str(found.campaign_status),
        use_case=found.us_app_to_person_usecase,
        campaign_id=found.campaign_id,
        brand_sid=found.brand_registration_sid,
        att_rate=_number(att.get("mps")),
        att_class=att.get("msg_class"),
        tmobile_tier=tmobile.get("brand_tier"),
        is_mock=bool(found.mock),
    )


# the library's name of each resource of senders, and how one is read; that by country knows more of a sender
_READ: Final[dict[str, Callable[[Any], Sender]]] = {
    "phone_numbers": _phone_number,
    "short_codes": _short_code,
    "destination_alpha_senders": _destination,
    "alpha_senders": _alphanumeric,
    "channel_senders": _channel,
}
_KINDS: Final = {
    "PN": ("phone_numbers",),
    "SC": ("short_codes",),
    "AI": ("destination_alpha_senders", "alpha_senders"),
    "XE": ("channel_senders",),
}


def _kinds(sender_sid: str) -> tuple[str, ...]:
    return _KINDS[sender_sid[:2]]


def _capabilities(found: Any) -> tuple[str, ...]:
    return tuple(found.capabilities or ())


def _number(said: object) -> float | None:
    return float(said) if isinstance(said, int | float) else None
