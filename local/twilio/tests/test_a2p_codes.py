"""Refusals that need a history: each code of the Trust Hub and of A2P that no single wrong field brings about."""

from collections.abc import Callable

import pytest
import requests

from local.twilio.account.senders import steady_sid
from local.twilio.tests.a2p_doors import (
    BRANDS,
    DEFAULT_BRAND,
    EDIT,
    approved_brand,
    campaign_path,
    hand_in,
    new_service,
    proprietor_brand,
    register,
    try_to_hand_in,
)
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import (
    DEFAULT_PRODUCT_SID,
    PRIMARY_SID,
    SECONDARY,
    advance,
    approved_bundles,
    fetched,
    freeze,
    made,
    make_bundle,
    make_profile,
    submit,
)

pytestmark = pytest.mark.enable_socket

PROFILES = "/v1/CustomerProfiles"
TOKEN = {"VettingProvider": "campaign-verify", "VettingId": "cv|1.0|tcr|10dlc|9975c339|GQ3EXAMPLE"}
ENDPOINT = {
    "ChannelEndpointType": "phone-number",
    "ChannelEndpointSid": steady_sid("PN", "+12025550100"),
}
NUMBERS = f"/v1/TrustProducts/{DEFAULT_PRODUCT_SID}/ChannelEndpointAssignments"

type Refused = Callable[[Caller], requests.Response]


def submitted(twilio: Caller) -> tuple[str, list[str]]:
    """Path of a customer profile under review, and the SIDs of its parts."""
    path = f"{PROFILES}/{make_profile(twilio)}"
    submit(twilio, path)
    return path, [
        each["object_sid"] for each in fetched(twilio, f"{path}/EntityAssignments")["results"]
    ]


def failed_brand(twilio: Caller) -> str:
    sid = str(register(twilio, approved_bundles(twilio, business_name="reject:30795"))["sid"])
    advance(twilio, 300)
    return f"{BRANDS}/{sid}"


def submit_noncompliant(twilio: Caller) -> requests.Response:
    sid = make_bundle(twilio, PROFILES, SECONDARY)
    return twilio.api("POST", f"{PROFILES}/{sid}", Status="pending-review")


def delete_assigned_end_user(twilio: Caller) -> requests.Response:
    _, parts = submitted(twilio)
    return twilio.api("DELETE", f"/v1/EndUsers/{parts[0]}")


def delete_assigned_document(twilio: Caller) -> requests.Response:
    _, parts = submitted(twilio)
    return twilio.api("DELETE", f"/v1/SupportingDocuments/{parts[2]}")


def delete_bundle_under_review(twilio: Caller) -> requests.Response:
    path, _ = submitted(twilio)
    return twilio.api("DELETE", path)


def delete_bundle_of_another(twilio: Caller) -> requests.Response:
    return twilio.api("DELETE", f"{PROFILES}/{PRIMARY_SID}")


def delete_bundle_with_numbers(twilio: Caller) -> requests.Response:
    made(twilio, NUMBERS, **ENDPOINT)
    return twilio.api("DELETE", f"/v1/TrustProducts/{DEFAULT_PRODUCT_SID}")


def assign_number_twice(twilio: Caller) -> requests.Response:
    made(twilio, NUMBERS, **ENDPOINT)
    return twilio.api("POST", NUMBERS, **ENDPOINT)


def change_bundle_under_review(twilio: Caller) -> requests.Response:
    path, _ = submitted(twilio)
    return twilio.api("POST", path, FriendlyName="Owl & Co")


def take_from_bundle_under_review(twilio: Caller) -> requests.Response:
    path, _ = submitted(twilio)
    assignment = fetched(twilio, f"{path}/EntityAssignments")["results"][0]["sid"]
    return twilio.api("DELETE", f"{path}/EntityAssignments/{assignment}")


def resubmit_too_often(twilio: Caller) -> requests.Response:
    brand = failed_brand(twilio)
    for _ in range(3):
        made(twilio, brand)
        advance(twilio, 300)
    return twilio.api("POST", brand)


def resubmit_what_has_not_failed(twilio: Caller) -> requests.Response:
    return twilio.api("POST", f"{BRANDS}/{DEFAULT_BRAND}")


def resubmit_suspended(twilio: Caller) -> requests.Response:
    twilio.control("POST", f"brands/{DEFAULT_BRAND}", {"status": "SUSPENDED"})
    return twilio.api("POST", f"{BRANDS}/{DEFAULT_BRAND}")


def import_token_for_proprietor(twilio: Caller) -> requests.Response:
    return twilio.api("POST", f"{BRANDS}/{proprietor_brand(twilio)}/Vettings", **TOKEN)


