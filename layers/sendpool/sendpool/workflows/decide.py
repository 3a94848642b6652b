"""Ask whether a message may go, with what the ledger knows of the person (domain/decision.py).

What caps count is written before a message is offered, on the condition that it is what the decision saw; who comes
second reads and decides anew. Dying after that leaves a message counted that may not have gone: a cap is then used
up too early, and when the same message is offered again it does not count twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.ledger.reach import Reachability
from sendpool.adapters.ledger.sent import MarketingSent, SentTo
from sendpool.domain.broadcast import Broadcast
from sendpool.domain.chunk import ChunkRow
from sendpool.domain.decision import (
    NOTHING_KNOWN,
    Asked,
    Decision,
    Facts,
    Policy,
    Send,
    at_hand_over,
    caps_of,
    decide,
)
from sendpool.domain.message import Category, OutboundMessage
from sendpool.domain.reach import UNTOLD

# a STOP that comes while a chunk is being sent counts from then on
_FACTS_STAY_FRESH = timedelta(seconds=1)


def asked_of(message: OutboundMessage) -> Asked:
    """What is asked about a single message."""
    return Asked(
        to=message.to, category=message.category, state=message.state, timezone=message.timezone
    )


def asked_of_row(row: ChunkRow, category: Category, broadcast: Broadcast | None) -> Asked:
    """What is asked about a broadcast's message; of one that nobody knows any more its terms are gone."""
    return Asked(
        to=row.to,
        category=category,
        state=row.state,
        timezone=row.timezone,
        window=broadcast.window if broadcast else None,
        expire_at=broadcast.expire_at if broadcast else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What deciding needs; `scope` is the Messaging Service's SID."""

    opt_outs: OptOuts
    reachability: Reachability
    sent: MarketingSent
    policy: Callable[[], Policy]
    scope: str
    now: Callable[[], datetime]

    def known(self, asked: Iterable[Asked]) -> Known:
        """Read what is known of all these people at once."""
        known = Known(self)
        known.read(list(asked))
        return known


@dataclass(slots=True)
class Known:
    """What is known of some people, and since when."""

    deciding: Deciding
    facts: dict[str, Facts] = field(default_factory=dict)
    counted: dict[str, SentTo] = field(default_factory=dict)
    read_at: dict[str, datetime] = field(default_factory=dict)

    def read(self, asked: list[Asked]) -> None:
        now, policy = self.deciding.now(), self.deciding.policy()
        people = {each.to for each in asked}
        opted_out = self.deciding.opt_outs.among(people, self.deciding.scope)
        reach = self.deciding.reachability.among(people)
        capped = {each.to for each in asked if caps_of(each, policy, now)}
        counted = self.deciding.sent.to(capped) if capped else {}
        for each in asked:
            before = counted.get(each.to, SentTo())
            known = reach.get(each.to, UNTOLD)
            self.counted[each.to] = before
            self.facts[each.to] = Facts(
                opted_out=self.deciding.scope if each.to in opted_out else None,
                is_deactivated=known.is_deactivated,
                is_landline=known.is_landline,
                unreachable_until=known.unreachable_until,
                sent=before.times,
            )
            self.read_at[each.to] = now

    def decide(self, asked: Asked, message_id: str, *, at: datetime | None = None) -> Decision:
        """Decide by what was read, without writing anything; for now, or for a later time."""
        facts = at_hand_over(self.facts.get(asked.to, NOTHING_KNOWN), message_id)
        return decide(asked, facts, self.deciding.policy(), at or self.deciding.now())

    def decide_at_hand_over(
        self, asked: Asked, message_id: str, *, at: datetime | None = None
    ) -> Decision:
        """Decide by what is known now, and count the message if it may go and a cap counts it.

        `at` is when Twilio shall send it, if that is later.
        """
        if self.deciding.now() - self.read_at[asked.to] > _FACTS_STAY_FRESH:
            self.read([asked])
        while True:
            decision = self.decide(asked, message_id, at=at)
            if not isinstance(decision, Send) or not self._counts(asked):
                return decision
            if self._count(asked.to, message_id, at or self.deciding.now()):
                return decision
            self.read([asked])

    def refused(self, asked: Asked, message_id: str) -> None:
        """Twilio refused the message for good: it does not count."""
        if self._counts(asked):
            self.deciding.sent.remove(asked.to, message_id)

    def _counts(self, asked: Asked) -> bool:
        return bool(caps_of(asked, self.deciding.policy(), self.deciding.now()))

    def _count(self, person: str, message_id: str, at: datetime) -> bool:
        before = self.counted[person]
        if message_id in before.times:
            return True
        if not self.deciding.sent.add(person, message_id, before, at=at):
            return False
        self.counted[person] = SentTo({**before.times, message_id: at}, before.version + 1)
        self.facts[person] = replace(self.facts[person], sent=self.counted[person].times)
        return True
