"""The simulated account as a whole: what the HTTP routes act on."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp

from local.twilio.callbacks import StatusCallbacks
from local.twilio.clock import Clock
from local.twilio.delivery import Delivery
from local.twilio.errors import ApiError
from local.twilio.faults import FaultScript, parse_fault
from local.twilio.forms import Form
from local.twilio.inbound import Inbound, Reception
from local.twilio.messages import Direction, Message, MessageStore, new_message_sid
from local.twilio.optouts import BlockList
from local.twilio.outcomes import plan_for
from local.twilio.segments import count_segments
from local.twilio.services import Services
from local.twilio.settings import Settings
from local.twilio.status import DELETABLE, Status
from local.twilio.validation import Draft, Validator
from local.twilio.webhooks import WebhookClient

SERVICE_SETTINGS = ("inbound_request_url", "status_callback")


class Simulator:
    """Everything behind the routes."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        """Put the parts together; webhooks go out through the session."""
        self.settings = settings
        self.account = settings.account
        self.behaviour = settings.behaviour
        self.clock = Clock()
        self.store = MessageStore()
        self.blocks = BlockList()
        self.services = Services(settings, self.clock.now())
        self.faults = FaultScript(settings.behaviour.seed)
        client = WebhookClient(session, settings.account.auth_token)
        self.callbacks = StatusCallbacks(client, lambda: self.behaviour)
        self._reception = Reception(store=self.store, blocks=self.blocks, client=client)
        self._validator = Validator(self.services, self.blocks)
        self._delivery = Delivery(
            clock=self.clock,
            services=self.services,
            blocks=self.blocks,
            callbacks=self.callbacks,
            behaviour=lambda: self.behaviour,
        )
        self.script(settings.faults)

    def create(self, form: Form) -> Message:
        """Make a message and set it on its way."""
        now = self.clock.now()
        draft = self._validator.read(form, behaviour=self.behaviour, now=now)
        message = self._make(draft, now)
        self.store.add(message)
        self._delivery.begin(message)
        return message

    def find_message(self, sid: str) -> Message:
        """A visible message; ApiError 20404 otherwise."""
        message = self.store.find(sid)
        if message is None:
            raise ApiError(20404, path=f"/Messages/{sid}.json")
        return message

    def update(self, message: Message, form: Form) -> None:
        """Cancel or redact, as the form says."""
        if form.get("Status"):
            if form.get("Status") != Status.CANCELED:
                raise ApiError(20001, detail=f"Invalid Status: {form.get('Status')}")
            if message.status is not Status.SCHEDULED:
                raise ApiError(30409)
            self._delivery.cancel(message)
        if "Body" in form:
            if form.get("Body"):
                raise ApiError(20001, detail="Body may only be redacted: it must be empty")
            message.body = ""
            message.updated = self.clock.now()

    def delete(self, message: Message) -> None:
        """Hide a finished message."""
        if message.status not in DELETABLE:
            raise ApiError(20009)
        message.deleted = True

    async def receive(
        self, *, sender: str, to: str | None, body: str, media: tuple[str, ...]
    ) -> Inbound:
        """Play a person who writes to one of our numbers."""
        number = to or next(iter(self.services.numbers.values())).phone_number
        service = self.services.with_number(number)
        now = self.clock.now()
        message = Message(
            sid=new_message_sid(with_media=bool(media)),
            account_sid=self.account.account_sid,
            service_sid=service.sid if service else None,
            sender=sender,
            to=number,
            body=body,
            media=media,
            status=Status.RECEIVED,
            direction=Direction.INBOUND,
            created=now,
            updated=now,
            sent=now,
            num_segments=count_segments(body),
        )
        url = self.behaviour.number_sms_url
        return await self._reception.receive(message, service=service, number_url=url)

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
        """Forget what happened; put configuration back only where asked."""
        self.clock.clear()
        self.store.clear()
        self.blocks.clear()
        self.faults.clear()
        self.callbacks.clear()
        if services:
            self.services.restore(self.clock.now())
        if settings:
            self.behaviour = self.settings.behaviour

    def truth(self, to: str | None, *, with_messages: bool) -> dict[str, Any]:
        """What really happened, deleted messages included."""
        messages = [
            message
            for message in self.store
            if message.direction is Direction.OUTBOUND_API and to in {None, message.to}
        ]
        listed = {"messages": [_truth_json(message) for message in messages]}
        return {
            "total": len(messages),
            "by_status": Counter(message.status.value for message in messages),
            "by_recipient": Counter(message.to for message in messages),
            **(listed if with_messages else {}),
        }

    def _make(self, draft: Draft, now: datetime) -> Message:
        return Message(
            sid=new_message_sid(with_media=bool(draft.media)),
            account_sid=self.account.account_sid,
            service_sid=draft.service.sid if draft.service else None,
            sender=draft.sender,
            to=draft.to,
            body=draft.body,
            media=draft.media,
            status=_first_status(draft),
            direction=Direction.OUTBOUND_API,
            created=now,
            updated=now,
            status_callback=draft.status_callback,
            validity_period=draft.validity_period,
            send_at=draft.send_at,
            plan=plan_for(to=draft.to, nth=self.store.count_to(draft.to), behaviour=self.behaviour),
        )


def _first_status(draft: Draft) -> Status:
    if draft.send_at is not None:
        return Status.SCHEDULED
    return Status.ACCEPTED if draft.service else Status.QUEUED


def _truth_json(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "status": message.status.value,
        "error_code": message.error_code,
        "status_callback": message.status_callback,
        "messaging_service_sid": message.service_sid,
        "created": message.created.isoformat(),
        "deleted": message.deleted,
    }
