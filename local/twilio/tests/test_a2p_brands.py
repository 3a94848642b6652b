"""Brand registrations: reviewed, scored, vetted, failed, resubmitted, suspended; and the sole proprietor's yes."""

import json
from typing import Any

import pytest
import requests

from local.twilio.tests.a2p_doors import (
    BRANDS,
    DEFAULT_BRAND,
    approved_brand,
    brand_of,
    codes_of,
    proprietor_brand,
    register,
    vetted_brand,
)
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import (
    BUSINESS,
    DEFAULT_PRODUCT_SID,
    PRIMARY_SID,
    advance,
    approve,
    approved_bundles,
    approved_sole_proprietor,
    fetched,
    freeze,
    made,
    make_product,
    make_profile,
)

pytestmark = pytest.mark.enable_socket

TOKEN = "cv|1.0|tcr|10dlc|9975c339-d46f-49b7-a399|GQ3EXAMPLE_-x"
UNKNOWN = {prefix: prefix + "0" * 32 for prefix in ("BN", "BU", "VT")}


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


def vettings_of(twilio: Caller, sid: str, query: str = "") -> list[dict[str, Any]]:
    return list(fetched(twilio, f"{BRANDS}/{sid}/Vettings{query}")["data"])


def refusal(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


def mend(twilio: Caller, profile_sid: str, **business: object) -> None:
    """Change what a customer profile says of the business."""
    path = f"/v1/CustomerProfiles/{profile_sid}/EntityAssignments"
    query = "?ObjectType=customer_profile_business_information"
    end_user = fetched(twilio, path + query)["results"][0]["object_sid"]
    made(twilio, f"/v1/EndUsers/{end_user}", Attributes=json.dumps(BUSINESS | business))


def failed_brand(twilio: Caller) -> tuple[str, str]:
    """SIDs of a brand that has just failed, and of its customer profile."""
    bundles = approved_bundles(twilio, business_name="Owl reject:30795")
    sid = str(register(twilio, bundles)["sid"])
    advance(twilio, 300)
    return sid, bundles[0]


def test_the_account_starts_with_a_vetted_brand(twilio: Caller) -> None:
    brand = brand_of(twilio, DEFAULT_BRAND)
    assert (brand["status"], brand["identity_status"]) == ("APPROVED", "VETTED_VERIFIED")
    assert (brand["brand_score"], brand["brand_type"]) == (80, "STANDARD")
    assert fetched(twilio, BRANDS)["data"] == [brand]
    assert [each["vetting_status"] for each in vettings_of(twilio, DEFAULT_BRAND)] == ["SUCCESS"]


def test_a_brand_is_registered_by_time_and_scored_by_a_vetting(twilio: Caller) -> None:
    bundles = approved_bundles(twilio, business_registration_number="98-7654324")
    pending = register(twilio, bundles)
    sid = pending["sid"]
    assert (pending["status"], pending["tcr_id"], pending["brand_score"]) == ("PENDING", None, None)
    assert (pending["identity_status"], pending["russell_3000"]) == (None, None)
    advance(twilio, 300)
    registered = brand_of(twilio, sid)
    assert (registered["status"], registered["identity_status"]) == ("APPROVED", "VERIFIED")
    assert registered["tcr_id"].startswith("B")
    assert registered["brand_score"] <= 49
    vetting = vettings_of(twilio, sid)[0]
    assert (vetting["vetting_provider"], vetting["vetting_class"], vetting["vetting_status"]) == (
        "aegis",
        "STANDARD",
        "PENDING",
    )
    advance(twilio, 3_600)
    vetted = brand_of(twilio, sid)
    assert (vetted["brand_score"], vetted["identity_status"]) == (81, "VETTED_VERIFIED")
    path = f"{BRANDS}/{sid}/Vettings/{vetting['brand_vetting_sid']}"
    assert fetched(twilio, path)["vetting_status"] == "SUCCESS"


@pytest.mark.parametrize(("given", "shown_at_first", "shown_then"), [(95, 49, 95), (30, 30, 30)])
def test_the_reviewer_may_give_a_score(
    twilio: Caller, given: int, shown_at_first: int, shown_then: int
) -> None:
    sid = approved_brand(twilio, score=given)
    first = brand_of(twilio, sid)["brand_score"]
    advance(twilio, 3_600)
    assert (first, brand_of(twilio, sid)["brand_score"]) == (shown_at_first, shown_then)


def test_a_vetting_may_find_something_else_or_nothing(twilio: Caller) -> None:
    sid = approved_brand(twilio, score=95)
    key = vettings_of(twilio, sid)[0]["brand_vetting_sid"]
    twilio.control("POST", f"reviews/{key}", {"approved": True, "score": 60})
    assert brand_of(twilio, sid)["brand_score"] == 60
    other = approved_brand(twilio, score=95)
    key = vettings_of(twilio, other)[0]["brand_vetting_sid"]
    twilio.control("POST", f"reviews/{key}", {"approved": False})
    assert brand_of(twilio, other)["brand_score"] == 49
    assert vettings_of(twilio, other)[0]["vetting_status"] == "FAILED"


def test_a_low_volume_brand_is_not_vetted_unless_asked(twilio: Caller) -> None:
    sid = approved_brand(twilio, score=80, SkipAutomaticSecVet="true")
    advance(twilio, 7_200)
    assert (brand_of(twilio, sid)["brand_score"], vettings_of(twilio, sid)) == (49, [])
    made(twilio, f"{BRANDS}/{sid}/Vettings", VettingProvider="aegis")
    advance(twilio, 3_600)
    assert brand_of(twilio, sid)["brand_score"] == 80


def test_a_token_of_campaign_verify_is_imported(twilio: Caller) -> None:
    sid = approved_brand(twilio)
    path = f"{BRANDS}/{sid}/Vettings"
    vetting = made(twilio, path, VettingProvider="campaign-verify", VettingId=TOKEN)
    assert (vetting["vetting_class"], vetting["vetting_id"]) == ("POLITICAL", TOKEN)
    assert len(vettings_of(twilio, sid)) == 2
    assert vettings_of(twilio, sid, "?VettingProvider=campaign-verify") == [vetting]
    assert refusal(
        twilio.api("POST", path, VettingProvider="campaign-verify", VettingId=TOKEN)
    ) == (400, 21723)
    twilio.control("POST", f"reviews/{vetting['brand_vetting_sid']}", {"approved": False})
    assert codes_of(brand_of(twilio, sid)) == [30714]


def test_a_mock_brand_goes_through_at_once(twilio: Caller) -> None:
    sid = register(twilio, approved_bundles(twilio), Mock="true")["sid"]
    advance(twilio, 1)
    brand = brand_of(twilio, sid)
    assert (brand["status"], brand["mock"]) == ("APPROVED", True)


@pytest.mark.parametrize(
    ("business", "code", "feedback"),
    [
        ({"business_name": "Owl reject:30796"}, 30796, ["STOCK_SYMBOL"]),
        ({"business_name": "Owl reject:30799"}, 30799, ["OTHERS"]),
        ({"business_registration_number": "12345"}, 30795, ["TAX_ID"]),
    ],
)
def test_a_brand_fails_with_a_reason(
    twilio: Caller, business: dict[str, str], code: int, feedback: list[str]
) -> None:
    sid = register(twilio, approved_bundles(twilio, **business))["sid"]
    advance(twilio, 300)
    failed = brand_of(twilio, sid)
    error = failed["errors"][0]
    assert (failed["status"], failed["brand_feedback"]) == ("FAILED", feedback)
    assert error["error_code"] == code
    assert error["url"] == f"https://www.twilio.com/docs/api/errors/{code}"
    assert error["description"] == failed["failure_reason"]


def test_a_brand_without_a_number_fails(twilio: Caller) -> None:
    bundles = approved_bundles(twilio)
    sid = register(twilio, bundles)["sid"]
    mend(twilio, bundles[0], business_registration_number="")
    advance(twilio, 300)
    assert codes_of(brand_of(twilio, sid)) == [30757]


def test_a_brand_of_bundles_that_nobody_approved_fails(twilio: Caller) -> None:
    profile = make_profile(twilio)
    sid = register(twilio, (profile, make_product(twilio, profile)))["sid"]
    advance(twilio, 300)
    assert codes_of(brand_of(twilio, sid)) == [30793]


def test_a_customer_profile_makes_one_brand(twilio: Caller) -> None:
    sid = register(twilio, (PRIMARY_SID, DEFAULT_PRODUCT_SID))["sid"]
    advance(twilio, 300)
    assert codes_of(brand_of(twilio, sid)) == [30703]


@pytest.mark.parametrize(
    ("email", "statuses"),
    [
        ("ann@owl.example.com", ["PENDING", "IN_REVIEW", "APPROVED"]),
        ("ann@mail.example.org", ["PENDING", "FAILED", "FAILED"]),
    ],
)
def test_a_person_looks_at_a_public_company(
    twilio: Caller, email: str, statuses: list[str]
) -> None:
    profile = make_profile(twilio)
    approve(twilio, f"/v1/CustomerProfiles/{profile}")
    stock = {"stock_exchange": "NASDAQ", "stock_ticker": "OWL", "brand_contact_email": email}
    product = make_product(twilio, profile, company_type="public", **stock)
    approve(twilio, f"/v1/TrustProducts/{product}")
    sid = register(twilio, (profile, product))["sid"]
    seen = []
    for _ in range(3):
        seen.append(brand_of(twilio, sid)["status"])
        advance(twilio, 300)
    assert seen == statuses
    codes = codes_of(brand_of(twilio, sid))
    assert codes == ([21740] if "FAILED" in statuses else [])


@pytest.mark.parametrize(
    ("company_type", "expected"),
    [
        ("government", {"government_entity": True, "tax_exempt_status": None}),
        ("non-profit", {"government_entity": False, "tax_exempt_status": "501c3"}),
    ],
)
def test_the_registry_knows_what_a_company_is(
    twilio: Caller, company_type: str, expected: dict[str, object]
) -> None:
    profile = make_profile(twilio)
    approve(twilio, f"/v1/CustomerProfiles/{profile}")
    product = make_product(twilio, profile, company_type=company_type)
    approve(twilio, f"/v1/TrustProducts/{product}")
    sid = register(twilio, (profile, product))["sid"]
    advance(twilio, 300)
    brand = brand_of(twilio, sid)
    assert {name: brand[name] for name in expected} == expected


def test_a_failed_brand_is_mended_and_resubmitted(twilio: Caller) -> None:
    sid, profile = failed_brand(twilio)
    mend(twilio, profile)
    resubmitted = twilio.api("POST", f"{BRANDS}/{sid}")
    assert (resubmitted.status_code, resubmitted.json()["status"]) == (202, "PENDING")
    assert resubmitted.json()["errors"] == []
    advance(twilio, 300)
    assert brand_of(twilio, sid)["status"] == "APPROVED"


def test_a_reviewer_may_fail_a_brand_in_words(twilio: Caller) -> None:
    sid = register(twilio, approved_bundles(twilio))["sid"]
    verdict = {"approved": False, "codes": [30797], "reason": "No such authority"}
    twilio.control("POST", f"reviews/{sid}", verdict)
    assert brand_of(twilio, sid)["errors"] == [
        {
            "error_code": 30797,
            "fields": ["company_type"],
            "url": "https://www.twilio.com/docs/api/errors/30797",
            "description": "No such authority",
        }
    ]


def test_a_sole_proprietor_says_yes(twilio: Caller) -> None:
    sid = proprietor_brand(twilio)
    asked = brand_of(twilio, sid)
    assert (asked["status"], asked["identity_status"]) == ("APPROVED", "UNVERIFIED")
    assert (asked["brand_score"], vettings_of(twilio, sid)) == (None, [])
    twilio.control("POST", f"brands/{sid}/otp", {"answer": "Who?"})
    assert brand_of(twilio, sid)["identity_status"] == "UNVERIFIED"
    twilio.control("POST", f"brands/{sid}/otp", {"answer": "yes"})
    assert brand_of(twilio, sid)["identity_status"] == "VERIFIED"
    assert refusal(twilio.api("POST", f"{BRANDS}/{sid}/SmsOtp")) == (409, 20409)


def test_a_sole_proprietor_has_a_day_to_answer(twilio: Caller) -> None:
    sid = proprietor_brand(twilio)
    advance(twilio, 86_400)
    assert codes_of(brand_of(twilio, sid)) == [30752]
    late = requests.post(
        f"{twilio.base_url}/_control/brands/{sid}/otp", json={"answer": "YES"}, timeout=30
    )
    assert late.status_code == 400
    sent = made(twilio, f"{BRANDS}/{sid}/SmsOtp")
    assert sent == {"account_sid": twilio.account.account_sid, "brand_registration_sid": sid}
    assert codes_of(brand_of(twilio, sid)) == []
    twilio.control("POST", f"brands/{sid}/otp", {"answer": "YES"})
    assert brand_of(twilio, sid)["identity_status"] == "VERIFIED"


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"mobile_phone_number": "+442071838750"}, 30751),
        ({"mobile_phone_number": "+18005550100"}, 30751),
        ({"brand_name": "Ann reject:30753"}, 30753),
    ],
)
def test_a_sole_proprietor_is_refused(
    twilio: Caller, attributes: dict[str, str], code: int
) -> None:
    bundles = approved_sole_proprietor(twilio, **attributes)
    sid = register(twilio, bundles, BrandType="SOLE_PROPRIETOR")["sid"]
    advance(twilio, 300)
    assert codes_of(brand_of(twilio, sid)) == [code]


