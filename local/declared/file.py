"""A declarative file as a whole, with the rules that hold before anybody is asked.

The names are those of the API: what `brand` and `campaign` take is what PUT /compliance/brands/{name} and
/compliance/campaigns/{service_sid} take. A section that is left out is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError

from local.declared.text import BrokenFileError, Path, Problem, Text, read
from sendpool.domain import declaration, link_domain
from sendpool.domain.declaration import Declaration
from sendpool.domain.link_domain import LinkUse
from sendpool.domain.messaging_service import LONGEST_VALIDITY, USE_CASES, Value
from sendpool.domain.senders import MOST_COUNTED, NewSender
from sendpool.edge.preflight_models import CampaignModel
from sendpool.edge.registration_models import BrandModel

_SID: Final = re.compile("[A-Z]{2}[0-9a-f]{32}")
_DOMAIN_SID: Final = "^DN[0-9a-f]{32}$"
_BRAND_NAME: Final = "^[a-z0-9][a-z0-9-]{0,39}$"
# the rules stand in domain/senders.py, and here once more, for the published schema
_SENDER: Final = r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|(PN|SC|XE)[0-9a-f]{32})$"
_ALPHANUMERIC: Final = "^(?=.*[A-Za-z])[A-Za-z0-9 \\-+_&]{1,11}$"
_COUNTRY: Final = "^(?!US|CA)[A-Z]{2}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _as_number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


# of any type here: the rules of the service say what is wrong, and why
Switch = Annotated[Any, Field(json_schema_extra={"type": "boolean"})]
Seconds = Annotated[
    Any,
    BeforeValidator(_as_number),
    Field(json_schema_extra={"type": "integer", "minimum": 1, "maximum": LONGEST_VALIDITY}),
]
ServiceUse = Annotated[Any, Field(json_schema_extra={"enum": list(USE_CASES)})]
Url = Annotated[Any, Field(json_schema_extra={"type": ["string", "null"], "pattern": "^https?://"})]


class ServiceSection(BaseModel):
    """Settings of the Messaging Service. What is left out is not declared."""

    # what else is said is refused with the reason
    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False})

    sticky_sender: Switch = Field(default=None, description="People keep their sender")
    mms_converter: Switch = Field(
        default=None, description="Media that a carrier does not take go as a link"
    )
    smart_encoding: Switch = Field(
        default=None, description="Look-alikes replace characters that force UCS-2"
    )
    area_code_geomatch: Switch = Field(
        default=None, description="Senders of the recipient's area code come first (US, Canada)"
    )
    validity_period: Seconds = Field(
        default=None, description="Seconds, for messages that name none of their own"
    )
    use_case: ServiceUse = None
    status_callback: Url = Field(
        default=None, description="For what others send through the service; null for none"
    )

    def settings(self) -> Mapping[str, Value]:
        """Return what was said; a null that was said is one."""
        said = self.model_dump()
        return {name: said[name] for name in said if name in self.model_fields_set}


class AlphanumericSender(_Strict):
    """An alphanumeric sender, for one country or all that have none of their own."""

    alphanumeric: Annotated[StrictStr, Field(json_schema_extra={"pattern": _ALPHANUMERIC})]
    country: Annotated[StrictStr, Field(json_schema_extra={"pattern": _COUNTRY})] | None = None


Sender = (
    Annotated[
        StrictStr,
        Field(
            description="A number in E.164, a short code, or the SID of a number, short code or channel sender",
            examples=["+12025550100"],
            # to an editor a number without quotes is one
            json_schema_extra={"type": ["string", "integer"], "pattern": _SENDER},
        ),
    ]
    | AlphanumericSender
)


class LinkDomainSection(_Strict):
    """The domain of short links, with more of it than its SID. What is left out stays as it is."""

    sid: Annotated[StrictStr, Field(pattern=_DOMAIN_SID)]
    fallback_url: Url = Field(
        default=None, description="Where links lead that Twilio has forgotten; null for nowhere"
    )
    continue_on_failure: Switch = Field(
        default=None, description="Texts go out with long links if shortening fails"
    )

    def use(self) -> LinkUse:
        said = self.model_dump()
        settings = {name: said[name] for name in self.model_fields_set - {"sid"}}
        return LinkUse(domain_sid=self.sid, settings=settings)


class BrandSection(BrandModel):
    """An A2P 10DLC brand, by the team's own name of it."""

    name: Annotated[StrictStr, Field(pattern=_BRAND_NAME)]


class CampaignSection(CampaignModel):
    """The A2P 10DLC campaign of the service."""

    brand: StrictStr | None = Field(
        default=None, description="The team's name of the brand; the file's own if left out"
    )


