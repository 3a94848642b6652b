"""What callers may say of the Messaging Service and its senders, and what they are told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic.json_schema import SkipJsonSchema

from sendpool.domain.declaration import FILE, Declaration
from sendpool.domain.link_domain import LinkUse, Step
from sendpool.domain.messaging_service import (
    LONGEST_NAME,
    LONGEST_VALIDITY,
    PARAMETERS,
    SENDERS,
    SETTINGS,
    Difference,
)
from sendpool.domain.senders import (
    MOST_COUNTED,
    NewSender,
    Registered,
    Sender,
    SenderKind,
    SenderPool,
)
from sendpool.workflows.link_domain import Linked
from sendpool.workflows.service import Compared, PoolPage

UseCase = Literal["notifications", "marketing", "verification", "discussion", "poll", "undeclared"]
Setting = Literal[
    "name",
    "inbound_url",
    "inbound_method",
    "fallback_url",
    "fallback_method",
    "inbound_webhook_on_number",
    "status_callback",
    "sticky_sender",
    "mms_converter",
    "smart_encoding",
    "area_code_geomatch",
    "validity_period",
    "use_case",
]

# a setting's value, written out: published schemas have no names for it
Value = str | int | bool | None
# known, so that it can be refused with the reason; no part of the contract
Refused = SkipJsonSchema[Any]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ------------------------------------------------------------------------------------------------ requests

# the rules stand in domain/messaging_service.py and domain/senders.py, and here once more, for the published schemas


class ChangeService(_Strict):
    """Settings to change; what is left out stays. Where texts go is declared by the stack, and not changed here."""

    name: Annotated[
        StrictStr | None,
        Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME}),
    ] = None
    status_callback: Annotated[
        StrictStr | None,
        Field(description="For what others send through the service; null for none"),
    ] = None
    sticky_sender: StrictBool | None = None
    mms_converter: StrictBool | None = None
    smart_encoding: StrictBool | None = None
    area_code_geomatch: StrictBool | None = None
    validity_period: Annotated[
        StrictInt | None,
        Field(
            description="Seconds, for messages that name none of their own",
            json_schema_extra={"minimum": 1, "maximum": LONGEST_VALIDITY},
        ),
    ] = None
    use_case: Annotated[
        StrictStr | None, Field(json_schema_extra={"enum": list(get_args(UseCase))})
    ] = None

    inbound_url: Refused = None
    inbound_method: Refused = None
    fallback_url: Refused = None
    fallback_method: Refused = None
    inbound_webhook_on_number: Refused = None
    scan_message_content: Refused = None
    synchronous_validation: Refused = None
    fallback_to_long_code: Refused = None
    shorten_urls: Refused = None

    def changes(self) -> Mapping[str, object]:
        """Return what was said; a null that was said is one."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class PutBack(_Strict):
    """Which differences to put back, by setting (`senders`: those that the pool lacks); all if nothing is said."""

    settings: (
        Annotated[
            list[Setting | Literal["senders"]], Field(min_length=1, max_length=len(SETTINGS) + 1)
        ]
        | None
    ) = None


