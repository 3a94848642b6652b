"""Who may not be written to, and how a keyword changes that.

Twilio's own blocks are between a person and a scope: a Messaging Service, or a sender outside all services. They are
the same for SMS, MMS and RCS. A toll-free number has the network's blocks besides, which Twilio cannot lift.
"""

from dataclasses import dataclass

from local.twilio.account.senders import Sender, SenderKind
from local.twilio.core.addresses import SMS, channel_of
from local.twilio.optouts.keywords import Keyword, KeywordRules, word_of

UNSUBSCRIBED = 21610
BLOCKED_BY_NETWORK = 30004
RCS_PREFIX = "rcs:"
NETWORK_STOP = frozenset({"STOP"})
NETWORK_START = frozenset({"START", "UNSTOP"})
NETWORK_STOP_TEXT = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
NETWORK_START_TEXT = (
    'NETWORK MSG: You have replied "{word}" and will begin receiving messages again '
    "from this number."
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block that stands: `code` is the error that a message into it ends with."""

    scope: str
    number: str
    code: int


class BlockList:
    """All blocks."""

    def __init__(self) -> None:
        """Start with nobody blocked."""
        self._blocked: set[tuple[str, str]] = set()
        self._by_network: set[tuple[str, str]] = set()

    def block(self, scope: str, number: str) -> None:
        """Note that a person may not be written to from this scope."""
        self._blocked.add((scope, _person(number)))

    def unblock(self, scope: str, number: str) -> None:
        """Lift Twilio's block, if there is one; a block of the network stays."""
        self._blocked.discard((scope, _person(number)))

    def block_by_network(self, sender: str, number: str) -> None:
        """Note that the network lets nothing through from this toll-free number."""
        self._by_network.add((sender, _person(number)))

    def unblock_by_network(self, sender: str, number: str) -> None:
        """Lift the network's block, if there is one."""
        self._by_network.discard((sender, _person(number)))

    def find(self, *, scope: str, number: str, sender: Sender | None = None) -> Block | None:
        """The block between a person and a scope, or the sender chosen there; Twilio's own come first."""
        person = _person(number)
        if (scope, person) in self._blocked:
            return Block(scope, person, UNSUBSCRIBED)
        place = sender.address if sender else scope
        if (place, person) in self._by_network:
            return Block(place, person, BLOCKED_BY_NETWORK)
        return None

    def is_blocked(self, *, number: str, scope: str) -> bool:
        """Twilio itself blocks this number: a bare sender of this scope is refused with 21610 at once."""
        return (scope, _person(number)) in self._blocked

    def to_json(self) -> list[dict[str, object]]:
        """All blocks, each with the code that it gives."""
        rows = [(*pair, UNSUBSCRIBED) for pair in self._blocked]
        rows += [(*pair, BLOCKED_BY_NETWORK) for pair in self._by_network]
        return [
            {"scope": scope, "number": number, "code": code} for scope, number, code in sorted(rows)
        ]

    def clear(self) -> None:
        """Forget all blocks."""
        self._blocked.clear()
        self._by_network.clear()


def _person(number: str) -> str:
    """RCS reaches the same person as the number does."""
    return number.removeprefix(RCS_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """What an inbound message did to the blocks, and the texts that Twilio and the network answer."""

    keyword: Keyword | None
    texts: tuple[str, ...] = ()


def apply_keyword(
    body: str, *, number: str, scope: str, sender: Sender, rules: KeywordRules, blocks: BlockList
) -> OptOut:
    """Carry out what a message to a sender asks for; nothing where Twilio does not handle keywords."""
    keyword = rules.find(body) if _is_handled(sender, rules) else None
    if keyword is Keyword.STOP:
        texts = _stop(word_of(body), number, scope, sender, rules, blocks)
    elif keyword is Keyword.START:
        texts = _start(word_of(body), number, scope, sender, rules, blocks)
    elif keyword is Keyword.HELP and not blocks.find(scope=scope, number=number, sender=sender):
        texts = (rules.texts[Keyword.HELP],)
    else:
        texts = ()
    return OptOut(keyword=keyword, texts=texts)


def _is_handled(sender: Sender, rules: KeywordRules) -> bool:
    """By default numbers and RCS only: short codes by arrangement, WhatsApp with Advanced Opt-Out."""
    channel = channel_of(sender.address)
    return rules.is_advanced or (
        sender.kind is not SenderKind.SHORT_CODE and channel in {SMS, RCS_PREFIX.rstrip(":")}
    )


def _stop(
    word: str, number: str, scope: str, sender: Sender, rules: KeywordRules, blocks: BlockList
) -> tuple[str, ...]:
    """Who is blocked already gets no second answer."""
    is_new = blocks.find(scope=scope, number=number, sender=sender) is None
    is_network = sender.kind is SenderKind.TOLL_FREE and word in NETWORK_STOP
    if is_network:
        blocks.block_by_network(sender.address, number)
    if not is_network or scope != sender.address:
        blocks.block(scope, number)
    text = NETWORK_STOP_TEXT if is_network else rules.texts[Keyword.STOP]
    return (text,) if is_new else ()


def _start(
    word: str, number: str, scope: str, sender: Sender, rules: KeywordRules, blocks: BlockList
) -> tuple[str, ...]:
    """Both the network and the service answer a toll-free number's START; YES does not reach the network."""
    before = blocks.find(scope=scope, number=number, sender=sender)
    blocks.unblock(scope, number)
    by_network = blocks.find(scope=scope, number=number, sender=sender)
    texts: tuple[str, ...] = ()
    if by_network is not None:
        if word not in NETWORK_START:
            return ()
        blocks.unblock_by_network(sender.address, number)
        texts = (NETWORK_START_TEXT.format(word=word.lower()),)
    is_answered = rules.is_advanced or (before is not None and not texts)
    return (*texts, rules.texts[Keyword.START]) if is_answered else texts