class MessagingFile(_Strict):
    """The Messaging Service of a Sendpool stack, as a team wants it. A section that is left out is not looked at."""

    service: ServiceSection | None = None
    senders: (
        Annotated[
            list[Sender],
            Field(max_length=MOST_COUNTED, json_schema_extra={"uniqueItems": True}),
        ]
        | None
    ) = Field(
        default=None,
        description="Senders that the pool must have. One that leaves the list leaves the pool; others stay.",
    )
    link_domain: Annotated[StrictStr, Field(pattern=_DOMAIN_SID)] | LinkDomainSection | None = (
        Field(default=None, description="The domain of short links, or its SID; null for none")
    )
    brand: BrandSection | None = None
    campaign: CampaignSection | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file wants: None and False for what it does not speak of."""

    settings: Mapping[str, Value] | None
    senders: tuple[NewSender, ...] | None
    speaks_of_link_domain: bool
    link_domain: LinkUse | None
    brand: BrandSection | None
    campaign: CampaignSection | None
    text: Text

    @property
    def brand_of_campaign(self) -> str | None:
        if self.campaign and self.campaign.brand:
            return self.campaign.brand
        return self.brand.name if self.brand else None


def load(text: str, environment: Mapping[str, str]) -> Wanted:
    """Read a file and hold it against all rules that need nobody. Raises BrokenFileError with every problem."""
    parts = read(text, environment)
    try:
        file = MessagingFile.model_validate(parts.said if parts.said is not None else {})
    except ValidationError as error:
        raise BrokenFileError(*_broken(error, parts)) from error
    wanted = Wanted(
        settings=file.service.settings() if file.service else None,
        senders=None if file.senders is None else tuple(map(sender, file.senders)),
        speaks_of_link_domain="link_domain" in file.model_fields_set,
        link_domain=_link_domain(file.link_domain),
        brand=file.brand,
        campaign=file.campaign,
        text=parts,
    )
    problems = list(_problems(wanted))
    if problems:
        raise BrokenFileError(*problems)
    return wanted


def sender(said: str | AlphanumericSender) -> NewSender:
    """Read one of a list of senders."""
    if isinstance(said, AlphanumericSender):
        return NewSender(alphanumeric=said.alphanumeric, country=said.country)
    return NewSender(sid=said) if _SID.fullmatch(said) else NewSender(number=said)


def _link_domain(said: str | LinkDomainSection | None) -> LinkUse | None:
    if isinstance(said, str):
        return LinkUse(domain_sid=said)
    return said.use() if said else None


def _problems(wanted: Wanted) -> Iterator[Problem]:
    declared = Declaration(settings=wanted.settings or {}, senders=wanted.senders or ())
    for broken in declaration.problems(declared, {}):
        section, *rest = broken.field.split(".")
        path: Path = ("service", *rest) if section == "settings" else ("senders", int(rest[0]))
        yield _problem(path, broken.message, wanted.text)
    for broken in link_domain.problems(wanted.link_domain) if wanted.link_domain else ():
        yield _problem(("link_domain", broken.field), broken.message, wanted.text)
    senders = wanted.senders or ()
    for place, each in enumerate(senders):
        if each in senders[:place]:
            yield _problem(("senders", place), "stands in the list before", wanted.text)
        elif each.alphanumeric and each.country in _countries(senders[:place]):
            where = f"for {each.country}" if each.country else "without a country"
            words = f"is the second alphanumeric sender {where}, where a service has one"
            yield _problem(("senders", place), words, wanted.text)
    if wanted.campaign and not wanted.brand_of_campaign:
        words = "must name a brand, as this file has none"
        yield _problem(("campaign", "brand"), words, wanted.text)


def _countries(senders: Iterable[NewSender]) -> set[str | None]:
    """Return the countries of the alphanumeric ones; None stands for all others."""
    return {each.country for each in senders if each.alphanumeric}


def _broken(error: ValidationError, text: Text) -> Iterable[Problem]:
    """Say what pydantic found, once for each place: of a union it tells what each alternative misses."""
    found: dict[Path, str] = {}
    for each in error.errors():
        path = tuple(step for step in each["loc"] if step not in _ALTERNATIVES)
        found.setdefault(path, _WORDS.get(each["type"], each["msg"]))
    return [
        _problem(path, words, text)
        for path, words in found.items()
        # where one alternative says what is wrong inside, it does not help that another is text
        if not any(len(other) > len(path) and other[: len(path)] == path for other in found)
    ]


# how pydantic names the alternatives of a union
_ALTERNATIVES: Final = {
    "str",
    "constrained-str",
    "function-before[_as_text(), str]",
    "AlphanumericSender",
    "LinkDomainSection",
}
_WORDS: Final = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "model_type": "must have parts of its own",
    "model_attributes_type": "must have parts of its own",
}


def _problem(path: Path, message: str, text: Text) -> Problem:
    return Problem(text.line_of(path), ".".join(map(str, path)), message)
