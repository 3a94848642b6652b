"""The world at the start: the account's own brand, well vetted, and a campaign of the default service."""

from datetime import datetime

from local.twilio.a2p.brand import Brand, BrandStatus, BrandType, Identity
from local.twilio.a2p.campaign import Campaign, CampaignStatus
from local.twilio.a2p.registry import tcr_id
from local.twilio.a2p.submission import Submission
from local.twilio.a2p.vetting import Provider, Vetting, VettingStatus
from local.twilio.account.senders import steady_sid
from local.twilio.trusthub.start import PRIMARY_SID, TRUST_PRODUCT_SID

BRAND_SID = steady_sid("BN", "default brand")
VETTING_SID = steady_sid("VT", "default brand")
SCORE = 80
SUBMISSION = Submission(
    us_app_to_person_usecase="MIXED",
    description="Account news, delivery notices and offers for the customers of Example Corporation.",
    message_flow="Customers opt in at https://example.com/sms: they enter their number and check a box to agree to "
    "recurring messages. Message and data rates may apply.",
    message_samples=(
        "Example Corporation: your order 1234 is on its way.",
        "Example Corporation: 10 % off until Friday. Reply STOP to opt out.",
    ),
    has_embedded_links=False,
    has_embedded_phone=False,
    opt_in_message=None,
    opt_in_keywords=(),
    subscriber_opt_in=True,
    age_gated=False,
    direct_lending=False,
    privacy_policy_url="https://example.com/privacy",
    terms_and_conditions_url="https://example.com/terms",
)


def start_brand(now: datetime) -> Brand:
    """A standard brand whose secondary vetting is over."""
    vetting = Vetting(
        sid=VETTING_SID,
        provider=Provider.AEGIS,
        vetting_id=None,
        status=VettingStatus.SUCCESS,
        created=now,
        updated=now,
    )
    return Brand(
        sid=BRAND_SID,
        type=BrandType.STANDARD,
        customer_profile_sid=PRIMARY_SID,
        a2p_profile_sid=TRUST_PRODUCT_SID,
        skip_automatic_sec_vet=False,
        mock=False,
        created=now,
        updated=now,
        status=BrandStatus.APPROVED,
        identity=Identity.VETTED_VERIFIED,
        tcr_id=tcr_id("B", BRAND_SID),
        company_type="private",
        score=SCORE,
        promised_score=SCORE,
        vettings={vetting.sid: vetting},
    )


def start_campaign(brand: Brand, service_sid: str, now: datetime) -> Campaign:
    """A verified campaign of a service for everything that it sends."""
    return Campaign(
        service_sid=service_sid,
        brand=brand,
        submission=SUBMISSION,
        created=now,
        updated=now,
        status=CampaignStatus.VERIFIED,
        campaign_id=tcr_id("C", service_sid),
        verified=now,
    )
