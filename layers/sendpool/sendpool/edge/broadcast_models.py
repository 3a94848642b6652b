"""What callers may say of broadcasts, and what they are told of them."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from sendpool.domain.broadcast import (
    AutoPause,
    Broadcast,
    ClickCounts,
    Content,
    Counters,
    State,
    delivery_rate,
    error_counts,
    shown_state,
)
from sendpool.domain.message import (
    Status,
)
from sendpool.domain.plan import Changes, Verdict
from sendpool.domain.quiet_hours import Window
from sendpool.edge.fields import (
    MILLION,
    MOST_INLINE_RECIPIENTS,
    FailureCode,
    Instant,
    Label,
    Money,
    Rate,
    Sendable,
    Start,
    Strict,
    TemplateBody,
    Timezone,
    broken,
    utc,
)
from sendpool.edge.message_models import (
    PriceView,
)

if TYPE_CHECKING:
    pass

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class Recipient(Strict):
    """One recipient given inline; the number may be written as people write numbers.

    A variable `state` that names a US state counts for the hours.
    """

    to: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    timezone: Timezone | None = None
    variables: dict[str, StrictStr] = Field(default={})


class AutoPauseRule(Strict):
    """Pause when this share of the messages that Twilio took or refused has failed, `after` of them at the earliest."""

    failure_share: Annotated[float, Field(gt=0, le=1)]
    after: Annotated[StrictInt, Field(ge=1)] = 100

    def rule(self) -> AutoPause:
        return AutoPause(failure_share=self.failure_share, after=self.after)


def _clock(text: Any) -> Any:
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise broken("invalid_window", "must be a local time such as 09:30")
    return text


LocalTime = Annotated[time, BeforeValidator(_clock), Field(json_schema_extra={"format": "HH:MM"})]


class HoursWindow(Strict):
    """Hours in which recipients are texted, by the clock where they are; the law's hours hold beside it."""

    opens: LocalTime
    closes: LocalTime

    @model_validator(mode="after")
    def _is_within_a_day(self) -> Self:
        if self.opens >= self.closes:
            raise broken("invalid_window", "opens must be earlier than closes, on the same day")
        return self

    def window(self) -> Window:
        return Window(self.opens, self.closes)


class _Timed(Strict):
    """When a broadcast goes out, and how fast."""

    rate: Rate | None = None
    start: Start = "manual"
    expire_at: Instant | None = Field(
        default=None, description="Whoever has not been sent to by then is skipped as expired"
    )

    @model_validator(mode="after")
    def _starts_before_it_expires(self) -> Self:
        if self.start_at and self.expire_at and self.expire_at <= self.start_at:
            raise broken("expires_before_start", "expire_at must be later than start")
        return self

    @property
    def start_at(self) -> datetime | None:
        """The time to start at, if it is one."""
        return utc(self.start) if isinstance(self.start, datetime) else None

    def expires(self) -> datetime | None:
        return utc(self.expire_at) if self.expire_at else None


