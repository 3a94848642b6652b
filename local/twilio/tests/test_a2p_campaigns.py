"""Campaigns: what is asked, how they are reviewed, what they may send, and how they end."""

from typing import Any

import pytest
import requests

from local.twilio.tests.a2p_doors import (
    BRANDS,
    CAMPAIGN,
    CAMPAIGN_SID,
    DEFAULT_BRAND,
    EDIT,
    FLOW,
    approved_brand,
    campaign_of,
    campaign_path,
    campaigns_path,
    codes_of,
    hand_in,
    new_service,
    proprietor_brand,
    register,
    try_to_hand_in,
    vetted_brand,
)
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import (
    advance,
    approve,
    approved_bundles,
    fetched,
    freeze,
    made,
    make_product,
    make_profile,
)

pytestmark = pytest.mark.enable_socket

REVIEW = 864_000
SECRET = "Owl: your code is 123456, keep it to yourself"


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


@pytest.fixture
def service(twilio: Caller) -> str:
    """A service without a campaign."""
    return twilio.empty_service_sid


def refusal(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


def status_of(twilio: Caller, service: str) -> str:
    return str(campaign_of(twilio, service)["campaign_status"])


def verify(twilio: Caller, service: str) -> dict[str, Any]:
    twilio.control("POST", f"reviews/{service}", {"approved": True})
    return campaign_of(twilio, service)


def is_registered(twilio: Caller, service: str) -> bool:
    return bool(fetched(twilio, f"/v1/Services/{service}")["us_app_to_person_registered"])


def test_the_default_service_starts_with_a_verified_campaign(twilio: Caller) -> None:
    campaign = campaign_of(twilio, twilio.service_sid)
    assert (campaign["campaign_status"], campaign["us_app_to_person_usecase"]) == (
        "VERIFIED",
        "MIXED",
    )
    assert campaign["brand_registration_sid"] == DEFAULT_BRAND
    assert campaign["rate_limits"] == {
        "att": {"mps": 75.0, "msg_class": "B"},
        "tmobile": {"brand_tier": "TOP"},
    }
    assert fetched(twilio, campaigns_path(twilio.service_sid))["compliance"] == [campaign]
    assert is_registered(twilio, twilio.service_sid)
    assert not is_registered(twilio, twilio.empty_service_sid)
    assert fetched(twilio, campaigns_path(twilio.empty_service_sid))["compliance"] == []


def test_a_new_campaign_is_shown_as_it_was_made(twilio: Caller, service: str) -> None:
    message = "Owl: you are in. Reply HELP for help, STOP to opt out."
    campaign = hand_in(twilio, service, OptInKeywords=["OWL", "JOIN"], OptInMessage=message)
    assert (campaign["sid"], campaign["campaign_status"]) == (CAMPAIGN_SID, "PENDING")
    assert (campaign["campaign_id"], campaign["rate_limits"]) == (None, None)
    assert (campaign["description"], campaign["message_samples"]) == (
        CAMPAIGN["Description"],
        CAMPAIGN["MessageSamples"],
    )
    assert (campaign["opt_in_keywords"], campaign["opt_in_message"]) == (["OWL", "JOIN"], message)
    assert (campaign["subscriber_opt_in"], campaign["age_gated"]) == (True, False)
    assert campaign["url"] == twilio.base_url + campaign_path(service)
    assert campaign_of(twilio, service) == campaign


def test_how_stop_and_help_are_answered_is_up_to_the_service(twilio: Caller, service: str) -> None:
    campaign = hand_in(
        twilio, service, OptOutKeywords="AWAY", OptOutMessage="Owl: you are out, farewell."
    )
    assert campaign["opt_out_keywords"] == [
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")
    ]
    assert campaign["opt_out_message"].startswith("You have successfully been unsubscribed.")
    assert campaign["help_keywords"] == ["HELP", "INFO"]


def test_a_version_in_the_header_extends_the_answer(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    response = requests.get(
        twilio.base_url + campaign_path(service),
        headers={"X-Twilio-Api-Version": "v1.2"},
        auth=(twilio.account.account_sid, twilio.account.auth_token),
        timeout=30,
    )
    assert response.json()["privacy_policy_url"] == "https://owl.example.com/privacy"
    assert response.json()["terms_and_conditions_url"] == "https://owl.example.com/terms"
    assert "privacy_policy_url" not in campaign_of(twilio, service)


def test_a_review_goes_by_time(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    statuses = []
    for _ in range(3):
        statuses.append(status_of(twilio, service))
        advance(twilio, REVIEW / 2)
    assert statuses == ["PENDING", "IN_PROGRESS", "VERIFIED"]
    assert campaign_of(twilio, service)["campaign_id"].startswith("C")
    assert is_registered(twilio, service)


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"PrivacyPolicyUrl": None}, [30933]),
        ({"TermsAndConditionsUrl": None}, [30934]),
        ({"PrivacyPolicyUrl": "http://owl.example.com/privacy"}, [30964]),
        ({"MessageFlow": FLOW.replace("https", "http")}, [30964]),
        (
            {
                "MessageSamples": ["Owl: see https://bit.ly/owl now", SECRET],
                "HasEmbeddedLinks": "true",
            },
            [30892],
        ),
        ({"MessageFlow": FLOW.replace("owl.example.com", "tinyurl.com")}, [30963]),
        ({"MessageSamples": ["Owl: see https://owl.example.com/1", SECRET]}, [30893]),
        ({"HasEmbeddedLinks": "true"}, [30893]),
        ({"MessageSamples": ["Owl: call us at (202) 555-0123", SECRET]}, [30893]),
        ({"HasEmbeddedPhone": "true"}, [30893]),
        (
            {
                "MessageSamples": ["Owl: call +12025550123 or www.owl.example.com", SECRET],
                "HasEmbeddedLinks": "true",
                "HasEmbeddedPhone": "true",
            },
            [],
        ),
        ({"MessageSamples": [SECRET, SECRET]}, [30911]),
        (
            {"MessageFlow": "We send messages to everybody whom we know at all, all the day."},
            [30909],
        ),
        ({"MessageFlow": "Customers opt in; customers opt in; customers"}, [30909]),
        ({"Description": "News of parcels for all our customers. reject:30897"}, [30897]),
        ({"Description": "News for all our customers. reject:30897 reject:30921"}, [30897, 30921]),
        ({"UsAppToPersonUsecase": "POLITICAL"}, [30900]),
        ({"UsAppToPersonUsecase": "CHARITY"}, [30900]),
        ({"PrivacyPolicyUrl": None, "TermsAndConditionsUrl": None}, [30933, 30934]),
    ],
)
def test_a_reviewer_finds_what_is_published(
    twilio: Caller, service: str, fields: dict[str, Any], codes: list[int]
) -> None:
    assert try_to_hand_in(twilio, service, **fields).status_code == 201
    advance(twilio, REVIEW)
    campaign = campaign_of(twilio, service)
    assert codes_of(campaign) == codes
    assert campaign["campaign_status"] == ("FAILED" if codes else "VERIFIED")


