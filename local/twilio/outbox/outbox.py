"""Making, changing and removing outbound messages."""

from collections.abc import Callable
from dataclasses import dataclass
from mimetypes import guess_type

from local.twilio.account.senders import Sender
from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.settings import Behaviour
from local.twilio.core.status import DELETABLE, Status
from local.twilio.core.validity import MAX_VALIDITY
from local.twilio.delivery.delivery import Delivery
from local.twilio.fates.fates import Fates, Plan
from local.twilio.messages.media import Media, MediaStore, new_media_sid
from local.twilio.messages.message import Direction, Message, MessageStore, new_message_sid
from local.twilio.outbox.validation import Draft, Validator, read_test_draft

UNKNOWN_TYPE = "application/octet-stream"
TOO_MANY_SCHEDULED = 35125


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Where messages go out from; `account_sid` is whose they are."""

    account_sid: str
    test_account_sid: str
    clock: Clock
    store: MessageStore
    media: MediaStore
    validator: Validator
    fates: Fates
    delivery: Delivery
    behaviour: Callable[[], Behaviour]

    def create(self, form: Form) -> Message:
        """Make a message and set it on its way; ApiError if Twilio would refuse it."""
        draft = self.validator.read(form, now=self.clock.now())
        if draft.send_at and self.delivery.scheduled >= self.behaviour().max_scheduled:
            raise ApiError(TOO_MANY_SCHEDULED)
        message = self._make(draft)
        self._send(message)
        return message

    def create_test(self, form: Form) -> Message:
        """What test credentials get: the answer alone. Nothing is kept, sent or called back."""
        draft = read_test_draft(form, now=self.clock.now())
        message = self._make(draft)
        message.account_sid = self.test_account_sid
        return message

    def reply(
        self,
        *,
        sender: Sender,
        to: str,
        body: str,
        media: tuple[str, ...] = (),
        service_sid: str | None = None,
        status_callback: str | None = None,
    ) -> Message:
        """Send what a webhook answered with."""
        now = self.clock.now()
        message = Message(
            sid=new_message_sid(with_media=bool(media)),
            account_sid=self.account_sid,
            service_sid=service_sid,
            sender=sender.address,
            pinned=sender,
            to=to,
            body=body,
            media=media,
            status=Status.QUEUED,
            direction=Direction.OUTBOUND_REPLY,
            created=now,
            updated=now,
            status_callback=status_callback,
            plan=self._draw_fate(to),
        )
        self._send(message)
        return message

    def find(self, sid: str) -> Message:
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
            self.delivery.cancel(message)
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

    def _send(self, message: Message) -> None:
        for url in message.media:
            self.media.add(
                Media(
                    sid=new_media_sid(),
                    message_sid=message.sid,
                    content_type=guess_type(url)[0] or UNKNOWN_TYPE,
                    created=message.created,
                    url=url,
                )
            )
        self.store.add(message)
        self.delivery.begin(message)

    def _make(self, draft: Draft) -> Message:
        now = self.clock.now()
        return Message(
            sid=new_message_sid(with_media=bool(draft.media)),
            account_sid=self.account_sid,
            service_sid=draft.service.sid if draft.service else None,
            sender=draft.sender.address if draft.sender else None,
            pinned=draft.sender,
            to=draft.to,
            body=draft.body,
            media=draft.media,
            status=_first_status(draft),
            direction=Direction.OUTBOUND_API,
            created=now,
            updated=now,
            status_callback=draft.options.status_callback,
            validity_period=_validity(draft),
            smart_encoded=draft.options.smart_encoded,
            shorten_urls=draft.options.shorten_urls,
            as_mms=draft.options.as_mms,
            skips_risk_check=draft.options.skips_risk_check,
            send_at=draft.send_at,
            plan=self._draw_fate(draft.to),
        )

    def _draw_fate(self, to: str) -> Plan:
        return self.fates.draw(to=to, nth=self.store.count_to(to), behaviour=self.behaviour())


def _first_status(draft: Draft) -> Status:
    if draft.send_at is not None:
        return Status.SCHEDULED
    return Status.ACCEPTED if draft.service else Status.QUEUED


def _validity(draft: Draft) -> int:
    if draft.options.validity_period is not None:
        return draft.options.validity_period
    return draft.service.validity_period if draft.service else MAX_VALIDITY