class AddSender(_Strict):
    """A sender to add: by SID or number, or an alphanumeric ID, which is for one country or all others."""

    sid: Annotated[
        StrictStr | None,
        Field(
            description="SID of a phone number (PN), short code (SC) or channel sender (XE)",
            json_schema_extra={"pattern": "^(PN|SC|XE)[0-9a-f]{32}$"},
        ),
    ] = None
    number: Annotated[
        StrictStr | None,
        Field(
            description="A phone number of the account in E.164, or a short code",
            json_schema_extra={"pattern": r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$"},
        ),
    ] = None
    alphanumeric: Annotated[
        StrictStr | None,
        Field(
            description="Letters, digits, spaces and any of - + _ &, with at least one letter",
            json_schema_extra={"minLength": 1, "maxLength": 11},
        ),
    ] = None
    country: Annotated[
        StrictStr | None, Field(json_schema_extra={"pattern": "^[A-Z]{2}$"}, examples=["FR"])
    ] = None

    def new(self) -> NewSender:
        return NewSender(**self.model_dump())

    @classmethod
    def of(cls, sender: NewSender) -> Self:
        return cls(**asdict(sender))


class Declare(_Strict):
    """What a file (messaging.yaml) says of the service, whole: a setting or sender that is left out is not declared."""

    settings: dict[StrictStr, StrictBool | StrictInt | StrictStr | None] = Field(
        default={},
        description="Settings that PATCH /service takes, except the name",
        examples=[{"sticky_sender": True, "validity_period": 14400}],
    )
    senders: Annotated[list[AddSender], Field(max_length=MOST_COUNTED)] = Field(
        default=[], description="Senders that the pool must have; others are left alone"
    )

    def declaration(self) -> Declaration:
        return Declaration(
            settings=self.settings, senders=tuple(each.new() for each in self.senders)
        )


class UseLinkDomain(_Strict):
    """The domain to shorten links with. What is left out stays as it is; without a certificate Twilio gets one."""

    domain_sid: Annotated[StrictStr, Field(json_schema_extra={"pattern": "^DN[0-9a-f]{32}$"})]
    fallback_url: StrictStr | None = Field(
        default=None,
        description="Where links lead that Twilio has forgotten, after 90 days; null for nowhere",
    )
    continue_on_failure: StrictBool = Field(
        default=True, description="Whether a text goes out with long links if shortening fails"
    )
    tls_certificate: StrictStr | None = Field(
        default=None,
        description="A certificate of your own, in PEM: chain and private key. It is handed to Twilio and not kept",
        json_schema_extra={"writeOnly": True},
    )
    replace: StrictBool = Field(
        default=False, description="Whether it takes the place of another domain of the service"
    )

    def use(self) -> LinkUse:
        settings: dict[str, str | bool | None] = {
            name: getattr(self, name)
            for name in self.model_fields_set & {"fallback_url", "continue_on_failure"}
        }
        return LinkUse(
            domain_sid=self.domain_sid,
            settings=settings,
            tls_certificate=self.tls_certificate,
            replaces=self.replace,
        )


# ------------------------------------------------------------------------------------------------ answers


class SettingsView(BaseModel):
    """The settings of the service at Twilio: URLs with their connection overrides, `validity_period` in seconds."""

    name: str
    inbound_url: str | None
    inbound_method: str
    fallback_url: str | None
    fallback_method: str
    inbound_webhook_on_number: bool = Field(
        description="Whether each number's own webhook comes before `inbound_url`"
    )
    status_callback: str | None
    sticky_sender: bool
    mms_converter: bool
    smart_encoding: bool
    area_code_geomatch: bool
    validity_period: int
    use_case: str


class DifferenceView(BaseModel):
    """A setting that is not what is declared, or a sender that the pool lacks; what follows, and how it comes right."""

    setting: str
    declared: Value
    live: Value
    consequence: str
    declared_by: str = Field(
        description=f"The template's parameter that says so, or {FILE}", examples=["StickySender"]
    )
    put_back: str

    @classmethod
    def of(cls, difference: Difference, *, by_file: Collection[str]) -> Self:
        name = difference.setting
        is_of_file = name in by_file or name == SENDERS
        declared_by = FILE if is_of_file else PARAMETERS[name]
        otherwise = "apply" if is_of_file else "deploy with"
        return cls(
            setting=name,
            declared=difference.declared,
            live=difference.live,
            consequence=difference.consequence,
            declared_by=declared_by,
            put_back=(
                f'POST /service/drift/apply with {{"settings": ["{name}"]}}, '
                f"or {otherwise} another {declared_by}."
            ),
        )

    @classmethod
    def all(cls, compared: Compared) -> list[Self]:
        return [cls.of(each, by_file=compared.by_file) for each in compared.differences]


class ServiceView(BaseModel):
    """The Messaging Service that everything is sent through; `declared` is what this stack and the team's file say."""

    sid: str
    settings: SettingsView
    declared: dict[str, Value]
    declared_by: dict[str, str] = Field(
        description=f"The template's parameter that says so, or {FILE}"
    )
    differences: list[DifferenceView]
    registered: bool = Field(description="Whether it has an approved A2P 10DLC campaign")
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, compared: Compared) -> Self:
        service = compared.service
        return cls(
            sid=service.sid,
            settings=SettingsView(**asdict(service.settings)),
            declared=dict(compared.declared),
            declared_by={
                name: FILE if name in compared.by_file else PARAMETERS[name]
                for name in compared.declared
            },
            differences=DifferenceView.all(compared),
            registered=service.is_registered,
            created_at=service.created_at,
            updated_at=service.updated_at,
        )


class DeclarationView(BaseModel):
    """What the team's file says of the service; `declared_at` is null as long as none was applied."""

    settings: dict[str, Value]
    senders: list[AddSender]
    declared_at: datetime | None

    @classmethod
    def of(cls, declaration: Declaration) -> Self:
        return cls(
            settings=dict(declaration.settings),
            senders=[AddSender.of(each) for each in declaration.senders],
            declared_at=declaration.declared_at,
        )


class DriftView(BaseModel):
    """How the service differs from what this stack declares, now."""

    sid: str
    in_sync: bool
    differences: list[DifferenceView]

    @classmethod
    def of(cls, compared: Compared) -> Self:
        return cls(
            sid=compared.service.sid,
            in_sync=not compared.differences,
            differences=DifferenceView.all(compared),
        )


class ChangedView(BaseModel):
    """A setting that was put back."""

    setting: str
    was: Value
    now: Value


class PutBackView(DriftView):
    """What was put back, and what differs still."""

    changed: list[ChangedView]

    @classmethod
    def of(cls, compared: Compared) -> Self:
        drift = DriftView.of(compared)
        changed = [
            ChangedView(setting=each.setting, was=each.live, now=each.declared)
            for each in compared.changed
        ]
        return cls(
            sid=drift.sid, in_sync=drift.in_sync, differences=drift.differences, changed=changed
        )