def test_a_mobile_number_serves_three_brands_and_an_address_or_an_email_ten(twilio: Caller) -> None:
    for index in range(10):
        proprietor_brand(twilio, mobile_phone_number=f"+1202555{1000 + index // 3}")
    bundles = approved_sole_proprietor(twilio, mobile_phone_number="+12025551000")
    sid = register(twilio, bundles, BrandType="SOLE_PROPRIETOR")["sid"]
    advance(twilio, 300)
    assert codes_of(brand_of(twilio, sid)) == [30750, 30749]


def test_a_reset_forgets_reviews_but_not_what_waits_for_them(twilio: Caller) -> None:
    waiting = register(twilio, approved_bundles(twilio))["sid"]
    approved = approved_brand(twilio)
    twilio.control("POST", "reset", {})
    vetting = vettings_of(twilio, approved)[0]["brand_vetting_sid"]
    reviews = twilio.control("GET", "reviews")
    assert {"key": waiting, "kind": "brand"} in reviews
    assert {"key": vetting, "kind": "vetting"} in reviews
    twilio.control("POST", "reset", {"services": True})
    assert [each["sid"] for each in fetched(twilio, BRANDS)["data"]] == [DEFAULT_BRAND]


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        (BRANDS, {"A2PProfileBundleSid": DEFAULT_PRODUCT_SID}, (400, 20001)),
        (BRANDS, {"CustomerProfileBundleSid": PRIMARY_SID}, (400, 20001)),
        (
            BRANDS,
            {
                "CustomerProfileBundleSid": UNKNOWN["BU"],
                "A2PProfileBundleSid": DEFAULT_PRODUCT_SID,
            },
            (400, 20001),
        ),
        (
            BRANDS,
            {"CustomerProfileBundleSid": PRIMARY_SID, "A2PProfileBundleSid": PRIMARY_SID},
            (400, 20001),
        ),
        (
            BRANDS,
            {
                "CustomerProfileBundleSid": PRIMARY_SID,
                "A2PProfileBundleSid": DEFAULT_PRODUCT_SID,
                "BrandType": "SOLE_PROPRIETOR",
            },
            (400, 20001),
        ),
        (
            BRANDS,
            {
                "CustomerProfileBundleSid": PRIMARY_SID,
                "A2PProfileBundleSid": DEFAULT_PRODUCT_SID,
                "BrandType": "OWL",
            },
            (400, 20001),
        ),
        (
            BRANDS,
            {
                "CustomerProfileBundleSid": PRIMARY_SID,
                "A2PProfileBundleSid": DEFAULT_PRODUCT_SID,
                "Mock": "maybe",
            },
            (400, 20001),
        ),
        (f"{BRANDS}/{DEFAULT_BRAND}", {}, (400, 21725)),
        (f"{BRANDS}/{UNKNOWN['BN']}", {}, (404, 20404)),
        (f"{BRANDS}/{DEFAULT_BRAND}/SmsOtp", {}, (400, 20001)),
        (f"{BRANDS}/{DEFAULT_BRAND}/Vettings", {}, (400, 20001)),
        (f"{BRANDS}/{DEFAULT_BRAND}/Vettings", {"VettingProvider": "owl"}, (400, 20001)),
        (f"{BRANDS}/{DEFAULT_BRAND}/Vettings", {"VettingProvider": "aegis"}, (409, 20409)),
        (
            f"{BRANDS}/{DEFAULT_BRAND}/Vettings",
            {"VettingProvider": "campaign-verify"},
            (400, 21722),
        ),
        (
            f"{BRANDS}/{DEFAULT_BRAND}/Vettings",
            {"VettingProvider": "campaign-verify", "VettingId": "cv|owl"},
            (400, 21722),
        ),
    ],
)
def test_what_cannot_be_done_has_a_code(
    twilio: Caller, path: str, fields: dict[str, object], expected: tuple[int, int]
) -> None:
    assert refusal(twilio.api("POST", path, **fields)) == expected


