"""Where a registration stands: step by step, who has to act, what is missing, and the request that goes on.

Pure: it reads what is kept (record.py), and neither asks nor changes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sendpool.domain.a2p.application import BrandKind, Which, missing
from sendpool.domain.a2p.codes import Actor, explain_a2p
from sendpool.domain.a2p.fees import Fee, brand_fees, campaign_fees
from sendpool.domain.a2p.record import (
    Brand,
    BrandRecord,
    Bundle,
    CampaignRecord,
    HandedIn,
    Kept,
    Problem,
    Vetting,
)
from sendpool.domain.a2p.throughput import HIGHEST_SCORE, Throughput, throughput


class StepState(StrEnum):
    """How a step stands."""

    WAITING = "waiting"
    """An earlier step comes first."""
    INCOMPLETE = "incomplete"
    """Something is missing."""
    FEE_DUE = "fee_due"
    """Nobody has accepted the fee yet."""
    READY = "ready"
    """It can be done now."""
    IN_REVIEW = "in_review"
    CONFIRMING = "confirming"
    """The brand's owner has to answer."""
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    DONE = "done"


class StepName(StrEnum):
    """The steps, in order."""

    CUSTOMER_PROFILE = "customer_profile"
    A2P_PROFILE = "a2p_profile"
    BRAND = "brand"
    OWNER_CONFIRMATION = "owner_confirmation"
    VETTING = "vetting"
    NUMBERS = "numbers"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A code with what it means and what to change."""

    code: int
    title: str
    change: str
    cause: str
    fields: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: how it stands, who has to act, and how. `next` names a request of ours where there is one.

    Nothing waits for one that `is_optional`.
    """

    name: StepName
    state: StepState
    actor: Actor
    next: str
    sid: str | None = None
    status: str | None = None
    missing: tuple[str, ...] = ()
    problems: tuple[Explained, ...] = ()
    fees: tuple[Fee, ...] = ()
    is_optional: bool = False

    @property
    def is_done(self) -> bool:
        return self.state is StepState.DONE


def explained(problem: Problem) -> Explained:
    """Say what a reason for a rejection means."""
    row = explain_a2p(problem.code)
    return Explained(
        code=problem.code,
        title=row.title,
        change=row.remedy,
        cause=str(row.cause),
        fields=problem.fields,
        description=problem.description,
    )


def who_acts(problems: Sequence[Problem]) -> Actor:
    """Tell who has to act on a rejection: the team, if any of its reasons is the team's."""
    actors = {explain_a2p(each.code).actor for each in problems}
    first = (Actor.TEAM, Actor.BRAND_OWNER, Actor.SENDPOOL)
    return next((each for each in first if each in actors), Actor.TEAM)


# ------------------------------------------------------------------------------------------------ brands


def steps_of_brand(record: BrandRecord) -> tuple[Step, ...]:
    """Return all steps of a brand, in order."""
    profile = _of_bundle(record, Which.PROFILE, comes_first=None)
    product = _of_bundle(record, Which.PRODUCT, comes_first=profile)
    brand = _of_brand(record, comes_first=product)
    steps = [profile, product, brand]
    if record.application.is_sole_proprietor:
        steps.append(_of_owner(record, comes_first=brand))
    elif record.application.kind is BrandKind.STANDARD or record.vettings:
        steps.append(_of_vetting(record, comes_first=brand))
    return tuple(steps)


def _put(record: BrandRecord) -> str:
    return f"PUT /compliance/brands/{record.name}"


def _advance(record: BrandRecord) -> str:
    return f"POST /compliance/brands/{record.name}/advance"


def _waiting(name: StepName, comes_first: Step) -> Step:
    return Step(
        name=name,
        state=StepState.WAITING,
        actor=Actor.NOBODY,
        next=f"Comes after {comes_first.name}.",
    )


def _of_bundle(record: BrandRecord, which: Which, *, comes_first: Step | None) -> Step:
    name = StepName(which.value)
    bundle = record.bundle(which)
    if bundle and bundle.is_approved:
        return _done(name, bundle.sid, bundle.status)
    lacking = missing(record.application, which)
    if lacking:
        return Step(
            name=name,
            state=StepState.INCOMPLETE,
            actor=Actor.TEAM,
            next=f"{_put(record)} with the fields that are missing.",
            missing=lacking,
        )
    if comes_first and not comes_first.is_done:
        return _waiting(name, comes_first)
    return _of_whole_bundle(record, which, bundle)


