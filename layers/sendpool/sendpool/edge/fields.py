"""Fields that the models of the HTTP API share: what may be said, by which rule, and with which code if not.

A broken rule carries a stable code of ours (the first argument of PydanticCustomError) besides pydantic's own
for types. Messages never repeat the caller's values: they end up in logs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
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
)
from pydantic_core import PydanticCustomError

from sendpool.domain.phone import is_e164
from sendpool.domain.template import TemplateError, compile_template
from sendpool.domain.twilio_codes import explain
from sendpool.domain.whereabouts import is_timezone, us_state

if TYPE_CHECKING:
    pass

LONGEST_BODY = 1600
MOST_MEDIA = 10
MILLION = 1_000_000
MOST_INLINE_RECIPIENTS = 10_000
SOONEST = timedelta(seconds=300)
LATEST = timedelta(days=35)


def broken(code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, message)


def _phone(to: str) -> str:
    if not is_e164(to):
        raise broken(
            "invalid_phone", "must be a phone number in E.164: + and country code, digits only"
        )
    return to


def _body(body: str) -> str:
    if not body.strip():
        raise broken("body_empty", "must not be empty")
    if len(body) > LONGEST_BODY:
        raise broken("body_too_long", f"must have at most {LONGEST_BODY} characters")
    return body


def _template(body: str) -> str:
    try:
        compile_template(_body(body))
    except TemplateError as error:
        raise broken(
            "invalid_template", str(error).replace("{", "{{").replace("}", "}}")
        ) from error
    return body


def _media(urls: list[str]) -> list[str]:
    if len(urls) > MOST_MEDIA:
        raise broken("too_many_media", f"must have at most {MOST_MEDIA} URLs")
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise broken("media_not_https", "every URL must be absolute and begin with https://")
    return urls


def _instant(value: Any) -> Any:
    """Take ISO 8601 text only: pydantic would also read numbers as times."""
    if not isinstance(value, str | datetime):
        raise broken("wrong_type", "must be an ISO 8601 date and time with its offset")
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
        raise broken(
            "invalid_start", "must be manual, now, or an ISO 8601 date and time with its offset"
        ) from error


Start = Annotated[
    Literal["manual", "now"] | AwareDatetime,
    WrapValidator(_start),
    Field(description="By hand, at once, or at a time; with an upload, not at once"),
]


def _money(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise broken("wrong_type", 'must be a decimal number as text, such as "25.00"')
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
        raise broken("code_not_retryable", "ends the same way again, or may have been delivered")
    return code


FailureCode = Annotated[StrictInt, Field(ge=10_000, le=99_999), AfterValidator(_failure_code)]


def utc(at: datetime) -> datetime:
    """The same moment in UTC, to the millisecond: as exact as the ledger keeps it."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _timezone(name: str) -> str:
    if not is_timezone(name):
        raise broken("unknown_timezone", "must be an IANA time zone, such as America/Chicago")
    return name


def _state(code: str) -> str:
    known = us_state(code)
    if known is None:
        raise broken("unknown_state", "must be the two letters of a US state or territory")
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


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sendable(Strict):
    """Twilio's switches, for one message or for all of a broadcast."""

    content_sid: ContentSid | None = None
    media_urls: MediaUrls = []
    validity_period: Validity | None = None
    shorten_urls: StrictBool | None = None
    smart_encoded: StrictBool | None = None
    intent: Intent | None = None
