"""US A2P 10DLC: brands, their vettings, and the campaigns of Messaging Services.

`register` and `submit` cost a fee each time: look with `registered` and `campaign` first. A brand has no name of ours;
its two bundles are what it is known by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library, moment
from sendpool.adapters.twilio.registering import PAGE, problems, refusals
from sendpool.domain.a2p.application import BrandKind
from sendpool.domain.a2p.record import Brand, LiveCampaign, Vetting
from sendpool.domain.countries import country_of
from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.registration import is_toll_free

# every campaign has this SID; its service tells it from others
_CAMPAIGN: Final = "QE2c6890da8086d771620e9b13fadeba0b"
# AT&T, T-Mobile, Verizon
_CARRIERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCase:
    """What a campaign may be for."""

    code: str
    name: str
    description: str
    needs_carriers: bool


class A2p:
    """The brands of an account, and the campaigns of its Messaging Services."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        self._messaging = library(credentials=credentials, http_client=http_client).messaging.v1

    # -------------------------------------------------------------------------------------------- brands

    def registered(self, profile_sid: str, product_sid: str) -> Brand | None:
        """Return the brand of these two bundles; one that has not failed, if there are several."""
        with refusals():
            found = [
                _brand(each)
                for each in self._messaging.brand_registrations.stream(page_size=PAGE)
                if (each.customer_profile_bundle_sid, each.a2p_profile_bundle_sid)
                == (profile_sid, product_sid)
            ]
        return min(found, key=lambda each: each.is_failed, default=None)

    def register(
        self, profile_sid: str, product_sid: str, *, kind: BrandKind, is_mock: bool
    ) -> Brand:
        """Register a brand. A repeat registers, and costs, another one."""
        is_sole = kind is BrandKind.SOLE_PROPRIETOR
        with refusals():
            return _brand(
                self._messaging.brand_registrations.create(
                    customer_profile_bundle_sid=profile_sid,
                    a2p_profile_bundle_sid=product_sid,
                    brand_type="SOLE_PROPRIETOR" if is_sole else "STANDARD",
                    skip_automatic_sec_vet=kind is BrandKind.LOW_VOLUME,
                    mock=is_mock,
                )
            )

    def brand(self, sid: str) -> Brand | None:
        """Return a brand; None if it is gone."""
        with refusals():
            try:
                return _brand(self._messaging.brand_registrations(sid).fetch())
            except RefusedError as error:
                if not error.is_missing:
                    raise
                return None

    def resubmit_brand(self, sid: str) -> Brand:
        """Register a failed brand anew with what its bundles say now; few times are free (21724)."""
        with refusals():
            return _brand(self._messaging.brand_registrations(sid).update())

    def send_otp(self, sid: str) -> None:
        """Send the SMS to a sole proprietor again."""
        with refusals():
            self._messaging.brand_registrations(sid).brand_registration_otps.create()

    def vettings(self, brand_sid: str) -> tuple[Vetting, ...]:
        with refusals():
            vettings = self._messaging.brand_registrations(brand_sid).brand_vettings
            return tuple(_vetting(each) for each in vettings.stream(page_size=PAGE))

    def vet(self, brand_sid: str, provider: Any, vetting_id: str | None) -> Vetting:
        """Have a brand vetted, or import a token of Campaign Verify. A repeat may cost another fee."""
        more = {"vetting_id": vetting_id} if vetting_id else {}
        with refusals():
            vettings = self._messaging.brand_registrations(brand_sid).brand_vettings
            return _vetting(vettings.create(vetting_provider=provider, **more))

    # -------------------------------------------------------------------------------------------- campaigns

    def use_cases(self, service_sid: str, brand_sid: str | None) -> list[UseCase]:
        """Return what a campaign of this service, and of this brand if it is named, may be for."""
        more = {"brand_registration_sid": brand_sid} if brand_sid else {}
        with refusals():
            found: Any = self._at(service_sid).us_app_to_person_usecases.fetch(**more)
        return [
            UseCase(
                code=str(each["code"]),
                name=str(each.get("name") or each["code"]),
                description=str(each.get("description") or ""),
                needs_carriers=bool(each.get("post_approval_required")),
            )
            for each in found.us_app_to_person_usecases or ()
        ]

    def campaign(self, service_sid: str) -> LiveCampaign | None:
        """Return the campaign of a service; None if it has none, or is gone itself."""
        with refusals():
            try:
                found = self._at(service_sid).us_app_to_person.list()
            except RefusedError as error:
                if not error.is_missing:
                    raise
                return None
        listed = map(_campaign, found)
        return min(listed, key=lambda each: not each.is_verified, default=None)

    def submit(self, service_sid: str, brand_sid: str, campaign: Campaign) -> LiveCampaign:
        """Hand a campaign in. Its vetting costs a fee."""
        with refusals():
            created = self._at(service_sid).us_app_to_person.create(
                **_form(campaign) | {"brand_registration_sid": brand_sid}
            )
        return _campaign(created)

    def resubmit(self, service_sid: str, campaign: Campaign) -> LiveCampaign:
        """Hand a failed campaign in again; its use case stays, and what is said of opt-in by keyword."""
        with refusals():
            updated = self._at(service_sid).us_app_to_person(_CAMPAIGN).update(**_edit(campaign))
        return _campaign(updated)

    def delete(self, service_sid: str) -> None:
        """Delete a campaign: what the service sends is refused then (30034). Again changes nothing."""
        with refusals():
            try:
                self._at(service_sid).us_app_to_person(_CAMPAIGN).delete()
            except RefusedError as error:
                if not error.is_missing:
                    raise

    def long_codes(self, service_sid: str) -> int | None:
        """Count the US long codes in a service's pool; None if there is no such service."""
        with refusals():
            try:
                numbers = [
                    str(each.phone_number)
                    for each in self._at(service_sid).phone_numbers.stream(page_size=PAGE)
                ]
            except RefusedError as error:
                if not error.is_missing:
                    raise
                return None
        return sum(country_of(each) == "US" and not is_toll_free(each) for each in numbers)

    def _at(self, service_sid: str) -> Any:
        return self._messaging.services(service_sid)


