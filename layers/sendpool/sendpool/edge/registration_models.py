"""What callers declare of brands and campaigns that are to be registered, and what they are told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from sendpool.adapters.ledger.a2p import Record
from sendpool.adapters.twilio.a2p import UseCase
from sendpool.domain.a2p.application import (
    Address,
    BrandApplication,
    BrandKind,
    Business,
    Company,
    Proprietor,
    Representative,
)
from sendpool.domain.a2p.codes import Actor
from sendpool.domain.a2p.fees import AS_OF, Fee, campaign_fees
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord
from sendpool.domain.a2p.standing import (
    Explained,
    Step,
    StepName,
    StepState,
    next_step,
    steps_of_brand,
    steps_of_campaign,
)
from sendpool.domain.a2p.throughput import Throughput, throughput, tiers
from sendpool.domain.preflight.campaign import Campaign
from sendpool.edge.preflight_models import CampaignModel

Text = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
AcceptFees = Annotated[
    StrictBool,
    Field(description="Consent to the fees that the answer names; kept until the brand is there"),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ------------------------------------------------------------------------------------------------ requests


class BusinessModel(_Strict):
    """The business, in the words of its registration papers."""

    name: Text | None = None
    identity: Literal["direct_customer", "isv_reseller_or_partner", "unknown"] = "direct_customer"
    type: Text | None = Field(default=None, examples=["Limited Liability Corporation"])
    industry: Text | None = Field(default=None, examples=["RETAIL"])
    registration_identifier: Text | None = Field(default=None, examples=["EIN"])
    registration_number: Text | None = None
    regions_of_operation: Text = "USA_AND_CANADA"
    website_url: Text | None = None
    social_media_profile_urls: Text | None = None


class RepresentativeModel(_Strict):
    """Somebody who speaks for the business."""

    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone_number: Text | None = Field(default=None, description="E.164")
    business_title: Text | None = None
    job_position: (
        Literal["Director", "GM", "VP", "CEO", "CFO", "General Counsel", "Other"] | None
    ) = None


class AddressModel(_Strict):
    """Where it is."""

    street: Text | None = None
    street_secondary: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Annotated[StrictStr, Field(pattern="^[A-Z]{2}$")] | None = None


class CompanyModel(_Strict):
    """What carriers are told of the company."""

    company_type: Literal["private", "public", "non-profit", "government"] | None = None
    stock_exchange: Text | None = None
    stock_ticker: Text | None = None
    brand_contact_email: Text | None = None


class ProprietorModel(_Strict):
    """A person without a tax ID."""

    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone_number: Text | None = None
    brand_name: Text | None = None
    mobile_phone_number: Text | None = Field(
        default=None, description="Gets an SMS that wants a YES within 24 hours"
    )
    vertical: Text | None = None


class BrandModel(_Strict):
    """A brand as it shall be registered; what is missing may come later."""

    kind: BrandKind = BrandKind.STANDARD
    email: Text | None = Field(default=None, description="Twilio writes there about reviews")
    customer_profile_sid: (
        Annotated[
            StrictStr,
            Field(
                pattern="^BU[0-9a-f]{32}$",
                description="An approved profile, in place of business, representatives and address",
            ),
        ]
        | None
    ) = None
    business: BusinessModel = BusinessModel()
    representatives: Annotated[list[RepresentativeModel], Field(max_length=2)] = []
    address: AddressModel = AddressModel()
    company: CompanyModel = CompanyModel()
    proprietor: ProprietorModel = ProprietorModel()
    mock: StrictBool = Field(
        default=False, description="A brand for tests: reviewed by nobody, sends to nobody"
    )

    def application(self) -> BrandApplication:
        return BrandApplication(
            kind=self.kind,
            email=self.email,
            customer_profile_sid=self.customer_profile_sid,
            business=Business(**self.business.model_dump()),
            representatives=tuple(
                Representative(**each.model_dump()) for each in self.representatives
            ),
            address=Address(**self.address.model_dump()),
            company=Company(**self.company.model_dump()),
            proprietor=Proprietor(**self.proprietor.model_dump()),
            mock=self.mock,
        )

    @classmethod
    def of(cls, application: BrandApplication) -> Self:
        return cls.model_validate(asdict(application), from_attributes=False)


class DeclareBrand(BrandModel):
    """A brand as it shall be registered; what is missing may come later. The same again goes on with it."""

    accept_fees: AcceptFees = False


class Advance(_Strict):
    """How to go on: with the fees that were named, or by handing in again what was rejected, as it is."""

    accept_fees: AcceptFees = False
    resubmit: StrictBool = False


class Vet(_Strict):
    """Who vets the brand: aegis scores it for a fee, campaign-verify vouches for a political one by a token."""

    provider: Literal["aegis", "campaign-verify"] = "aegis"
    vetting_id: Text | None = Field(default=None, description="The token of Campaign Verify")
    accept_fees: AcceptFees = False


class DeclareCampaign(CampaignModel):
    """A campaign as it shall be registered, in the fields of its preflight. The same again goes on with it."""

    brand: Annotated[StrictStr, Field(description="Our name of the brand")]
    accept_fees: AcceptFees = False
    force: StrictBool = Field(
        default=False, description="Hand it in although the preflight rejects it"
    )

    def declared(self) -> Campaign:
        """Return what Twilio is told; what is known of the brand comes from its own declaration."""
        said: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self
            if value is not None and name in CampaignModel.model_fields
        }
        return replace(
            Campaign(**said),
            brand_registration_sid=None,
            brand_name=None,
            brand_website=None,
            brand_type=None,
        )


# ------------------------------------------------------------------------------------------------ answers


class FeeView(BaseModel):
    """A fee by Twilio's list of that month, which changes; `micros` are millionths of a US dollar."""

    name: str
    micros: int
    period: Literal["once", "month"]
    as_of: str = AS_OF

    @classmethod
    def of(cls, fee: Fee) -> Self:
        return cls(name=fee.name, micros=fee.micros, period=fee.period)