def test_an_error_tells_code_fields_and_description(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    twilio.control("POST", f"reviews/{service}", {"approved": False, "codes": [30909]})
    assert campaign_of(twilio, service)["errors"] == [
        {
            "error_code": 30909,
            "fields": ["MESSAGE_FLOW"],
            "url": "https://www.twilio.com/docs/api/errors/30909",
            "description": "Campaign rejected: Message Flow or Call to Action incomplete/unverified",
        }
    ]


def test_a_rejection_without_a_code_is_an_unknown_error(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    twilio.control("POST", f"reviews/{service}", {"approved": False, "reason": "No"})
    campaign = campaign_of(twilio, service)
    assert (codes_of(campaign), campaign["errors"][0]["description"]) == ([30880], "No")


def test_political_campaigns_need_a_token_and_charities_an_exemption(
    twilio: Caller, service: str
) -> None:
    token = "cv|1.0|tcr|10dlc|9975c339|GQ3EXAMPLE"
    path = f"{BRANDS}/{DEFAULT_BRAND}/Vettings"
    made(twilio, path, VettingProvider="campaign-verify", VettingId=token)
    hand_in(twilio, service, UsAppToPersonUsecase="POLITICAL")
    profile = make_profile(twilio)
    approve(twilio, f"/v1/CustomerProfiles/{profile}")
    product = make_product(twilio, profile, company_type="non-profit")
    approve(twilio, f"/v1/TrustProducts/{product}")
    charity = register(twilio, (profile, product))["sid"]
    advance(twilio, 300)
    other = new_service(twilio)
    hand_in(twilio, other, UsAppToPersonUsecase="CHARITY", BrandRegistrationSid=charity)
    advance(twilio, REVIEW)
    assert [status_of(twilio, each) for each in (service, other)] == ["VERIFIED", "VERIFIED"]


def test_a_failed_campaign_is_mended_and_reviewed_anew(twilio: Caller, service: str) -> None:
    hand_in(twilio, service, MessageFlow="We know our customers and they know us well enough.")
    advance(twilio, REVIEW)
    assert codes_of(campaign_of(twilio, service)) == [30909]
    mended = made(twilio, campaign_path(service), **EDIT)
    assert (mended["campaign_status"], mended["errors"]) == ("PENDING", [])
    assert mended["us_app_to_person_usecase"] == "DELIVERY_NOTIFICATION"
    advance(twilio, REVIEW)
    assert status_of(twilio, service) == "VERIFIED"


def test_an_edit_may_add_what_was_missing(twilio: Caller, service: str) -> None:
    try_to_hand_in(twilio, service, PrivacyPolicyUrl=None, TermsAndConditionsUrl=None)
    advance(twilio, REVIEW)
    without = {name: value for name, value in EDIT.items() if not name.endswith("Url")}
    made(twilio, campaign_path(service), **without)
    advance(twilio, REVIEW)
    assert codes_of(campaign_of(twilio, service)) == [30933, 30934]
    made(twilio, campaign_path(service), **EDIT)
    advance(twilio, REVIEW)
    assert codes_of(campaign_of(twilio, service)) == []


def test_a_campaign_can_be_deleted_and_made_anew(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    assert twilio.api("DELETE", campaign_path(service)).status_code == 204
    assert twilio.control("GET", "reviews") == []
    assert refusal(twilio.api("GET", campaign_path(service))) == (404, 20404)
    assert hand_in(twilio, service)["campaign_status"] == "PENDING"


def test_a_mock_campaign_goes_through_at_once_but_carries_nothing(
    twilio: Caller, service: str
) -> None:
    brand = register(twilio, approved_bundles(twilio), Mock="true")["sid"]
    advance(twilio, 1)
    hand_in(twilio, service, BrandRegistrationSid=brand, PrivacyPolicyUrl="")
    advance(twilio, 1)
    campaign = campaign_of(twilio, service)
    assert (campaign["campaign_status"], campaign["mock"]) == ("VERIFIED", True)
    assert not is_registered(twilio, service)
    other = new_service(twilio)
    description = "News of parcels for all our customers. reject:30883"
    hand_in(twilio, other, BrandRegistrationSid=brand, Description=description)
    advance(twilio, 1)
    assert codes_of(campaign_of(twilio, other)) == [30883]


def test_a_campaign_registered_elsewhere_is_taken_over(twilio: Caller, service: str) -> None:
    imported = made(
        twilio,
        "/v1/Services/PreregisteredUsa2p",
        CampaignId="CABC123",
        MessagingServiceSid=service,
        CnpMigration="false",
    )
    assert (imported["sid"], imported["campaign_id"]) == (CAMPAIGN_SID, "CABC123")
    campaign = campaign_of(twilio, service)
    assert (campaign["is_externally_registered"], campaign["campaign_status"]) == (True, "PENDING")
    assert campaign["brand_registration_sid"] is None
    verified = verify(twilio, service)
    assert (verified["campaign_id"], is_registered(twilio, service)) == ("CABC123", True)


def test_a_campaign_registered_elsewhere_may_be_rejected(twilio: Caller, service: str) -> None:
    path = "/v1/Services/PreregisteredUsa2p"
    made(twilio, path, CampaignId="CABC123", MessagingServiceSid=service)
    twilio.control("POST", f"reviews/{service}", {"approved": False})
    assert codes_of(campaign_of(twilio, service)) == [30906]
    assert refusal(twilio.api("POST", campaign_path(service), **EDIT)) == (409, 20409)


def test_a_campaign_registered_elsewhere_is_fine_by_time(twilio: Caller, service: str) -> None:
    path = "/v1/Services/PreregisteredUsa2p"
    made(twilio, path, CampaignId="CABC123", MessagingServiceSid=service)
    advance(twilio, REVIEW)
    assert status_of(twilio, service) == "VERIFIED"


@pytest.mark.parametrize(
    ("score", "use_case", "limits"),
    [
        (75, "2FA", (75.0, "A", "TOP")),
        (75, "MARKETING", (75.0, "B", "TOP")),
        (50, "2FA", (40.0, "C", "UPPER_MID")),
        (74, "MIXED", (40.0, "D", "UPPER_MID")),
        (25, "2FA", (4.0, "E", "LOWER_MID")),
        (1, "2FA", (4.0, "E", "LOW")),
        (1, "MIXED", (1.25, "F", "LOW")),
        (90, "LOW_VOLUME", (1.25, "T", "LOW")),
    ],
)
def test_the_score_decides_how_fast_a_campaign_may_send(
    twilio: Caller, service: str, score: int, use_case: str, limits: tuple[float, str, str]
) -> None:
    brand = vetted_brand(twilio, score)
    hand_in(twilio, service, BrandRegistrationSid=brand, UsAppToPersonUsecase=use_case)
    granted = verify(twilio, service)["rate_limits"]
    assert (
        granted["att"]["mps"],
        granted["att"]["msg_class"],
        granted["tmobile"]["brand_tier"],
    ) == limits


def test_a_sole_proprietor_has_one_slow_campaign(twilio: Caller, service: str) -> None:
    brand = proprietor_brand(twilio)
    of_owner = {"BrandRegistrationSid": brand, "UsAppToPersonUsecase": "SOLE_PROPRIETOR"}
    assert refusal(try_to_hand_in(twilio, service, **of_owner)) == (400, 21717)
    twilio.control("POST", f"brands/{brand}/otp", {"answer": "YES"})
    hand_in(twilio, service, **of_owner)
    assert verify(twilio, service)["rate_limits"] == {
        "att": {"mps": 0.25, "msg_class": "W"},
        "tmobile": {"brand_tier": "LOW"},
    }
    other = new_service(twilio)
    assert refusal(try_to_hand_in(twilio, other, **of_owner)) == (400, 21732)
    assert refusal(
        try_to_hand_in(twilio, other, BrandRegistrationSid=brand, UsAppToPersonUsecase="MIXED")
    ) == (400, 21720)


def test_a_campaign_ends_with_its_service(twilio: Caller) -> None:
    brand = proprietor_brand(twilio)
    twilio.control("POST", f"brands/{brand}/otp", {"answer": "YES"})
    of_owner = {"BrandRegistrationSid": brand, "UsAppToPersonUsecase": "SOLE_PROPRIETOR"}
    first = new_service(twilio)
    hand_in(twilio, first, **of_owner)
    assert twilio.api("DELETE", f"/v1/Services/{first}").status_code == 204
    assert hand_in(twilio, new_service(twilio), **of_owner)["campaign_status"] == "PENDING"


def codes_for(twilio: Caller, service: str, query: str = "") -> list[str]:
    found = fetched(twilio, f"{campaigns_path(service)}/Usecases{query}")
    return [each["code"] for each in found["us_app_to_person_usecases"]]


def test_use_cases_depend_on_the_brand_and_the_service(twilio: Caller, service: str) -> None:
    low_volume = approved_brand(twilio, SkipAutomaticSecVet="true")
    proprietor = proprietor_brand(twilio)
    twilio.control("POST", f"brands/{proprietor}/otp", {"answer": "YES"})
    assert len(codes_for(twilio, service)) == 20
    assert len(codes_for(twilio, service, f"?BrandRegistrationSid={DEFAULT_BRAND}")) == 20
    assert codes_for(twilio, service, f"?BrandRegistrationSid={low_volume}") == ["LOW_VOLUME"]
    assert codes_for(twilio, service, f"?BrandRegistrationSid={proprietor}") == ["SOLE_PROPRIETOR"]
    verifying = new_service(twilio, Usecase="verification")
    assert "MARKETING" not in codes_for(twilio, verifying)
    unknown = f"{campaigns_path(service)}/Usecases?BrandRegistrationSid=BN{'0' * 32}"
    assert refusal(twilio.api("GET", unknown)) == (400, 21717)


def test_some_use_cases_are_approved_by_carriers_too(twilio: Caller, service: str) -> None:
    found = fetched(twilio, f"{campaigns_path(service)}/Usecases")["us_app_to_person_usecases"]
    late = [each["code"] for each in found if each["post_approval_required"]]
    assert late == [
        *("AGENTS_FRANCHISES", "PROXY", "EMERGENCY", "K12_EDUCATION", "SOCIAL", "SWEEPSTAKE")
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        *(
            ({name: None}, 21727)
            for name in (
                *("BrandRegistrationSid", "Description", "MessageFlow", "MessageSamples"),
                *("UsAppToPersonUsecase", "HasEmbeddedLinks", "HasEmbeddedPhone"),
            )
        ),
        ({"OptInKeywords": "JOIN"}, 21727),
        ({"Description": "x" * 39}, 21728),
        ({"Description": "x" * 4097}, 21728),
        ({"MessageFlow": "x" * 39}, 21728),
        ({"MessageFlow": "x" * 2049}, 21728),
        ({"MessageSamples": ["x" * 20]}, 21728),
        ({"MessageSamples": [f"{index}" * 20 for index in range(6)]}, 21728),
        ({"MessageSamples": ["x" * 19, "y" * 20]}, 21728),
        ({"MessageSamples": ["x" * 1025, "y" * 20]}, 21728),
        ({"OptInMessage": "x" * 19}, 21728),
        ({"OptOutMessage": "x" * 321}, 21728),
        ({"HelpMessage": "x" * 19}, 21728),
        ({"HelpKeywords": ["x" * 128, "y" * 128]}, 21728),
        ({"OptOutKeywords": ["GO AWAY"]}, 20001),
        ({"HasEmbeddedLinks": "perhaps"}, 20001),
        ({"AgeGated": "perhaps"}, 20001),
        ({"PrivacyPolicyUrl": "owl"}, 20001),
        ({"TermsAndConditionsUrl": "ftp://owl.example.com"}, 20001),
        ({"BrandRegistrationSid": "BN" + "0" * 32}, 21717),
        ({"UsAppToPersonUsecase": "delivery_notification"}, 21720),
        ({"UsAppToPersonUsecase": "SOLE_PROPRIETOR"}, 21720),
    ],
)
def test_a_campaign_that_cannot_be_handed_in_has_a_code(
    twilio: Caller, service: str, fields: dict[str, Any], code: int
) -> None:
    assert refusal(try_to_hand_in(twilio, service, **fields)) == (400, code)
    assert fetched(twilio, campaigns_path(service))["compliance"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Description": "x" * 40, "MessageFlow": "y" * 40},
        {"Description": "x" * 4096, "MessageFlow": "y" * 2048},
        {"MessageSamples": ["x" * 20, "y" * 1024]},
        {"MessageSamples": [f"{index}" * 20 for index in range(5)]},
        {"OptInMessage": "x" * 320, "OptInKeywords": ["x" * 127, "y" * 128]},
    ],
)
def test_the_lengths_themselves_are_fine(
    twilio: Caller, service: str, fields: dict[str, Any]
) -> None:
    assert try_to_hand_in(twilio, service, **fields).status_code == 201


def test_a_low_volume_brand_has_low_volume_campaigns_only(twilio: Caller, service: str) -> None:
    brand = approved_brand(twilio, SkipAutomaticSecVet="true")
    of_brand = {"BrandRegistrationSid": brand}
    assert refusal(try_to_hand_in(twilio, service, **of_brand)) == (400, 21720)
    hand_in(twilio, service, **of_brand, UsAppToPersonUsecase="LOW_VOLUME")
    assert verify(twilio, service)["rate_limits"]["att"]["mps"] == 1.25


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"MessagingServiceSid": "MG" + "0" * 32}, (400, 20001)),
        ({"CampaignId": "CABC123"}, (400, 20001)),
        ({"CampaignId": "CABC123", "MessagingServiceSid": "MG" + "0" * 32}, (404, 20404)),
    ],
)
def test_a_campaign_that_cannot_be_taken_over_has_a_code(
    twilio: Caller, fields: dict[str, str], expected: tuple[int, int]
) -> None:
    assert refusal(twilio.api("POST", "/v1/Services/PreregisteredUsa2p", **fields)) == expected


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        *(({name: None}, 21727) for name in EDIT if not name.endswith("Url")),
        ({"Description": "x" * 39}, 21728),
        ({"MessageSamples": ["x" * 20]}, 21728),
        ({"DirectLending": "perhaps"}, 20001),
        ({"PrivacyPolicyUrl": "owl"}, 20001),
    ],
)
def test_an_edit_that_is_wrong_has_a_code(
    twilio: Caller, service: str, fields: dict[str, Any], code: int
) -> None:
    hand_in(twilio, service)
    twilio.control("POST", f"reviews/{service}", {"approved": False})
    edit = {name: value for name, value in (EDIT | fields).items() if value is not None}
    assert refusal(twilio.api("POST", campaign_path(service), **edit)) == (400, code)
    assert status_of(twilio, service) == "FAILED"


