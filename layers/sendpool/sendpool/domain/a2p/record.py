"""What is kept of a brand and of a campaign: what was declared, what was made at Twilio, and how that stood last.

A brand goes by the team's own name for it, a campaign by its Messaging Service, which has at most one. Both are kept
before anything is made at Twilio, and again after each answer of Twilio's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from sendpool.domain.a2p.application import BrandApplication, BrandKind, Which, digest_of
from sendpool.domain.preflight.campaign import Campaign

_SOON, _LATER, _HOURLY, _DAILY = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(days=1),
)
# what the team declares of a campaign that its update takes; the use case stays
_FIXED: Final = ("us_app_to_person_usecase", "brand_registration_sid")
# what its update does not take
_SAID_ONCE: Final = (
    "opt_in_message",
    "opt_in_keywords",
    "opt_out_message",
    "opt_out_keywords",
    "help_message",
    "help_keywords",
    "subscriber_opt_in",
)
DELETED: Final = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason for a rejection, as Twilio gave it."""

    code: int
    fields: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A customer profile or trust product at Twilio."""

    sid: str
    status: str
    problems: tuple[Problem, ...] = ()

    @property
    def is_approved(self) -> bool:
        return self.status == "twilio-approved"

    @property
    def is_open(self) -> bool:
        """Tell whether it may be changed and handed in."""
        return self.status in {"draft", "twilio-rejected"}

    @property
    def is_rejected(self) -> bool:
        return self.status == "twilio-rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A brand at Twilio; `updated_at` tells one outcome from the next."""

    sid: str
    status: str
    identity: str | None = None
    tcr_id: str | None = None
    score: int | None = None
    russell_3000: bool = False
    is_sole_proprietor: bool = False
    is_mock: bool = False
    problems: tuple[Problem, ...] = ()
    updated_at: datetime | None = None

    @property
    def is_approved(self) -> bool:
        return self.status == "APPROVED"

    @property
    def is_failed(self) -> bool:
        return self.status == "FAILED"

    @property
    def is_gone(self) -> bool:
        return self.status == DELETED

    @property
    def awaits_owner(self) -> bool:
        """Tell whether a sole proprietor has yet to answer YES; what such a brand is called before is not sure."""
        is_confirmed = self.identity in {"VERIFIED", "VETTED_VERIFIED"}
        return self.is_approved and self.is_sole_proprietor and not is_confirmed

    @property
    def is_unconfirmed(self) -> bool:
        """Tell whether nobody could find out whether a company is what it says."""
        is_company = not self.is_sole_proprietor
        return self.is_approved and is_company and self.identity == "UNVERIFIED"

    @property
    def may_campaign(self) -> bool:
        return self.is_approved and not (self.awaits_owner or self.is_unconfirmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetting:
    """A vetting of a brand at Twilio: PENDING, SUCCESS or FAILED; `vetting_id` is the token that was imported."""

    sid: str
    provider: str
    status: str
    vetting_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCampaign:
    """A campaign at Twilio; its rate is in segments a second to the large carriers together."""

    status: str
    brand_sid: str | None = None
    campaign_id: str | None = None
    description: str | None = None
    use_case: str | None = None
    problems: tuple[Problem, ...] = ()
    segments_per_second: float | None = None
    tmobile_tier: str | None = None
    is_mock: bool = False
    updated_at: datetime | None = None

    @property
    def is_verified(self) -> bool:
        return self.status == "VERIFIED"

    @property
    def reaches_people(self) -> bool:
        """Tell whether carriers take what its service sends; of a mock campaign they do not know."""
        return self.is_verified and not self.is_mock

    @property
    def is_failed(self) -> bool:
        return self.status == "FAILED"

    @property
    def is_in_review(self) -> bool:
        return self.status in {"PENDING", "IN_PROGRESS"}

    @property
    def is_gone(self) -> bool:
        return self.status == DELETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Something that was made at Twilio; `digest` is of what it was last told."""

    sid: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that Twilio refused last, of which step, and when."""

    step: str
    code: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """What was handed in last: the digest of it, and if it replaces something that failed, when that failed.

    `is_sure` is False until Twilio answered, and `refused` is its answer if that was no: then the failure stands.
    """

    digest: str
    after_failure: str | None = None
    is_sure: bool = True
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What all records have: a lease for whoever works on it, and when somebody has to look again."""

    version: int = 0
    claimed_until: datetime | None = None
    fees_accepted_at: datetime | None = None
    looked_at: datetime | None = None
    next_look_at: datetime | None = None
    created_at: datetime | None = None
    refusal: Refusal | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether somebody should look, and nobody is at it."""
        is_held = self.claimed_until is not None and now < self.claimed_until
        return not is_held and (self.next_look_at is None or now >= self.next_look_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandRecord(Kept):
    """A brand: `made` by our names of parts, `handed_in` by those of steps, `lacks` what an evaluation found."""

    name: str
    application: BrandApplication
    made: Mapping[str, Made] = field(default_factory=dict)
    handed_in: Mapping[str, HandedIn] = field(default_factory=dict)
    profile: Bundle | None = None
    product: Bundle | None = None
    lacks: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    brand: Brand | None = None
    vettings: tuple[Vetting, ...] = ()
    has_no_primary: bool = False

    @property
    def id(self) -> str:
        return self.name

    def bundle(self, which: Which) -> Bundle | None:
        return self.profile if which is Which.PROFILE else self.product

    def with_bundle(self, which: Which, bundle: Bundle) -> Self:
        if which is Which.PROFILE:
            return replace(self, profile=bundle)
        return replace(self, product=bundle)

    def with_made(self, part: str, made: Made) -> Self:
        return replace(self, made={**self.made, part: made})

    def without_made(self, sid: str) -> Self:
        """Forget something that was made, under whichever name."""
        made = {part: each for part, each in self.made.items() if each.sid != sid}
        return replace(self, made=made)

    def with_handed_in(self, step: str, handed_in: HandedIn) -> Self:
        return replace(self, handed_in={**self.handed_in, step: handed_in})

    def is_changed(self, step: str) -> bool:
        """Tell whether something else is declared than was handed in."""
        last = self.handed_in.get(step)
        return last is None or not last.is_sure or last.digest != self.application.digest

    @property
    def closed_because(self) -> str | None:
        """Say why nothing else may be declared now; None if it may."""
        under_review = [
            each.sid
            for each in (self.profile, self.product)
            if each and not each.is_open and not each.is_approved
        ]
        if under_review:
            return f"{under_review[0]} is under review."
        if self.brand and not (self.brand.is_failed or self.brand.is_gone):
            return f"The brand {self.brand.sid} is {self.brand.status}."
        return None

    def look_after(self) -> timedelta:
        """Tell how long to wait before looking again."""
        bundles = (self.profile, self.product)
        if self.brand is None:
            waits = any(each and not each.is_open and not each.is_approved for each in bundles)
            return _LATER if waits or self.refusal else _DAILY
        if self.brand.awaits_owner or self.brand.status in {"PENDING", "IN_REVIEW"}:
            return _SOON
        is_standard = self.application.kind is BrandKind.STANDARD
        # Twilio begins the vetting of a standard brand by itself
        is_vetted = all(each.status != "PENDING" for each in self.vettings)
        if is_standard and not self.vettings and self.brand.is_approved:
            is_vetted = self.brand.identity == "VETTED_VERIFIED"
        return _DAILY if is_vetted and not self.brand.is_unconfirmed else _HOURLY


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRecord(Kept):
    """A campaign of a Messaging Service; `brand` is our name of its brand, `long_codes` are US ones in its pool."""

    service_sid: str
    brand: str
    campaign: Campaign
    is_forced: bool = False
    live: LiveCampaign | None = None
    handed_in: HandedIn | None = None
    long_codes: int | None = None

    @property
    def id(self) -> str:
        return self.service_sid

    @property
    def digest(self) -> str:
        return digest_of(asdict(self.campaign))

    @property
    def is_there(self) -> bool:
        """Tell whether Twilio has it."""
        return self.live is not None and not self.live.is_gone

    @property
    def is_changed(self) -> bool:
        """Tell whether something else is declared than was handed in."""
        last = self.handed_in
        return last is None or not last.is_sure or last.digest != self.digest

    def look_after(self) -> timedelta:
        """Tell how long to wait before looking again."""
        if self.live is None:
            return _LATER if self.refusal else _SOON
        return _HOURLY if self.live.is_in_review else _DAILY


def is_same_use(before: Campaign, after: Campaign) -> bool:
    """Tell whether one may become the other by an update: brand and use case cannot be changed."""
    return all(getattr(before, name) == getattr(after, name) for name in _FIXED)


def said_once(before: Campaign, after: Campaign) -> tuple[str, ...]:
    """Name what differs of the fields that an update leaves as they were handed in."""
    return tuple(name for name in _SAID_ONCE if getattr(before, name) != getattr(after, name))
