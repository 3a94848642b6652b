"""The Message resource and the store of all messages made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.twilio.account.senders import Sender
from local.twilio.core.errors import title
from local.twilio.core.sids import new_sid
from local.twilio.core.status import Status
from local.twilio.core.times import rfc2822
from local.twilio.fates.fates import Plan

API_VERSION = "2010-04-01"


class Direction(StrEnum):
    """Who wrote to whom."""

    INBOUND = "inbound"
    OUTBOUND_API = "outbound-api"
    OUTBOUND_REPLY = "outbound-reply"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message; the store owns it and the delivery changes it.

    `text` is what went over the air, once that is known: after Smart Encoding, link shortening, MMS conversion.
    """

    sid: str
    account_sid: str
    service_sid: str | None
    sender: str | None
    to: str
    body: str
    media: tuple[str, ...]
    status: Status
    direction: Direction
    created: datetime
    updated: datetime
    num_segments: int = 0
    status_callback: str | None = None
    validity_period: int = 36000
    smart_encoded: bool | None = None
    shorten_urls: bool = False
    as_mms: bool = False
    skips_risk_check: bool = False
    send_at: datetime | None = None
    sent: datetime | None = None
    text: str | None = None
    pinned: Sender | None = None
    price: str | None = None
    error_code: int | None = None
    deleted: bool = False
    position: int = -1
    plan: Plan = field(default_factory=Plan)

    @property
    def is_mms(self) -> bool:
        """The message was made as an MMS."""
        return bool(self.media) or self.as_mms

    def to_json(self) -> dict[str, Any]:
        """The resource as the 2010 API shows it."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "messaging_service_sid": self.service_sid,
            "from": self.sender,
            "to": self.to,
            "body": self.body,
            "status": self.status.value,
            "direction": self.direction.value,
            "num_segments": str(self.num_segments),
            "num_media": str(len(self.media)),
            "price": self.price,
            "price_unit": "USD",
            "error_code": self.error_code,
            "error_message": self._error_message(),
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "date_sent": rfc2822(self.sent) if self.sent else None,
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }

    def _error_message(self) -> str | None:
        return title(self.error_code) if self.error_code else None


def status_fields(message: Message) -> dict[str, str]:
    """The fields with which webhooks tell where a message stands."""
    return {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": message.status.value,
        "SmsStatus": message.status.value,
        "AccountSid": message.account_sid,
        "From": message.sender or "",
        "To": message.to,
        "ApiVersion": API_VERSION,
    }


def new_message_sid(*, with_media: bool) -> str:
    """A fresh SID; MM for a message made as an MMS."""
    return new_sid("MM" if with_media else "SM")


class MessageStore:
    """All messages in order of making; deleted ones stay, marked, for the truth."""

    def __init__(self) -> None:
        """Start empty."""
        self._all: list[Message] = []
        self._by_sid: dict[str, Message] = {}
        self._by_to: dict[str, list[Message]] = {}

    def __len__(self) -> int:
        """Count all messages, deleted ones included."""
        return len(self._all)

    def __iter__(self) -> Iterator[Message]:
        """All messages, oldest first, deleted ones included."""
        return iter(self._all)

    def add(self, message: Message) -> None:
        """Keep a message."""
        message.position = len(self._all)
        self._all.append(message)
        self._by_sid[message.sid] = message
        self._by_to.setdefault(message.to, []).append(message)

    def find(self, sid: str) -> Message | None:
        """The message, unless unknown or deleted."""
        message = self._by_sid.get(sid)
        return None if message is None or message.deleted else message

    def find_any(self, sid: str) -> Message | None:
        """The message, deleted or not."""
        return self._by_sid.get(sid)

    def count_to(self, to: str) -> int:
        """How many messages this recipient got so far."""
        return len(self._by_to.get(to, ()))

    def newest_first(self, *, to: str | None, before: int | None) -> Iterator[Message]:
        """Visible messages older than a position, to one recipient or to all."""
        messages = self._all if to is None else self._by_to.get(to, [])
        for message in reversed(messages):
            if not message.deleted and (before is None or message.position < before):
                yield message

    def clear(self) -> None:
        """Forget everything."""
        self._all.clear()
        self._by_sid.clear()
        self._by_to.clear()