class ProblemView(BaseModel):
    """Why something was rejected, by Twilio's code, and what to change."""

    code: int
    title: str
    change: str
    cause: str
    fields: list[str]
    description: str | None = Field(description="What Twilio says")

    @classmethod
    def of(cls, problem: Explained) -> Self:
        return cls(
            code=problem.code,
            title=problem.title,
            change=problem.change,
            cause=problem.cause,
            fields=list(problem.fields),
            description=problem.description,
        )


class RegistrationStep(BaseModel):
    """A step of a registration: how it stands, who has to act, and what goes on with it."""

    name: StepName
    state: StepState
    actor: Actor
    next: str
    sid: str | None
    status: str | None = Field(description="Twilio's own word")
    missing: list[str]
    problems: list[ProblemView]
    fees: list[FeeView] = Field(description="Due with this step, and not accepted yet")
    is_optional: bool = Field(description="Whether everything else goes on without it")

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(
            name=step.name,
            state=step.state,
            actor=step.actor,
            next=step.next,
            sid=step.sid,
            status=step.status,
            missing=list(step.missing),
            problems=[ProblemView.of(each) for each in step.problems],
            fees=[FeeView.of(each) for each in step.fees],
            is_optional=step.is_optional,
        )

    @classmethod
    def all(cls, steps: Sequence[Step]) -> list[Self]:
        return [cls.of(each) for each in steps]


class ThroughputView(BaseModel):
    """Segments a second toward the large carriers together, and segments a day of T-Mobile and of all carriers."""

    segments_per_second: float
    tmobile_daily: int
    daily: int | None

    @classmethod
    def of(cls, found: Throughput) -> Self:
        return cls(
            segments_per_second=found.segments_per_second,
            tmobile_daily=found.tmobile_daily,
            daily=found.daily,
        )