def test_a_suspended_campaign_stands_still(twilio: Caller) -> None:
    service = twilio.service_sid
    suspended = twilio.control("POST", f"campaigns/{service}", {"status": "SUSPENDED"})
    assert (suspended["campaign_status"], codes_of(suspended)) == ("SUSPENDED", [30990])
    assert not is_registered(twilio, service)
    assert refusal(twilio.api("POST", campaign_path(service), **EDIT)) == (400, 21729)
    assert refusal(twilio.api("DELETE", campaign_path(service))) == (400, 21729)
    reinstated = twilio.control("POST", f"campaigns/{service}", {"status": "VERIFIED"})
    assert (reinstated["errors"], is_registered(twilio, service)) == ([], True)


def test_a_suspension_may_have_codes(twilio: Caller) -> None:
    given = {"status": "SUSPENDED", "codes": [30884]}
    assert codes_of(twilio.control("POST", f"campaigns/{twilio.service_sid}", given)) == [30884]


def test_a_suspended_brand_suspends_its_campaigns(twilio: Caller, service: str) -> None:
    twilio.control("POST", f"brands/{DEFAULT_BRAND}", {"status": "SUSPENDED"})
    assert not is_registered(twilio, twilio.service_sid)
    assert status_of(twilio, twilio.service_sid) == "SUSPENDED"
    hand_in(twilio, service, BrandRegistrationSid=vetted_brand(twilio, 80))


