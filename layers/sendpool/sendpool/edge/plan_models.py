"""What callers may ask of a plan, and what they are told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from sendpool.domain.plan import (
    CharacterRows,
    Ending,
    Forecast,
    PlaceRows,
    PlanState,
    Verdict,
)
from sendpool.domain.prices import Total
from sendpool.edge.broadcast_models import ChangedSincePlan, FileProblem
from sendpool.edge.fields import MILLION, Instant
from sendpool.edge.message_models import FindingView
from sendpool.workflows.plan import Planned

MOST_SHOWN = 20


class AskForPlan(BaseModel):
    """For which moment the plan is made."""

    model_config = ConfigDict(extra="forbid")

    at: Instant | None = Field(
        default=None,
        description="When it would start; without it, the broadcast's own start, or now",
    )

    def instant(self) -> datetime | None:
        """The moment in UTC, as exact as the ledger keeps it."""
        if self.at is None:
            return None
        at = self.at.astimezone(UTC)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


class ExampleView(BaseModel):
    """A row with this reason, its number masked; `detail` is the missing variable, or the law, window or cap."""

    row: int
    to: str
    detail: str | None = None


class ReasonView(BaseModel):
    """How many rows are deferred or skipped for a reason."""

    decision: Verdict
    reason: str
    rows: int
    examples: list[ExampleView]


class CharacterView(BaseModel):
    """A character that keeps rows from GSM-7.

    `segments` is what they save in all if this one alone goes, or is replaced by `replacement` where there is one.
    """

    character: str
    name: str
    replacement: str | None
    rows: int
    segments: int


class TotalView(BaseModel):
    """What those that go out cost, as decimal numbers; `unpriced` counts messages whose price nobody knows.

    `currency` is null for messages to countries without any price.
    """

    currency: str | None
    low: Decimal
    high: Decimal
    priced: int
    unpriced: int


class HoursView(BaseModel):
    """Who is texted when: people who may be at the same places, such as `US-NY America/New_York`.

    `place` is `anywhere` where hours play no part, empty where nothing is known, and `elsewhere …` beyond the first few
    hundred places. `until`: deferred ones go then at the earliest, others have to have gone by then.
    """

    place: str
    decision: Verdict
    until: datetime | None
    rule: str | None
    rows: int
    segments: int


class TextFindingView(BaseModel):
    """A rule that texts break: how many of those that were read, and where one does."""

    rule: str
    severity: Literal["error", "warning"]
    message: str
    texts: int
    row: int
    text: str


class PlanView(BaseModel):
    """What would happen if the broadcast started `at`; `planned` rows of `total` count so far.

    `segments`, `segment_counts` (rows by number of segments), `encodings`, `unicode_characters` and `costs` are about
    those that go out, at once or later. `saved_segments` is what they save without all of `unicode_characters`;
    `finish_at` when the last text leaves at the broadcast's pace, and `too_late` how many of those that may go at once
    the pace does not reach before their hours end, so that they wait for another day. `template_findings` are about the
    template as it stands, `text_findings` about the first `texts_read` texts that differ. `report_url` is the report
    with a line for each row; it can be downloaded for a quarter of an hour.
    """

    broadcast_id: str
    state: PlanState
    requested_at: datetime
    at: datetime
    finished_at: datetime | None
    rules: str | None
    total: int | None
    planned: int
    decisions: dict[Verdict, int]
    reasons: list[ReasonView]
    segments: int
    segment_counts: dict[int, int]
    encodings: dict[str, int]
    unicode_characters: list[CharacterView]
    other_unicode_characters: int
    saved_segments: int
    costs: list[TotalView]
    over_budget: bool | None
    hours: list[HoursView]
    finish_at: datetime | None
    too_late: int | None
    template_findings: list[FindingView]
    text_findings: list[TextFindingView]
    texts_read: int
    problem: FileProblem | None
    report_url: str | None
    changed_since_plan: ChangedSincePlan | None

    @classmethod
    def of(cls, planned: Planned) -> Self:
        plan, forecast, end = planned.plan, planned.plan.forecast, planned.ending
        return cls(
            broadcast_id=plan.broadcast_id,
            state=plan.state,
            requested_at=plan.requested_at,
            at=plan.at,
            finished_at=plan.finished_at,
            rules=plan.rules_version,
            total=plan.total,
            planned=forecast.rows,
            decisions=dict(forecast.verdicts),
            reasons=_reasons(forecast),
            segments=forecast.total_segments,
            segment_counts=dict(sorted(forecast.segments.items())),
            encodings=dict(forecast.encodings),
            unicode_characters=_characters(forecast.characters.items()),
            other_unicode_characters=forecast.other_characters,
            saved_segments=forecast.saved_segments,
            costs=[_total(*each) for each in sorted(forecast.costs.items())],
            over_budget=planned.over_budget,
            hours=_hours(forecast.places.items()),
            finish_at=_finish(end),
            too_late=end.too_late if end else None,
            template_findings=[FindingView(**asdict(each)) for each in planned.findings],
            text_findings=[
                TextFindingView(rule=rule, **asdict(each))
                for rule, each in sorted(forecast.findings.items())
            ],
            texts_read=len(forecast.read),
            problem=FileProblem(**asdict(plan.problem)) if plan.problem else None,
            report_url=planned.report_url,
            changed_since_plan=ChangedSincePlan.of(planned.changes) if planned.changes else None,
        )


def _reasons(forecast: Forecast) -> list[ReasonView]:
    return [
        ReasonView(
            decision=verdict,
            reason=reason,
            rows=rows,
            examples=[
                ExampleView(**asdict(each)) for each in forecast.examples.get((verdict, reason), ())
            ],
        )
        for (verdict, reason), rows in forecast.reasons.most_common()
    ]


def _characters(found: Iterable[tuple[str, CharacterRows]]) -> list[CharacterView]:
    """Those that stand in most rows."""
    most = sorted(found, key=lambda each: (-each[1].rows, each[0]))[:MOST_SHOWN]
    return [CharacterView(character=character, **asdict(rows)) for character, rows in most]


def _total(currency: str, total: Total) -> TotalView:
    return TotalView(
        currency=currency or None,
        low=Decimal(total.cost.low) / MILLION,
        high=Decimal(total.cost.high) / MILLION,
        priced=total.priced,
        unpriced=total.unpriced,
    )


def _hours(found: Iterable[tuple[str, PlaceRows]]) -> list[HoursView]:
    most = sorted(found, key=lambda each: (-each[1].rows, each[0]))
    return [
        HoursView(
            place=place,
            decision=each.verdict,
            until=each.until,
            rule=each.rule,
            rows=each.rows,
            segments=each.segments,
        )
        for place, each in most
    ]


def _finish(end: Ending | None) -> datetime | None:
    return end.at if end else None