class BrandStanding(BaseModel):
    """A brand and where its registration stands; `ready` once campaigns may be registered for it."""

    name: str
    kind: BrandKind
    display_name: str | None
    ready: bool
    steps: list[RegistrationStep]
    brand_sid: str | None
    tcr_id: str | None
    score: int | None
    identity: str | None
    mock: bool = Field(description="Whether it is a mock, whose campaigns reach nobody")
    fees_accepted_at: datetime | None
    looked_at: datetime | None
    next_look_at: datetime | None

    @classmethod
    def of(cls, record: BrandRecord) -> Self:
        brand = record.brand
        return cls(
            name=record.name,
            kind=record.application.kind,
            display_name=record.application.display_name,
            ready=brand is not None and brand.may_campaign,
            steps=RegistrationStep.all(steps_of_brand(record)),
            brand_sid=brand.sid if brand else None,
            tcr_id=brand.tcr_id if brand else None,
            score=brand.score if brand else None,
            identity=brand.identity if brand else None,
            mock=brand.is_mock if brand else record.application.mock,
            fees_accepted_at=record.fees_accepted_at,
            looked_at=record.looked_at,
            next_look_at=record.next_look_at,
        )


class BrandRegistration(BrandStanding):
    """A brand, what is declared of it, and where its registration stands."""

    declared: BrandModel

    @classmethod
    def of(cls, record: BrandRecord) -> Self:
        standing = BrandStanding.of(record)
        return cls(**dict(standing), declared=BrandModel.of(record.application))


def _earned(brand: BrandRecord | None, use_case: str) -> Throughput | None:
    """Tell what a campaign of this brand may send by the tables; of no brand in particular, a standard one's."""
    live = brand.brand if brand else None
    return throughput(
        brand.application.kind if brand else BrandKind.STANDARD,
        use_case,
        live.score if live else None,
        is_russell_3000=live is not None and live.russell_3000,
    )


class CampaignStanding(BaseModel):
    """A campaign and where its registration stands; `ready` once carriers take what its service sends: never a mock."""

    service_sid: str
    brand: str
    use_case: str | None
    ready: bool
    steps: list[RegistrationStep]
    status: str | None
    mock: bool = Field(description="Whether it is a mock brand's, which reaches nobody")
    campaign_id: str | None
    throughput: ThroughputView | None = Field(description="By the tables; None without a score")
    granted_segments_per_second: float | None = Field(description="What Twilio says")
    fees_accepted_at: datetime | None
    looked_at: datetime | None
    next_look_at: datetime | None

    @classmethod
    def of(cls, record: CampaignRecord, brand: BrandRecord | None) -> Self:
        live = record.live
        use_case = record.campaign.us_app_to_person_usecase
        rate = _earned(brand, use_case or "")
        return cls(
            service_sid=record.service_sid,
            brand=record.brand,
            use_case=use_case,
            ready=live is not None and live.reaches_people,
            steps=RegistrationStep.all(steps_of_campaign(record, brand)),
            status=live.status if live else None,
            mock=live.is_mock if live else brand is not None and brand.application.mock,
            campaign_id=live.campaign_id if live else None,
            throughput=ThroughputView.of(rate) if rate else None,
            granted_segments_per_second=live.segments_per_second if live else None,
            fees_accepted_at=record.fees_accepted_at,
            looked_at=record.looked_at,
            next_look_at=record.next_look_at,
        )


class CampaignRegistration(CampaignStanding):
    """A campaign, what is declared of it, and where its registration stands."""

    declared: CampaignModel

    @classmethod
    def of(cls, record: CampaignRecord, brand: BrandRecord | None) -> Self:
        standing = CampaignStanding.of(record, brand)
        return cls(**dict(standing), declared=CampaignModel.of(record.campaign))


