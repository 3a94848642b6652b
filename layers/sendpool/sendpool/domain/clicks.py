"""Clicks on the short links of one message, and which of them a person made.

Twilio tells of a click once or twice, late, in any order, and gives it no id: two that are alike in everything are
one. What is kept is the set of the earliest, and what each of them is, is judged over the whole set each time, as a
later one may show that an earlier one was a scanner's. So the same clicks come to the same record, however they come.

A click is a person's unless something speaks against it: Twilio calls it a preview, its user agent is a program's
(domain/data/clicks.json), it comes sooner than a person can tap, or it is one of a burst. It errs on the person's side:
a scanner that behaves like a browser, one link at a time, counts as a person.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

MOST_KEPT: Final = 100
"""Clicks of one message that are kept, the earliest; of more it is known only that there were more."""
LONGEST_LINK: Final = 500
LONGEST_AGENT: Final = 300
QUICKEST: Final = timedelta(seconds=3)
"""A text takes a second or two to the handset and a person as long to tap, counted from when Twilio was offered it."""
AT_ONCE: Final = timedelta(seconds=1)
"""Twilio cuts times to the second, so clicks of one moment may stand a second apart."""
MOST_AT_ONCE: Final = 2
"""A double tap, or an app that hands a link to the browser, makes two."""

_PROGRAMS: Final = Path(__file__).with_name("data") / "clicks.json"


class Kind(StrEnum):
    """What made a click."""

    HUMAN = "human"
    PREVIEW = "preview"
    """A chat or network that shows what a link leads to."""
    SCANNER = "scanner"
    """Any other program: security products, crawlers, scripts."""


class Verdict(NamedTuple):
    """What made a click, and why we think so; nothing speaks for a person but that nothing speaks against."""

    kind: Kind
    reason: str = ""


_PERSON: Final = Verdict(Kind.HUMAN)


@dataclass(frozen=True, slots=True, order=True)
class Click:
    """A click as Twilio told of it, at a time to the millisecond.

    `digest` stands for all that is told, link and agent uncut; `event` is Twilio's word, `click` or `preview`.
    """

    at: datetime
    digest: str
    event: str
    link: str
    agent: str

    @classmethod
    def told(cls, *, at: datetime, event: str, link: str, agent: str) -> Click:
        at = at.astimezone(UTC)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        event, link, agent = map(_writable, (event, link, agent))
        said = json.dumps([at.isoformat(), event, link, agent])
        digest = hashlib.sha256(said.encode()).hexdigest()[:16]
        return cls(at, digest, event, link[:LONGEST_LINK], agent[:LONGEST_AGENT])


def _writable(text: str) -> str:
    """Replace halves of characters, which JSON can carry and no store takes."""
    return str.encode(text, errors="replace").decode()


# ------------------------------------------------------------------------------------------------ one message


@dataclass(frozen=True, slots=True)
class Judged:
    """A click and what made it."""

    click: Click
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """The clicks of one message, in their order; `has_more` when there were more than are kept."""

    judged: tuple[Judged, ...] = ()
    has_more: bool = False
    version: int = 0

    @property
    def raw(self) -> int:
        return len(self.judged)

    def count(self, kind: Kind) -> int:
        return sum(each.verdict.kind is kind for each in self.judged)

    @property
    def first_human(self) -> Click | None:
        people = (each.click for each in self.judged if each.verdict.kind is Kind.HUMAN)
        return next(people, None)


NONE: Final = Clicks()


def clicked(
    known: Clicks,
    told: Iterable[Click],
    *,
    sent_at: datetime | None,
    waited: Sequence[Clicks] = (),
) -> Clicks:
    """Add clicks to those of their message, whichever of them are known already.

    Without `sent_at` nothing is said of haste. `waited` are those that stood apart until it was known whose they are.
    """
    parts = (known, *waited)
    old = (each.click for part in parts for each in part.judged)
    clicks = {each.digest: each for each in (*old, *told)}
    kept = sorted(clicks.values())[:MOST_KEPT]
    return replace(
        known,
        judged=tuple(map(Judged, kept, classify(kept, sent_at=sent_at))),
        has_more=any(part.has_more for part in parts) or len(clicks) > MOST_KEPT,
    )


# ------------------------------------------------------------------------------------------------ who was it?


def classify(clicks: Sequence[Click], *, sent_at: datetime | None) -> list[Verdict]:
    """Say what made each click of one message; they are in the order of time."""
    verdicts = [_by_its_words(each) for each in clicks]
    # what is a program by its own words says nothing about the others: chats preview a link while somebody taps another
    left = [position for position, verdict in enumerate(verdicts) if verdict is _PERSON]
    bursts = dict(zip(left, _bursts([clicks[position] for position in left]), strict=True))
    for position in left:
        if sent_at and clicks[position].at - sent_at < QUICKEST:
            verdicts[position] = Verdict(Kind.SCANNER, "too_soon")
        elif bursts[position]:
            verdicts[position] = Verdict(Kind.SCANNER, bursts[position])
    return verdicts


def _by_its_words(click: Click) -> Verdict:
    if click.event != "click":
        return Verdict(Kind.PREVIEW, "event_type")
    return by_agent(click.agent)


def _bursts(clicks: Sequence[Click]) -> list[str]:
    """Say of each click why it is part of a burst: other links at once, or too many; empty for those that are not."""
    found = [""] * len(clicks)
    for first, last in _moments(clicks):
        links = {each.link for each in clicks[first:last]}
        if len(links) > 1:
            found[first:last] = ["several_links"] * (last - first)
        elif last - first > MOST_AT_ONCE:
            found[first:last] = [each or "repeated" for each in found[first:last]]
    return found


def _moments(clicks: Sequence[Click]) -> Iterator[tuple[int, int]]:
    """Yield from each click on the stretch of those that came at once with it: its place and the one after the last."""
    last = 0
    for first, click in enumerate(clicks):
        while last < len(clicks) and clicks[last].at - click.at <= AT_ONCE:
            last += 1
        yield first, last


# ------------------------------------------------------------------------------------------------ user agents


@dataclass(frozen=True, slots=True)
class _Program:
    agent: re.Pattern[str]
    verdict: Verdict


@cache
def _programs() -> tuple[tuple[_Program, ...], re.Pattern[str]]:
    """Read the table: what programs call themselves, and how the agent of a browser looks."""
    read = json.loads(_PROGRAMS.read_text(encoding="utf-8"))
    programs = (
        _Program(_pattern(row["pattern"]), Verdict(Kind(row["kind"]), f"agent: {row['name']}"))
        for row in read["agents"]
    )
    return tuple(programs), _pattern(read["browsers"]["pattern"])


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@lru_cache(maxsize=4096)
def by_agent(agent: str) -> Verdict:
    """Say what a user agent belongs to, as far as it tells."""
    if not agent.strip():
        return Verdict(Kind.SCANNER, "no_agent")
    programs, browsers = _programs()
    found = next((each.verdict for each in programs if each.agent.search(agent)), None)
    if found:
        return found
    return _PERSON if browsers.search(agent) else Verdict(Kind.SCANNER, "no_browser")
