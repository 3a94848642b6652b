"""Inbound messages: the resource, the opt-out keywords and the webhook."""

from dataclasses import dataclass
from typing import Any

from local.twilio.messages import API_VERSION, Message, MessageStore
from local.twilio.optouts import BlockList, Keyword, find_keyword
from local.twilio.services import Service
from local.twilio.status import Status
from local.twilio.webhooks import Answer, Call, WebhookClient, new_token

UNREACHABLE_WEBHOOK = "11200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What became of an inbound message; `answer` is None where no webhook is set."""

    message: Message | None
    keyword: Keyword | None
    url: str | None
    answer: Answer | None

    def to_json(self) -> dict[str, Any]:
        """The outcome as the control API shows it."""
        return {
            "sid": self.message.sid if self.message else None,
            "dropped": self.message is None,
            "opt_out_type": self.keyword.value if self.keyword else None,
            "webhook": self._webhook_json(),
        }

    def _webhook_json(self) -> dict[str, Any] | None:
        if self.answer is None:
            return None
        return {
            "url": self.url,
            "status": self.answer.status,
            "content_type": self.answer.content_type,
            "body": self.answer.body,
            "error": None if self.answer.status else self.answer.outcome,
            "attempts": len(self.answer.attempts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Takes inbound messages."""

    store: MessageStore
    blocks: BlockList
    client: WebhookClient

    async def receive(
        self, message: Message, *, service: Service | None, number_url: str
    ) -> Inbound:
        """Apply keywords, keep the message, call the webhook and, if that fails, the fallback.

        A service without a URL that does not defer to its numbers drops the message, after
        the opt-out was noted.
        """
        keyword = find_keyword(message.body)
        if keyword:
            scope = service.sid if service else message.to
            self.blocks.apply(keyword, number=message.sender or "", scope=scope)
        defers = service is None or service.use_inbound_webhook_on_number
        url = number_url if service is None or defers else service.inbound_request_url
        if not url and not defers:
            return Inbound(message=None, keyword=keyword, url=None, answer=None)
        self.store.add(message)
        if not url:
            return Inbound(message=message, keyword=keyword, url=None, answer=None)
        uses_service = service is not None and not defers
        url, answer = await self._call(message, url, service if uses_service else None)
        return Inbound(message=message, keyword=keyword, url=url, answer=answer)

    async def _call(
        self, message: Message, url: str, service: Service | None
    ) -> tuple[str, Answer]:
        params = inbound_params(message)
        method = service.inbound_method if service else "POST"
        answer = await self.client.call(
            Call(url=url, params=params, method=method, token=new_token())
        )
        if answer.is_success or service is None or not service.fallback_url:
            return url, answer
        fallback = Call(
            url=service.fallback_url,
            params={**params, "ErrorCode": UNREACHABLE_WEBHOOK, "ErrorUrl": url},
            method=service.fallback_method,
            token=new_token(),
        )
        return service.fallback_url, await self.client.call(fallback)


def inbound_params(message: Message) -> dict[str, str]:
    """The fields of the inbound webhook."""
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.sender or "",
        "To": message.to,
        "Body": message.body,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(message.num_segments),
        "SmsStatus": Status.RECEIVED.value,
        "ApiVersion": API_VERSION,
        "FromCity": "",
        "FromState": "",
        "FromZip": "",
        "FromCountry": "US",
        "ToCity": "",
        "ToState": "",
        "ToZip": "",
        "ToCountry": "US",
    }
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    for place, url in enumerate(message.media):
        params[f"MediaUrl{place}"] = url
        params[f"MediaContentType{place}"] = "image/jpeg"
    return params
