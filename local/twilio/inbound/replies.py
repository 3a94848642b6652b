"""What a webhook answers to an inbound message, carried out: TwiML, or a plain text that is sent back."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.twilio.account.senders import AccountSenders, Sender
from local.twilio.core.debugger import Debugger
from local.twilio.inbound.twiml import (
    INVALID_FROM,
    MessageVerb,
    RedirectVerb,
    TwimlError,
    Unusable,
    Verb,
    parse_twiml,
    read_plain,
)
from local.twilio.messages.message import Message, status_fields
from local.twilio.optouts.blocks import BlockList
from local.twilio.services.services import Services
from local.twilio.webhooks.client import REDIRECTS, Answer, Call, WebhookClient, new_token
from local.twilio.webhooks.overrides import CONNECT_FAILED

XML_TYPES = frozenset({"text/xml", "application/xml"})
PLAIN_TYPE = "text/plain"
MAX_MESSAGES = 10
MAX_DOCUMENTS = 10
RATE_LIMIT = 15
RATE_SECONDS = 30.0

RETRIEVAL_FAILED = 11200
CONNECTION_FAILED = 11205
TOO_MANY_REDIRECTS = 11215
BODY_TOO_LARGE = 11750
INVALID_CONTENT_TYPE = 12300
TOO_MANY_DOCUMENTS = 14106
TOO_MANY_REPLIES = 14107
TOO_MANY_MESSAGES = 14109


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message that a webhook asked for; with a `failure` it is made, and fails with that code."""

    sender: Sender
    to: str
    body: str
    media: tuple[str, ...]
    status_callback: str | None
    failure: int | None


class DocumentError(Exception):
    """An answer that could not be had or read: the case for a fallback. `url` is where it was wanted from."""

    def __init__(self, code: int, url: str) -> None:
        """Remember code and place."""
        super().__init__(code, url)
        self.code = code
        self.url = url


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One inbound message with the fields that webhooks get; `sids` are the replies made so far."""

    message: Message
    params: Mapping[str, str]
    sids: list[str] = field(default_factory=list)


class ReplyRates:
    """Replies between two numbers, lest two machines talk to each other for ever."""

    def __init__(self) -> None:
        """Start with none."""
        self._moments: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def admit(self, sender: str, to: str, now: float) -> bool:
        """Count one reply; say whether it is within the limit."""
        moments = self._moments[sender, to]
        while moments and moments[0] <= now - RATE_SECONDS:
            moments.popleft()
        moments.append(now)
        return len(moments) <= RATE_LIMIT

    def clear(self) -> None:
        """Forget all."""
        self._moments.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """Carries out what webhooks answer; `send` makes a message and sets it on its way."""

    client: WebhookClient
    senders: AccountSenders
    services: Services
    blocks: BlockList
    debugger: Debugger
    send: Callable[[Reply], Message]
    seconds: Callable[[], float]
    rates: ReplyRates = field(default_factory=ReplyRates)

    async def carry_out(self, exchange: Exchange, url: str, answer: Answer) -> None:
        """Run the document and those that it leads to; DocumentError if one is of no use."""
        for _ in range(MAX_DOCUMENTS):
            redirect = await self._run(exchange, url, read_document(url, answer))
            if redirect is None:
                return
            url = redirect.url
            answer = await self.client.call(
                Call(url=url, params=exchange.params, method=redirect.method, token=new_token())
            )
        raise DocumentError(TOO_MANY_DOCUMENTS, url)

    async def _run(self, exchange: Exchange, url: str, verbs: list[Verb]) -> RedirectVerb | None:
        """Carry out verbs up to a redirect. One that cannot be is noted, and the rest goes on."""
        for verb in verbs:
            if isinstance(verb, RedirectVerb):
                return verb
            code = verb.code if isinstance(verb, Unusable) else await self._send(exchange, verb)
            if code is not None:
                self.debugger.note(code, url=url, sid=exchange.message.sid)
        return None

    async def _send(self, exchange: Exchange, verb: MessageVerb) -> int | None:
        """Send one message; the code of what stood against it otherwise."""
        inbound = exchange.message
        to = verb.to or inbound.sender or ""
        sender = self.senders.with_address(verb.sender or inbound.to)
        if sender is None:
            return INVALID_FROM
        if len(exchange.sids) == MAX_MESSAGES:
            return TOO_MANY_MESSAGES
        blocked = self._find_block(sender, to)
        if blocked is not None:
            return blocked
        is_admitted = self.rates.admit(sender.address, to, self.seconds())
        failure = None if is_admitted else TOO_MANY_REPLIES
        message = self.send(
            Reply(
                sender=sender,
                to=to,
                body=verb.body,
                media=verb.media,
                status_callback=verb.status_callback or None,
                failure=failure,
            )
        )
        exchange.sids.append(message.sid)
        await self._report(message, verb)
        return failure

    def _find_block(self, sender: Sender, to: str) -> int | None:
        owner = self.services.with_address(sender.address)
        scope = owner.sid if owner else sender.address
        block = self.blocks.find(scope=scope, number=to, sender=sender)
        return block.code if block else None

    async def _report(self, message: Message, verb: MessageVerb) -> None:
        """Tell the verb's action, if it has one, what was made of it."""
        if verb.action:
            params = action_params(message)
            await self.client.call(
                Call(url=verb.action, params=params, method=verb.method, token=new_token())
            )


def read_document(url: str, answer: Answer) -> list[Verb]:
    """The verbs of an answer, none if it is empty; DocumentError if it is not to be had or read."""
    if not answer.is_success:
        raise DocumentError(failure_code(answer), url)
    if answer.is_too_long:
        raise DocumentError(BODY_TOO_LARGE, url)
    if not answer.body.strip():
        return []
    if answer.content_type == PLAIN_TYPE:
        return [read_plain(answer.body)]
    if answer.content_type not in XML_TYPES:
        raise DocumentError(INVALID_CONTENT_TYPE, url)
    try:
        return parse_twiml(answer.body, base=url)
    except TwimlError as exc:
        raise DocumentError(exc.code, url) from exc


def failure_code(answer: Answer) -> int:
    """Why a webhook counts as failed."""
    if answer.outcome == CONNECT_FAILED:
        return CONNECTION_FAILED
    return TOO_MANY_REDIRECTS if answer.status in REDIRECTS else RETRIEVAL_FAILED


def action_params(message: Message) -> dict[str, str]:
    """The fields that a verb's action gets."""
    return status_fields(message) | {"Body": message.body}
