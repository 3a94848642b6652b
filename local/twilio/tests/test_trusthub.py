"""The Trust Hub: what bundles are made of, how they are evaluated, submitted and reviewed."""

import json
from typing import Any

import pytest

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller, Webhook, eventually
from local.twilio.tests.trust_doors import (
    A2P_PRODUCT,
    BUSINESS,
    DAY,
    DEFAULT_PRODUCT_SID,
    PRIMARY_SID,
    REPRESENTATIVE,
    SECONDARY,
    SOLE_PROPRIETOR_PRODUCT,
    STARTER,
    advance,
    approve,
    fetched,
    freeze,
    made,
    make_bundle,
    make_document,
    make_end_user,
    make_product,
    make_profile,
    make_sole_proprietor_product,
    make_starter,
    submit,
)

pytestmark = pytest.mark.enable_socket

PROFILES = "/v1/CustomerProfiles"
PRODUCTS = "/v1/TrustProducts"
PRIMARY_POLICY = "RN6433641899984f951173ef1738c3bdd0"
NUMBER_SID = steady_sid("PN", "+12025550100")
DRAFT: dict[str, Any] = {"FriendlyName": "Owl", "Email": "ann@example.com", "PolicySid": SECONDARY}


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


def status_of(twilio: Caller, path: str) -> str:
    return str(fetched(twilio, path)["status"])


def evaluation_of(twilio: Caller, path: str, policy_sid: str) -> dict[str, Any]:
    return made(twilio, f"{path}/Evaluations", PolicySid=policy_sid)


def failures(evaluation: dict[str, Any]) -> dict[str, tuple[int | None, list[str]]]:
    """By requirement: its code, and the fields that are missing or wrong."""
    return {
        each["requirement_name"]: (
            each["error_code"],
            [field["object_field"] for field in each["invalid"]],
        )
        for each in evaluation["results"]
        if not each["passed"]
    }


def test_the_account_starts_with_an_approved_business(twilio: Caller) -> None:
    profile = fetched(twilio, f"{PROFILES}/{PRIMARY_SID}")
    product = fetched(twilio, f"{PRODUCTS}/{DEFAULT_PRODUCT_SID}")
    assert (profile["status"], profile["policy_sid"]) == ("twilio-approved", PRIMARY_POLICY)
    assert (product["status"], product["policy_sid"]) == ("twilio-approved", A2P_PRODUCT)
    assert evaluation_of(twilio, f"{PROFILES}/{PRIMARY_SID}", PRIMARY_POLICY)["status"] == (
        "compliant"
    )
    assert evaluation_of(twilio, f"{PRODUCTS}/{DEFAULT_PRODUCT_SID}", A2P_PRODUCT)["status"] == (
        "compliant"
    )


def test_a_new_profile_is_a_draft(twilio: Caller) -> None:
    profile = made(twilio, PROFILES, **DRAFT, StatusCallback="https://owl.example.com/status")
    url = f"{twilio.base_url}{PROFILES}/{profile['sid']}"
    assert (profile["status"], profile["valid_until"], profile["errors"]) == ("draft", None, None)
    assert profile["status_callback"] == "https://owl.example.com/status"
    assert profile["links"] == {
        "customer_profiles_entity_assignments": f"{url}/EntityAssignments",
        "customer_profiles_evaluations": f"{url}/Evaluations",
        "customer_profiles_channel_endpoint_assignment": f"{url}/ChannelEndpointAssignments",
    }
    assert fetched(twilio, f"{PROFILES}/{profile['sid']}") == profile


def test_lists_of_bundles_can_be_filtered(twilio: Caller) -> None:
    sid = make_bundle(twilio, PROFILES, STARTER)
    for query in ("Status=draft", "FriendlyName=Owl", f"PolicySid={STARTER}"):
        found = fetched(twilio, f"{PROFILES}?{query}")["results"]
        assert [each["sid"] for each in found] == [sid], query
    assert {each["sid"] for each in fetched(twilio, PROFILES)["results"]} == {PRIMARY_SID, sid}


