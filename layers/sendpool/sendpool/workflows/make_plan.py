"""Make a broadcast's plan: read its recipients, render and decide every row as sending would, and add it all up.

Nothing is sent, nothing is counted for caps, and the broadcast stays as it is. The recipients are read by the very
import of the broadcast, into rows of the plan's own; the rows are rendered and decided by what the dispatcher and the
sender use, at the moment at which the broadcast shall start. What the ledger knows of people is read side by side.

Every few seconds the report's next part is put under a name that nobody uses twice, and then one conditional update
moves the cursor together with the sums. Wherever it dies, the next tick goes on from the cursor; of two ticks at a
time the one that comes second to the cursor leaves. The parts are joined when all rows are planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sendpool.adapters.files import FileChangedError, FileGoneError, Files
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.plans import Plans
from sendpool.adapters.queues import Queues
from sendpool.domain.broadcast import Broadcast, ImportCursor, Problem
from sendpool.domain.chunk import ChunkRow
from sendpool.domain.countries import country_of
from sendpool.domain.decision import Asked, Decision, Reason, Send, Skip
from sendpool.domain.plan import (
    MOST_EXAMPLES,
    REPORT_HEADER,
    Forecast,
    Plan,
    PlanCursor,
    PlannedRow,
    PlannedText,
    PlanState,
    report_lines,
    verdict_of,
)
from sendpool.domain.prices import Cost, estimate
from sendpool.domain.rows import rows_of
from sendpool.domain.template import RenderError, Template, compile_template
from sendpool.domain.text import costly_in_many, encoding_of
from sendpool.domain.whereabouts import whereabouts
from sendpool.workflows.decide import Deciding, Known, asked_of_row
from sendpool.workflows.dispatch import read_slice, renderer
from sendpool.workflows.import_recipients import Importing, ImportProgress, import_recipients
from sendpool.workflows.plan import PlanTick, lint_context, report_name
from sendpool.workflows.recipients import Source, Uploaded, source_of

if TYPE_CHECKING:
    from sendpool.workflows.preview import Wording
    from sendpool.workflows.pricing import Prices

# S3 joins parts of 5 MiB and more
_PART_BYTES = 5 * 1024 * 1024
# what a kill costs at most
_A_CHECKPOINT = timedelta(seconds=10)
# the function has 300
_TICK_TIME = timedelta(seconds=180)
_ROWS_A_READ = 500
_SIDE_BY_SIDE = 8
# of the message that does not exist yet: nothing that was counted is its own
_NO_MESSAGE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMaking:
    """What making plans needs."""

    plans: Plans
    broadcasts: Broadcasts
    tallies: Tallies
    messages: Messages
    files: Files
    queues: Queues
    deciding: Deciding
    prices: Prices
    wording: Wording
    pool_rate: Callable[[], float | None]
    default_region: str
    now: Callable[[], datetime]


def on_plan_tick(tick: PlanTick, making: PlanMaking, *, by: str) -> PlanState | None:
    """Work on a plan; `by` is the id of the tick's queue message. Returns the state it is in now.

    None when there is no such plan any more: another one was asked for.
    """
    plan, broadcast = making.plans.get(tick.broadcast_id), making.broadcasts.get(tick.broadcast_id)
    if plan is None or broadcast is None or plan.run != tick.run:
        return None
    match plan.state:
        case PlanState.READING:
            _read(plan, broadcast, making, by=by)
        case PlanState.PLANNING if plan.cursor.offset == tick.offset or plan.moved_by == by:
            _plan(plan, broadcast, making, by=by)
    after = making.plans.get(tick.broadcast_id)
    return after.state if after and after.run == tick.run else None


# ------------------------------------------------------------------------------------------------ reading


def _read(plan: Plan, broadcast: Broadcast, making: PlanMaking, *, by: str) -> None:
    """Import the recipients, or as much of them as a tick may, into rows of the plan's own."""
    stand_in = replace(broadcast, id=plan.rows_name, import_cursor=plan.import_cursor)
    importing = Importing(
        progress=_Progress(making.plans, plan),
        files=making.files,
        default_region=making.default_region,
        now=making.now,
    )
    source = _source(plan, broadcast, stand_in, making)
    if import_recipients(stand_in, source, importing, by=by):
        _post(plan, PlanCursor(), making)


def _source(plan: Plan, broadcast: Broadcast, stand_in: Broadcast, making: PlanMaking) -> Source:
    if broadcast.retry_of is None:
        return Uploaded(broadcast.id, making.files, etag=plan.upload_etag)
    return source_of(
        stand_in,
        files=making.files,
        tallies=making.tallies,
        messages=making.messages,
        again=making.broadcasts.get(broadcast.retry_of),
    )


