"""Routes of Messaging v1: the senders in the pools of services, a sub-resource for each kind."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from local.twilio.account.senders import Sender, SenderKind
from local.twilio.api.pool_resource import Attach, Json, PoolResource
from local.twilio.core.forms import Form
from local.twilio.services.channels import sender_type
from local.twilio.services.service import Service
from local.twilio.services.services import Services


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    for resource in RESOURCES:
        app.add_routes(resource.routes())


def _of_kinds(*kinds: SenderKind) -> Callable[[Sender], bool]:
    return lambda sender: sender.kind in kinds


def _by_sid(name: str, *kinds: SenderKind) -> Attach:
    """Attach a sender of the account that the form names by its SID."""

    def attach(services: Services, service: Service, form: Form, now: datetime) -> Sender:
        form.require(name)
        return services.attach(service, form.get(name), kinds=kinds, now=now)

    return attach


def _attach_default(services: Services, service: Service, form: Form, now: datetime) -> Sender:
    return services.attach_alpha(service, name=form.get("AlphaSender"), country="", now=now)


def _attach_destination(services: Services, service: Service, form: Form, now: datetime) -> Sender:
    country = form.get("IsoCountryCode").upper()
    return services.attach_alpha(service, name=form.get("AlphaSender"), country=country, now=now)


def _number_json(sender: Sender) -> Json:
    return {
        "phone_number": sender.address,
        "country_code": sender.country,
        "capabilities": list(sender.capabilities),
    }


def _short_code_json(sender: Sender) -> Json:
    return {
        "short_code": sender.address,
        "country_code": sender.country,
        "capabilities": list(sender.capabilities),
    }


def _alpha_json(sender: Sender) -> Json:
    return {"alpha_sender": sender.address, "capabilities": list(sender.capabilities)}


def _destination_json(sender: Sender) -> Json:
    return {**_alpha_json(sender), "iso_country_code": sender.country}


def _channel_json(sender: Sender) -> Json:
    return {
        "sender": sender.address,
        "sender_type": sender_type(sender),
        "country_code": sender.country,
    }


RESOURCES = (
    PoolResource(
        path="PhoneNumbers",
        name="service_phone_numbers",
        key="phone_numbers",
        holds=_of_kinds(SenderKind.LONG_CODE, SenderKind.TOLL_FREE),
        attach=_by_sid("PhoneNumberSid", SenderKind.LONG_CODE, SenderKind.TOLL_FREE),
        show=_number_json,
    ),
    PoolResource(
        path="ShortCodes",
        name="service_short_codes",
        key="short_codes",
        holds=_of_kinds(SenderKind.SHORT_CODE),
        attach=_by_sid("ShortCodeSid", SenderKind.SHORT_CODE),
        show=_short_code_json,
    ),
    PoolResource(
        path="AlphaSenders",
        name="service_alpha_senders",
        key="alpha_senders",
        holds=lambda sender: sender.kind is SenderKind.ALPHA and not sender.country,
        attach=_attach_default,
        show=_alpha_json,
    ),
    PoolResource(
        path="DestinationAlphaSenders",
        name="service_destination_alpha_senders",
        key="alpha_senders",
        holds=_of_kinds(SenderKind.ALPHA),
        attach=_attach_destination,
        show=_destination_json,
        filters={"IsoCountryCode": lambda sender: sender.country},
    ),
    PoolResource(
        path="ChannelSenders",
        name="service_channel_senders",
        key="senders",
        service_key="messaging_service_sid",
        holds=_of_kinds(SenderKind.CHANNEL),
        attach=_by_sid("Sid", SenderKind.CHANNEL),
        show=_channel_json,
    ),
)