def _of_whole_bundle(record: BrandRecord, which: Which, bundle: Bundle | None) -> Step:
    name = StepName(which.value)
    if which is Which.PROFILE and record.has_no_primary:
        return Step(
            name=name,
            state=StepState.INCOMPLETE,
            actor=Actor.TEAM,
            next="Have the account's own (primary) customer profile approved in the Twilio Console: no API makes it.",
            missing=("primary_customer_profile",),
        )
    if which is Which.PROFILE and record.application.customer_profile_sid and bundle:
        return _of_given_profile(record, bundle)
    lacks = record.lacks.get(which, ())
    if bundle and bundle.is_open and (lacks or bundle.is_rejected):
        handed_in = record.handed_in.get(name)
        return Step(
            name=name,
            state=StepState.REJECTED if bundle.is_rejected and not lacks else StepState.INCOMPLETE,
            actor=Actor.TEAM,
            next=_not_taken(handed_in)
            + f"{_put(record)} with what has to change; what is changed is handed in again.",
            sid=bundle.sid,
            status=bundle.status,
            problems=_all(_refused(record, name, handed_in) + (lacks or bundle.problems)),
        )
    if bundle and not bundle.is_open:
        return _in_review(name, bundle.sid, bundle.status)
    return _ready(record, name, _advance(record), bundle.sid if bundle else None)


def _of_given_profile(record: BrandRecord, profile: Bundle) -> Step:
    """A profile that somebody else made is looked at only."""
    name = StepName.CUSTOMER_PROFILE
    if not profile.is_open:
        return _in_review(name, profile.sid, profile.status)
    return Step(
        name=name,
        state=StepState.REJECTED if profile.is_rejected else StepState.INCOMPLETE,
        actor=Actor.TEAM,
        next="Have it approved where it was made, as it is not ours to hand in; "
        f"or {_put(record)} with another customer_profile_sid, or without one.",
        sid=profile.sid,
        status=profile.status,
        missing=() if profile.is_rejected else ("approved_customer_profile",),
        problems=_all(profile.problems),
    )


def _of_brand(record: BrandRecord, *, comes_first: Step) -> Step:
    brand = record.brand
    if brand is None or brand.is_gone:
        return _brand_to_be(record, comes_first)
    if brand.is_failed:
        return _failed_brand(record, brand)
    if brand.is_unconfirmed:
        return _unconfirmed_brand(record, brand)
    if brand.is_approved:
        return _done(StepName.BRAND, brand.sid, brand.status)
    if brand.status in {"PENDING", "IN_REVIEW"}:
        return _reviewed_brand(record, brand)
    return _stopped_brand(brand)


def _brand_to_be(record: BrandRecord, comes_first: Step) -> Step:
    if not comes_first.is_done:
        return _waiting(StepName.BRAND, comes_first)
    if record.fees_accepted_at is None and not record.application.mock:
        return Step(
            name=StepName.BRAND,
            state=StepState.FEE_DUE,
            actor=Actor.TEAM,
            next=f'{_advance(record)} with {{"accept_fees": true}}.',
            fees=brand_fees(record.application.kind),
        )
    return _ready(record, StepName.BRAND, _advance(record))


def _failed_brand(record: BrandRecord, brand: Brand) -> Step:
    again = f'{_advance(record)} with {{"resubmit": true}} hands it in as it is'
    handed_in = record.handed_in.get(StepName.BRAND)
    problems = _refused(record, StepName.BRAND, handed_in) + brand.problems
    return Step(
        name=StepName.BRAND,
        state=StepState.REJECTED,
        actor=who_acts(problems),
        next=_not_taken(handed_in)
        + f"{_put(record)} with what has to change; {again}. Few corrections are free.",
        sid=brand.sid,
        status=brand.status,
        missing=tuple(name for which in Which for name in missing(record.application, which)),
        problems=_all(problems),
    )


def _reviewed_brand(record: BrandRecord, brand: Brand) -> Step:
    reviewed = _in_review(StepName.BRAND, brand.sid, brand.status)
    if not record.application.company.brand_contact_email:
        return reviewed
    asked = "If Twilio writes to brand_contact_email, somebody there has to confirm it in time."
    return replace(reviewed, next=f"{reviewed.next} {asked}")


def _unconfirmed_brand(record: BrandRecord, brand: Brand) -> Step:
    last = _best(record.vettings)
    if last and last.status == "PENDING":
        return _in_review(StepName.BRAND, brand.sid, last.status)
    return Step(
        name=StepName.BRAND,
        state=StepState.REJECTED,
        actor=Actor.TEAM,
        next="Nobody could find out whether the business is what it says: "
        f"POST /compliance/brands/{record.name}/vettings has it vetted, for a fee; or ask Twilio's support.",
        sid=brand.sid,
        status=brand.identity,
        problems=_all(brand.problems),
    )


