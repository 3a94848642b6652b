"""Twilio's own Python library takes a brand and a campaign from draft to approved, each through one rejection."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.messaging.v1.service.us_app_to_person import UsAppToPersonInstance

from local.twilio.tests.a2p_doors import CAMPAIGN_SID, DEFAULT_BRAND, FLOW
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import (
    A2P_PRODUCT,
    BUSINESS,
    DAY,
    SECONDARY,
    advance,
    approved_sole_proprietor,
    freeze,
    make_parts,
)

pytestmark = pytest.mark.enable_socket

SAMPLES = ["Owl: your parcel is on its way", "Owl: your parcel has arrived"]
TOKEN = "cv|1.0|tcr|10dlc|9975c339-d46f|GQ3EXAMPLE"


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


def codes_of(errors: Any) -> list[int]:
    return [each["error_code"] for each in errors]


def approved_profile(client: Client, twilio: Caller, parts: list[str]) -> str:
    """SID of a customer profile of these parts, approved by time."""
    profiles = client.trusthub.v1.customer_profiles
    made = profiles.create(friendly_name="Owl", email="ann@example.com", policy_sid=SECONDARY)
    profile = profiles(str(made.sid))
    for sid in parts:
        profile.customer_profiles_entity_assignments.create(object_sid=sid)
    profile.update(status="pending-review")
    advance(twilio, DAY)
    assert str(profile.fetch().status) == "twilio-approved"
    return str(made.sid)


def approved_product(client: Client, twilio: Caller, profile_sid: str) -> str:
    """SID of a trust product on this profile, approved by time."""
    hub = client.trusthub.v1
    made = hub.trust_products.create(
        friendly_name="Owl", email="ann@example.com", policy_sid=A2P_PRODUCT
    )
    product = hub.trust_products(str(made.sid))
    information = hub.end_users.create(
        friendly_name="Owl",
        type="us_a2p_messaging_profile_information",
        attributes={"company_type": "private"},
    )
    for sid in (str(information.sid), profile_sid):
        product.trust_products_entity_assignments.create(object_sid=sid)
    product.update(status="pending-review")
    advance(twilio, DAY)
    assert str(product.fetch().status) == "twilio-approved"
    return str(made.sid)


def hand_in(client: Client, service_sid: str, brand_sid: str, flow: str) -> UsAppToPersonInstance:
    return client.messaging.v1.services(service_sid).us_app_to_person.create(
        brand_registration_sid=brand_sid,
        description="News of parcels for the customers of Owl Couriers",
        message_flow=flow,
        message_samples=SAMPLES,
        us_app_to_person_usecase="DELIVERY_NOTIFICATION",
        has_embedded_links=False,
        has_embedded_phone=False,
        privacy_policy_url="https://owl.example.com/privacy",
        terms_and_conditions_url="https://owl.example.com/terms",
    )


def test_the_library_brings_a_business_to_sending(client: Client, twilio: Caller) -> None:
    # GIVEN an approved profile whose tax ID is wrong
    parts = make_parts(client)
    client.trusthub.v1.end_users(parts[0]).update(
        attributes=BUSINESS | {"business_registration_number": "1"}
    )
    profile = approved_profile(client, twilio, parts)
    product = approved_product(client, twilio, profile)
    # WHEN the brand is registered, it fails
    brands = client.messaging.v1.brand_registrations
    made = brands.create(customer_profile_bundle_sid=profile, a2p_profile_bundle_sid=product)
    assert str(made.status) == "PENDING"
    advance(twilio, 300)
    brand = brands(str(made.sid))
    failed = brand.fetch()
    assert (str(failed.status), codes_of(failed.errors)) == (
        "FAILED",
        [30795],
    )
    # AND mended and registered anew, it is approved, then vetted
    client.trusthub.v1.end_users(parts[0]).update(attributes=BUSINESS)
    assert str(brand.update().status) == "PENDING"
    advance(twilio, 300)
    assert (str(brand.fetch().status), str(brand.fetch().identity_status)) == (
        "APPROVED",
        "VERIFIED",
    )
    advance(twilio, 3_600)
    assert str(brand.fetch().identity_status) == "VETTED_VERIFIED"
    # WHEN a campaign says too little of how people agree, it fails
    service = client.messaging.v1.services.create(friendly_name="Owl")
    campaign = client.messaging.v1.services(str(service.sid)).us_app_to_person(CAMPAIGN_SID)
    pending = hand_in(
        client, str(service.sid), str(made.sid), "Customers know us, and we know them....."
    )
    assert pending.campaign_status == "PENDING"
    advance(twilio, 10 * DAY)
    rejected = campaign.fetch()
    assert (rejected.campaign_status, codes_of(rejected.errors)) == (
        "FAILED",
        [30909],
    )
    # AND mended, it is verified, and the service is registered
    campaign.update(
        has_embedded_links=False,
        has_embedded_phone=False,
        message_samples=SAMPLES,
        message_flow=FLOW,
        description="News of parcels for the customers of Owl Couriers",
        age_gated=False,
        direct_lending=False,
    )
    advance(twilio, 10 * DAY)
    verified = campaign.fetch(x_twilio_api_version="v1.2")
    assert (verified.campaign_status, verified.privacy_policy_url) == (
        "VERIFIED",
        "https://owl.example.com/privacy",
    )
    fetched = client.messaging.v1.services(str(service.sid)).fetch()
    assert fetched.us_app_to_person_registered is True


def test_the_library_lists_vets_and_deletes(client: Client, twilio: Caller) -> None:
    messaging = client.messaging.v1
    assert [each.sid for each in messaging.brand_registrations.list()] == [DEFAULT_BRAND]
    vettings = messaging.brand_registrations(DEFAULT_BRAND).brand_vettings
    vetting = vettings.create(vetting_provider="campaign-verify", vetting_id=TOKEN)  # type: ignore[arg-type]
    assert vettings(str(vetting.brand_vetting_sid)).fetch().vetting_class == "POLITICAL"
    assert len(vettings.list()) == 2
    service = messaging.services(twilio.service_sid)
    assert [each.us_app_to_person_usecase for each in service.us_app_to_person.list()] == ["MIXED"]
    cases = service.us_app_to_person_usecases.fetch(brand_registration_sid=DEFAULT_BRAND)
    assert len(cases.us_app_to_person_usecases or []) == 20
    assert service.us_app_to_person(CAMPAIGN_SID).delete()
    imported = messaging.external_campaign.create(
        campaign_id="CABC123", messaging_service_sid=twilio.service_sid, cnp_migration=True
    )
    assert imported.sid == CAMPAIGN_SID
    with pytest.raises(TwilioRestException) as raised:
        hand_in(client, twilio.service_sid, DEFAULT_BRAND, FLOW)
    assert (raised.value.status, raised.value.code) == (409, 20409)


def test_the_library_asks_a_sole_proprietor_again(client: Client, twilio: Caller) -> None:
    starter, product = approved_sole_proprietor(twilio)
    brands = client.messaging.v1.brand_registrations
    made = brands.create(
        customer_profile_bundle_sid=starter,
        a2p_profile_bundle_sid=product,
        brand_type="SOLE_PROPRIETOR",
    )
    advance(twilio, 300)
    brand = brands(str(made.sid))
    assert str(brand.fetch().identity_status) == "UNVERIFIED"
    assert brand.brand_registration_otps.create().brand_registration_sid == made.sid
    twilio.control("POST", f"brands/{made.sid}/otp", {"answer": "YES"})
    assert str(brand.fetch().identity_status) == "VERIFIED"
