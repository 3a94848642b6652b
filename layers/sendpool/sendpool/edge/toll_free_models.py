"""What callers may say of a toll-free number to have it verified, and what they are told of its review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

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

from sendpool.domain.toll_free.submission import (
    LONGEST,
    MOST_VALUES,
    REQUIRED,
    Authority,
    BusinessType,
    Category,
    OptInType,
    Submission,
    VettingProvider,
    choices_of,
)
from sendpool.domain.toll_free.verification import Actor, Rejection, Step, Verification
from sendpool.edge.preflight_models import PreflightFinding
from sendpool.workflows.toll_free import Submitted


def _one_of(literal: Any) -> Any:
    return Field(default=None, json_schema_extra={"enum": [*choices_of(literal), None]})


# the rules stand in domain/toll_free/submission.py, and here once more, for the published schemas
Text = Annotated[StrictStr | None, Field(json_schema_extra={"maxLength": LONGEST})]
Texts = Annotated[list[StrictStr] | None, Field(json_schema_extra={"maxItems": MOST_VALUES})]


class TollFreeFields(BaseModel):
    """The fields of Twilio's form, by our names or Twilio's (`UseCaseSummary`); null empties one."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=AliasGenerator(
            validation_alias=lambda name: AliasChoices(name, to_pascal(name))
        ),
    )

    business_name: Text = None
    business_website: Text = None
    notification_email: Text = None
    use_case_categories: Annotated[
        list[StrictStr] | None,
        Field(json_schema_extra={"items": {"type": "string", "enum": [*choices_of(Category)]}}),
    ] = None
    use_case_summary: Text = None
    production_message_sample: Text = None
    opt_in_image_urls: Texts = None
    opt_in_type: StrictStr | None = _one_of(OptInType)
    message_volume: Text = Field(default=None, examples=["10,000"])
    business_street_address: Text = None
    business_street_address2: Text = None
    business_city: Text = None
    business_state_province_region: Text = None
    business_postal_code: Text = None
    business_country: Text = Field(default=None, examples=["US"])
    additional_information: Text = None
    business_contact_first_name: Text = None
    business_contact_last_name: Text = None
    business_contact_email: Text = None
    business_contact_phone: Text = None
    business_registration_number: Text = None
    business_registration_authority: StrictStr | None = _one_of(Authority)
    business_registration_country: Text = Field(default=None, examples=["US"])
    business_type: StrictStr | None = _one_of(BusinessType)
    business_registration_phone_number: Text = None
    doing_business_as: Text = None
    opt_in_confirmation_message: Text = None
    help_message_sample: Text = None
    privacy_policy_url: Text = None
    terms_and_conditions_url: Text = None
    age_gated_content: StrictBool | None = None
    opt_in_keywords: Texts = None
    vetting_provider: StrictStr | None = _one_of(VettingProvider)
    vetting_id: Text = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that were said; a null that was said is one."""
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self
            if name in self.model_fields_set and name not in _BESIDE
        }


_BESIDE = frozenset({"tollfree_phone_number_sid", "edit_reason", "force"})
_FORCE = Field(default=False, description="Submit it although preflight says `reject`")


class SubmitTollFree(TollFreeFields):
    """A number to verify."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["tollfree_phone_number_sid", *REQUIRED]}
    )

    tollfree_phone_number_sid: Annotated[
        StrictStr, Field(json_schema_extra={"pattern": "^PN[0-9a-fA-F]{32}$"})
    ]
    customer_profile_sid: Text = None
    external_reference_id: Text = None
    force: StrictBool = _FORCE

    def submission(self) -> Submission:
        said: Mapping[str, Any] = self.changes()
        return Submission().with_changes(said)


class FixTollFree(TollFreeFields):
    """What to change of a rejected verification, which submits it again; what is left out stays."""

    edit_reason: Text = Field(default=None, description="What was put right, for the reviewers")
    force: StrictBool = _FORCE


# ------------------------------------------------------------------------------------------------ answers


class RejectionView(BaseModel):
    """A reason: Twilio's code and words, what it means, what to do, and the fields to change."""

    code: int | None
    reason: str
    problem: str
    fix: str
    fields: list[str]

    @classmethod
    def of(cls, rejection: Rejection) -> Self:
        advice = rejection.advice
        return cls(
            code=rejection.code,
            reason=rejection.reason,
            problem=advice.problem,
            fix=advice.fix,
            fields=list(advice.fields),
        )


class NextStepView(BaseModel):
    """What has to be done next, and by whom."""

    name: Step
    who: Actor
    what: str


class TollFreeSummary(BaseModel):
    """A toll-free number's verification: `status` is Twilio's. It may be edited until `edit_until`, if at all."""

    sid: str
    number_sid: str
    number: str | None
    status: str = Field(examples=["PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED"])
    next_step: NextStepView
    rejections: list[RejectionView]
    may_be_edited: bool
    edit_until: datetime | None
    created_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, verification: Verification, *, now: datetime) -> Self:
        return cls(**_summary(verification, now))


def _summary(verification: Verification, now: datetime) -> dict[str, Any]:
    standing, step = verification.standing, verification.step(now)
    return {
        "sid": standing.sid,
        "number_sid": standing.number_sid,
        "number": standing.number,
        "status": standing.status,
        "next_step": NextStepView(name=step, who=step.actor, what=step.words),
        "rejections": [RejectionView.of(each) for each in standing.rejections],
        "may_be_edited": verification.may_be_edited(now),
        "edit_until": standing.edit_until,
        "created_at": verification.created_at,
        "updated_at": standing.updated_at,
    }


class TollFreeList(BaseModel):
    """All verifications of the account, the newest first."""

    verifications: list[TollFreeSummary]


class TollFreeView(TollFreeSummary):
    """A verification with what reviewers are told. `wanted` names empty fields that they ask for."""

    submission: dict[str, str | bool | list[str]]
    wanted: list[str]

    @classmethod
    def of(cls, verification: Verification, *, now: datetime) -> Self:
        return cls(**_whole(verification, now))


def _whole(verification: Verification, now: datetime) -> dict[str, Any]:
    submission = verification.submission
    return _summary(verification, now) | {
        "submission": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(submission).items()
            if value not in (None, ())
        },
        "wanted": list(submission.wanted),
    }


class SubmittedTollFree(TollFreeView):
    """A verification; `submitted` is false when this request changed nothing, as it was there before.

    `findings` are what preflight warns of, and what it was overruled in.
    """

    submitted: bool
    findings: list[PreflightFinding]

    @classmethod
    def told(cls, done: Submitted, *, now: datetime) -> Self:
        return cls(
            **_whole(done.verification, now),
            submitted=done.is_new,
            findings=[PreflightFinding.of(each) for each in done.findings],
        )


class RemovedTollFree(BaseModel):
    """A verification that is not there any more; `removed` is false when it was not there before either."""

    sid: str
    removed: bool