def _stopped_brand(brand: Brand) -> Step:
    """One that nothing can be registered with; a status that nobody documented counts as suspended."""
    stopped = _suspended(StepName.BRAND, brand.sid, brand.status, brand.problems)
    match brand.status:
        case "DELETION_PENDING":
            words = "It is being deleted at Twilio; once it is gone it can be registered anew, for a fee."
            return replace(stopped, state=StepState.IN_REVIEW, actor=Actor.TWILIO, next=words)
        case "DELETION_FAILED":
            words = "It could not be deleted at Twilio: ask Twilio's support what becomes of it."
            return replace(stopped, next=words)
    return stopped


def _of_owner(record: BrandRecord, *, comes_first: Step) -> Step:
    brand, name = record.brand, StepName.OWNER_CONFIRMATION
    if brand is None or not comes_first.is_done:
        return _waiting(name, comes_first)
    if not brand.awaits_owner:
        return _done(name, brand.sid, brand.identity)
    again = f"POST /compliance/brands/{record.name}/otp sends it again"
    return Step(
        name=name,
        state=StepState.CONFIRMING,
        actor=Actor.BRAND_OWNER,
        next=f"The owner answers YES to the SMS within 24 hours; {again}.",
        sid=brand.sid,
        status=brand.identity,
        problems=_all(brand.problems),
    )


def _of_vetting(record: BrandRecord, *, comes_first: Step) -> Step:
    """Campaigns need not wait for it; without it the score stays low."""
    return replace(_vetting(record, comes_first), is_optional=True)


def _vetting(record: BrandRecord, comes_first: Step) -> Step:
    if not comes_first.is_done:
        return _waiting(StepName.VETTING, comes_first)
    last, brand = _best(record.vettings), record.brand
    if last is None and brand and brand.identity == "VETTED_VERIFIED":
        return _done(StepName.VETTING, brand.sid, brand.identity)
    if last is None:
        return Step(
            name=StepName.VETTING,
            state=StepState.IN_REVIEW,
            actor=Actor.TWILIO,
            next="Twilio begins it by itself; campaigns need not wait for it.",
        )
    if last.status == "SUCCESS":
        return _done(StepName.VETTING, last.sid, last.status)
    if last.status == "PENDING":
        return _in_review(StepName.VETTING, last.sid, last.status)
    return _failed_vetting(record, last)


def _failed_vetting(record: BrandRecord, last: Vetting) -> Step:
    again = f"POST /compliance/brands/{record.name}/vettings"
    words = (
        f"{again} imports another token; campaigns other than POLITICAL go on without it."
        if last.provider == "campaign-verify"
        else f"Campaigns go on with the score that there is{_costs(record)}. "
        f"{again} has it vetted again, for a fee."
    )
    return Step(
        name=StepName.VETTING,
        state=StepState.REJECTED,
        actor=Actor.TEAM,
        next=words,
        sid=last.sid,
        status=last.status,
        problems=_all(record.brand.problems if record.brand else ()),
    )


def _costs(record: BrandRecord) -> str:
    """Say what is lost without a vetting: by the best use cases, as there may be no campaign yet."""
    kind, brand, use_case = record.application.kind, record.brand, "MARKETING"
    earned = throughput(kind, use_case, brand.score if brand else None)
    best = throughput(kind, use_case, HIGHEST_SCORE)
    if earned is None or best is None or earned == best:
        return ""
    return f": {_pace(earned)}, where the best score earns {_pace(best)}"


def _pace(earned: Throughput) -> str:
    second, day = earned.segments_per_second, earned.tmobile_daily
    return f"{second:g} segments a second and {day:,} a day at T-Mobile"


def _best(vettings: Sequence[Vetting]) -> Vetting | None:
    order = {"SUCCESS": 0, "PENDING": 1}
    return min(vettings, key=lambda each: order.get(each.status, 2), default=None)


# ------------------------------------------------------------------------------------------------ campaigns


def steps_of_campaign(record: CampaignRecord, brand: BrandRecord | None) -> tuple[Step, ...]:
    """Return all steps of a campaign, in order; those of its brand come before."""
    return (_of_campaign(record, brand), _of_numbers(record))


