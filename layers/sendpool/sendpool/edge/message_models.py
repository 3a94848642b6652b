"""What callers may say of single messages and put onto the queue, and what they are told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictInt, StrictStr, model_validator

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
from sendpool.domain.text import segment
from sendpool.domain.twilio_codes import explain
from sendpool.edge.fields import (
    LATEST,
    MILLION,
    SOONEST,
    Body,
    CallerId,
    Instant,
    Label,
    Phone,
    Sendable,
    Strict,
    Timezone,
    UsState,
    broken,
)

if TYPE_CHECKING:
    from sendpool.workflows.preview import Preview


class SendMessage(Sendable):
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
    tags: Annotated[dict[Label, Label], Field(max_length=10)] = Field(default={})

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if self.body is not None and self.content_sid is not None:
            raise broken("content_conflict", "body and content_sid exclude each other")
        if self.body is None and self.content_sid is None and not self.media_urls:
            raise broken("content_missing", "one of body, content_sid and media_urls is needed")
        if self.content_variables is not None and self.content_sid is None:
            raise broken("content_conflict", "content_variables need a content_sid")
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


class QueuedRequests(Strict):
    """A body on the send queue. `rounds` is ours: how often the requests were handed back."""

    version: Literal[1]
    requests: Annotated[list[QueuedRequest], Field(min_length=1, max_length=500)]
    rounds: StrictInt = 0
