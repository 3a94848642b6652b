"""The books of a day: what Twilio's list shows of it, what the ledger has, and why the two differ.

A message belongs to the UTC day on which Twilio made it (`date_created`): the answer to create says so, and so does
Twilio's list, so both sides mean the same day whatever our clock says. A message that was scheduled belongs to the
day on which Twilio took it, not to that on which it goes.

An account counts. It adds up: that of a day is the sum of those of pages of the list, in any order. Where the sides
differ over a message, one cause is counted for it, and what it adds to the difference in cost:

    messages at Twilio - messages in the ledger = those that are not ours - those that the list did not show
    cost at Twilio - cost in the ledger = the sum of what the causes add
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

from sendpool.domain.message import Delivery, SendResult, Status, current_status, later
from sendpool.domain.sketch import NOTHING, Named, Sketch

_EXAMPLES = 5
NOT_NAMED = "not_named"
"""Stands for the status of messages of the ledger that were not shown, and too many to say which."""


class Cause(StrEnum):
    """Why the two sides of a day differ over a message, or where they agree, what is odd about it."""

    BEHIND_IN_STATUS = "behind_in_status"
    PRICE_NOT_KNOWN = "price_not_known"
    PRICE_DIFFERS = "price_differs"
    SCHEDULED_LATER = "scheduled_later"
    NEVER_ANSWERED = "never_answered"
    NOT_OURS_REPLY = "not_ours_reply"
    NOT_OURS_SERVICE = "not_ours_service"
    NOT_OURS = "not_ours"
    NOT_LISTED = "not_listed"
    DELETED = "deleted"
    SAME_SID = "same_sid"
    DISPROVEN_SID = "disproven_sid"
    UNEXPLAINED = "unexplained"


REMEDIES: Final[Mapping[Cause, str]] = {
    Cause.BEHIND_IN_STATUS: (
        "Callbacks did not come; the ledger has it from Twilio's list by now. If there are many, look at the status "
        "webhook: its 403s and errors, and the dead letters of the callbacks queue."
    ),
    Cause.PRICE_NOT_KNOWN: "Nothing: Twilio knew the price late, and the ledger has it by now.",
    Cause.PRICE_DIFFERS: (
        "Twilio billed something else than it said before; the ledger keeps the higher price. Go by Twilio's invoice."
    ),
    Cause.SCHEDULED_LATER: (
        "Nothing: Twilio keeps it until its hour, and the sweeper asks for what became of it then."
    ),
    Cause.NEVER_ANSWERED: (
        "Nothing: the answer to create got lost, and a callback or Twilio's list proved that it was made."
    ),
    Cause.NOT_OURS_REPLY: (
        "Nothing: Twilio sent it as TwiML of a webhook said, which the ledger keeps with the inbound text."
    ),
    Cause.NOT_OURS_SERVICE: "Nothing, if something else sends from this account on its own.",
    Cause.NOT_OURS: (
        "Somebody sends through our Messaging Service: the console, other software, or another stage. If nobody does, "
        "look whether its recipient got the same text of ours twice, and take the API key out of use."
    ),
    Cause.NOT_LISTED: (
        "Twilio has the message, and its list did not show it. Ask Twilio's support with the SID of an example."
    ),
    Cause.DELETED: (
        "Somebody deleted it at Twilio; the ledger keeps what it knew of it. If nobody of yours did, change the keys."
    ),
    Cause.SAME_SID: (
        "Two of our messages took one of Twilio's as theirs: one of them was never sent. Look at the examples, and "
        "send it again if it still matters."
    ),
    Cause.DISPROVEN_SID: "Nothing: callbacks named another message as the one that it is.",
    Cause.UNEXPLAINED: (
        "Compare the examples with Twilio's log. Many at once: the list was cut short, or messages were deleted from "
        "the ledger or at Twilio by the thousand."
    ),
}

Side = Literal["twilio", "ledger"]
SIDES: Final[tuple[Side, ...]] = ("twilio", "ledger")


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of one side: its status, and what it cost in millionths of `currency`, None until that is known."""

    status: str
    price: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger has of a message whose SID is `sid`. `holders` is how many of ours claim that SID."""

    message_id: str
    sid: str
    result: SendResult | None
    delivery: Delivery | None
    holders: int = 1

    @property
    def shown(self) -> Shown:
        status = current_status(self.result, self.delivery)
        if self.delivery is None:
            return Shown(status)
        return Shown(status, self.delivery.price, self.delivery.currency)

    @property
    def is_disproven(self) -> bool:
        """Tell whether callbacks have named another SID as this message's."""
        return self.delivery is not None and self.delivery.sid not in {"", self.sid}

    def is_kept_for(self, day: date) -> bool:
        """Tell whether the ledger lists it for a day: Twilio's answer, or its list, named its SID and its day."""
        result = self.result
        made_at = result.made_at if result and result.sid == self.sid else None
        return made_at is not None and made_at.date() == day