class NextView(BaseModel):
    """What comes next for a brand or campaign, and who has to act."""

    of: str | None = Field(
        description="The name of a brand, or the SID of a campaign's service; null before there is a brand"
    )
    step: StepName
    state: StepState
    actor: Actor
    next: str

    @classmethod
    def at(cls, of: str, step: Step) -> Self:
        return cls(of=of, step=step.name, state=step.state, actor=step.actor, next=step.next)

    @classmethod
    def to_declare(cls, brand: str | None) -> Self:
        """Say what comes before there is anything, or before a brand has a campaign."""
        return cls(
            of=brand,
            step=StepName.CAMPAIGN if brand else StepName.CUSTOMER_PROFILE,
            state=StepState.INCOMPLETE,
            actor=Actor.TEAM,
            next="PUT /compliance/campaigns/{service_sid} with what the service sends."
            if brand
            else "PUT /compliance/brands/{name} with what is known of the business; US long codes need it, no others.",
        )


class CompliancePage(BaseModel):
    """Where everything that is registered here stands, as it was looked at last.

    `ready` once there is a campaign, not of a mock brand only, and nothing is to be done; without one carriers block
    US long codes.
    """

    ready: bool
    next: list[NextView] = Field(description="What has to be done, by whom; empty when all is done")
    optional: list[NextView] = Field(
        description="What was rejected, and everything goes on without: a vetting, which throughput depends on"
    )
    brands: list[BrandStanding]
    campaigns: list[CampaignStanding]

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        every = list(records)
        brands = {each.name: each for each in every if isinstance(each, BrandRecord)}
        campaigns = [each for each in every if isinstance(each, CampaignRecord)]
        steps = {name: steps_of_brand(each) for name, each in brands.items()} | {
            each.service_sid: steps_of_campaign(each, brands.get(each.brand)) for each in campaigns
        }
        coming = [NextView.at(of, step) for of, each in steps.items() if (step := next_step(each))]
        optional = [
            NextView.at(of, step)
            for of, each in steps.items()
            for step in each
            if step.is_optional and step.state is StepState.REJECTED
        ]
        if not (coming or any(each.live and each.live.reaches_people for each in campaigns)):
            real = [name for name, each in brands.items() if not each.application.mock]
            coming = [NextView.to_declare(brand) for brand in real or (None,)]
        return cls(
            ready=not coming,
            next=coming,
            optional=optional,
            brands=[BrandStanding.of(each) for each in brands.values()],
            campaigns=[CampaignStanding.of(each, brands.get(each.brand)) for each in campaigns],
        )


class ForgottenView(BaseModel):
    """A brand that is kept here no more; `left` are SIDs of what stays at Twilio, where only the Console deletes."""

    name: str
    left: list[str]


class DeletedCampaign(BaseModel):
    """A campaign that was deleted."""

    service_sid: str


class TierView(BaseModel):
    """What holds from a trust score on."""

    from_score: int
    throughput: ThroughputView


class UseCaseView(BaseModel):
    """What a campaign may be for; its throughput by the score of the brand, or by all scores if that is not known."""

    code: str
    name: str
    description: str
    needs_carriers: bool = Field(description="Carriers have to approve it after Twilio")
    throughput: ThroughputView | None
    by_score: list[TierView]
    fees: list[FeeView]

    @classmethod
    def of(cls, use_case: UseCase, brand: BrandRecord | None) -> Self:
        rate = _earned(brand, use_case.code)
        return cls(
            code=use_case.code,
            name=use_case.name,
            description=use_case.description,
            needs_carriers=use_case.needs_carriers,
            throughput=ThroughputView.of(rate) if rate else None,
            by_score=[]
            if rate
            else [
                TierView(from_score=each.from_score, throughput=ThroughputView.of(each.throughput))
                for each in tiers(use_case.code)
            ],
            fees=[FeeView.of(each) for each in campaign_fees(use_case.code)],
        )


class UseCasesView(BaseModel):
    """The use cases that Twilio offers for a service and a brand."""

    service_sid: str
    brand: str | None
    score: int | None
    use_cases: list[UseCaseView]