class SenderView(BaseModel):
    """A sender of the pool.

    `segments_per_second` is Twilio's default for its kind, or what carriers grant its campaign, which all numbers of
    the campaign share (`shared`); 0 while carriers block it for want of a registration, null when it is not known.
    """

    sid: str
    kind: SenderKind
    address: str
    country: str | None
    capabilities: list[str]
    registered: Registered
    segments_per_second: float | None
    shared: bool
    added_at: datetime | None

    @classmethod
    def of(cls, sender: Sender, pool: SenderPool) -> Self:
        return cls(
            sid=sender.sid,
            kind=sender.kind,
            address=sender.address,
            country=sender.country,
            capabilities=list(sender.capabilities),
            registered=pool.registered(sender),
            segments_per_second=pool.rate(sender),
            shared=sender.needs_campaign,
            added_at=sender.added_at,
        )


class CampaignView(BaseModel):
    """The A2P 10DLC campaign of the service. `tmobile_daily` counts segments a day of all campaigns of its brand."""

    status: str
    registered: Registered
    use_case: str | None
    campaign_id: str | None
    brand_sid: str | None
    segments_per_second: float | None
    att_class: str | None
    tmobile_tier: str | None
    tmobile_daily: int | None
    mock: bool = Field(description="That of a mock brand: it reaches nobody")


class KindView(BaseModel):
    """All senders of a kind, and how fast they are together; null when that is not known."""

    kind: SenderKind
    senders: int
    segments_per_second: float | None


class WarningView(BaseModel):
    """Something about the pool that makes messages fail."""

    code: str
    message: str


class PoolView(BaseModel):
    """The whole pool. Its rate is that of SMS, toward all countries together, as far as it is known."""

    senders: int
    segments_per_second: float
    kinds: list[KindView]
    campaign: CampaignView | None
    warnings: list[WarningView]

    @classmethod
    def of(cls, pool: SenderPool) -> Self:
        campaign = pool.campaign
        return cls(
            senders=len(pool.senders),
            segments_per_second=pool.throughput,
            kinds=[
                KindView(kind=each.kind, senders=each.senders, segments_per_second=each.rate)
                for each in pool.by_kind
            ],
            campaign=campaign
            and CampaignView(
                status=campaign.status,
                registered=campaign.registered,
                use_case=campaign.use_case,
                campaign_id=campaign.campaign_id,
                brand_sid=campaign.brand_sid,
                segments_per_second=campaign.rate,
                att_class=campaign.att_class,
                tmobile_tier=campaign.tmobile_tier,
                tmobile_daily=campaign.tmobile_daily,
                mock=campaign.is_mock,
            ),
            warnings=[WarningView(code=each.code, message=each.message) for each in pool.warnings],
        )


class SenderPage(BaseModel):
    """A page of the pool's senders, and the whole pool; without `next_cursor` it is the last one."""

    senders: list[SenderView]
    pool: PoolView
    next_cursor: str | None

    @classmethod
    def of(cls, page: PoolPage) -> Self:
        return cls(
            senders=[SenderView.of(each, page.pool) for each in page.senders],
            pool=PoolView.of(page.pool),
            next_cursor=page.next_cursor,
        )


class AddedSender(BaseModel):
    """A sender that is in the pool; `added` is false when it was there before."""

    sender: SenderView
    added: bool

    @classmethod
    def of(cls, sender: Sender, pool: SenderPool, *, added: bool) -> Self:
        return cls(sender=SenderView.of(sender, pool), added=added)


class RemovedSender(BaseModel):
    """A sender that is not in the pool; `removed` is false when it was not there before either."""

    sid: str
    removed: bool


class StepView(BaseModel):
    """What has to be done next, by a stable name and in words."""

    name: Step
    what: str


class CertificateView(BaseModel):
    """The certificate of the domain; without an end it is on its way."""

    managed: bool
    requested: bool
    expires_at: datetime | None


class LinkDomainView(BaseModel):
    """The domain of the service's short links. It is ready once nothing has to be done."""

    domain_sid: str | None
    domain: str | None = Field(description="Its name, as its certificate has it")
    ready: bool
    next_step: StepView
    dns_problem: str | None
    certificate: CertificateView | None
    callback_url: str | None = Field(description="Where Twilio reports clicks")
    fallback_url: str | None = Field(description="Where links lead that Twilio has forgotten")
    continue_on_failure: bool | None

    @classmethod
    def of(cls, linked: Linked) -> Self:
        domain, step = linked.domain, linked.step
        certificate = domain.certificate if domain else None
        return cls(
            domain_sid=domain.sid if domain else None,
            domain=domain.name if domain else None,
            ready=step is Step.NONE,
            next_step=StepView(name=step, what=step.words),
            dns_problem=domain.dns_problem if domain else None,
            certificate=certificate
            and CertificateView(
                managed=certificate.is_managed,
                requested=certificate.is_requested,
                expires_at=certificate.expires_at,
            ),
            callback_url=domain.callback_url if domain else None,
            fallback_url=domain.fallback_url if domain else None,
            continue_on_failure=domain.continue_on_failure if domain else None,
        )