def test_an_empty_profile_lacks_everything(twilio: Caller) -> None:
    sid = make_bundle(twilio, PROFILES, SECONDARY)
    evaluation = evaluation_of(twilio, f"{PROFILES}/{sid}", SECONDARY)
    assert evaluation["status"] == "noncompliant"
    assert failures(evaluation) == {
        "customer_profile_business_information": (
            22214,
            [
                "business_type",
                "business_registration_number",
                "business_name",
                "business_registration_identifier",
                "business_identity",
                "business_industry",
                "website_url",
                "business_regions_of_operation",
            ],
        ),
        "authorized_representative_1": (22214, list(REPRESENTATIVE)),
        "customer_profile_address": (22216, ["address_sids"]),
        "primary_customer_profile": (22216, ["bundle_status"]),
    }
    listed = fetched(twilio, f"{PROFILES}/{sid}/Evaluations")["results"]
    assert listed == [evaluation]
    assert fetched(twilio, f"{PROFILES}/{sid}/Evaluations/{evaluation['sid']}") == evaluation


def test_a_complete_profile_is_compliant(twilio: Caller) -> None:
    sid = make_profile(twilio)
    evaluation = evaluation_of(twilio, f"{PROFILES}/{sid}", SECONDARY)
    assert (evaluation["status"], failures(evaluation)) == ("compliant", {})


@pytest.mark.parametrize(
    ("type_name", "attributes", "field", "code"),
    [
        ("customer_profile_business_information", {"business_name": ""}, "business_name", 22215),
        (
            "customer_profile_business_information",
            {"business_identity": "x"},
            "business_identity",
            22215,
        ),
        ("authorized_representative_1", {"job_position": "Owner"}, "job_position", 22215),
        ("authorized_representative_1", {"email": None}, "email", 22215),
    ],
)
def test_an_attribute_that_is_missing_or_wrong_is_named(
    twilio: Caller, type_name: str, attributes: dict[str, object], field: str, code: int
) -> None:
    whole = {"customer_profile_business_information": BUSINESS}.get(type_name, REPRESENTATIVE)
    end_user = make_end_user(twilio, type_name, whole | attributes)
    sid = make_bundle(twilio, PROFILES, SECONDARY, end_user)
    found = evaluation_of(twilio, f"{PROFILES}/{sid}", SECONDARY)["results"]
    result = next(each for each in found if each["requirement_name"] == type_name)
    assert (result["passed"], result["error_code"]) == (False, None)
    wrong = [(each["object_field"], each["error_code"]) for each in result["invalid"]]
    assert wrong == [(field, code)]


def test_a_second_representative_is_looked_at_if_there_is_one(twilio: Caller) -> None:
    sid = make_profile(twilio)
    end_user = make_end_user(twilio, "authorized_representative_2", {"first_name": "Bob"})
    made(twilio, f"{PROFILES}/{sid}/EntityAssignments", ObjectSid=end_user)
    evaluation = evaluation_of(twilio, f"{PROFILES}/{sid}", SECONDARY)
    assert list(failures(evaluation)) == ["authorized_representative_2"]


def test_an_address_must_exist(twilio: Caller) -> None:
    document = make_document(twilio, address_sids="AD" + "0" * 32)
    sid = make_bundle(twilio, PROFILES, SECONDARY, document)
    evaluation = evaluation_of(twilio, f"{PROFILES}/{sid}", SECONDARY)
    result = next(
        each
        for each in evaluation["results"]
        if each["requirement_name"] == "customer_profile_address"
    )
    assert [each["error_code"] for each in result["invalid"]] == [22219]