@dataclass(frozen=True, slots=True)
class _Progress(ImportProgress):
    """The plan's item in the place of the broadcast's."""

    plans: Plans
    plan: Plan

    def move_import(
        self,
        _name: str,
        *,
        before: ImportCursor | None,
        after: ImportCursor,
        due_at: datetime,  # noqa: ARG002 - nobody wakes a plan; who wants it asks again
    ) -> bool:
        return self.plans.move_import(self.plan, before=before, after=after)

    def imported(self, _name: str, *, total: int, etag: str) -> bool:
        return self.plans.imported(self.plan, total=total, etag=etag)

    def fail(self, _name: str, problem: Problem) -> bool:
        return self.plans.fail(self.plan, problem)


# ------------------------------------------------------------------------------------------------ planning


def _plan(plan: Plan, broadcast: Broadcast, making: PlanMaking, *, by: str) -> None:
    try:
        work = _Work(plan, _Rows(broadcast, plan.at, making), making, by)
        if not work.run():
            return
    except (FileChangedError, FileGoneError):
        gone = Problem(code="rows_gone", detail="What was read has expired, or was deleted.")
        making.plans.fail(plan, gone)
        return
    if work.is_at_end:
        making.files.join_report(report_name(plan), work.plan.cursor.parts)
        making.plans.finish(work.plan, pool_rate=making.pool_rate(), at=making.now())
    else:
        _post(plan, work.plan.cursor, making)


def _post(plan: Plan, cursor: PlanCursor, making: PlanMaking) -> None:
    tick = PlanTick(plan.broadcast_id, plan.run, cursor.offset)
    making.queues.tick(plan.broadcast_id, tick.to_body())


@dataclass(slots=True)
class _Work:
    """One tick of a plan: takes slice after slice, and moves the cursor behind them."""

    plan: Plan
    rows: _Rows
    making: PlanMaking
    by: str
    offset: int = 0
    part: bytearray = field(default_factory=bytearray)

    @property
    def is_at_end(self) -> bool:
        return self.plan.forecast.rows == self.plan.total

    def run(self) -> bool:
        """Plan rows until all are planned or the tick's time is over; False when another tick is ahead."""
        cursor = self.plan.cursor
        self.offset = cursor.offset
        if cursor.tail:
            self.part += self.making.files.report_part(report_name(self.plan), cursor.tail)
        elif not cursor.offset:
            self.part += REPORT_HEADER
        now = self.making.now()
        until, checkpoint_at = now + _TICK_TIME, now + _A_CHECKPOINT
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            while not self.is_at_end and now < until:
                self._take_slice(threads)
                now = self.making.now()
                if (
                    self.is_at_end
                    or len(self.part) >= _PART_BYTES
                    or now >= min(checkpoint_at, until)
                ):
                    if not self._move():
                        return False
                    checkpoint_at = now + _A_CHECKPOINT
        return True

    def _take_slice(self, threads: ThreadPoolExecutor) -> None:
        lines, _ = read_slice(
            self.making.files,
            self.plan.rows_name,
            etag=self.plan.rows_etag or "",
            start=self.offset,
        )
        found = list(rows_of(lines))
        if not found:
            raise FileGoneError(self.plan.rows_name)
        self.offset += sum(length for length, _ in found)
        forecast = self.plan.forecast
        planned = list(self.rows.planned([row for _, row in found], forecast, threads))
        self.part += report_lines(planned)

    def _move(self) -> bool:
        """Put what was planned since into the report, and move the cursor; False when another tick moved it."""
        cursor = replace(self.plan.cursor, offset=self.offset, tail=None)
        if self.part:
            name = uuid4().hex
            self.making.files.put_report_part(report_name(self.plan), name, bytes(self.part))
            if self.is_at_end or len(self.part) >= _PART_BYTES:
                cursor = replace(cursor, parts=(*cursor.parts, name))
                self.part = bytearray()
            else:
                cursor = replace(cursor, tail=name)
        moved = self.making.plans.move(
            self.plan, after=cursor, forecast=self.plan.forecast, by=self.by
        )
        self.plan = moved or self.plan
        return moved is not None


# ------------------------------------------------------------------------------------------------ rows