def test_a_token_does_not_go_with_every_brand(twilio: Caller) -> None:
    pending = register(twilio, approved_bundles(twilio))["sid"]
    for sid in (pending, proprietor_brand(twilio)):
        path = f"{BRANDS}/{sid}/Vettings"
        response = twilio.api("POST", path, VettingProvider="campaign-verify", VettingId=TOKEN)
        assert refusal(response) == (400, 21721)
        assert refusal(twilio.api("POST", path, VettingProvider="aegis")) == (409, 20409)


def test_a_suspended_brand_stands_still(twilio: Caller) -> None:
    sid = vetted_brand(twilio, 80)
    suspended = twilio.control("POST", f"brands/{sid}", {"status": "SUSPENDED"})
    assert suspended["status"] == "SUSPENDED"
    assert refusal(twilio.api("POST", f"{BRANDS}/{sid}")) == (400, 21731)
    twilio.control("POST", f"brands/{sid}", {"status": "APPROVED"})
    assert brand_of(twilio, sid)["status"] == "APPROVED"


@pytest.mark.parametrize(
    "path",
    [
        f"{BRANDS}/{UNKNOWN['BN']}",
        f"{BRANDS}/{UNKNOWN['BN']}/Vettings",
        f"{BRANDS}/{DEFAULT_BRAND}/Vettings/{UNKNOWN['VT']}",
    ],
)
def test_what_does_not_exist_is_404(twilio: Caller, path: str) -> None:
    assert refusal(twilio.api("GET", path)) == (404, 20404)


def test_vettings_of_nobody_cannot_be_listed(twilio: Caller) -> None:
    path = f"{BRANDS}/{DEFAULT_BRAND}/Vettings?VettingProvider=owl"
    assert refusal(twilio.api("GET", path)) == (400, 20001)


@pytest.mark.parametrize(
    ("path", "given"),
    [
        (f"brands/{UNKNOWN['BN']}", {"status": "SUSPENDED"}),
        (f"brands/{DEFAULT_BRAND}", {"status": "OWL"}),
        (f"brands/{DEFAULT_BRAND}/otp", {"answer": "YES"}),
    ],
)
def test_a_mistake_in_a_control_request_is_told(
    twilio: Caller, path: str, given: dict[str, str]
) -> None:
    response = requests.post(f"{twilio.base_url}/_control/{path}", json=given, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_brand_under_review_cannot_be_suspended(twilio: Caller) -> None:
    sid = register(twilio, approved_bundles(twilio))["sid"]
    url = f"{twilio.base_url}/_control/brands/{sid}"
    assert requests.post(url, json={"status": "SUSPENDED"}, timeout=30).status_code == 400