def _of_campaign(record: CampaignRecord, brand: BrandRecord | None) -> Step:
    live, name = record.live, StepName.CAMPAIGN
    advance = f"POST /compliance/campaigns/{record.service_sid}/advance"
    if live is None or live.is_gone:
        return _campaign_to_be(record, brand, advance)
    if live.is_verified:
        done = _done(name, record.service_sid, live.status)
        return replace(done, next=_MOCK) if live.is_mock else done
    if live.is_in_review:
        return _in_review(name, record.service_sid, live.status)
    if live.is_failed:
        problems = _refused(record, name, record.handed_in) + live.problems
        return Step(
            name=name,
            state=StepState.REJECTED,
            actor=who_acts(problems),
            next=_not_taken(record.handed_in)
            + f"PUT /compliance/campaigns/{record.service_sid} with what has to change; "
            f'{advance} with {{"resubmit": true}} hands it in as it is.',
            sid=record.service_sid,
            status=live.status,
            problems=_all(problems),
        )
    return _suspended(name, record.service_sid, live.status, live.problems)


_MOCK: Final = (
    "It is a mock and reaches nobody (30034). Once this was tried out, DELETE it, and declare the campaign of a real "
    "brand: PUT /compliance/campaigns/{service_sid}."
)


def _campaign_to_be(record: CampaignRecord, brand: BrandRecord | None, advance: str) -> Step:
    if brand is None or brand.brand is None or not brand.brand.may_campaign:
        return Step(
            name=StepName.CAMPAIGN,
            state=StepState.WAITING,
            actor=Actor.NOBODY,
            next=f"Comes after the brand: GET /compliance/brands/{record.brand}.",
        )
    if record.fees_accepted_at is None and not brand.application.mock:
        return Step(
            name=StepName.CAMPAIGN,
            state=StepState.FEE_DUE,
            actor=Actor.TEAM,
            next=f'{advance} with {{"accept_fees": true}}.',
            fees=campaign_fees(record.campaign.us_app_to_person_usecase),
        )
    return _ready(record, StepName.CAMPAIGN, advance)


def _of_numbers(record: CampaignRecord) -> Step:
    """A pool without numbers keeps no campaign from being approved, but nothing goes out."""
    if record.long_codes:
        is_live = record.live is not None and record.live.reaches_people
        return Step(
            name=StepName.NUMBERS,
            state=StepState.DONE,
            actor=Actor.NOBODY,
            next="Twilio registers them with the carriers by itself, within days (30035 meanwhile)."
            if is_live
            else "Twilio registers them with the carriers once the campaign is approved.",
        )
    return Step(
        name=StepName.NUMBERS,
        state=StepState.INCOMPLETE,
        actor=Actor.TEAM,
        next="Add a US long code to the pool: POST /service/senders.",
        missing=("us_long_code",),
    )


# ------------------------------------------------------------------------------------------------ all


def next_step(steps: Sequence[Step]) -> Step | None:
    """Return the step that has to be done next; one where others act before one that waits."""
    return next((each for each in steps if not (each.is_done or each.is_optional)), None)


def _all(problems: Sequence[Problem]) -> tuple[Explained, ...]:
    return tuple(explained(each) for each in problems)


def _done(name: StepName, sid: str | None, status: str | None) -> Step:
    return Step(
        name=name,
        state=StepState.DONE,
        actor=Actor.NOBODY,
        next="Nothing.",
        sid=sid,
        status=status,
    )


def _in_review(name: StepName, sid: str, status: str) -> Step:
    actor = Actor.CARRIERS if status == "IN_PROGRESS" else Actor.TWILIO
    return Step(
        name=name,
        state=StepState.IN_REVIEW,
        actor=actor,
        next="Wait: it is looked at again by itself.",
        sid=sid,
        status=status,
    )


def _refused(
    record: Kept, name: StepName, handed_in: HandedIn | None = None
) -> tuple[Problem, ...]:
    """Return why Twilio refused the last request of a step: to take it again, or any other."""
    refusals = (handed_in.refused if handed_in else None, record.refusal)
    refusal = next((each for each in refusals if each and each.step == name), None)
    return (Problem(code=refusal.code),) if refusal and refusal.code else ()


def _not_taken(handed_in: HandedIn | None) -> str:
    if handed_in is None or handed_in.refused is None:
        return ""
    return "Twilio did not take it again, and is not asked anew by itself. "


def _ready(record: Kept, name: StepName, advance: str, sid: str | None = None) -> Step:
    problems = _refused(record, name)
    return Step(
        name=name,
        state=StepState.READY,
        actor=who_acts(problems) if problems else Actor.SENDPOOL,
        next=f"{advance}, or wait: it goes on by itself.",
        sid=sid,
        problems=_all(problems),
    )


def _suspended(name: StepName, sid: str, status: str, problems: Sequence[Problem]) -> Step:
    return Step(
        name=name,
        state=StepState.SUSPENDED,
        actor=Actor.TEAM,
        next="Stop what broke the rules, and ask Twilio's support what ends the suspension.",
        sid=sid,
        status=status,
        problems=_all(problems),
    )