class CreateBroadcast(Sendable, _Timed):
    """One text to many people: recipients inline, or uploaded with the form that the answer holds."""

    name: Label
    body: TemplateBody | None = Field(
        default=None, description="A Liquid template; a missing variable skips the row"
    )
    recipients: (
        Annotated[list[Recipient], Field(min_length=1, max_length=MOST_INLINE_RECIPIENTS)] | None
    ) = None
    upload: StrictBool = False
    category: Literal["transactional", "marketing"] = "marketing"
    first: Annotated[StrictInt, Field(ge=1)] | None = Field(
        default=None,
        description="Sends to so many of the recipients, and skips the others as capped",
    )
    auto_pause: AutoPauseRule | None = None
    window: HoursWindow | None = None
    budget: Money | None = Field(
        default=None,
        description="What it may cost, in the account's currency; it pauses before it could cost more",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.body is not None and self.content_sid is not None:
            raise broken("content_conflict", "body and content_sid exclude each other")
        if self.body is None and self.content_sid is None:
            raise broken("content_missing", "one of body and content_sid is needed")
        if self.budget is not None and self.body is None:
            raise broken("budget_needs_body", "what a content template costs cannot be told")
        if self.upload == (self.recipients is not None):
            raise broken("recipients_conflict", "give either recipients or upload: true")
        if self.upload and self.start == "now":
            raise broken("start_conflict", "a broadcast with an upload is started after the upload")
        return self

    def content(self, *, link_domain: str) -> Content:
        return Content(
            body=self.body,
            content_sid=self.content_sid,
            media_urls=tuple(self.media_urls),
            validity_period=self.validity_period,
            shorten_urls=self.shorten_urls,
            smart_encoded=self.smart_encoded,
            intent=self.intent,
            category=self.category,
            link_domain=link_domain or None,
        )


class Resume(Strict):
    """On what terms a paused broadcast goes on."""

    budget: Money | None = Field(default=None, description="What it may cost from now on, in all")
    despite_errors: Annotated[list[FailureCode], Field(max_length=100)] = Field(
        default=[],
        description="Twilio's codes that pause it no more, such as 30027 to text those of other carriers on",
    )


class RetryFailed(_Timed):
    """On what terms a broadcast is tried again; what is not given stays as it was."""

    codes: Annotated[list[FailureCode], Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description="Twilio's codes to try again, such as 30034 once the sender is registered; "
        "without them those that pass by themselves",
    )
    start: Start = "now"


class Form(BaseModel):
    """A form to POST a recipients file with; `fields` go before the file. Valid for `expires_in` seconds."""

    url: str
    fields: dict[str, str]
    expires_in: int


class FileProblem(BaseModel):
    """Why the recipients file cannot be used, and in which row."""

    code: str
    detail: str
    row: int | None = None


class BroadcastError(BaseModel):
    """How often one Twilio error came, and what to do about it."""

    code: int
    error_class: str
    count: int
    retryable: bool
    remedy: str


def _amount(millionths: int | None) -> Decimal | None:
    return None if millionths is None else Decimal(millionths) / MILLION


class BilledView(PriceView):
    """What Twilio billed for a broadcast so far, and for how many of its messages it has said a price."""

    messages: int


class ClickCountsView(BaseModel):
    """How often links of a broadcast were followed, by what; `people` is how many recipients did so themselves.

    `capped` is how many messages had more than 100 clicks, of which 100 are counted.
    """

    raw: int = 0
    previews: int = 0
    scanners: int = 0
    human: int = 0
    people: int = 0
    capped: int = 0

    @classmethod
    def of(cls, counts: ClickCounts) -> Self:
        return cls(**asdict(counts))


class ChangedSincePlan(BaseModel):
    """What is not any more as the plan saw it.

    `rows_decided_otherwise` counts those who may now be texted at another time than planned, or not at all; `decisions`
    has how many rows are sent, deferred and skipped by the hours now. Opt-outs since the plan are not looked for.
    """

    plan_age_seconds: int
    upload_replaced: bool
    rules_changed: bool
    rows_decided_otherwise: int
    decisions: dict[Verdict, int]

    @classmethod
    def of(cls, changes: Changes) -> Self:
        return cls(
            plan_age_seconds=int(changes.age.total_seconds()),
            upload_replaced=changes.upload_replaced,
            rules_changed=changes.rules_changed,
            rows_decided_otherwise=changes.rows,
            decisions=dict(changes.verdicts),
        )


class BroadcastView(BaseModel):
    """A broadcast and how far it has come. `counters` has a number for each status of a message.

    `held_reason` says why it is paused or canceled: `requested`, `failure_share` with what was counted, `budget` with
    what is spent, or `error_` and Twilio's code with how many messages met it, and what to do. `spent_at_most` is the
    highest estimate of what was released so far, if there is a budget; `cost` what Twilio has billed, which it says an
    hour to a day after a message went.
    """

    id: str
    name: str
    state: State
    retry_of: str | None = None
    created_at: datetime
    start_at: datetime | None = None
    started_at: datetime | None = None
    expire_at: datetime | None = None
    rate: float | None = Field(default=None, description="Segments a second, as asked for")
    pool_rate: float | None = Field(
        default=None,
        description="Segments a second that the pool passed on when it was dispatched last: its pace without a rate",
    )
    held_reason: str | None = None
    held_at: datetime | None = None
    completed_at: datetime | None = None
    total: int | None = None
    outcomes: int = 0
    final: int = 0
    counters: dict[Status, int] = {}
    skipped: dict[str, int] = {}
    errors: list[BroadcastError] = []
    delivery_rate: float | None = None
    clicks: ClickCountsView = ClickCountsView()
    budget: Decimal | None = None
    spent_at_most: Decimal | None = None
    cost: BilledView | None = None
    problem: FileProblem | None = None
    upload: Form | None = None
    changed_since_plan: ChangedSincePlan | None = None

    @classmethod
    def of(
        cls,
        broadcast: Broadcast,
        counters: Counters,
        *,
        upload: Form | None = None,
        changes: Changes | None = None,
    ) -> Self:
        problem, bill = broadcast.problem, counters.bill
        return cls(
            id=broadcast.id,
            name=broadcast.name,
            state=shown_state(broadcast, counters),
            retry_of=broadcast.retry_of,
            created_at=broadcast.created_at,
            start_at=broadcast.start_at,
            started_at=broadcast.started_at,
            expire_at=broadcast.expire_at,
            rate=broadcast.rate,
            pool_rate=broadcast.pool_rate,
            held_reason=broadcast.held_reason,
            held_at=broadcast.held_at,
            completed_at=counters.completed_at,
            total=broadcast.total,
            outcomes=counters.outcomes,
            final=counters.final,
            counters={status: counters.of(status) for status in Status if counters.of(status)},
            skipped=counters.whys(Status.SKIPPED),
            errors=[
                BroadcastError(
                    code=each.code,
                    error_class=each.error_class,
                    count=each.count,
                    retryable=each.retryable,
                    remedy=each.remedy,
                )
                for each in error_counts(counters)
            ],
            delivery_rate=delivery_rate(counters),
            clicks=ClickCountsView.of(counters.clicks),
            budget=_amount(broadcast.budget),
            spent_at_most=_amount(broadcast.cursor.spent) if broadcast.budget else None,
            cost=BilledView(
                currency=bill.currency,
                amount=Decimal(bill.amount) / MILLION,
                messages=bill.messages,
            )
            if bill
            else None,
            problem=FileProblem(code=problem.code, detail=problem.detail, row=problem.row)
            if problem
            else None,
            upload=upload,
            changed_since_plan=ChangedSincePlan.of(changes) if changes else None,
        )