def test_a_trust_product_stands_on_an_approved_profile(twilio: Caller) -> None:
    profile = make_profile(twilio)
    product = make_product(twilio, profile)
    before = evaluation_of(twilio, f"{PRODUCTS}/{product}", A2P_PRODUCT)
    assert failures(before) == {"customer_profile": (None, ["bundle_status"])}
    approve(twilio, f"{PROFILES}/{profile}")
    after = evaluation_of(twilio, f"{PRODUCTS}/{product}", A2P_PRODUCT)
    assert after["status"] == "compliant"


@pytest.mark.parametrize(
    ("attributes", "wrong"),
    [
        ({"company_type": "private"}, []),
        ({"company_type": "secret"}, ["company_type"]),
        (
            {"company_type": "public"},
            ["stock_exchange", "stock_ticker", "brand_contact_email"],
        ),
        (
            {
                "company_type": "public",
                "stock_exchange": "NASDAQ",
                "stock_ticker": "OWL",
                "brand_contact_email": "ann@owl.example.com",
            },
            [],
        ),
    ],
)
def test_public_companies_tell_more(
    twilio: Caller, attributes: dict[str, str], wrong: list[str]
) -> None:
    product = make_product(twilio, PRIMARY_SID, **attributes)
    evaluation = evaluation_of(twilio, f"{PRODUCTS}/{product}", A2P_PRODUCT)
    expected = {"us_a2p_messaging_profile_information": (None, wrong)} if wrong else {}
    assert failures(evaluation) == expected


def test_a_sole_proprietor_needs_less(twilio: Caller) -> None:
    starter = make_starter(twilio)
    approve(twilio, f"{PROFILES}/{starter}")
    product = make_sole_proprietor_product(twilio, starter)
    evaluation = evaluation_of(twilio, f"{PRODUCTS}/{product}", SOLE_PROPRIETOR_PRODUCT)
    assert [each["requirement_name"] for each in evaluation["results"]] == [
        "sole_proprietor_information",
        "customer_profile",
    ]
    assert evaluation["status"] == "compliant"


def test_a_review_goes_by_time(twilio: Caller) -> None:
    sid = make_profile(twilio)
    path = f"{PROFILES}/{sid}"
    submit(twilio, path)
    statuses = []
    for _ in range(3):
        statuses.append(status_of(twilio, path))
        advance(twilio, DAY / 2 + 1)
    assert statuses == ["pending-review", "in-review", "twilio-approved"]


def test_a_document_goes_with_its_bundle(twilio: Caller) -> None:
    sid = make_profile(twilio)
    assignments = fetched(
        twilio, f"{PROFILES}/{sid}/EntityAssignments?ObjectType=customer_profile_address"
    )["results"]
    document = f"/v1/SupportingDocuments/{assignments[0]['object_sid']}"
    statuses = [status_of(twilio, document)]
    submit(twilio, f"{PROFILES}/{sid}")
    statuses.append(status_of(twilio, document))
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    statuses.append(status_of(twilio, document))
    assert statuses == ["DRAFT", "PENDING_REVIEW", "APPROVED"]


def test_a_rejected_profile_tells_why_and_can_be_handed_in_again(twilio: Caller) -> None:
    sid = make_profile(twilio, business_name="Owl reject:18601")
    path = f"{PROFILES}/{sid}"
    submit(twilio, path)
    advance(twilio, DAY)
    rejected = fetched(twilio, path)
    assert (rejected["status"], rejected["errors"]) == ("twilio-rejected", [{"code": 18601}])
    parts = fetched(twilio, f"{path}/EntityAssignments")["results"]
    made(twilio, f"/v1/EndUsers/{parts[0]['object_sid']}", Attributes=json.dumps(BUSINESS))
    assert submit(twilio, path)["errors"] is None
    advance(twilio, DAY)
    assert status_of(twilio, path) == "twilio-approved"


