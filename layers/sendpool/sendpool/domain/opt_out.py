"""Who may be written to: what people said, by scope, and what counts of it.

A scope is a Messaging Service's SID, or `all`. What somebody said last within a scope counts there; of two words of
the same moment the opt-out does. An opt-out from all covers every service until the person opts in to that service
later; an opt-in to all lifts an opt-out from all only, because Twilio blocks by service too.

Words may become known late, twice and in any order: what stands in the end is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

ALL = "all"
MOST_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An opt-out or an opt-in: when, by which way it came, and what proves it (URL, IP, text version, inbound SID)."""

    opted_out: bool
    at: datetime
    source: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    def is_same(self, other: Change) -> bool:
        """Tell whether this is the same word, told again."""
        return (self.at, self.opted_out, self.source) == (other.at, other.opted_out, other.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one person stands within one scope.

    `history` has the changes, newest first: of many in a row that say the same the first and the last, and at most
    20. `consent` is the last opt-in, which outlives the history: it has to be shown for years.
    """

    person: str
    scope: str
    history: tuple[Change, ...]
    consent: Change | None = None
    version: int = 0

    @property
    def opted_out(self) -> bool:
        return self.history[0].opted_out

    @property
    def since(self) -> datetime:
        return self.history[0].at

    @property
    def source(self) -> str:
        return self.history[0].source


def heard(known: Standing | None, change: Change, *, person: str, scope: str) -> Standing:
    """Take a change in; the same standing when it is known already, or too old to be kept."""
    before = known or Standing(person=person, scope=scope, history=())
    if any(change.is_same(each) for each in before.history):
        return before
    history = sorted((*before.history, change), key=_recency, reverse=True)
    kept = tuple(_ends_of_runs(history))[:MOST_KEPT]
    return replace(before, history=kept, consent=_later_consent(before.consent, change))


def _recency(change: Change) -> tuple[datetime, bool]:
    return change.at, change.opted_out


def _ends_of_runs(history: list[Change]) -> list[Change]:
    """Leave out what both its neighbours say as well."""
    return [
        each
        for place, each in enumerate(history)
        if place in {0, len(history) - 1}
        or not history[place - 1].opted_out == each.opted_out == history[place + 1].opted_out
    ]


def _later_consent(known: Change | None, change: Change) -> Change | None:
    if change.opted_out or (known and known.at >= change.at):
        return known
    return change


def blocking_scope(own: Standing | None, everywhere: Standing | None) -> str | None:
    """Return the scope whose opt-out forbids to write to a person through one service; None if nothing does.

    `own` is where the person stands with this service, `everywhere` with `all`.
    """
    if own and own.opted_out:
        return own.scope
    if not everywhere or not everywhere.opted_out:
        return None
    came_back = own is not None and own.since > everywhere.since
    return None if came_back else everywhere.scope
