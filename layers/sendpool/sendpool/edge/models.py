"""What callers may say and what they are told: the models of the HTTP API and of the queue contract.

A broken rule carries a stable code of ours (the first argument of PydanticCustomError) besides pydantic's own
for types. Messages never repeat the caller's values: they end up in logs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
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
    model_validator,
)
from pydantic_core import PydanticCustomError

from sendpool.domain.broadcast import (
    Broadcast,
    Content,
    Counters,
    State,
    delivery_rate,
    error_counts,
)
from sendpool.domain.errors import InvalidRequestError, Violation
from sendpool.domain.message import (
    Delivery,
    MessageRecord,
    OutboundMessage,
    Status,
    current_status,
)
from sendpool.domain.phone import is_e164
from sendpool.domain.template import TemplateError, compile_template
from sendpool.domain.text import segment
from sendpool.domain.twilio_codes import explain

LONGEST_BODY = 1600
MOST_MEDIA = 10
MOST_INLINE_RECIPIENTS = 10_000
SOONEST = timedelta(seconds=300)
LATEST = timedelta(days=35)


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
    category: Literal["transactional", "marketing"] = "transactional"
    timezone: Label | None = None
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


class Message(BaseModel):
    """What we know of a message. `reason` says why it was skipped, refused or is unknown."""

    id: str
    sid: str | None
    status: Status
    to: str
    segments: int
    encoding: str | None = None
    created_at: datetime
    reason: str | None = None
    error: TwilioError | None = None
    timeline: dict[str, str] = {}
    tags: dict[str, str] = {}

    @classmethod
    def of(cls, record: MessageRecord, delivery: Delivery | None = None) -> Self:
        result, message = record.result, record.message
        code = (delivery.error_code if delivery else None) or result.error_code
        body = message.body if message else None
        resolved = result.status is Status.UNKNOWN and delivery is not None
        return cls(
            id=record.id,
            sid=result.sid or (delivery.sid if delivery else None),
            status=current_status(result, delivery),
            to=record.to,
            segments=result.segments,
            encoding=segment(body, smart_encoded=bool(message and message.smart_encoded)).encoding
            if body
            else None,
            created_at=record.created_at,
            reason=None if resolved else result.reason,
            error=_twilio_error(code) if code else None,
            timeline=delivery.timeline if delivery else {},
            tags=message.tags if message else {},
        )


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
    """One recipient given inline; the number may be written as people write numbers."""

    to: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    timezone: Label | None = None
    variables: dict[str, StrictStr] = {}


class CreateBroadcast(_Sendable):
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
    rate: Annotated[float, Field(gt=0, le=10_000, description="Segments a second")] | None = None
    start: Literal["manual", "now"] = "manual"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.body is not None and self.content_sid is not None:
            raise _broken("content_conflict", "body and content_sid exclude each other")
        if self.body is None and self.content_sid is None:
            raise _broken("content_missing", "one of body and content_sid is needed")
        if self.upload == (self.recipients is not None):
            raise _broken("recipients_conflict", "give either recipients or upload: true")
        if self.upload and self.start == "now":
            raise _broken(
                "start_conflict", "a broadcast with an upload is started after the upload"
            )
        return self

    def content(self) -> Content:
        return Content(
            body=self.body,
            content_sid=self.content_sid,
            media_urls=tuple(self.media_urls),
            validity_period=self.validity_period,
            shorten_urls=self.shorten_urls,
            smart_encoded=self.smart_encoded,
            intent=self.intent,
            category=self.category,
        )


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


class BroadcastView(BaseModel):
    """A broadcast and how far it has come. `counters` has a number for each status of a message."""

    id: str
    name: str
    state: State
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    total: int | None = None
    outcomes: int = 0
    final: int = 0
    counters: dict[Status, int] = {}
    skipped: dict[str, int] = {}
    errors: list[BroadcastError] = []
    delivery_rate: float | None = None
    problem: FileProblem | None = None
    upload: Form | None = None

    @classmethod
    def of(cls, broadcast: Broadcast, counters: Counters, *, upload: Form | None = None) -> Self:
        problem = broadcast.problem
        return cls(
            id=broadcast.id,
            name=broadcast.name,
            state=State.COMPLETED if counters.completed_at else broadcast.state,
            created_at=broadcast.created_at,
            started_at=broadcast.started_at,
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
            problem=FileProblem(code=problem.code, detail=problem.detail, row=problem.row)
            if problem
            else None,
            upload=upload,
        )