def test_what_became_noncompliant_under_review_is_rejected(twilio: Caller) -> None:
    sid = make_profile(twilio)
    submit(twilio, f"{PROFILES}/{sid}")
    parts = fetched(twilio, f"{PROFILES}/{sid}/EntityAssignments")["results"]
    made(twilio, f"/v1/EndUsers/{parts[0]['object_sid']}", Attributes="{}")
    advance(twilio, DAY)
    assert fetched(twilio, f"{PROFILES}/{sid}")["errors"] == [{"code": 18602}]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ({"approved": True}, {"Status": "twilio-approved"}),
        (
            {"approved": False, "codes": [18603]},
            {
                "Status": "twilio-rejected",
                "FailureReason": "The address could not be verified",
                "Errors": '[{"code": 18603}]',
            },
        ),
        (
            {"approved": False, "reason": "Forged"},
            {
                "Status": "twilio-rejected",
                "FailureReason": "Forged",
                "Errors": '[{"code": 18602}]',
            },
        ),
    ],
)
def test_the_result_of_a_review_is_called_back(
    twilio: Caller, webhook: Webhook, verdict: dict[str, object], expected: dict[str, str]
) -> None:
    sid = make_profile(twilio)
    made(twilio, f"{PROFILES}/{sid}", StatusCallback=f"{webhook.url}/trust")
    submit(twilio, f"{PROFILES}/{sid}")
    twilio.control("POST", f"reviews/{sid}", verdict)
    eventually(lambda: webhook.received)
    received = webhook.received[0]
    about = {"AccountSid": twilio.account.account_sid, "BundleSid": sid}
    assert (received.method, received.params) == ("POST", about | expected)
    assert received.headers["X-Twilio-Signature"]


def test_a_callback_that_fails_goes_to_the_debugger(twilio: Caller, webhook: Webhook) -> None:
    webhook.answers = [(500, "")]
    sid = make_profile(twilio)
    made(twilio, f"{PROFILES}/{sid}", StatusCallback=f"{webhook.url}/trust")
    submit(twilio, f"{PROFILES}/{sid}")
    twilio.control("POST", f"reviews/{sid}", {"approved": True})
    alert = eventually(lambda: twilio.control("GET", "debugger"))[0]
    assert (alert["code"], alert["sid"], alert["url"]) == (11200, sid, f"{webhook.url}/trust")


def test_numbers_come_onto_approved_bundles_too(twilio: Caller) -> None:
    path = f"{PROFILES}/{PRIMARY_SID}/ChannelEndpointAssignments"
    assigned = made(twilio, path, ChannelEndpointType="phone-number", ChannelEndpointSid=NUMBER_SID)
    assert assigned["channel_endpoint_sid"] == NUMBER_SID
    assert fetched(twilio, f"{path}/{assigned['sid']}") == assigned
    for query, count in (
        ("", 1),
        (f"?ChannelEndpointSid={NUMBER_SID}", 1),
        (f"?ChannelEndpointSids={NUMBER_SID},PN{'0' * 32}", 1),
        (f"?ChannelEndpointSid=PN{'0' * 32}", 0),
    ):
        assert len(fetched(twilio, path + query)["results"]) == count, query
    assert twilio.api("DELETE", f"{path}/{assigned['sid']}").status_code == 204
    assert fetched(twilio, path)["results"] == []


def test_what_no_bundle_has_can_be_deleted(twilio: Caller) -> None:
    sid = make_profile(twilio)
    path = f"{PROFILES}/{sid}/EntityAssignments"
    for assignment in fetched(twilio, path)["results"]:
        assert fetched(twilio, f"{path}/{assignment['sid']}") == assignment
        assert twilio.api("DELETE", f"{path}/{assignment['sid']}").status_code == 204
        object_sid = assignment["object_sid"]
        if object_sid != PRIMARY_SID:
            resource = "EndUsers" if object_sid.startswith("IT") else "SupportingDocuments"
            assert twilio.api("DELETE", f"/v1/{resource}/{object_sid}").status_code == 204
    assert twilio.api("DELETE", f"{PROFILES}/{sid}").status_code == 204
    assert twilio.api("GET", f"{PROFILES}/{sid}").status_code == 404


