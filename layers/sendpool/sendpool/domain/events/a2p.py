"""What is told of US A2P 10DLC: a profile, brand or campaign stands otherwise than before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sendpool.domain.a2p.codes import explain_a2p
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord, Problem
from sendpool.domain.events.event import Event, EventType, make_event


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionData:
    """Why a registration was rejected: Twilio's code and title, the fields it names, and what to change."""

    code: int
    title: str
    change: str
    fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationData:
    """A profile, brand or campaign of US A2P 10DLC stands otherwise than before.

    `brand` is the team's name of the brand, `sid` that of the profile or brand, of a campaign that of its service.
    `status` and `identity` are Twilio's words; `rejections` say why, and what to change.
    """

    brand: str
    sid: str
    status: str
    status_before: str | None = None
    identity: str | None = None
    rejections: list[RejectionData] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegisteringBrand:
    """What is kept of a brand changed, at a time."""

    before: BrandRecord | None
    after: BrandRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class RegisteringCampaign:
    """What is kept of a campaign changed, at a time."""

    before: CampaignRecord | None
    after: CampaignRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a profile, brand or campaign stands."""

    sid: str
    status: str
    identity: str | None = None
    problems: tuple[Problem, ...] = ()


def of_registration(change: RegisteringBrand | RegisteringCampaign) -> Iterator[Event]:
    before = _standings(change.before) if change.before else {}
    name = change.after.name if isinstance(change, RegisteringBrand) else change.after.brand
    for (kind, sid), now in _standings(change.after).items():
        then = before.get((kind, sid))
        # an owner who did not answer in time, and what fails anew, shows in the reasons only
        is_same = then and (then.status, then.identity) == (now.status, now.identity)
        if then and is_same and now.problems in {(), then.problems}:
            continue
        data = RegistrationData(
            brand=name,
            sid=sid,
            status=now.status,
            status_before=then.status if then else None,
            identity=now.identity,
            rejections=[_rejection(each) for each in now.problems],
        )
        version = change.after.version
        yield make_event(kind, change.at, data, sid, now.status, now.identity, version)


def _standings(record: BrandRecord | CampaignRecord) -> dict[tuple[EventType, str], _Standing]:
    found: list[tuple[EventType, _Standing]] = []
    if isinstance(record, CampaignRecord):
        if record.live:
            live = record.live
            campaign = _Standing(record.service_sid, live.status, problems=live.problems)
            found = [(EventType.CAMPAIGN_CHANGED, campaign)]
    else:
        found = [
            (EventType.PROFILE_CHANGED, _Standing(each.sid, each.status, problems=each.problems))
            for each in (record.profile, record.product)
            if each
        ]
        if brand := record.brand:
            standing = _Standing(brand.sid, brand.status, brand.identity, brand.problems)
            found.append((EventType.BRAND_CHANGED, standing))
    return {(kind, each.sid): each for kind, each in found}


def _rejection(problem: Problem) -> RejectionData:
    row = explain_a2p(problem.code)
    return RejectionData(
        code=problem.code, title=row.title, change=row.remedy, fields=list(problem.fields)
    )
