"""The world at the start: the account's own business, approved long ago in the Console."""

from collections.abc import Mapping
from datetime import datetime

from local.twilio.account.senders import steady_sid
from local.twilio.trusthub.bundle import Assignment, Bundle, BundleStatus
from local.twilio.trusthub.entities import DocumentStatus, Entity
from local.twilio.trusthub.policies import A2P_TRUST_PRODUCT, PRIMARY, Policy
from local.twilio.trusthub.types import (
    A2P_PROFILE,
    BUSINESS,
    DOCUMENT_TYPES,
    END_USER_TYPES,
    PROFILE_ADDRESS,
    REPRESENTATIVE_1,
)

PRIMARY_SID = steady_sid("BU", "primary customer profile")
TRUST_PRODUCT_SID = steady_sid("BU", "A2P messaging profile")
EMAIL = "owner@example.com"
END_USERS: Mapping[str, Mapping[str, object]] = {
    BUSINESS: {
        "business_name": "Example Corporation",
        "business_identity": "direct_customer",
        "business_type": "Corporation",
        "business_industry": "TECHNOLOGY",
        "business_registration_identifier": "EIN",
        "business_registration_number": "12-3456789",
        "business_regions_of_operation": "USA_AND_CANADA",
        "website_url": "https://example.com",
    },
    REPRESENTATIVE_1: {
        "first_name": "Alex",
        "last_name": "Example",
        "email": EMAIL,
        "phone_number": "+12025550199",
        "business_title": "Owner",
        "job_position": "CEO",
    },
    A2P_PROFILE: {"company_type": "private"},
}
ADDRESS = {"address_sids": steady_sid("AD", "primary customer profile")}


def start_end_users(now: datetime) -> list[Entity]:
    """The business, who speaks for it, and what it says of itself to carriers."""
    return [
        Entity(
            sid=steady_sid("IT", name),
            type=END_USER_TYPES[name],
            friendly_name=END_USER_TYPES[name].friendly_name,
            attributes=attributes,
            created=now,
            updated=now,
        )
        for name, attributes in END_USERS.items()
    ]


def start_document(now: datetime) -> Entity:
    """Where the business is."""
    return Entity(
        sid=steady_sid("RD", PROFILE_ADDRESS),
        type=DOCUMENT_TYPES[PROFILE_ADDRESS],
        friendly_name="Physical Business Address",
        attributes=ADDRESS,
        status=DocumentStatus.APPROVED,
        created=now,
        updated=now,
    )


def start_bundles(now: datetime) -> list[Bundle]:
    """The primary customer profile, and the trust product that stands on it."""
    profile_parts = (
        steady_sid("IT", BUSINESS),
        steady_sid("IT", REPRESENTATIVE_1),
        steady_sid("RD", PROFILE_ADDRESS),
    )
    product_parts = (steady_sid("IT", A2P_PROFILE), PRIMARY_SID)
    return [
        _approved(PRIMARY_SID, PRIMARY, profile_parts, now),
        _approved(TRUST_PRODUCT_SID, A2P_TRUST_PRODUCT, product_parts, now),
    ]


def _approved(sid: str, policy: Policy, object_sids: tuple[str, ...], now: datetime) -> Bundle:
    assignments = [
        Assignment(sid=steady_sid("BV", sid + part), object_sid=part, created=now)
        for part in object_sids
    ]
    return Bundle(
        sid=sid,
        policy=policy,
        friendly_name=policy.friendly_name,
        email=EMAIL,
        status_callback=None,
        created=now,
        updated=now,
        status=BundleStatus.APPROVED,
        assignments={each.sid: each for each in assignments},
    )