def test_end_users_and_documents_are_listed_and_renamed(twilio: Caller) -> None:
    end_user = make_end_user(twilio, "authorized_representative_1", REPRESENTATIVE)
    renamed = made(twilio, f"/v1/EndUsers/{end_user}", FriendlyName="Ann")
    assert (renamed["friendly_name"], renamed["attributes"]) == ("Ann", REPRESENTATIVE)
    assert fetched(twilio, f"/v1/EndUsers/{end_user}") == renamed
    assert renamed in fetched(twilio, "/v1/EndUsers")["results"]
    document = make_document(twilio)
    renamed = made(twilio, f"/v1/SupportingDocuments/{document}", FriendlyName="Nest")
    assert (renamed["friendly_name"], renamed["mime_type"]) == ("Nest", None)
    assert renamed in fetched(twilio, "/v1/SupportingDocuments")["results"]


@pytest.mark.parametrize(
    ("path", "key", "count"),
    [
        ("/v1/EndUserTypes", "end_user_types", 6),
        ("/v1/SupportingDocumentTypes", "supporting_document_types", 2),
        ("/v1/Policies", "results", 5),
    ],
)
def test_types_and_policies_are_fixed(twilio: Caller, path: str, key: str, count: int) -> None:
    found = fetched(twilio, path)[key]
    assert len(found) == count
    for each in found:
        assert fetched(twilio, f"{path}/{each['sid']}") == each
    assert len(fetched(twilio, f"{path}?PageSize=1")[key]) == 1


def test_a_policy_tells_what_it_asks_for(twilio: Caller) -> None:
    policy = fetched(twilio, f"/v1/Policies/{STARTER}")["requirements"]
    assert [each["type"] for each in policy["end_user"]] == ["starter_customer_profile_information"]
    accepted = policy["supporting_document"][0][0]["accepted_documents"]
    assert [each["type"] for each in accepted] == [
        "customer_profile_address",
        "starter_customer_profile_address",
    ]
    assert [each["type"] for each in policy["supporting_customer_profiles"]] == [
        "primary_customer_profile_type_business"
    ]


def test_a_reset_forgets_reviews_but_not_what_waits_for_them(twilio: Caller) -> None:
    sid = make_profile(twilio)
    submit(twilio, f"{PROFILES}/{sid}")
    twilio.control("POST", "reset", {})
    assert {"key": sid, "kind": "customer_profile"} in twilio.control("GET", "reviews")
    twilio.control("POST", "reset", {"services": True})
    assert twilio.api("GET", f"{PROFILES}/{sid}").status_code == 404


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        (PROFILES, DRAFT | {"FriendlyName": ""}, 20001),
        (PROFILES, DRAFT | {"Email": ""}, 20001),
        (PROFILES, DRAFT | {"PolicySid": ""}, 20001),
        (PROFILES, DRAFT | {"PolicySid": "RN" + "0" * 32}, 20001),
        (PROFILES, DRAFT | {"PolicySid": PRIMARY_POLICY}, 20001),
        (PROFILES, DRAFT | {"PolicySid": A2P_PRODUCT}, 20001),
        (PROFILES, DRAFT | {"StatusCallback": "owl"}, 20001),
        (PRODUCTS, DRAFT, 20001),
        ("/v1/EndUsers", {"FriendlyName": "x", "Type": "owl"}, 20001),
        ("/v1/EndUsers", {"FriendlyName": "x"}, 20001),
        (
            "/v1/EndUsers",
            {"FriendlyName": "x", "Type": "authorized_representative_1", "Attributes": "{"},
            20001,
        ),
        (
            "/v1/EndUsers",
            {"FriendlyName": "x", "Type": "authorized_representative_1", "Attributes": "[]"},
            20001,
        ),
        (
            "/v1/SupportingDocuments",
            {"FriendlyName": "x", "Type": "authorized_representative_1"},
            20001,
        ),
        (f"{PROFILES}/{PRIMARY_SID}", {"FriendlyName": "x"}, 20409),
        (f"{PROFILES}/{PRIMARY_SID}/EntityAssignments", {"ObjectSid": DEFAULT_PRODUCT_SID}, 20409),
        (f"{PROFILES}/{PRIMARY_SID}/EntityAssignments", {"ObjectSid": "IT" + "0" * 32}, 20404),
        (f"{PROFILES}/{PRIMARY_SID}/EntityAssignments", {}, 20001),
        (f"{PROFILES}/{PRIMARY_SID}/Evaluations", {"PolicySid": SECONDARY}, 20001),
        (f"{PROFILES}/{PRIMARY_SID}/Evaluations", {}, 20001),
        (f"{PROFILES}/{DEFAULT_PRODUCT_SID}", {"FriendlyName": "x"}, 20404),
        (
            f"{PROFILES}/{PRIMARY_SID}/ChannelEndpointAssignments",
            {"ChannelEndpointType": "phone-number", "ChannelEndpointSid": "PN" + "0" * 32},
            20404,
        ),
        (
            f"{PROFILES}/{PRIMARY_SID}/ChannelEndpointAssignments",
            {"ChannelEndpointType": "carrier-pigeon", "ChannelEndpointSid": NUMBER_SID},
            20001,
        ),
    ],
)
def test_what_cannot_be_done_has_a_code(
    twilio: Caller, path: str, fields: dict[str, object], code: int
) -> None:
    response = twilio.api("POST", path, **fields)
    status = {20404: 404, 20409: 409}.get(code, 400)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_primary_profile_is_made_in_the_console_only(twilio: Caller) -> None:
    response = twilio.api("POST", PROFILES, **(DRAFT | {"PolicySid": PRIMARY_POLICY}))
    assert "restricted" in response.json()["message"]