# ------------------------------------------------------------------------------------------------ accounts


@dataclass(frozen=True, slots=True)
class Account:
    """What was counted of a day, by name; the SIDs that both sides have; and some messages of each cause, by id or SID.

    Of each side: `<side>:status:<status>`, `<side>:billed` (those with a price), `<side>:price:<currency>`; of each
    cause `cause:<cause>` and `price:<cause>:<currency>`.
    """

    counts: Counter[str] = field(default_factory=Counter)
    both: Sketch = NOTHING
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __add__(self, other: Account) -> Account:
        counts = Counter(self.counts)
        counts.update(other.counts)
        examples = {
            cause: (self.examples.get(cause, ()) + other.examples.get(cause, ()))[:_EXAMPLES]
            for cause in self.examples.keys() | other.examples.keys()
        }
        return Account(counts, self.both + other.both, examples)

    def side(self, side: Side) -> SideTotal:
        """Sum up one side."""
        return SideTotal(
            statuses=_part(self.counts, f"{side}:status:"),
            billed=self.counts[f"{side}:billed"],
            cost=_part(self.counts, f"{side}:price:"),
        )

    @property
    def causes(self) -> dict[Cause, int]:
        """How many messages have each cause; without those that none has."""
        return {each: n for each in Cause if (n := self.counts[f"cause:{each}"])}

    def cost_of(self, cause: Cause) -> dict[str, int]:
        """What a cause adds to the cost at Twilio over that in the ledger, in millionths by currency."""
        return _part(self.counts, f"price:{cause}:")

    @property
    def unexplained(self) -> int:
        return self.counts[f"cause:{Cause.UNEXPLAINED}"]

    @property
    def cost_difference(self) -> dict[str, int]:
        """The cost at Twilio less that in the ledger, in millionths; of every currency that either has."""
        twilio, ledger = self.side("twilio").cost, self.side("ledger").cost
        return less(twilio, ledger)


@dataclass(frozen=True, slots=True)
class SideTotal:
    """One side of a day: messages by status, how many have a price, and their cost in millionths by currency."""

    statuses: Mapping[str, int]
    billed: int
    cost: Mapping[str, int]

    @property
    def messages(self) -> int:
        return sum(self.statuses.values())


