"""A Messaging Service: its settings, its pool, and the senders that its recipients know."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.twilio.account.senders import Sender
from local.twilio.core.forms import Form
from local.twilio.core.times import iso
from local.twilio.core.validity import MAX_VALIDITY
from local.twilio.services.fields import FIELDS, read_changes
from local.twilio.services.pool import Pool
from local.twilio.services.sticky import StickySenders

LINKS = {
    "phone_numbers": "PhoneNumbers",
    "short_codes": "ShortCodes",
    "alpha_senders": "AlphaSenders",
    "messages": "Messages",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
    "channel_senders": "ChannelSenders",
    "destination_alpha_senders": "DestinationAlphaSenders",
}


@dataclass(slots=True, kw_only=True)
class Service:
    """The settings bear the names of the v1 JSON."""

    sid: str
    created: datetime
    updated: datetime
    friendly_name: str
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = True
    scan_message_content: str = "inherit"
    fallback_to_long_code: bool = True
    area_code_geomatch: bool = True
    validity_period: int = MAX_VALIDITY
    synchronous_validation: bool = False
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = False
    pool: Pool = field(default_factory=Pool)
    sticky: StickySenders = field(default_factory=StickySenders)

    def owns(self, address: str) -> bool:
        """A sender of the pool has that address."""
        return self.pool.owns(address)

    def attached_at(self, sender_sid: str) -> datetime | None:
        """When the sender came into the pool, None if it is not there."""
        return self.pool.attached_at(sender_sid)

    def attach(self, sender: Sender, now: datetime) -> None:
        """Take a sender into the pool, unasked; recipients whom it suits better than theirs may come to know it."""
        self.pool.add(sender, now)
        self.sticky.make_room_for(sender)

    def detach(self, sender: Sender) -> None:
        """Take a sender out of the pool, and out of the memory of its recipients."""
        self.pool.remove(sender)
        self.sticky.forget(sender)

    def change(self, form: Form, now: datetime) -> None:
        """Take over the fields that were sent; nothing changes if one is wrong."""
        for name, value in read_changes(form).items():
            setattr(self, name, value)
        self.updated = now

    def to_json(self, *, account_sid: str, base_url: str, is_registered: bool) -> dict[str, Any]:
        """The resource as Messaging v1 shows it; `is_registered` for A2P traffic to the US."""
        url = f"{base_url}/v1/Services/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            **{name: getattr(self, name) for name, _ in FIELDS.values()},
            "us_app_to_person_registered": is_registered,
            "url": url,
            "links": {name: f"{url}/{path}" for name, path in LINKS.items()},
        }
