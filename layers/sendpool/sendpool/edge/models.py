"""What callers may say and what they are told: the models of the HTTP API and of the queue contract.

A broken rule carries a stable code of ours (the first argument of PydanticCustomError) besides pydantic's own
for types. Messages never repeat the caller's values: they end up in logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

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
from sendpool.domain.clicks import Clicks, Kind
from sendpool.domain.decision import REMEDIES, Defer, Send, Skip, explanation
from sendpool.domain.errors import InvalidRequestError, Violation
from sendpool.domain.message import (
    UNDECIDED,
    Delivery,
    MessageRecord,
    OutboundMessage,
    Status,
    current_status,
)
from sendpool.domain.phone import is_e164
from sendpool.domain.plan import Changes, Verdict
from sendpool.domain.quiet_hours import Window
from sendpool.domain.template import TemplateError, compile_template
from sendpool.domain.text import segment
from sendpool.domain.twilio_codes import explain
from sendpool.domain.whereabouts import is_timezone, us_state

if TYPE_CHECKING:
    from sendpool.workflows.preview import Preview

LONGEST_BODY = 1600
MOST_MEDIA = 10
MILLION = 1_000_000
MOST_INLINE_RECIPIENTS = 10_000
SOONEST = timedelta(seconds=300)
LATEST = timedelta(days=35)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def _broken(code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, message)


# ------------------------------------------------------------------------------------------------ fields


def _phone(to: str) -> str:
    if not is_e164(to):
        raise _broken(
            "invalid_phone", "must be a phone number in E.164: + and country code, digits only"
        )
    return to


def _body(body: str) -> str:
    if not body.strip():
        raise _broken("body_empty", "must not be empty")
    if len(body) > LONGEST_BODY:
        raise _broken("body_too_long", f"must have at most {LONGEST_BODY} characters")
    return body


def _template(body: str) -> str:
    try:
        compile_template(_body(body))
    except TemplateError as error:
        raise _broken(
            "invalid_template", str(error).replace("{", "{{").replace("}", "}}")
        ) from error
    return body


def _media(urls: list[str]) -> list[str]:
    if len(urls) > MOST_MEDIA:
        raise _broken("too_many_media", f"must have at most {MOST_MEDIA} URLs")
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise _broken("media_not_https", "every URL must be absolute and begin with https://")
    return urls


def _instant(value: Any) -> Any:
    """Take ISO 8601 text only: pydantic would also read numbers as times."""
    if not isinstance(value, str | datetime):
        raise _broken("wrong_type", "must be an ISO 8601 date and time with its offset")
    return value


# the rules stand in validators, for their codes, and here once more, for the published schemas
Phone = Annotated[
    StrictStr,
    AfterValidator(_phone),
    Field(examples=["+12025550123"], json_schema_extra={"pattern": r"^\+[1-9][0-9]{1,14}$"}),
]
Body = Annotated[
    StrictStr,
    AfterValidator(_body),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_BODY}),
]
TemplateBody = Annotated[
    StrictStr,
    AfterValidator(_template),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_BODY}),
]
MediaUrls = Annotated[
    list[Annotated[StrictStr, Field(json_schema_extra={"format": "uri", "pattern": "^https://"})]],
    AfterValidator(_media),
    Field(json_schema_extra={"maxItems": MOST_MEDIA}),
]
ContentSid = Annotated[StrictStr, Field(pattern=r"^HX[0-9a-f]{32}$")]
Validity = Annotated[
    StrictInt, Field(ge=1, le=36_000, description="Longest time in Twilio's queue, in seconds")
]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Label = Annotated[StrictStr, Field(min_length=1, max_length=128)]
CallerId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
Intent = Literal[
    "otp", "notifications", "marketing", "fraud", "security", "customercare",
    "delivery", "education", "polling", "announcements", "events",
]  # fmt: skip


def _start(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(_instant(value))
    except (ValidationError, PydanticCustomError) as error:
        raise _broken(
            "invalid_start", "must be manual, now, or an ISO 8601 date and time with its offset"
        ) from error


Start = Annotated[
    Literal["manual", "now"] | AwareDatetime,
    WrapValidator(_start),
    Field(description="By hand, at once, or at a time; with an upload, not at once"),
]


def _money(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise _broken("wrong_type", 'must be a decimal number as text, such as "25.00"')
    return value


Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    Field(gt=0, max_digits=12, decimal_places=6),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,6})?$", "examples": ["25.00"]}
    ),
]


def in_millionths(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * MILLION)


Rate = Annotated[float, Field(gt=0, le=10_000, description="Segments a second")]


def _failure_code(code: int) -> int:
    if not explain(code).may_pass:
        raise _broken("code_not_retryable", "ends the same way again, or may have been delivered")
    return code


FailureCode = Annotated[StrictInt, Field(ge=10_000, le=99_999), AfterValidator(_failure_code)]


def _utc(at: datetime) -> datetime:
    """The same moment in UTC, to the millisecond: as exact as the ledger keeps it."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _timezone(name: str) -> str:
    if not is_timezone(name):
        raise _broken("unknown_timezone", "must be an IANA time zone, such as America/Chicago")
    return name


