"""The way to a brand and a campaign that tests share."""

from typing import Any

import requests

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import approved_bundles, approved_sole_proprietor, fetched, made

BRANDS = "/v1/a2p/BrandRegistrations"
DEFAULT_BRAND = steady_sid("BN", "default brand")
CAMPAIGN_SID = "QE2c6890da8086d771620e9b13fadeba0b"
FLOW = (
    "Customers enter their number at https://owl.example.com/sms and check a box to agree to recurring messages. "
    "Message and data rates may apply."
)
CAMPAIGN: dict[str, Any] = {
    "BrandRegistrationSid": DEFAULT_BRAND,
    "Description": "News of parcels for the customers of Owl Couriers",
    "MessageFlow": FLOW,
    "MessageSamples": ["Owl: your parcel is on its way", "Owl: your parcel has arrived"],
    "UsAppToPersonUsecase": "DELIVERY_NOTIFICATION",
    "HasEmbeddedLinks": "false",
    "HasEmbeddedPhone": "false",
    "PrivacyPolicyUrl": "https://owl.example.com/privacy",
    "TermsAndConditionsUrl": "https://owl.example.com/terms",
}
EDIT: dict[str, Any] = {
    name: CAMPAIGN[name]
    for name in (
        *("Description", "MessageFlow", "MessageSamples", "HasEmbeddedLinks", "HasEmbeddedPhone"),
        *("PrivacyPolicyUrl", "TermsAndConditionsUrl"),
    )
} | {"AgeGated": "false", "DirectLending": "false"}


def campaigns_path(service_sid: str) -> str:
    return f"/v1/Services/{service_sid}/Compliance/Usa2p"


def campaign_path(service_sid: str) -> str:
    return f"{campaigns_path(service_sid)}/{CAMPAIGN_SID}"


def register(twilio: Caller, bundles: tuple[str, str], **fields: object) -> dict[str, Any]:
    """A new brand of a customer profile and a trust product."""
    profile, product = bundles
    wanted = {"CustomerProfileBundleSid": profile, "A2PProfileBundleSid": product} | fields
    return made(twilio, BRANDS, **wanted)


def brand_of(twilio: Caller, sid: str) -> dict[str, Any]:
    return fetched(twilio, f"{BRANDS}/{sid}")


def approved_brand(twilio: Caller, *, score: int | None = None, **fields: object) -> str:
    """SID of a brand that was just approved."""
    sid = str(register(twilio, approved_bundles(twilio), **fields)["sid"])
    twilio.control("POST", f"reviews/{sid}", {"approved": True, "score": score})
    return sid


def vetted_brand(twilio: Caller, score: int) -> str:
    """SID of a brand with that trust score."""
    sid = approved_brand(twilio, score=score)
    vetting = fetched(twilio, f"{BRANDS}/{sid}/Vettings")["data"][0]
    twilio.control("POST", f"reviews/{vetting['brand_vetting_sid']}", {"approved": True})
    return sid


def proprietor_brand(twilio: Caller, **attributes: object) -> str:
    """SID of a sole proprietor's brand that was just approved, so that its owner is asked."""
    bundles = approved_sole_proprietor(twilio, **attributes)
    sid = str(register(twilio, bundles, BrandType="SOLE_PROPRIETOR")["sid"])
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    return sid


def new_service(twilio: Caller, **fields: object) -> str:
    return str(made(twilio, "/v1/Services", FriendlyName="Owl", **fields)["sid"])


def hand_in(twilio: Caller, service_sid: str, **fields: object) -> dict[str, Any]:
    """A new campaign of a service."""
    return made(twilio, campaigns_path(service_sid), **(CAMPAIGN | fields))


def try_to_hand_in(twilio: Caller, service_sid: str, **fields: object) -> requests.Response:
    """A field that is None is not sent."""
    wanted = {name: value for name, value in (CAMPAIGN | fields).items() if value is not None}
    return twilio.api("POST", campaigns_path(service_sid), **wanted)


def campaign_of(twilio: Caller, service_sid: str) -> dict[str, Any]:
    return fetched(twilio, campaign_path(service_sid))


def codes_of(resource: dict[str, Any]) -> list[int]:
    return [each["error_code"] for each in resource["errors"]]