def less(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Return by how much each number of the first is larger, nothing left out."""
    return {name: some.get(name, 0) - others.get(name, 0) for name in sorted({*some, *others})}


def total(accounts: Iterable[Account]) -> Account:
    """Add accounts up."""
    return sum(accounts, Account())


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in the books: what it adds to the counts, its SID if both sides have it, and what odd is about it."""

    counts: Counter[str]
    both: str | None = None
    cause: Cause | None = None
    example: str = ""


def booked(entries: Iterable[Entry]) -> Account:
    """Add up messages, whichever side they are of."""
    counts: Counter[str] = Counter()
    both: list[str] = []
    examples: dict[str, list[str]] = {}
    for entry in entries:
        counts.update(entry.counts)
        if entry.both:
            both.append(entry.both)
        if entry.cause and len(some := examples.setdefault(entry.cause, [])) < _EXAMPLES:
            some.append(entry.example)
    return Account(
        counts, Sketch.of(both), {cause: tuple(some) for cause, some in examples.items()}
    )


def stranger(shown: Shown, sid: str, cause: Cause) -> Entry:
    """Return the entry of a message of Twilio's list that is none of ours."""
    counts = _counted("twilio", shown)
    _blame(counts, cause, shown, 1)
    return Entry(counts, cause=cause, example=sid)


def compared(shown: Shown, known: Known, day: date) -> Entry:
    """Return the entry of a message that Twilio's list shows and the ledger has."""
    mine = known.shown
    is_kept = known.is_kept_for(day)
    counts = _counted("twilio", shown) + _counted("ledger", mine)
    cause = _cause(shown, mine, is_kept=is_kept)
    if cause:
        _blame(counts, cause, shown, 1)
        _price(counts, f"price:{cause}:", mine, -1)
    return Entry(counts, known.sid if is_kept else None, cause, known.message_id)


def _cause(shown: Shown, mine: Shown, *, is_kept: bool) -> Cause | None:
    """Say what a message that both have is counted for: by what is worse, what only one of them knows first."""
    if shown.status != mine.status:
        return Cause.BEHIND_IN_STATUS if _is_ahead(shown, mine) else Cause.UNEXPLAINED
    if shown.price is not None and mine.price is None:
        return Cause.PRICE_NOT_KNOWN
    if (shown.price, shown.currency) != (mine.price, mine.currency) and (
        shown.price is not None or mine.price is not None
    ):
        return Cause.PRICE_DIFFERS
    if mine.status == Status.SCHEDULED:
        return Cause.SCHEDULED_LATER
    return None if is_kept else Cause.NEVER_ANSWERED


def _is_ahead(shown: Shown, mine: Shown) -> bool:
    if shown.status not in Status:
        return False
    status = Status(shown.status)
    return later(Status(mine.status), status) is status


# ------------------------------------------------------------------------------------------------ what was not shown


def unlisted(known: Known | None) -> Cause | None:
    """Say why the list did not show a message that the ledger has; None when only Twilio can tell."""
    if known is None:
        return Cause.UNEXPLAINED
    if known.is_disproven:
        return Cause.DISPROVEN_SID
    if known.holders > 1:
        return Cause.SAME_SID
    if known.shown.status == Status.SCHEDULED:
        return Cause.SCHEDULED_LATER
    # its SID was found out after the list had been gone through
    if known.result and known.result.evidence == "list":
        return Cause.NEVER_ANSWERED
    return None


def not_shown(sid: str, known: Known | None, cause: Cause) -> Entry:
    """Return the entry of a message of the ledger that Twilio's list did not show."""
    example = known.message_id if known else sid
    if cause is Cause.DISPROVEN_SID:  # the right one counts it
        return Entry(Counter({f"cause:{cause}": 1}), cause=cause, example=example)
    mine = known.shown if known else Shown(NOT_NAMED)
    counts = _counted("ledger", mine)
    _blame(counts, cause, mine, -1)
    return Entry(counts, cause=cause, example=example)


def left_over(difference: Named) -> Account:
    """Count what differs and could not be named, and what the ledger had when the list was gone through and lost since.

    Those without a name are counted on balance, and one at least.
    """
    gone = {sid: -times for sid, times in difference.names.items() if times < 0}
    counts = Counter({f"cause:{Cause.UNEXPLAINED}": sum(gone.values())})
    if not difference.is_all:
        counts[f"cause:{Cause.UNEXPLAINED}"] += max(1, abs(difference.others))
        counts[f"ledger:status:{NOT_NAMED}"] += difference.others
    return Account(+counts, examples={Cause.UNEXPLAINED: tuple(gone)[:_EXAMPLES]} if gone else {})


# ------------------------------------------------------------------------------------------------ counting


def _counted(side: Side, shown: Shown) -> Counter[str]:
    counts = Counter({f"{side}:status:{shown.status}": 1})
    if shown.price is not None:
        counts[f"{side}:billed"] += 1
    _price(counts, f"{side}:price:", shown, 1)
    return counts


def _blame(counts: Counter[str], cause: Cause, shown: Shown, sign: int) -> None:
    counts[f"cause:{cause}"] += 1
    _price(counts, f"price:{cause}:", shown, sign)


def _price(counts: Counter[str], prefix: str, shown: Shown, sign: int) -> None:
    if shown.price is not None:
        counts[f"{prefix}{shown.currency}"] += sign * shown.price


def _part(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): n
        for name, n in sorted(counts.items())
        if name.startswith(prefix)
    }


# ------------------------------------------------------------------------------------------------ days


@dataclass(frozen=True, slots=True)
class Day:
    """The books of a day as they stand; `finished_at` is None while they grow."""

    date: date
    account: Account
    finished_at: datetime | None = None
