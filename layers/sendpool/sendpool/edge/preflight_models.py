"""A campaign as callers write it before it is handed to Twilio, and what they are told of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
)
from pydantic.alias_generators import to_pascal

from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.rules import Severity
from sendpool.domain.preflight.verdict import Finding, Preflight

Texts = Annotated[list[StrictStr], Field(max_length=100)]


class CampaignModel(BaseModel):
    """The fields of Twilio's Usa2p create, by our names or Twilio's (`MessageFlow`), and three of the brand.

    Whatever Twilio or a reviewer would refuse is a finding, also what is missing. What needs to know the brand is
    judged if `brand_name` and `brand_website` are given.
    """

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=AliasGenerator(
            validation_alias=lambda name: AliasChoices(name, to_pascal(name))
        ),
    )

    brand_registration_sid: StrictStr | None = None
    us_app_to_person_usecase: StrictStr | None = Field(
        default=None, examples=["MARKETING", "2FA", "LOW_VOLUME"]
    )
    description: StrictStr | None = None
    message_flow: StrictStr | None = None
    message_samples: Texts | None = None
    has_embedded_links: StrictBool | None = None
    has_embedded_phone: StrictBool | None = None
    opt_in_message: StrictStr | None = None
    opt_in_keywords: Texts | None = None
    opt_out_message: StrictStr | None = None
    opt_out_keywords: Texts | None = None
    help_message: StrictStr | None = None
    help_keywords: Texts | None = None
    privacy_policy_url: StrictStr | None = None
    terms_and_conditions_url: StrictStr | None = None
    subscriber_opt_in: StrictBool | None = None
    age_gated: StrictBool | None = None
    direct_lending: StrictBool | None = None
    brand_name: StrictStr | None = Field(
        default=None, description="As registered; the parameter BrandName if left out"
    )
    brand_website: StrictStr | None = None
    brand_type: StrictStr | None = Field(default=None, description="STANDARD or SOLE_PROPRIETOR")

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        said = {name: value for name, value in asdict(campaign).items() if value is not None}
        return cls(**{name: list(v) if isinstance(v, tuple) else v for name, v in said.items()})

    def campaign(self, *, brand_name: str) -> Campaign:
        """Return the campaign; of the account's own brand, unless it names another."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self
            if value is not None
        }
        return Campaign(**{"brand_name": brand_name, **fields})


class PreflightFinding(BaseModel):
    """A rule that the campaign breaks: `codes` are those with which Twilio rejects for it."""

    rule: str = Field(examples=["P-SHORTENER"])
    codes: list[int] = Field(examples=[[30892, 30963]])
    field: str = Field(
        description="The field; of samples with the place", examples=["message_samples.0"]
    )
    severity: Severity = Field(description="`reject`: one is enough; `warn`: look at it")
    message: str
    fix: str
    text: str | None = Field(description="What in the field breaks the rule, if it is a part of it")

    @classmethod
    def of(cls, finding: Finding) -> Self:
        return cls(
            rule=finding.rule,
            codes=list(finding.codes),
            field=finding.field,
            severity=finding.severity,
            message=finding.message,
            fix=finding.fix,
            text=finding.text,
        )


class PreflightView(BaseModel):
    """What would probably become of the campaign, and why; the gravest findings first."""

    verdict: Literal["accept", "reject"]
    findings: list[PreflightFinding]

    @classmethod
    def of(cls, found: Preflight) -> Self:
        return cls(
            verdict=found.verdict, findings=[PreflightFinding.of(each) for each in found.findings]
        )
