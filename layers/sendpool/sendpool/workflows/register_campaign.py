"""Register the campaign of a Messaging Service: judged by its form, handed in once its brand may, and followed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from typing import Final

from sendpool.domain.a2p.record import (
    DELETED,
    BrandRecord,
    CampaignRecord,
    HandedIn,
    LiveCampaign,
    is_same_use,
    said_once,
)
from sendpool.domain.errors import ConflictError, InvalidRequestError, NotFoundError, Violation
from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.verdict import Finding, preflight
from sendpool.workflows.registering import Registering, Work, again, go_on

_CAMPAIGN: Final = "campaign"
# more than Twilio takes of any field, five samples together; what is kept has to fit an item of the ledger
_ENDLESS: Final = 6_000


def declare(
    service_sid: str,
    brand: str,
    campaign: Campaign,
    needs: Registering,
    *,
    accept_fees: bool,
    force: bool,
) -> CampaignRecord:
    """Keep what is declared of a campaign, and go on with its registration.

    Raises InvalidRequestError when it would probably be rejected, unless it is forced; ConflictError when something
    else is declared than is under review or approved.
    """
    owner = _brand(brand, needs)
    _check_lengths(campaign)
    judge(campaign, owner, force=force)
    known = needs.records.campaign(service_sid)
    record = known or CampaignRecord(
        service_sid=service_sid, brand=brand, campaign=campaign, created_at=needs.now()
    )
    if known and (known.campaign, known.brand) != (campaign, brand):
        _check_open(known, campaign, brand)
        # another use case has other fees
        is_same = is_same_use(known.campaign, campaign)
        accepted_at = known.fees_accepted_at if is_same else None
        record = replace(known, campaign=campaign, brand=brand, fees_accepted_at=accepted_at)
    return go_on(replace(record, is_forced=force), needs, _steps, accept_fees=accept_fees)


def judge(campaign: Campaign, brand: BrandRecord, *, force: bool) -> None:
    """Hold a campaign against the preflight before its fee; raises InvalidRequestError for what is rejected."""
    kind = "SOLE_PROPRIETOR" if brand.application.is_sole_proprietor else "STANDARD"
    known = replace(
        campaign,
        # the brand may be registered later; this only says that it is named
        brand_registration_sid=brand.brand.sid if brand.brand else f"BN{0:032}",
        brand_name=brand.application.display_name or campaign.brand_name,
        brand_website=brand.application.business.website_url,
        brand_type=kind,
    )
    found = [each for each in preflight(known).findings if each.severity == "reject"]
    if found and not force:
        raise InvalidRequestError(*map(_violation, found))


def advance(
    service_sid: str, needs: Registering, *, accept_fees: bool = False, resubmit: bool = False
) -> CampaignRecord:
    """Go on with a registration; `resubmit` hands in again what was rejected, as it is."""
    steps = partial(_steps, resubmit=resubmit)
    return go_on(find(service_sid, needs), needs, steps, accept_fees=accept_fees)


def find(service_sid: str, needs: Registering) -> CampaignRecord:
    """Return what is kept of the campaign of a service; raises NotFoundError."""
    record = needs.records.campaign(service_sid)
    if record is None:
        raise NotFoundError(f"There is no campaign of {service_sid}.")
    return record


def delete(service_sid: str, needs: Registering, *, stops_traffic: bool) -> CampaignRecord:
    """Delete a campaign at Twilio and here; again, or where Twilio has none, changes nothing there.

    Raises ConflictError for one that is approved, unless the caller says that nothing more is to be sent.
    """
    record = find(service_sid, needs)
    if record.live and record.live.is_verified and not stops_traffic:
        raise ConflictError(
            "The campaign is approved: without it carriers refuse what this service sends to the US.",
            code="campaign_is_live",
            remedy="Repeat with ?stops_traffic=true. A new campaign is vetted anew, for a fee.",
        )

    def remove(work: Work[CampaignRecord]) -> None:
        work.step = _CAMPAIGN
        # whoever dies from here on leaves nothing that is handed in again by itself
        work.keep(replace(work.record, fees_accepted_at=None))
        live = work.record.live or _handed_in_unseen(work)
        if live and not live.is_gone:
            needs.a2p.delete(service_sid)
            _note_deletion(work, live)

    after = go_on(record, needs, remove)
    needs.records.delete(after)
    return after


# ------------------------------------------------------------------------------------------------ going on


def _steps(work: Work[CampaignRecord], *, resubmit: bool = False) -> None:
    record, needs = work.record, work.needs
    brand = needs.records.brand(record.brand)
    if brand is None:
        return
    work.step = "numbers"
    long_codes = needs.a2p.long_codes(record.service_sid)
    if long_codes is None:
        if record.live and record.is_there:
            _note_deletion(work, record.live)
        raise ConflictError(
            f"There is no Messaging Service {record.service_sid}, or no more.",
            code="service_missing",
            remedy=f"DELETE /compliance/campaigns/{record.service_sid}, and declare the campaign of a service that is "
            "there: GET /service shows this stack's.",
        )
    work.keep(replace(record, long_codes=long_codes))
    work.step = _CAMPAIGN
    is_there = record.is_there
    live = needs.a2p.campaign(record.service_sid) if is_there else _first(work, brand)
    if live is None:
        if record.live and is_there:
            _note_deletion(work, record.live)
        return
    if live.is_failed and (resubmit or work.record.is_changed):
        live = _resubmitted(work, live)
    last = work.record.handed_in
    if last and not last.is_sure:
        work.keep(replace(work.record, handed_in=replace(last, is_sure=True)))
    work.keep(replace(work.record, live=live))


def _first(work: Work[CampaignRecord], brand: BrandRecord) -> LiveCampaign | None:
    """Hand a campaign in if its brand may and the fee is accepted, unless that was done and could not be kept."""
    record, needs = work.record, work.needs
    if brand.brand is None or not brand.brand.may_campaign:
        return None
    there = needs.a2p.campaign(record.service_sid)
    if there is not None and not _is_ours(there, record, brand.brand.sid):
        raise ConflictError(
            f"{record.service_sid} has another campaign, which is {there.status}.",
            code="other_campaign",
            remedy="Delete that one in the Twilio Console first, or use another Messaging Service.",
        )
    if there is None:
        if record.fees_accepted_at is None and not brand.application.mock:
            return None
        work.check_time()
        begun = HandedIn(digest=record.digest, is_sure=False)
        work.keep(replace(record, handed_in=begun, refusal=None))
        there = needs.a2p.submit(record.service_sid, brand.brand.sid, record.campaign)
    # of one that was begun with other words, those are what was handed in
    handed_in = work.record.handed_in or HandedIn(digest=record.digest)
    work.keep(replace(work.record, live=there, handed_in=replace(handed_in, is_sure=True)))
    return there


def _is_ours(there: LiveCampaign, record: CampaignRecord, brand_sid: str) -> bool:
    """Tell whether a campaign is the declared one, or one that we began to hand in and got no answer about."""
    begun = record.handed_in
    is_begun = begun is not None and not begun.is_sure and record.refusal is None
    is_same = there.description == record.campaign.description
    return there.brand_sid == brand_sid and (is_same or is_begun)


def _handed_in_unseen(work: Work[CampaignRecord]) -> LiveCampaign | None:
    """Return a campaign of ours that was handed in by somebody who could not keep it."""
    record, needs = work.record, work.needs
    brand = needs.records.brand(record.brand) if record.handed_in else None
    there = needs.a2p.campaign(record.service_sid) if brand and brand.brand else None
    if there is None or brand is None or brand.brand is None:
        return None
    return there if _is_ours(there, record, brand.brand.sid) else None


def _note_deletion(work: Work[CampaignRecord], live: LiveCampaign) -> None:
    """Somebody deleted it elsewhere. It is handed in anew once its fees are accepted anew."""
    gone = replace(live, status=DELETED, problems=())
    work.keep(replace(work.record, live=gone, handed_in=None, fees_accepted_at=None))


def _resubmitted(work: Work[CampaignRecord], live: LiveCampaign) -> LiveCampaign:
    """Hand a failed campaign in again, once for each failure."""
    record = work.record
    begun = again(record.handed_in, record.digest, live.updated_at)
    if begun is None:
        return live
    return work.hand_in(
        begun,
        lambda record, handed_in: replace(record, handed_in=handed_in),
        lambda: work.needs.a2p.resubmit(record.service_sid, record.campaign),
    )


# ------------------------------------------------------------------------------------------------ rules


def _brand(name: str, needs: Registering) -> BrandRecord:
    record = needs.records.brand(name)
    if record is None:
        raise InvalidRequestError(
            Violation("brand", "unknown_brand", "must be the name of a brand that was declared")
        )
    return record


def _check_lengths(campaign: Campaign) -> None:
    """Refuse what Twilio refuses of whomever, and what cannot be kept: also what is forced has to be written down."""
    endless = [
        Violation(name, "text_too_long", f"has more than {_ENDLESS} characters")
        for name, said in asdict(campaign).items()
        if len(json.dumps(said, ensure_ascii=False)) > _ENDLESS
    ]
    if endless:
        raise InvalidRequestError(*endless)


def _violation(finding: Finding) -> Violation:
    codes = ", ".join(map(str, finding.codes))
    return Violation(
        finding.field,
        "preflight_rejected",
        f"{finding.message}. {finding.fix} ({finding.rule}; {codes})",
    )


def _check_open(known: CampaignRecord, campaign: Campaign, brand: str) -> None:
    if known.live is None or known.live.is_gone:
        return
    if not known.live.is_failed:
        raise ConflictError(
            f"The campaign is {known.live.status}.",
            code="registration_closed",
            remedy="Wait for the outcome; what was handed in is changed only after it failed.",
        )
    if brand != known.brand or not is_same_use(known.campaign, campaign):
        raise ConflictError(
            "Brand and use case of a campaign cannot be changed.",
            code="use_case_fixed",
            remedy=f"DELETE /compliance/campaigns/{known.service_sid} first; a new one is vetted for a fee.",
        )
    fixed = said_once(known.campaign, campaign)
    if fixed:
        raise ConflictError(
            f"Twilio takes no changes of {', '.join(fixed)} once a campaign was handed in.",
            code="field_fixed",
            remedy="Leave them as they were, and change the rest; or "
            f"DELETE /compliance/campaigns/{known.service_sid} first: a new one is vetted for a fee.",
        )
