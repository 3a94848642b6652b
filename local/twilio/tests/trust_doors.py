"""The way through the Trust Hub that tests share: a business, its profile, its trust product."""

import json
from collections.abc import Mapping
from typing import Any

from twilio.rest import Client

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller

PRIMARY_SID = steady_sid("BU", "primary customer profile")
DEFAULT_PRODUCT_SID = steady_sid("BU", "A2P messaging profile")
SECONDARY = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
STARTER = "RN806dd6cd175f314e1f96a9727ee271f4"
A2P_PRODUCT = "RNb0d4771c2c98518d916a3d4cd70a8f8b"
SOLE_PROPRIETOR_PRODUCT = "RN670d5d2e282a6130ae063b234b6019c8"
DAY = 86_400
BUSINESS = {
    "business_name": "Owl Couriers",
    "business_identity": "direct_customer",
    "business_type": "Corporation",
    "business_industry": "TRANSPORTATION",
    "business_registration_identifier": "EIN",
    "business_registration_number": "98-7654321",
    "business_regions_of_operation": "USA_AND_CANADA",
    "website_url": "https://owl.example.com",
}
REPRESENTATIVE = {
    "first_name": "Ann",
    "last_name": "Owl",
    "email": "ann@owl.example.com",
    "phone_number": "+12025550188",
    "business_title": "Founder",
    "job_position": "CEO",
}
PERSON = {name: REPRESENTATIVE[name] for name in ("first_name", "last_name", "email")} | {
    "phone_number": "+12025550188"
}
SOLE_PROPRIETOR = {
    "brand_name": "Ann Owl",
    "mobile_phone_number": "+12025550177",
    "vertical": "RETAIL",
}


def made(twilio: Caller, path: str, **fields: object) -> dict[str, Any]:
    """What a create answers that must succeed."""
    response = twilio.api("POST", path, **fields)
    assert response.status_code in {200, 201, 202}, response.text
    return dict(response.json())


def fetched(twilio: Caller, path: str) -> dict[str, Any]:
    response = twilio.api("GET", path)
    assert response.status_code == 200, response.text
    return dict(response.json())


def freeze(twilio: Caller) -> None:
    twilio.control("POST", "clock", {"frozen": True})


def advance(twilio: Caller, seconds: float) -> None:
    twilio.control("POST", "clock", {"advance_seconds": seconds})


def make_end_user(twilio: Caller, type_name: str, attributes: Mapping[str, object]) -> str:
    """SID of a new end user."""
    fields = {"FriendlyName": type_name, "Type": type_name, "Attributes": json.dumps(attributes)}
    return str(made(twilio, "/v1/EndUsers", **fields)["sid"])


def make_document(twilio: Caller, **attributes: object) -> str:
    """SID of a new address document; of a new address unless the attributes name one."""
    if not attributes:
        attributes = {"address_sids": _make_address(twilio)}
    fields = {
        "FriendlyName": "address",
        "Type": "customer_profile_address",
        "Attributes": json.dumps(attributes),
    }
    return str(made(twilio, "/v1/SupportingDocuments", **fields)["sid"])


def make_bundle(twilio: Caller, path: str, policy_sid: str, *object_sids: str) -> str:
    """SID of a new draft with these objects assigned."""
    fields = {"FriendlyName": "Owl", "Email": "ann@owl.example.com", "PolicySid": policy_sid}
    sid = str(made(twilio, path, **fields)["sid"])
    for object_sid in object_sids:
        made(twilio, f"{path}/{sid}/EntityAssignments", ObjectSid=object_sid)
    return sid


def make_profile(twilio: Caller, **business: object) -> str:
    """SID of a compliant draft of a secondary customer profile."""
    return make_bundle(
        twilio,
        "/v1/CustomerProfiles",
        SECONDARY,
        make_end_user(twilio, "customer_profile_business_information", BUSINESS | business),
        make_end_user(twilio, "authorized_representative_1", REPRESENTATIVE),
        make_document(twilio),
        PRIMARY_SID,
    )


def make_product(twilio: Caller, profile_sid: str, **attributes: object) -> str:
    """SID of a draft of an A2P trust product."""
    information = {"company_type": "private"} | attributes
    end_user = make_end_user(twilio, "us_a2p_messaging_profile_information", information)
    return make_bundle(twilio, "/v1/TrustProducts", A2P_PRODUCT, end_user, profile_sid)


def make_starter(twilio: Caller, **person: object) -> str:
    """SID of a compliant draft of a starter profile."""
    return make_bundle(
        twilio,
        "/v1/CustomerProfiles",
        STARTER,
        make_end_user(twilio, "starter_customer_profile_information", PERSON | person),
        make_document(twilio),
        PRIMARY_SID,
    )


def make_sole_proprietor_product(twilio: Caller, starter_sid: str, **attributes: object) -> str:
    """SID of a draft of a sole proprietor's trust product."""
    information = SOLE_PROPRIETOR | attributes
    end_user = make_end_user(twilio, "sole_proprietor_information", information)
    path = "/v1/TrustProducts"
    return make_bundle(twilio, path, SOLE_PROPRIETOR_PRODUCT, end_user, starter_sid)


def submit(twilio: Caller, path: str) -> dict[str, Any]:
    """Hand a bundle in."""
    return made(twilio, path, Status="pending-review")


def approve(twilio: Caller, path: str) -> str:
    """Hand a bundle in and have it approved; its SID."""
    sid = str(submit(twilio, path)["sid"])
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    return sid


def approved_bundles(twilio: Caller, **business: object) -> tuple[str, str]:
    """SIDs of a customer profile and a trust product, both approved."""
    profile = make_profile(twilio, **business)
    approve(twilio, f"/v1/CustomerProfiles/{profile}")
    product = make_product(twilio, profile)
    return profile, approve(twilio, f"/v1/TrustProducts/{product}")


def approved_sole_proprietor(twilio: Caller, **attributes: object) -> tuple[str, str]:
    """SIDs of a starter profile and a sole proprietor's trust product, both approved."""
    starter = make_starter(twilio)
    approve(twilio, f"/v1/CustomerProfiles/{starter}")
    product = make_sole_proprietor_product(twilio, starter, **attributes)
    return starter, approve(twilio, f"/v1/TrustProducts/{product}")


def make_parts(client: Client) -> list[str]:
    """SIDs of what a secondary customer profile is made of, made by the library."""
    hub = client.trusthub.v1
    business = hub.end_users.create(
        friendly_name="Owl", type="customer_profile_business_information", attributes=BUSINESS
    )
    representative = hub.end_users.create(
        friendly_name="Ann", type="authorized_representative_1", attributes=REPRESENTATIVE
    )
    address = client.addresses.create(
        customer_name="Owl Couriers",
        street="1 Main Street",
        city="Boston",
        region="MA",
        postal_code="02101",
        iso_country="US",
    )
    document = hub.supporting_documents.create(
        friendly_name="Nest",
        type="customer_profile_address",
        attributes={"address_sids": address.sid},
    )
    return [str(business.sid), str(representative.sid), str(document.sid), PRIMARY_SID]


def _make_address(twilio: Caller) -> str:
    address = made(
        twilio,
        f"/2010-04-01/Accounts/{twilio.account.account_sid}/Addresses.json",
        CustomerName="Owl Couriers",
        Street="1 Main Street",
        City="Boston",
        Region="MA",
        PostalCode="02101",
        IsoCountry="US",
    )
    return str(address["sid"])
