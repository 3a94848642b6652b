"""The plan of a broadcast: what would happen if it started at a given moment, added up row by row in flat memory.

Each row is put down as a `PlannedRow`, and a `Forecast` adds them up: it is kept with the place up to which it counts,
so that a plan goes on where it was interrupted, and says the same however often that was.

What can be many is bounded: characters and places beyond a few hundred are counted together. Of reasons a few examples
are kept, with masked numbers.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal

from sendpool.domain.broadcast import ImportCursor, Problem
from sendpool.domain.decision import Decision, Defer, Policy, Send, Skip, at_what_hour
from sendpool.domain.phone import mask
from sendpool.domain.prices import Cost, Total, total
from sendpool.domain.quiet_hours import Window
from sendpool.domain.text import CostlyCharacter, Encoding
from sendpool.domain.whereabouts import Whereabouts

MOST_EXAMPLES: Final = 5
MOST_TEXTS_READ: Final = 200
"""Distinct texts that are held against the rules of lint."""

_NUMBER: Final = re.compile(r"\+?[0-9 ().-]*")
_MOST_CHARACTERS: Final = 400
_MOST_PLACES: Final = 300
_LONGEST_CHARACTER: Final = 16
_LONGEST_NAME: Final = 120
_LONGEST_EXCERPT: Final = 80
_FURTHEST: Final = timedelta(days=3_650)

ANYWHERE: Final = "anywhere"
"""The place of those whose hours are not asked for, or of whom nothing is known."""
ELSEWHERE: Final = "elsewhere"
"""The place of all beyond the first few hundred."""

Verdict = Literal["send", "defer", "skip"]


class PlanState(StrEnum):
    """How far a plan has come."""

    READING = "reading"
    PLANNING = "planning"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedText:
    """What a text takes and costs. `currency` is empty where there are no prices; `encoding` None without a text."""

    segments: int
    encoding: Encoding | None = None
    costly: tuple[CostlyCharacter, ...] = ()
    cost: Cost | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """What would become of one row.

    `until`: a deferred one may go then, one that is sent has to be gone by then. `places` is None where hours play no
    part, `text` where it is skipped; `detail` says more than the reason: the missing variable, or the rule.
    """

    row: int
    to: str
    verdict: Verdict
    reason: str | None = None
    detail: str | None = None
    until: datetime | None = None
    rule: str | None = None
    places: tuple[Whereabouts, ...] | None = None
    text: PlannedText | None = None


def verdict_of(decision: Decision) -> Verdict:
    match decision:
        case Send():
            return "send"
        case Defer():
            return "defer"
        case Skip():
            return "skip"


# ------------------------------------------------------------------------------------------------ the report


REPORT_HEADER: Final = b"row,to,decision,reason,until,segments,encoding,cost_low,cost_high\r\n"


def report_lines(rows: Iterable[PlannedRow]) -> bytes:
    """Write rows as CSV (RFC 4180). What a spreadsheet might take for a formula is written as text."""
    text = io.StringIO()
    csv.writer(text).writerows(map(_columns, rows))
    return text.getvalue().encode()


def _columns(row: PlannedRow) -> tuple[Any, ...]:
    text = row.text
    cost = text.cost if text else None
    return (
        row.row,
        row.to if _NUMBER.fullmatch(row.to) else f"'{row.to}",
        row.verdict,
        row.reason,
        row.until.isoformat() if row.until and row.verdict == "defer" else None,
        text.segments if text else None,
        text.encoding if text else None,
        _amount(cost.low) if cost else None,
        _amount(cost.high) if cost else None,
    )


def _amount(millionths: int) -> str:
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


# ------------------------------------------------------------------------------------------------ places


@lru_cache(maxsize=1 << 14)
def name_of(places: tuple[Whereabouts, ...]) -> str:
    """Name where somebody may be: `US-NY America/New_York`, several separated by `; `."""
    return "; ".join(
        f"{place.country}-{place.state} {place.zone}"
        if place.state
        else f"{place.country} {place.zone}"
        for place in places
    )


def places_named(name: str) -> tuple[Whereabouts, ...]:
    """Read back what `name_of` wrote."""
    return tuple(map(_place, name.split("; "))) if name else ()


def _place(name: str) -> Whereabouts:
    where, _, zone = name.partition(" ")
    country, _, state = where.partition("-")
    return Whereabouts(country, state or None, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRows:
    """Rows of people who may be at the same places: the same hours hold for them.

    `until` is when they may be texted if they have to wait, and when that ends if they need not.
    """

    verdict: Verdict
    until: datetime | None = None
    rule: str | None = None
    rows: int = 0
    segments: int = 0


# ------------------------------------------------------------------------------------------------ adding up


@dataclass(frozen=True, slots=True)
class Example:
    """A row with this reason; `to` is masked."""

    row: int
    to: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class CharacterRows:
    """How many rows a character keeps from GSM-7, and how many segments they save in all if it alone goes."""

    name: str
    replacement: str | None
    rows: int = 0
    segments: int = 0


@dataclass(frozen=True, slots=True)
class TextFindings:
    """How many of the texts that were read break a rule, and where one does: in the row's text."""

    severity: Literal["error", "warning"]
    message: str
    texts: int
    row: int
    text: str