def _brand(found: Any) -> Brand:
    return Brand(
        sid=str(found.sid),
        status=str(found.status),
        identity=found.identity_status or None,
        tcr_id=found.tcr_id or None,
        score=found.brand_score,
        russell_3000=bool(found.russell_3000),
        is_mock=bool(found.mock),
        is_sole_proprietor=found.brand_type == "SOLE_PROPRIETOR",
        problems=problems(found.errors),
        updated_at=moment(found.date_updated),
    )


def _vetting(found: Any) -> Vetting:
    return Vetting(
        sid=str(found.brand_vetting_sid),
        provider=str(found.vetting_provider),
        status=str(found.vetting_status),
        vetting_id=found.vetting_id or None,
    )


def _campaign(found: Any) -> LiveCampaign:
    limits: Mapping[str, Any] = found.rate_limits or {}
    rate = (limits.get("att") or {}).get("mps")
    return LiveCampaign(
        status=str(found.campaign_status),
        brand_sid=found.brand_registration_sid or None,
        campaign_id=found.campaign_id or None,
        description=found.description or None,
        use_case=found.us_app_to_person_usecase or None,
        problems=problems(found.errors),
        segments_per_second=rate * _CARRIERS if isinstance(rate, int | float) else None,
        tmobile_tier=(limits.get("tmobile") or {}).get("brand_tier"),
        is_mock=bool(found.mock),
        updated_at=moment(found.date_updated),
    )


_TEXTS: Final = ("opt_in_message", "opt_out_message", "help_message")
_KEYWORDS: Final = ("opt_in_keywords", "opt_out_keywords", "help_keywords")
_PAGES: Final = ("privacy_policy_url", "terms_and_conditions_url")
_SWITCHES: Final = ("subscriber_opt_in", "age_gated", "direct_lending")


def _form(campaign: Campaign) -> dict[str, Any]:
    """Spell a campaign as its create takes it; what is not said is left out."""
    said = {name: getattr(campaign, name) for name in (*_TEXTS, *_PAGES, *_SWITCHES)}
    keywords = {name: list(getattr(campaign, name)) for name in _KEYWORDS}
    more = {name: each for name, each in (said | keywords).items() if each not in (None, "", [])}
    return (
        _common(campaign) | more | {"us_app_to_person_usecase": campaign.us_app_to_person_usecase}
    )


def _edit(campaign: Campaign) -> dict[str, Any]:
    """Spell a campaign as its update takes it: all that is mandatory, and the two pages."""
    pages = {name: url for name in _PAGES if (url := getattr(campaign, name))}
    return (
        _common(campaign)
        | pages
        | {
            "age_gated": bool(campaign.age_gated),
            "direct_lending": bool(campaign.direct_lending),
        }
    )


def _common(campaign: Campaign) -> dict[str, Any]:
    return {
        "description": campaign.description or "",
        "message_flow": campaign.message_flow or "",
        "message_samples": list(campaign.message_samples),
        "has_embedded_links": bool(campaign.has_embedded_links),
        "has_embedded_phone": bool(campaign.has_embedded_phone),
    }