def _state(code: str) -> str:
    known = us_state(code)
    if known is None:
        raise _broken("unknown_state", "must be the two letters of a US state or territory")
    return known


Timezone = Annotated[
    Label, AfterValidator(_timezone), Field(description="IANA time zone of the recipient")
]
UsState = Annotated[
    StrictStr,
    AfterValidator(_state),
    Field(
        description="US state where the recipient lives",
        json_schema_extra={"pattern": "^[A-Z]{2}$"},
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Sendable(_Strict):
    """Twilio's switches, for one message or for all of a broadcast."""

    content_sid: ContentSid | None = None
    media_urls: MediaUrls = []
    validity_period: Validity | None = None
    shorten_urls: StrictBool | None = None
    smart_encoded: StrictBool | None = None
    intent: Intent | None = None


# ------------------------------------------------------------------------------------------------ messages


class SendMessage(_Sendable):
    """One text, MMS or template to one person."""

    to: Phone
    body: Body | None = None
    content_variables: dict[str, StrictStr] | None = None
    sender: Annotated[StrictStr, Field(min_length=3, max_length=64)] | None = Field(
        default=None, alias="from", description="Pins one sender of the Messaging Service's pool"
    )
    send_at: Instant | None = Field(default=None, description="300 seconds to 35 days from now")
    category: Literal["transactional", "marketing"] = Field(
        default="transactional",
        description="Marketing keeps quiet hours and frequency caps; opt-outs hold for both",
    )
    timezone: Timezone | None = None
    state: UsState | None = None
    tags: Annotated[dict[Label, Label], Field(max_length=10)] = {}

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if self.body is not None and self.content_sid is not None:
            raise _broken("content_conflict", "body and content_sid exclude each other")
        if self.body is None and self.content_sid is None and not self.media_urls:
            raise _broken("content_missing", "one of body, content_sid and media_urls is needed")
        if self.content_variables is not None and self.content_sid is None:
            raise _broken("content_conflict", "content_variables need a content_sid")
        return self

    def outbound(self, *, now: datetime) -> OutboundMessage:
        """Turn the request into a message.

        Raises InvalidRequestError when `send_at` is out of Twilio's window, seen from now.
        """
        if self.send_at and not SOONEST < self.send_at - now <= LATEST:
            rule = "must be more than 300 seconds and at most 35 days from now"
            raise InvalidRequestError(Violation("send_at", "send_at_out_of_range", rule))
        return OutboundMessage(
            to=self.to,
            body=self.body,
            content_sid=self.content_sid,
            content_variables=_json(self.content_variables),
            media_urls=tuple(self.media_urls),
            sender=self.sender,
            send_at=self.send_at.astimezone(UTC) if self.send_at else None,
            validity_period=self.validity_period,
            shorten_urls=self.shorten_urls,
            smart_encoded=self.smart_encoded,
            intent=self.intent,
            category=self.category,
            timezone=self.timezone,
            state=self.state,
            tags=self.tags,
        )


def _json(variables: dict[str, str] | None) -> str | None:
    return json.dumps(variables) if variables is not None else None


class TwilioError(BaseModel):
    """A Twilio error in our words."""

    code: int
    error_class: str
    retry: str
    remedy: str


class DecisionView(BaseModel):
    """What was decided about a message, and why.

    `until`: a deferred message goes then at the earliest, one that was sent had to leave Twilio's queue by then. `rule`
    names the law, window or cap, `rules` the version of the table of laws.
    """

    decision: Literal["send", "defer", "skip"]
    reasons: list[str] = []
    until: datetime | None = None
    rule: str | None = None
    rules: str | None = None
    remedy: str | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        return cls(**said, remedy=REMEDIES.get(next(iter(said.get("reasons", [])), "")))


class PreviewMessage(SendMessage):
    """A message about which is only asked."""

    at: Instant | None = Field(default=None, description="Decide for this instant instead of now")


class CostlyCharacterView(BaseModel):
    """A character for which the text is sent as UCS-2.

    `position` is its first place, in characters from 0; `segments` what the text saves without it, `together` without
    all of these; `replacement` says the same in GSM-7.
    """

    character: str
    position: int
    name: str
    segments: int
    together: int
    replacement: str | None


class CostView(BaseModel):
    """What it costs at least and at most, as decimal numbers of `currency`."""

    currency: str
    low: Decimal
    high: Decimal


class FindingView(BaseModel):
    """Something that carriers or Twilio may filter, from `start` up to `end`; `basis` names the rule's source."""

    rule: str
    severity: Literal["error", "warning"]
    start: int
    end: int
    text: str
    message: str
    basis: str


class PreviewView(BaseModel):
    """What would become of a message. `earliest` is when it may go: at once, later, or never (null)."""

    decision: Literal["send", "defer", "skip"]
    reasons: list[str] = []
    earliest: datetime | None
    rule: str | None = None
    rules: str | None = None
    remedy: str | None = None
    encoding: Literal["GSM-7", "UCS-2"] | None
    segments: int
    unicode_characters: list[CostlyCharacterView]
    estimate: CostView | None
    findings: list[FindingView]

    @classmethod
    def of(cls, preview: Preview, *, at: datetime) -> Self:
        said = explanation(preview.decision)
        match preview.decision:
            case Send():
                earliest: datetime | None = at
            case Defer(until):
                earliest = until
            case Skip():
                earliest = None
        estimate = preview.estimate
        return cls(
            decision=said["decision"],
            reasons=said.get("reasons", []),
            earliest=earliest,
            rule=said.get("rule"),
            rules=said.get("rules"),
            remedy=REMEDIES.get(next(iter(said.get("reasons", [])), "")),
            encoding=preview.segmentation.encoding if preview.segmentation else None,
            segments=preview.segments,
            unicode_characters=[CostlyCharacterView(**asdict(each)) for each in preview.costly],
            estimate=CostView(
                currency=estimate.currency,
                low=Decimal(estimate.cost.low) / MILLION,
                high=Decimal(estimate.cost.high) / MILLION,
            )
            if estimate
            else None,
            findings=[FindingView(**asdict(each)) for each in preview.findings],
        )


class PriceView(BaseModel):
    """What Twilio billed, carriers' fees included, as a decimal number of `currency`."""

    currency: str
    amount: Decimal


class ClickView(BaseModel):
    """A click, and what made it; `reason` says by what we took it for a program's."""

    at: datetime
    kind: Kind
    reason: str | None = None
    link: str
    user_agent: str


class ClicksView(BaseModel):
    """How often the short links of a message were followed, by what, and the first time by a person.

    The first 100 clicks are kept and counted; `has_more` says that there were more.
    """

    raw: int
    previews: int
    scanners: int
    human: int
    has_more: bool = False
    first_human_at: datetime | None = None
    first_human_link: str | None = None
    timeline: list[ClickView]

    @classmethod
    def of(cls, clicks: Clicks) -> Self:
        first = clicks.first_human
        return cls(
            raw=clicks.raw,
            previews=clicks.count(Kind.PREVIEW),
            scanners=clicks.count(Kind.SCANNER),
            human=clicks.count(Kind.HUMAN),
            has_more=clicks.has_more,
            first_human_at=first.at if first else None,
            first_human_link=first.link if first else None,
            timeline=[
                ClickView(
                    at=each.click.at,
                    kind=each.verdict.kind,
                    reason=each.verdict.reason or None,
                    link=each.click.link,
                    user_agent=each.click.agent,
                )
                for each in clicks.judged
            ],
        )


class Message(BaseModel):
    """What we know of a message.

    `reason` says why it was skipped, refused or is unknown; `evidence`, how we know that Twilio has it although its
    answer never came; `attempts`, how often it was offered to Twilio. `segments` is our count, `num_segments` that of
    Twilio, which it bills; Twilio says that, and `price`, up to a day later.
    """

    id: str
    sid: str | None
    status: Status
    to: str
    segments: int
    num_segments: int | None = None
    encoding: str | None = None
    price: PriceView | None = None
    created_at: datetime
    reason: str | None = None
    evidence: Literal["callback", "list"] | None = None
    attempts: int = 0
    decision: DecisionView | None = None
    error: TwilioError | None = None
    timeline: dict[str, str] = {}
    clicks: ClicksView | None = None
    tags: dict[str, str] = {}

    @classmethod
    def of(
        cls,
        record: MessageRecord,
        delivery: Delivery | None = None,
        clicks: Clicks | None = None,
    ) -> Self:
        result, message = record.result, record.message
        code = (delivery.error_code if delivery else None) or result.error_code
        body = message.body if message else None
        resolved = result.status in UNDECIDED and delivery is not None
        return cls(
            id=record.id,
            sid=(delivery.sid if delivery else None) or result.sid,
            status=current_status(result, delivery),
            to=record.to,
            segments=result.segments,
            num_segments=delivery.segments if delivery else None,
            price=_price(delivery),
            encoding=segment(body, smart_encoded=bool(message and message.smart_encoded)).encoding
            if body
            else None,
            created_at=record.created_at,
            reason=None if resolved else result.reason,
            evidence="callback" if resolved else result.evidence,
            attempts=max(record.attempts, 1) if delivery else record.attempts,
            decision=DecisionView.of(result.decision) if result.decision else None,
            error=_twilio_error(code) if code else None,
            timeline=delivery.timeline if delivery else {},
            clicks=ClicksView.of(clicks) if clicks else None,
            tags=record.tags,
        )


def _price(delivery: Delivery | None) -> PriceView | None:
    if delivery is None or delivery.price is None or delivery.currency is None:
        return None
    return PriceView(currency=delivery.currency, amount=Decimal(delivery.price) / MILLION)


def _twilio_error(code: int) -> TwilioError:
    row = explain(code)
    return TwilioError(code=code, error_class=row.error_class, retry=row.retry, remedy=row.remedy)


# ------------------------------------------------------------------------------------------------ queue contract


class QueuedRequest(SendMessage):
    """A message that another system put on the send queue; its `id` makes it idempotent."""

    id: CallerId


class QueuedRequests(_Strict):
    """A body on the send queue. `rounds` is ours: how often the requests were handed back."""

    version: Literal[1]
    requests: Annotated[list[QueuedRequest], Field(min_length=1, max_length=500)]
    rounds: StrictInt = 0


# ------------------------------------------------------------------------------------------------ broadcasts


class Recipient(_Strict):
    """One recipient given inline; the number may be written as people write numbers.

    A variable `state` that names a US state counts for the hours.
    """

    to: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    timezone: Timezone | None = None
    variables: dict[str, StrictStr] = {}


class AutoPauseRule(_Strict):
    """Pause when this share of the messages that Twilio took or refused has failed, `after` of them at the earliest."""

    failure_share: Annotated[float, Field(gt=0, le=1)]
    after: Annotated[StrictInt, Field(ge=1)] = 100

    def rule(self) -> AutoPause:
        return AutoPause(failure_share=self.failure_share, after=self.after)


def _clock(text: Any) -> Any:
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise _broken("invalid_window", "must be a local time such as 09:30")
    return text


LocalTime = Annotated[time, BeforeValidator(_clock), Field(json_schema_extra={"format": "HH:MM"})]


class HoursWindow(_Strict):
    """Hours in which recipients are texted, by the clock where they are; the law's hours hold beside it."""

    opens: LocalTime
    closes: LocalTime

    @model_validator(mode="after")
    def _is_within_a_day(self) -> Self:
        if self.opens >= self.closes:
            raise _broken("invalid_window", "opens must be earlier than closes, on the same day")
        return self

    def window(self) -> Window:
        return Window(self.opens, self.closes)


class _Timed(_Strict):
    """When a broadcast goes out, and how fast."""

    rate: Rate | None = None
    start: Start = "manual"
    expire_at: Instant | None = Field(
        default=None, description="Whoever has not been sent to by then is skipped as expired"
    )

    @model_validator(mode="after")
    def _starts_before_it_expires(self) -> Self:
        if self.start_at and self.expire_at and self.expire_at <= self.start_at:
            raise _broken("expires_before_start", "expire_at must be later than start")
        return self

    @property
    def start_at(self) -> datetime | None:
        """The time to start at, if it is one."""
        return _utc(self.start) if isinstance(self.start, datetime) else None

    def expires(self) -> datetime | None:
        return _utc(self.expire_at) if self.expire_at else None


class CreateBroadcast(_Sendable, _Timed):
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
            raise _broken("content_conflict", "body and content_sid exclude each other")
        if self.body is None and self.content_sid is None:
            raise _broken("content_missing", "one of body and content_sid is needed")
        if self.budget is not None and self.body is None:
            raise _broken("budget_needs_body", "what a content template costs cannot be told")
        if self.upload == (self.recipients is not None):
            raise _broken("recipients_conflict", "give either recipients or upload: true")
        if self.upload and self.start == "now":
            raise _broken(
                "start_conflict", "a broadcast with an upload is started after the upload"
            )
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


class Resume(_Strict):
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