@dataclass(slots=True)
class Forecast:
    """What would happen to all rows so far.

    `reasons` counts by verdict and reason. `characters`, `segments`, `encodings` and `costs` are about those that go
    out, now or later; `saved_segments` is what they save if all costly characters go, `other_characters` counts rows of
    characters beyond the bound. `costs` is by currency, `""` where there are no prices. `read` has a checksum of each
    text that was held against the rules of lint.
    """

    rows: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[Example]] = field(default_factory=dict)
    segments: Counter[int] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    characters: dict[str, CharacterRows] = field(default_factory=dict)
    other_characters: int = 0
    saved_segments: int = 0
    costs: dict[str, Total] = field(default_factory=dict)
    places: dict[str, PlaceRows] = field(default_factory=dict)
    read: list[int] = field(default_factory=list)
    findings: dict[str, TextFindings] = field(default_factory=dict)

    def add(self, row: PlannedRow) -> None:
        """Count a row in."""
        self.rows += 1
        self.verdicts[row.verdict] += 1
        if row.reason:
            self._add_reason(row, row.reason)
        if row.text:
            self._add_text(row.text)
        if row.places is not None or row.text:
            self._add_place(row)

    def _add_reason(self, row: PlannedRow, reason: str) -> None:
        key = row.verdict, reason
        self.reasons[key] += 1
        if self.reasons[key] <= MOST_EXAMPLES:
            example = Example(row.row, mask(row.to), row.detail)
            self.examples.setdefault(key, []).append(example)

    def _add_text(self, text: PlannedText) -> None:
        self.segments[text.segments] += 1
        self.encodings[text.encoding or "unknown"] += 1
        for each in text.costly:
            self._add_character(each)
        if text.costly:
            self.saved_segments += text.costly[0].together
        known = self.costs.get(text.currency, Total())
        self.costs[text.currency] = known + total([text.cost])

    def _add_character(self, costly: CostlyCharacter) -> None:
        key = costly.character[:_LONGEST_CHARACTER]
        known = self.characters.get(key)
        if known is None:
            if len(self.characters) >= _MOST_CHARACTERS:
                self.other_characters += 1
                return
            known = CharacterRows(costly.name[:_LONGEST_NAME], costly.replacement)
        self.characters[key] = replace(
            known, rows=known.rows + 1, segments=known.segments + costly.segments
        )

    def _add_place(self, row: PlannedRow) -> None:
        key = ANYWHERE if row.places is None else name_of(row.places)
        if key not in self.places and len(self.places) >= _MOST_PLACES:
            key = f"{ELSEWHERE} {row.verdict} {row.until.isoformat() if row.until else ''}".strip()
        known = self.places.get(key) or PlaceRows(
            verdict=row.verdict, until=row.until, rule=row.rule
        )
        self.places[key] = replace(
            known,
            rows=known.rows + 1,
            segments=known.segments + max(1, row.text.segments if row.text else 0),
        )

    def wants_to_read(self, text: str) -> bool:
        """Tell whether a text is one of the first few hundred that differ, and take it as read."""
        if len(self.read) >= MOST_TEXTS_READ:
            return False
        checksum = zlib.crc32(text.encode("utf-8", "surrogatepass"))
        if checksum in self.read:
            return False
        self.read.append(checksum)
        return True

    def add_finding(
        self, rule: str, severity: Literal["error", "warning"], message: str, *, row: int, text: str
    ) -> None:
        """Count in that a row's text breaks a rule; each rule once a text."""
        known = self.findings.get(rule) or TextFindings(
            severity, message, 0, row, text[:_LONGEST_EXCERPT]
        )
        self.findings[rule] = replace(known, texts=known.texts + 1)

    @property
    def total_segments(self) -> int:
        return sum(segments * rows for segments, rows in self.segments.items())

    def to_json(self) -> str:
        """Write it down, exactly."""
        return json.dumps(
            {
                "rows": self.rows,
                "verdicts": self.verdicts,
                "reasons": [
                    [*key, count, [_values(each) for each in self.examples.get(key, ())]]
                    for key, count in self.reasons.items()
                ],
                "segments": list(self.segments.items()),
                "encodings": self.encodings,
                "characters": {name: _values(each) for name, each in self.characters.items()},
                "other_characters": self.other_characters,
                "saved_segments": self.saved_segments,
                "costs": {
                    name: [each.cost.low, each.cost.high, each.priced, each.unpriced]
                    for name, each in self.costs.items()
                },
                "places": {
                    name: asdict(each) | {"until": each.until.isoformat() if each.until else None}
                    for name, each in self.places.items()
                },
                "read": self.read,
                "findings": {name: _values(each) for name, each in self.findings.items()},
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Forecast:
        plain = json.loads(text)
        return cls(
            rows=plain["rows"],
            verdicts=Counter(plain["verdicts"]),
            reasons=Counter({(verdict, why): n for verdict, why, n, _ in plain["reasons"]}),
            examples={
                (verdict, why): [Example(*each) for each in examples]
                for verdict, why, _, examples in plain["reasons"]
            },
            segments=Counter(dict(plain["segments"])),
            encodings=Counter(plain["encodings"]),
            characters={name: CharacterRows(*each) for name, each in plain["characters"].items()},
            other_characters=plain["other_characters"],
            saved_segments=plain["saved_segments"],
            costs={
                name: Total(Cost(low, high), priced, unpriced)
                for name, (low, high, priced, unpriced) in plain["costs"].items()
            },
            places={name: _to_place_rows(each) for name, each in plain["places"].items()},
            read=plain["read"],
            findings={name: TextFindings(*each) for name, each in plain["findings"].items()},
        )


def _values(of: Any) -> list[Any]:
    return list(asdict(of).values())


def _to_place_rows(plain: Mapping[str, Any]) -> PlaceRows:
    until = plain["until"]
    return PlaceRows(**{**plain, "until": datetime.fromisoformat(until) if until else None})


# ------------------------------------------------------------------------------------------------ when it is over


@dataclass(frozen=True, slots=True)
class Ending:
    """When the last text leaves, at this pace.

    `too_late` is how many of those that may go at once the pace does not reach before it gets too late where they are;
    they wait for another day, and the end with them.
    """

    at: datetime
    too_late: int


def ending(places: Iterable[PlaceRows], *, pace: float, at: datetime) -> Ending | None:
    """Reckon when everybody has been sent to at `pace` segments a second, from `at` on; None if nobody is.

    Whoever waits for an hour joins at that hour. The rows of all places are taken to be mixed evenly.
    """
    going = [each for each in places if each.verdict != "skip"]
    if not going:
        return None
    batches: Counter[datetime] = Counter()
    for each in going:
        batches[each.until if each.verdict == "defer" and each.until else at] += each.segments
    end = at
    for opens, segments in sorted(batches.items()):
        end = min(max(end, opens) + _lasts(segments, pace), at + _FURTHEST)
    first = _lasts(batches[at], pace)
    too_late = sum(
        round(each.rows * (1 - (each.until - at) / first))
        for each in going
        if each.verdict == "send" and each.until and each.until - at < first
    )
    return Ending(end, too_late)


def _lasts(segments: int, pace: float) -> timedelta:
    return timedelta(seconds=min(segments / pace, _FURTHEST.total_seconds()))


# ------------------------------------------------------------------------------------------------ the plan itself


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCursor:
    """How far a plan has come: so many bytes of its rows, and the parts of the report that belong to them.

    `tail` is a part that is too small for S3 yet: whoever goes on begins with it.
    """

    offset: int = 0
    parts: tuple[str, ...] = ()
    tail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the ledger keeps of a plan; `run` tells it from others of the same broadcast.

    `at` is the start that it is about. `upload_etag` is the file that it reads, None for a broadcast that tries another
    again; `rules_version` the version of the hours that it was made by, `pool_rate` the segments a second that the
    senders of the pool passed on. `moved_by` is the tick that moved the cursor.
    """

    broadcast_id: str
    run: str
    state: PlanState
    requested_at: datetime
    at: datetime
    upload_etag: str | None = None
    rules_version: str | None = None
    import_cursor: ImportCursor | None = None
    total: int | None = None
    rows_etag: str | None = None
    cursor: PlanCursor = field(default_factory=PlanCursor)
    moved_by: str | None = None
    forecast: Forecast = field(default_factory=Forecast)
    pool_rate: float | None = None
    finished_at: datetime | None = None
    problem: Problem | None = None

    @property
    def rows_name(self) -> str:
        """Under which name its rows are kept beside those of the broadcast itself."""
        return f"{self.broadcast_id}.plan-{self.run}"


# ------------------------------------------------------------------------------------------------ what changed since


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is not any more as a plan saw it.

    `rows` is how many have other hours now than planned: may go at another time, or not at all; `verdicts` has
    how many rows send, defer and skip by the hours now. Opt-outs that came since are not looked for.
    """

    age: timedelta
    upload_replaced: bool
    rules_changed: bool
    rows: int
    verdicts: Mapping[Verdict, int]


def changes(
    plan: Plan,
    *,
    at: datetime,
    now: datetime,
    upload_etag: str | None,
    policy: Policy,
    window: Window | None,
    expire_at: datetime | None,
) -> Changes:
    """Compare a finished plan with a start at `at`; cheap: by place, not by row."""
    verdicts: Counter[Verdict] = Counter()
    others = 0
    for name, planned in plan.forecast.places.items():
        decided = _by_hours(
            name,
            planned,
            lambda places: at_what_hour(places, policy, at, window=window, expire_at=expire_at),
        )
        verdicts[decided.verdict] += planned.rows
        if _differs(planned, decided):
            others += planned.rows
    return Changes(
        age=now - (plan.finished_at or plan.requested_at),
        upload_replaced=plan.upload_etag != upload_etag,
        rules_changed=plan.rules_version != (policy.rules.version if policy.rules else None),
        rows=others,
        verdicts=verdicts,
    )


def _by_hours(
    name: str, planned: PlaceRows, decide: Callable[[tuple[Whereabouts, ...]], Decision]
) -> PlaceRows:
    """Decide anew for a place; what is counted together, or keeps no hours, stays as it was planned."""
    if name == ANYWHERE or name.startswith(ELSEWHERE):
        return planned
    decision = decide(places_named(name))
    until = None if isinstance(decision, Skip) else decision.until
    return PlaceRows(verdict=verdict_of(decision), until=until)


def _differs(planned: PlaceRows, decided: PlaceRows) -> bool:
    if planned.verdict != decided.verdict:
        return True
    return planned.verdict == "defer" and planned.until != decided.until
