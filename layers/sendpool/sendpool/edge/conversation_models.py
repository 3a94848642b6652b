"""What callers write into the answer book, and what they are shown of conversations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from sendpool.domain.answers import DEFAULT_LANGUAGE, AnswerBook, Match, Rule, to_plain
from sendpool.domain.conversation import Entry, InboundMessage, OutboundEntry, broadcast_of
from sendpool.domain.keywords import OptOutClass, classify, words_of
from sendpool.domain.media import KeptMedia, Missing
from sendpool.domain.message import Status, current_status
from sendpool.domain.phone import is_e164

# DynamoDB takes items of 400 KB
_LARGEST_BOOK = 300_000


def _keyword(keyword: str) -> str:
    if not words_of(keyword):
        raise PydanticCustomError("invalid_keyword", "a keyword has at least one letter or digit")
    asked = classify(keyword)
    if asked not in {OptOutClass.NONE, OptOutClass.STOP_LIKELY}:
        raise PydanticCustomError(
            "reserved_keyword", "STOP, START and HELP words are answered by Twilio, or by `help`"
        )
    return keyword


def _number(number: str) -> str:
    if not is_e164(number) and not number.isdigit():
        raise PydanticCustomError("invalid_phone", "must be E.164, or a short code")
    return number


Language = Annotated[
    StrictStr, Field(pattern=r"^[a-z]{2,3}$", description="ISO 639, such as en or es")
]
# a body of Twilio's has 1,600 characters at the most
Text = Annotated[StrictStr, Field(min_length=1, max_length=1600)]
Texts = Annotated[dict[Language, Text], Field(max_length=20, description="Texts by language")]
Keyword = Annotated[StrictStr, Field(min_length=1, max_length=80), AfterValidator(_keyword)]
Number = Annotated[StrictStr, AfterValidator(_number)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RuleModel(_Strict):
    """An answer to keywords; the first rule that fits counts.

    `exact`: the keyword is all they wrote; `start`: they begin with it; `anywhere`: it occurs. Case, accents and
    punctuation do not count.
    """

    keywords: dict[Language, Annotated[list[Keyword], Field(min_length=1, max_length=50)]] = Field(
        min_length=1, max_length=20, description="Keywords by language: the answer is in theirs"
    )
    texts: Annotated[dict[Language, Text], Field(min_length=1, max_length=20)]
    numbers: list[Number] = Field(
        default=[],
        max_length=100,
        description="Numbers of yours at which it holds; all if left out",
    )
    match: Match = "exact"

    def rule(self) -> Rule:
        return Rule(
            keywords={language: tuple(each) for language, each in self.keywords.items()},
            texts=self.texts,
            numbers=frozenset(self.numbers),
            match=self.match,
        )


class AnswerBookModel(_Strict):
    """What is answered when somebody texts; replaces InboundReply once it was written."""

    rules: list[RuleModel] = Field(default=[], max_length=200)
    help: Texts = Field(
        default={}, description="To HELP, where Twilio's own answer to it is switched off"
    )
    first_contact: Texts = Field(default={}, description="To whoever texts for the first time")
    otherwise: Texts = Field(default={}, description="When no rule fits")
    language: Language = DEFAULT_LANGUAGE
    languages: dict[Number, Language] = Field(
        default={}, max_length=1000, description="Languages by number of yours"
    )

    @model_validator(mode="after")
    def _fits_the_ledger(self) -> Self:
        if len(self.model_dump_json().encode()) > _LARGEST_BOOK:
            raise PydanticCustomError(
                "answers_too_large", f"all answers together have {_LARGEST_BOOK} bytes at the most"
            )
        return self

    def book(self) -> AnswerBook:
        return AnswerBook(
            rules=tuple(each.rule() for each in self.rules),
            help=self.help,
            first_contact=self.first_contact,
            otherwise=self.otherwise,
            language=self.language,
            languages=self.languages,
        )

    @classmethod
    def of(cls, book: AnswerBook) -> Self:
        return cls.model_validate(to_plain(book))


class MediaView(BaseModel):
    """A picture or another file that came with a text, or went with one of ours.

    `url` is a link to our copy, good for a quarter of an hour; until it was fetched, Twilio's own, which needs Twilio's
    credentials. `missing` says why there is none.
    """

    url: str
    content_type: str | None
    size: int | None = Field(default=None, description="In bytes, of our copy")
    missing: Missing | None = None


class EntryView(BaseModel):
    """A text in one direction.

    `at` is when it came, or was taken in for sending. `body` is None of a broadcast's message, whose text is the
    broadcast's. `answers` are what Twilio was told to answer; `error_code`, that our inbound webhook had failed first.
    """

    direction: Literal["inbound", "outbound"]
    id: str
    at: datetime
    number: str | None = Field(default=None, description="Your number that took the text")
    body: str | None
    media: list[MediaView] = []
    status: Status | Literal["received"]
    opt_out_class: OptOutClass | None = None
    in_reply_to: str | None = None
    broadcast_id: str | None = None
    answers: list[str] = []
    error_code: str | None = None

    @classmethod
    def of(cls, entry: Entry, *, link: Callable[[str], str]) -> Self:
        """Show an entry; `link` signs a link to a picture of ours."""
        match entry:
            case InboundMessage():
                return cls._inbound(entry, link)
            case OutboundEntry(record, delivery):
                message = record.message
                return cls(
                    direction="outbound",
                    id=record.id,
                    at=record.created_at,
                    body=message.body if message else None,
                    media=[
                        MediaView(url=url, content_type=None)
                        for url in (message.media_urls if message else ())
                    ],
                    status=current_status(record.result, delivery),
                    broadcast_id=broadcast_of(record.id),
                )

    @classmethod
    def _inbound(cls, text: InboundMessage, link: Callable[[str], str]) -> Self:
        return cls(
            direction="inbound",
            id=text.sid,
            at=text.received_at,
            number=text.fields.get("To"),
            body=text.fields.get("Body", ""),
            media=[
                _media(url, content_type, text.kept_media.get(number), link)
                for number, (url, content_type) in enumerate(text.media)
            ],
            status="received",
            opt_out_class=OptOutClass(text.opt_out_class) if text.opt_out_class else None,
            in_reply_to=text.in_reply_to,
            broadcast_id=broadcast_of(text.in_reply_to),
            answers=list(text.answers),
            error_code=text.error_code,
        )


def _media(
    url: str, content_type: str | None, kept: KeptMedia | None, link: Callable[[str], str]
) -> MediaView:
    if kept is None:
        return MediaView(url=url, content_type=content_type)
    if kept.key is None:
        return MediaView(url=url, content_type=content_type, missing=kept.missing)
    return MediaView(url=link(kept.key), content_type=kept.content_type, size=kept.size)


class ConversationPage(BaseModel):
    """What passed between you and one person, the newest first; without `next_cursor` it is the last page."""

    phone: str
    blocked: bool = Field(description="Whether the person has opted out")
    entries: list[EntryView]
    next_cursor: str | None