def import_token_for_failed(twilio: Caller) -> requests.Response:
    return twilio.api("POST", f"{failed_brand(twilio)}/Vettings", **TOKEN)


def import_token_twice(twilio: Caller) -> requests.Response:
    path = f"{BRANDS}/{DEFAULT_BRAND}/Vettings"
    made(twilio, path, **TOKEN)
    return twilio.api("POST", path, **TOKEN)


def score_again(twilio: Caller) -> requests.Response:
    path = f"{BRANDS}/{approved_brand(twilio)}/Vettings"
    return twilio.api("POST", path, VettingProvider="aegis")


def hand_in_of_pending(twilio: Caller) -> requests.Response:
    brand = register(twilio, approved_bundles(twilio))["sid"]
    return try_to_hand_in(twilio, twilio.empty_service_sid, BrandRegistrationSid=brand)


def hand_in_of_suspended(twilio: Caller) -> requests.Response:
    twilio.control("POST", f"brands/{DEFAULT_BRAND}", {"status": "SUSPENDED"})
    return try_to_hand_in(twilio, twilio.empty_service_sid)


def hand_in_against_service(twilio: Caller) -> requests.Response:
    service = new_service(twilio, Usecase="marketing")
    return try_to_hand_in(twilio, service, UsAppToPersonUsecase="2FA")


def hand_in_second(twilio: Caller) -> requests.Response:
    return try_to_hand_in(twilio, twilio.service_sid)


def import_second(twilio: Caller) -> requests.Response:
    external = {"CampaignId": "CABC123", "MessagingServiceSid": twilio.service_sid}
    return twilio.api("POST", "/v1/Services/PreregisteredUsa2p", **external)


def hand_in_one_too_many(twilio: Caller) -> requests.Response:
    for _ in range(99):
        hand_in(twilio, new_service(twilio))
    return try_to_hand_in(twilio, new_service(twilio))


def edit_verified(twilio: Caller) -> requests.Response:
    return twilio.api("POST", campaign_path(twilio.service_sid), **EDIT)


def edit_pending(twilio: Caller) -> requests.Response:
    hand_in(twilio, twilio.empty_service_sid)
    return twilio.api("POST", campaign_path(twilio.empty_service_sid), **EDIT)


def edit_suspended(twilio: Caller) -> requests.Response:
    twilio.control("POST", f"campaigns/{twilio.service_sid}", {"status": "SUSPENDED"})
    return twilio.api("POST", campaign_path(twilio.service_sid), **EDIT)


def delete_suspended(twilio: Caller) -> requests.Response:
    twilio.control("POST", f"campaigns/{twilio.service_sid}", {"status": "SUSPENDED"})
    return twilio.api("DELETE", campaign_path(twilio.service_sid))


def delete_of_suspended_brand(twilio: Caller) -> requests.Response:
    twilio.control("POST", f"brands/{DEFAULT_BRAND}", {"status": "SUSPENDED"})
    return twilio.api("DELETE", campaign_path(twilio.service_sid))


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (submit_noncompliant, (400, 20001)),
        (delete_assigned_end_user, (400, 21644)),
        (delete_assigned_document, (400, 21645)),
        (delete_bundle_under_review, (400, 21647)),
        (delete_bundle_of_another, (400, 21647)),
        (delete_bundle_with_numbers, (400, 21648)),
        (assign_number_twice, (409, 20409)),
        (change_bundle_under_review, (409, 20409)),
        (take_from_bundle_under_review, (409, 20409)),
        (resubmit_too_often, (400, 21724)),
        (resubmit_what_has_not_failed, (400, 21725)),
        (resubmit_suspended, (400, 21731)),
        (import_token_for_proprietor, (400, 21721)),
        (import_token_for_failed, (400, 21721)),
        (import_token_twice, (400, 21723)),
        (score_again, (409, 20409)),
        (hand_in_of_pending, (400, 21717)),
        (hand_in_of_suspended, (400, 21731)),
        (hand_in_against_service, (400, 21719)),
        (hand_in_second, (409, 20409)),
        (import_second, (409, 20409)),
        (hand_in_one_too_many, (400, 21732)),
        (edit_verified, (409, 20409)),
        (edit_pending, (409, 20409)),
        (edit_suspended, (400, 21729)),
        (delete_suspended, (400, 21729)),
        (delete_of_suspended_brand, (400, 21729)),
    ],
)
def test_a_refusal_has_its_code(
    twilio: Caller, refused: Refused, expected: tuple[int, int]
) -> None:
    freeze(twilio)
    response = refused(twilio)
    assert (response.status_code, response.json()["code"]) == expected
