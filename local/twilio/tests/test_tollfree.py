"""Toll-free verification: what is asked, how it is reviewed, what a rejection allows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

PATH = "/v1/Tollfree/Verifications"
NUMBER = "+18885550100"
NUMBER_SID = steady_sid("PN", NUMBER)
DAY = 86_400
SUBMISSION: dict[str, Any] = {
    "BusinessName": "Owl, Inc.",
    "BusinessWebsite": "https://owl.example.com",
    "NotificationEmail": "compliance@owl.example.com",
    "UseCaseCategories": ["ACCOUNT_NOTIFICATIONS", "MARKETING"],
    "UseCaseSummary": "Offers and account news for customers",
    "ProductionMessageSample": "Owl: your parcel is on its way",
    "OptInImageUrls": ["https://owl.example.com/opt-in.png"],
    "OptInType": "WEB_FORM",
    "MessageVolume": "1,000",
    "TollfreePhoneNumberSid": NUMBER_SID,
}


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    twilio.control("POST", "clock", {"frozen": True})
    return twilio


def submit(twilio: Caller, **fields: object) -> dict[str, Any]:
    response = twilio.api("POST", PATH, **(SUBMISSION | fields))
    assert response.status_code == 201, response.text
    return dict(response.json())


def fetch(twilio: Caller, sid: str) -> dict[str, Any]:
    return dict(twilio.api("GET", f"{PATH}/{sid}").json())


def advance(twilio: Caller, seconds: float) -> None:
    twilio.control("POST", "clock", {"advance_seconds": seconds})


def rejected(twilio: Caller, *codes: int) -> dict[str, Any]:
    """A verification that was rejected for these codes."""
    sid = submit(twilio)["sid"]
    twilio.control("POST", f"reviews/{sid}", {"approved": False, "codes": codes})
    return fetch(twilio, sid)


def codes_of(verification: dict[str, Any]) -> list[int]:
    return [each["code"] for each in verification["rejection_reasons"]]


def test_a_submission_is_shown_as_it_was_made(twilio: Caller) -> None:
    made = submit(twilio, ExternalReferenceId="abc123", BusinessCountry="US")
    assert made["sid"].startswith("HH")
    assert made["status"] == "PENDING_REVIEW"
    assert made["use_case_categories"] == ["ACCOUNT_NOTIFICATIONS", "MARKETING"]
    assert made["opt_in_image_urls"] == ["https://owl.example.com/opt-in.png"]
    assert (made["tollfree_phone_number_sid"], made["tollfree_phone_number"]) == (
        NUMBER_SID,
        NUMBER,
    )
    assert (made["external_reference_id"], made["business_country"]) == ("abc123", "US")
    assert (made["business_city"], made["error_code"], made["edit_allowed"]) == (None, None, None)
    assert made["url"] == f"{twilio.base_url}{PATH}/{made['sid']}"
    assert fetch(twilio, made["sid"]) == made


def test_a_review_goes_by_time(twilio: Caller) -> None:
    sid = submit(twilio)["sid"]
    statuses = []
    for _ in range(3):
        statuses.append(fetch(twilio, sid)["status"])
        advance(twilio, 1.5 * DAY)
    assert statuses == ["PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED"]
    assert fetch(twilio, sid)["trust_product_sid"].startswith("BU")


def test_a_review_can_be_concluded_by_a_word(twilio: Caller) -> None:
    twilio.control("POST", "settings", {"auto_review": False})
    sid = submit(twilio)["sid"]
    advance(twilio, 30 * DAY)
    assert fetch(twilio, sid)["status"] == "IN_REVIEW"
    assert {"key": sid, "kind": "tollfree_verification"} in twilio.control("GET", "reviews")
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    assert fetch(twilio, sid)["status"] == "TWILIO_APPROVED"


def test_a_number_may_send_once_it_is_verified(twilio: Caller) -> None:
    def send() -> dict[str, Any]:
        made = twilio.make(From=NUMBER, MessagingServiceSid=None)
        advance(twilio, 60)
        return twilio.fetch(made["sid"])

    twilio.control("POST", "clock", {"frozen": True})
    before = send()
    assert (before["status"], before["error_code"]) == ("undelivered", 30032)
    sid = submit(twilio)["sid"]
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    assert send()["status"] == "delivered"
    twilio.api("DELETE", f"{PATH}/{sid}")
    assert send()["error_code"] == 30032


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"UseCaseSummary": "Offers reject:30475"}, [30475]),
        ({"UseCaseSummary": "reject:30475 reject:30446"}, [30475, 30446]),
        ({"UseCaseCategories": "POLITICAL_ELECTION_CAMPAIGNS"}, [30501]),
        ({"BusinessType": "PRIVATE_PROFIT"}, [30527]),
    ],
)
def test_time_rejects_what_deserves_it(
    twilio: Caller, fields: dict[str, str], codes: list[int]
) -> None:
    sid = submit(twilio, **fields)["sid"]
    advance(twilio, 3 * DAY)
    verification = fetch(twilio, sid)
    assert verification["status"] == "TWILIO_REJECTED"
    assert (codes_of(verification), verification["error_code"]) == (codes, codes[0])
    assert verification["rejection_reason"] == verification["rejection_reasons"][0]["reason"]


@pytest.mark.parametrize(
    "fields",
    [
        {"BusinessType": "SOLE_PROPRIETOR"},
        {"BusinessType": "PRIVATE_PROFIT", "BusinessRegistrationNumber": "123456789"},
        {
            "UseCaseCategories": "POLITICAL_ELECTION_CAMPAIGNS",
            "VettingProvider": "CAMPAIGN_VERIFY",
            "VettingId": "cv|1.0|token",
        },
    ],
)
def test_time_approves_the_rest(twilio: Caller, fields: dict[str, str]) -> None:
    sid = submit(twilio, **fields)["sid"]
    advance(twilio, 3 * DAY)
    assert fetch(twilio, sid)["status"] == "TWILIO_APPROVED"


def test_a_rejection_can_be_edited_for_seven_days(twilio: Caller) -> None:
    verification = rejected(twilio, 30475)
    sid = verification["sid"]
    now = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    expires = (now + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (verification["edit_allowed"], verification["edit_expiration"]) == (True, expires)
    response = twilio.api(
        "POST", f"{PATH}/{sid}", UseCaseSummary="Mended", EditReason="Website fixed"
    )
    assert response.status_code == 202
    edited = response.json()
    assert (edited["status"], edited["use_case_summary"]) == ("PENDING_REVIEW", "Mended")
    assert (edited["error_code"], edited["rejection_reasons"]) == (None, None)
    assert edited["business_name"] == "Owl, Inc."
    advance(twilio, 1.5 * DAY)
    assert fetch(twilio, sid)["status"] == "TWILIO_APPROVED"


def test_an_edit_comes_too_late_after_seven_days(twilio: Caller) -> None:
    verification = rejected(twilio, 30475)
    advance(twilio, 7 * DAY)
    assert fetch(twilio, verification["sid"])["edit_allowed"] is False
    response = twilio.api("POST", f"{PATH}/{verification['sid']}", UseCaseSummary="Mended")
    assert (response.status_code, response.json()["code"]) == (400, 30437)
    assert submit(twilio)["status"] == "PENDING_REVIEW"


@pytest.mark.parametrize("code", [30441, 30443, 30461, 30480])
def test_what_is_disallowed_cannot_be_edited(twilio: Caller, code: int) -> None:
    verification = rejected(twilio, code)
    assert (verification["edit_allowed"], verification["edit_expiration"]) == (False, None)
    response = twilio.api("POST", f"{PATH}/{verification['sid']}", UseCaseSummary="Mended")
    assert (response.status_code, response.json()["code"]) == (409, 20409)


def test_only_a_rejection_can_be_edited(twilio: Caller) -> None:
    sid = submit(twilio)["sid"]
    for seconds in (0, 3 * DAY):
        advance(twilio, seconds)
        response = twilio.api("POST", f"{PATH}/{sid}", UseCaseSummary="Other")
        assert response.json()["code"] == 20409


@pytest.mark.undocumented_requests
def test_a_wrong_edit_changes_nothing(twilio: Caller) -> None:
    verification = rejected(twilio, 30475)
    for fields in ({"OptInType": "TELEPATHY"}, {"BusinessName": ""}):
        response = twilio.api("POST", f"{PATH}/{verification['sid']}", **fields)
        assert response.json()["code"] == 20001
    assert fetch(twilio, verification["sid"]) == verification


def test_an_old_timer_does_not_touch_a_new_round(twilio: Caller) -> None:
    verification = rejected(twilio, 30475)
    advance(twilio, 0.9 * DAY)
    twilio.api("POST", f"{PATH}/{verification['sid']}", UseCaseSummary="Mended")
    advance(twilio, 0.2 * DAY)
    assert fetch(twilio, verification["sid"])["status"] == "PENDING_REVIEW"


def test_the_reviewer_may_use_own_words_or_no_code(twilio: Caller) -> None:
    sid = submit(twilio)["sid"]
    twilio.control("POST", f"reviews/{sid}", {"approved": False, "reason": "No."})
    verification = fetch(twilio, sid)
    assert verification["rejection_reasons"] == [{"code": 30440, "reason": "No."}]


def test_a_number_has_one_verification(twilio: Caller) -> None:
    sid = submit(twilio)["sid"]
    again = twilio.api("POST", PATH, **SUBMISSION)
    assert (again.status_code, again.json()["code"]) == (409, 20409)
    assert twilio.api("DELETE", f"{PATH}/{sid}").status_code == 204
    assert twilio.api("GET", f"{PATH}/{sid}").status_code == 404
    assert twilio.control("GET", "reviews") == []
    assert submit(twilio)["status"] == "PENDING_REVIEW"


@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    "name",
    [
        "BusinessName",
        "BusinessWebsite",
        "NotificationEmail",
        "UseCaseCategories",
        "UseCaseSummary",
        "ProductionMessageSample",
        "OptInImageUrls",
        "OptInType",
        "MessageVolume",
        "TollfreePhoneNumberSid",
    ],
)
def test_a_field_is_required(twilio: Caller, name: str) -> None:
    fields = {field: value for field, value in SUBMISSION.items() if field != name}
    response = twilio.api("POST", PATH, **fields)
    assert (response.status_code, response.json()["code"]) == (400, 20001)
    assert name in response.json()["message"]


@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BusinessWebsite", "owl.example.com"),
        ("BusinessWebsite", "https://[owl"),
        ("NotificationEmail", "nobody"),
        ("UseCaseCategories", ["MARKETING", "2FA"]),
        ("OptInImageUrls", ["https://owl.example.com/a.png", "a.png"]),
        ("OptInType", "TELEPATHY"),
        ("MessageVolume", "many"),
        ("BusinessContactEmail", "nobody"),
        ("BusinessContactPhone", "555"),
        ("BusinessCountry", "United States"),
        ("BusinessType", "LLC"),
        ("BusinessRegistrationAuthority", "SSN"),
        ("BusinessRegistrationCountry", "usa"),
        ("BusinessRegistrationPhoneNumber", "5551234"),
        ("PrivacyPolicyUrl", "privacy"),
        ("TermsAndConditionsUrl", "terms"),
        ("AgeGatedContent", "perhaps"),
        ("VettingProvider", "AEGIS"),
        ("VettingProvider", "CAMPAIGN_VERIFY"),
        ("VettingId", "cv"),
        ("VettingId", "v" * 501),
        ("CustomerProfileSid", "BU1"),
        ("TollfreePhoneNumberSid", steady_sid("PN", "+12025550100")),
    ],
)
def test_a_value_is_checked(twilio: Caller, name: str, value: object) -> None:
    response = twilio.api("POST", PATH, **(SUBMISSION | {name: value}))
    assert (response.status_code, response.json()["code"]) == (400, 20001)
    assert twilio.api("GET", PATH).json()["verifications"] == []


def test_a_number_of_another_account_is_not_found(twilio: Caller) -> None:
    fields = SUBMISSION | {"TollfreePhoneNumberSid": "PN" + "0" * 32}
    response = twilio.api("POST", PATH, **fields)
    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_the_list_can_be_filtered(twilio: Caller) -> None:
    old = rejected(twilio, 30441)
    new = submit(twilio, ExternalReferenceId="second")

    def listed(query: str) -> list[str]:
        response = twilio.api("GET", f"{PATH}?{query}")
        return [each["sid"] for each in response.json()["verifications"]]

    assert listed("IncludeSubAccounts=false") == [new["sid"], old["sid"]]
    assert listed("Status=TWILIO_REJECTED") == [old["sid"]]
    assert listed("ExternalReferenceId=second") == [new["sid"]]
    assert listed(f"TollfreePhoneNumberSid={NUMBER_SID}") == [new["sid"], old["sid"]]
    assert listed(f"TrustProductSid=BU1&TrustProductSid={old['trust_product_sid']}") == [old["sid"]]
    assert listed(f"Status=IN_REVIEW&TollfreePhoneNumberSid={NUMBER_SID}") == []


@pytest.mark.undocumented_requests
def test_a_status_to_filter_by_is_checked(twilio: Caller) -> None:
    assert twilio.api("GET", f"{PATH}?Status=FINE").json()["code"] == 20001


def test_a_reset_keeps_verifications_and_asks_again(twilio: Caller) -> None:
    sid = submit(twilio)["sid"]
    twilio.control("POST", "reset")
    advance(twilio, 3 * DAY)
    assert fetch(twilio, sid)["status"] == "TWILIO_APPROVED"
    twilio.control("POST", "reset", {"services": True})
    assert twilio.api("GET", PATH).json()["verifications"] == []