@pytest.mark.parametrize("status", ["in-review", "twilio-approved", "twilio-rejected", "owl", ""])
def test_only_drafts_and_submissions_can_be_asked_for(twilio: Caller, status: str) -> None:
    sid = make_profile(twilio)
    response = twilio.api("POST", f"{PROFILES}/{sid}", Status=status)
    assert (response.status_code, response.json()["code"]) == (400, 20001)


def test_a_list_refuses_a_status_that_there_is_not(twilio: Caller) -> None:
    response = twilio.api("GET", f"{PROFILES}?Status=owl")
    assert (response.status_code, response.json()["code"]) == (400, 20001)


def test_an_object_is_assigned_once(twilio: Caller) -> None:
    end_user = make_end_user(twilio, "authorized_representative_1", REPRESENTATIVE)
    sid = make_bundle(twilio, PROFILES, SECONDARY, end_user)
    path = f"{PROFILES}/{sid}/EntityAssignments"
    for object_sid in (end_user, sid):
        response = twilio.api("POST", path, ObjectSid=object_sid)
        assert (response.status_code, response.json()["code"]) == (409, 20409)


@pytest.mark.parametrize(
    "path",
    [
        f"{PROFILES}/BU{'0' * 32}",
        f"{PROFILES}/{PRIMARY_SID}/EntityAssignments/BV{'0' * 32}",
        f"{PROFILES}/{PRIMARY_SID}/Evaluations/EL{'0' * 32}",
        f"{PROFILES}/{PRIMARY_SID}/ChannelEndpointAssignments/RA{'0' * 32}",
        f"/v1/EndUsers/IT{'0' * 32}",
        f"/v1/SupportingDocuments/RD{'0' * 32}",
        f"/v1/EndUserTypes/OY{'0' * 32}",
        f"/v1/SupportingDocumentTypes/OY{'0' * 32}",
        f"/v1/Policies/RN{'0' * 32}",
    ],
)
def test_what_does_not_exist_is_404(twilio: Caller, path: str) -> None:
    response = twilio.api("GET", path)
    assert (response.status_code, response.json()["code"]) == (404, 20404)
