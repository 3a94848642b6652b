"""Which webhook hears of an inbound message, and what it is told."""

from dataclasses import dataclass

from local.twilio.account.senders import Sender, country_of
from local.twilio.core.addresses import SMS, channel_of
from local.twilio.core.status import Status
from local.twilio.messages.media import Media
from local.twilio.messages.message import API_VERSION, Message
from local.twilio.optouts.keywords import Keyword
from local.twilio.services.services import Service

WHATSAPP = "whatsapp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A webhook and the one to try after it; empty URLs are not set."""

    url: str
    method: str
    fallback_url: str
    fallback_method: str


def target_of(sender: Sender, service: Service | None, *, usual_url: str) -> Target | None:
    """The webhook of the service, or of the number where there is none or it defers to its numbers.

    None means that the message is dropped: a service without a URL does not defer. A number without a URL of its own
    takes the usual one.
    """
    if service is None or service.use_inbound_webhook_on_number:
        return Target(
            url=sender.sms_url or usual_url,
            method=sender.sms_method if sender.sms_url else "POST",
            fallback_url=sender.sms_fallback_url,
            fallback_method=sender.sms_fallback_method,
        )
    if not service.inbound_request_url:
        return None
    return Target(
        url=service.inbound_request_url,
        method=service.inbound_method,
        fallback_url=service.fallback_url or "",
        fallback_method=service.fallback_method,
    )


def inbound_params(
    message: Message, *, media: list[Media], opt_out_type: Keyword | None, profile_name: str
) -> dict[str, str]:
    """The fields of the inbound webhook; `opt_out_type` only where Advanced Opt-Out is on."""
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.sender or "",
        "To": message.to,
        "Body": message.body,
        "NumMedia": str(len(media)),
        "NumSegments": str(message.num_segments),
        "SmsStatus": Status.RECEIVED.value,
        "ApiVersion": API_VERSION,
        **_origin_params(message, profile_name),
    }
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    if opt_out_type:
        params["OptOutType"] = opt_out_type.value
    for place, (url, piece) in enumerate(zip(message.media, media, strict=True)):
        params[f"MediaUrl{place}"] = url
        params[f"MediaContentType{place}"] = piece.content_type
    return params


def _origin_params(message: Message, profile_name: str) -> dict[str, str]:
    """Where the two ends are, as far as a number tells it; who writes, on a channel."""
    person = message.sender or ""
    channel = channel_of(person)
    if channel == SMS:
        return {**_place("From", person), **_place("To", message.to)}
    number = person.partition(":")[2]
    identity = {"WaId": number.removeprefix("+")} if channel == WHATSAPP else {}
    return {"ProfileName": profile_name, **identity}


def _place(end: str, number: str) -> dict[str, str]:
    country = country_of(number) if number.startswith("+") else "US"
    return {f"{end}City": "", f"{end}State": "", f"{end}Zip": "", f"{end}Country": country}