class _Rows:
    """Turns rows of a broadcast into what would become of them at `at`."""

    def __init__(self, broadcast: Broadcast, at: datetime, making: PlanMaking) -> None:
        self._broadcast = broadcast
        self._content = broadcast.content
        self._smart = bool(broadcast.content.smart_encoded)
        self._render = renderer(broadcast.content)
        self._template: Template | None = (
            compile_template(broadcast.content.body) if broadcast.content.body else None
        )
        policy = making.deciding.policy()
        self._deciding = replace(making.deciding, now=lambda: at, policy=lambda: policy)
        self._prices = making.prices
        self._costs: dict[tuple[str | None, int], tuple[Cost | None, str]] = {}
        self._wording = making.wording

    def planned(
        self,
        recipients: Sequence[Mapping[str, Any]],
        forecast: Forecast,
        threads: ThreadPoolExecutor,
    ) -> Iterator[PlannedRow]:
        """Yield what becomes of each row, and count it in."""
        rows = [self._render(0, recipient) for recipient in recipients]
        asked = [None if row.skip else self._asked(row) for row in rows]
        pieces = batched(zip(recipients, rows, asked, strict=True), _ROWS_A_READ, strict=False)
        all_known = threads.map(
            self._known,
            (
                [each for each in some if each]
                for some in batched(asked, _ROWS_A_READ, strict=False)
            ),
        )
        for piece, known in zip(pieces, all_known, strict=True):
            for recipient, row, about in piece:
                planned = self._row(recipient, row, about, known, forecast)
                forecast.add(planned)
                if planned.text and row.body is not None:
                    self._read_text(row.body, row.row, forecast)
                yield planned

    def _known(self, asked: list[Asked]) -> Known:
        return self._deciding.known(asked)

    def _asked(self, row: ChunkRow) -> Asked:
        return asked_of_row(row, self._content.category, self._broadcast)

    def _row(
        self,
        recipient: Mapping[str, Any],
        row: ChunkRow,
        asked: Asked | None,
        known: Known,
        forecast: Forecast,
    ) -> PlannedRow:
        if asked is None:
            reason = row.skip or ""
            is_example = forecast.reasons["skip", reason] < MOST_EXAMPLES
            return PlannedRow(
                row=row.row,
                to=row.to,
                verdict="skip",
                reason=reason,
                detail=self._missing(recipient) if is_example else None,
            )
        decision = known.decide(asked, _NO_MESSAGE)
        rule = None if isinstance(decision, Send) else decision.rule
        return PlannedRow(
            row=row.row,
            to=row.to,
            verdict=verdict_of(decision),
            reason=None if isinstance(decision, Send) else str(decision.reason),
            detail=rule,
            until=None if isinstance(decision, Skip) else decision.until,
            rule=rule,
            places=whereabouts(asked.to, state=asked.state, timezone=asked.timezone)
            if self._hours_count(asked, decision)
            else None,
            text=None if isinstance(decision, Skip) else self._text(row),
        )

    def _hours_count(self, asked: Asked, decision: Decision) -> bool:
        """Tell whether it was decided by the hours: then at another moment it may be decided otherwise."""
        if asked.category == "transactional":
            return False
        if not isinstance(decision, Skip):
            return True
        return bool({Reason.NEVER_OPEN, Reason.QUIET_HOURS} & set(decision.reasons))

    def _text(self, row: ChunkRow) -> PlannedText:
        """Say what a text takes and costs; an MMS is one, and of a template of Twilio's nothing is known."""
        cost, currency = self._cost(row)
        if row.body is None:
            return PlannedText(segments=row.segments, cost=cost, currency=currency)
        encoding = encoding_of(row.body, smart_encoded=self._smart)
        return PlannedText(
            segments=row.segments,
            encoding=encoding,
            costly=costly_in_many(row.body, smart_encoded=self._smart)
            if encoding == "UCS-2" and not self._content.media_urls
            else (),
            cost=cost,
            currency=currency,
        )

    def _cost(self, row: ChunkRow) -> tuple[Cost | None, str]:
        """Estimate what a message costs, and in which currency: once for all that are alike."""
        alike = country_of(row.to), row.segments
        if alike not in self._costs:
            table = self._prices.table([alike[0]]) if alike[0] else None
            is_mms = bool(self._content.media_urls)
            cost = estimate(row.to, segments=row.segments, is_mms=is_mms, prices=table)
            self._costs[alike] = cost, table.currency if table else ""
        return self._costs[alike]

    def _missing(self, recipient: Mapping[str, Any]) -> str | None:
        """Name the variable for want of which a row makes no text."""
        if "skip" in recipient or self._template is None:
            return None
        try:
            self._template.render(recipient["variables"])
        except RenderError as error:
            return error.variable
        return None

    def _read_text(self, body: str, row: int, forecast: Forecast) -> None:
        """Hold a text against the rules of lint, if it is one of the first that differ."""
        if not forecast.wants_to_read(body):
            return
        # loads its phrases
        from sendpool.domain.lint import lint  # noqa: PLC0415

        context = lint_context(self._content, self._wording)
        found = {each.rule: each for each in reversed(lint(body, context))}
        for each in found.values():
            # what lies in the whole says nothing by its place, and a text may name its recipient
            text = "" if (each.start, each.end) == (0, len(body)) else each.text
            forecast.add_finding(each.rule, each.severity, each.message, row=row, text=text)