@pytest.mark.parametrize(
    ("service_sid", "status"),
    [
        ("MG" + "0" * 32, "SUSPENDED"),
        ("MG" + "e0e0" * 8, "SUSPENDED"),
        ("MG" + "5e0d" * 8, "VERIFIED"),
        ("MG" + "5e0d" * 8, "OWL"),
    ],
)
def test_a_mistake_in_a_control_request_is_told(
    twilio: Caller, service: str, service_sid: str, status: str
) -> None:
    hand_in(twilio, service)
    url = f"{twilio.base_url}/_control/campaigns/{service_sid}"
    response = requests.post(url, json={"status": status}, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        campaigns_path("MG" + "0" * 32),
        campaign_path("MG" + "0" * 32),
        campaign_path("MG" + "e0e0" * 8),
        campaigns_path("MG" + "5e0d" * 8) + "/QE" + "0" * 32,
        campaigns_path("MG" + "0" * 32) + "/Usecases",
    ],
)
def test_what_does_not_exist_is_404(twilio: Caller, path: str) -> None:
    assert refusal(twilio.api("GET", path)) == (404, 20404)


def test_a_reset_forgets_reviews_but_not_what_waits_for_them(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    twilio.control("POST", "reset", {})
    assert twilio.control("GET", "reviews") == [{"key": service, "kind": "campaign"}]
    twilio.control("POST", "reset", {"services": True})
    assert fetched(twilio, campaigns_path(service))["compliance"] == []
