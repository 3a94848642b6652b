"""Inbound messages: keywords, the resource, the webhook with its fallback, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from local.twilio.account.senders import AccountSenders, Sender
from local.twilio.core.clock import Clock
from local.twilio.core.debugger import Debugger
from local.twilio.core.settings import Behaviour
from local.twilio.core.status import Status
from local.twilio.inbound.incoming import Inbound, Incoming
from local.twilio.inbound.replies import DocumentError, Exchange, Replies
from local.twilio.inbound.targets import Target, inbound_params, target_of
from local.twilio.messages.media import Media, MediaStore
from local.twilio.messages.message import (
    API_VERSION,
    Direction,
    Message,
    MessageStore,
    new_message_sid,
)
from local.twilio.messages.segments import count_segments
from local.twilio.optouts.blocks import BlockList, OptOut, apply_keyword
from local.twilio.optouts.keywords import AdvancedOptOut
from local.twilio.services.services import Service, Services
from local.twilio.webhooks.client import Answer, Call, WebhookClient, new_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Takes inbound messages for an account."""

    account_sid: str
    clock: Clock
    senders: AccountSenders
    services: Services
    store: MessageStore
    media: MediaStore
    blocks: BlockList
    advanced: AdvancedOptOut
    client: WebhookClient
    replies: Replies
    debugger: Debugger
    behaviour: Callable[[], Behaviour]

    async def receive(self, incoming: Incoming) -> Inbound:
        """Apply keywords, keep the message, call the webhook and, if that fails, the fallback.

        A service without a URL that does not defer to its numbers drops the message, after the opt-out was noted.
        """
        sender = self._find_sender(incoming.to)
        service = self.services.with_address(sender.address)
        message, media = self._make(incoming, sender, service)
        opt_out = self._apply_keyword(message, sender, service)
        target = target_of(sender, service, usual_url=self.behaviour().number_sms_url)
        if target is not None:
            self._keep(message, media)
        confirmations = tuple(self._confirm(message, text) for text in opt_out.texts)
        if target is None:
            return Inbound(message=None, keyword=opt_out.keyword, confirmations=confirmations)
        params = self._params(message, media, opt_out, incoming.profile_name)
        exchange = Exchange(message=message, params=params)
        url, answer = await self._deliver(exchange, target)
        return Inbound(
            message=message,
            keyword=opt_out.keyword,
            url=url,
            answer=answer,
            replies=tuple(exchange.sids),
            confirmations=confirmations,
        )

    def _find_sender(self, address: str | None) -> Sender:
        """The sender written to: by default the first of the account."""
        if address is None:
            return next(iter(self.senders))
        sender = self.senders.with_address(address)
        if sender is None:
            raise ValueError(f"to: {address!r} is no sender of this account")
        return sender

    def _make(
        self, incoming: Incoming, sender: Sender, service: Service | None
    ) -> tuple[Message, list[Media]]:
        now = self.clock.now()
        sid = new_message_sid(with_media=bool(incoming.attachments))
        media = [attachment.keep(sid, now) for attachment in incoming.attachments]
        message = Message(
            sid=sid,
            account_sid=self.account_sid,
            service_sid=service.sid if service else None,
            sender=incoming.person,
            to=sender.address,
            body=incoming.body,
            media=tuple(self._url_of(piece, incoming.base_url) for piece in media),
            status=Status.RECEIVED,
            direction=Direction.INBOUND,
            created=now,
            updated=now,
            sent=now,
            num_segments=1 if media else count_segments(incoming.body),
        )
        return message, media

    def _url_of(self, piece: Media, base_url: str) -> str:
        if piece.url is not None:
            return piece.url
        message = f"Accounts/{self.account_sid}/Messages/{piece.message_sid}"
        return f"{base_url}/{API_VERSION}/{message}/Media/{piece.sid}"

    def _keep(self, message: Message, media: list[Media]) -> None:
        self.store.add(message)
        for piece in media:
            self.media.add(piece)

    def _apply_keyword(self, message: Message, sender: Sender, service: Service | None) -> OptOut:
        return apply_keyword(
            message.body,
            number=message.sender or "",
            scope=service.sid if service else sender.address,
            sender=sender,
            rules=self.advanced.rules_of(message.service_sid),
            blocks=self.blocks,
        )

    def _confirm(self, inbound: Message, text: str) -> str:
        """Keep what Twilio itself answers: free, delivered at once, without callbacks."""
        message = Message(
            sid=new_message_sid(with_media=False),
            account_sid=self.account_sid,
            service_sid=inbound.service_sid,
            sender=inbound.to,
            to=inbound.sender or "",
            body=text,
            media=(),
            status=Status.DELIVERED,
            direction=Direction.OUTBOUND_REPLY,
            created=inbound.created,
            updated=inbound.created,
            sent=inbound.created,
            num_segments=count_segments(text),
        )
        self.store.add(message)
        return message.sid

    def _params(
        self, message: Message, media: list[Media], opt_out: OptOut, profile_name: str
    ) -> dict[str, str]:
        is_advanced = self.advanced.rules_of(message.service_sid).is_advanced
        return inbound_params(
            message,
            media=media,
            opt_out_type=opt_out.keyword if is_advanced else None,
            profile_name=profile_name,
        )

    async def _deliver(
        self, exchange: Exchange, target: Target
    ) -> tuple[str | None, Answer | None]:
        """Call the webhook, if one is set, and carry its answer out; if either fails, go to the fallback."""
        if not target.url:
            return None, None
        url, answer, failure = await self._try(exchange, target.url, target.method)
        if failure is None or not target.fallback_url:
            return url, answer
        errors = {"ErrorCode": str(failure.code), "ErrorUrl": failure.url}
        fallback = replace(exchange, params={**exchange.params, **errors})
        url, answer, _ = await self._try(fallback, target.fallback_url, target.fallback_method)
        return url, answer

    async def _try(
        self, exchange: Exchange, url: str, method: str
    ) -> tuple[str, Answer, DocumentError | None]:
        answer = await self.client.call(
            Call(url=url, params=exchange.params, method=method, token=new_token())
        )
        try:
            await self.replies.carry_out(exchange, url, answer)
        except DocumentError as exc:
            self.debugger.note(exc.code, url=exc.url, sid=exchange.message.sid)
            return url, answer, exc
        return url, answer, None
