"""Requests and answers are held against Twilio's OpenAPI documents, and what breaks them is found."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.twilio.api.edge import API_PATHS
from local.twilio.app import build_app
from local.twilio.contract.answers import Answer, check_answer
from local.twilio.contract.contract import KEPT, Contract, request_violations
from local.twilio.contract.documents import FORM, Operation, find_operation, operations
from local.twilio.contract.outside import reason_outside
from local.twilio.contract.requests import Request, check_request
from local.twilio.core.settings import Settings
from local.twilio.tests.conftest import ServerThread
from local.twilio.tests.doors import ORDINARY, Caller

pytestmark = pytest.mark.enable_socket

JSON = "application/json"
ACCOUNT_PATH = "/2010-04-01/Accounts/AC" + "0" * 32
MESSAGES = f"{ACCOUNT_PATH}/Messages.json"
SERVICE_PATH = "/v1/Services/MG" + "0" * 32
COMPLETE = {"To": [ORDINARY], "Body": ["Hello"], "MessagingServiceSid": ["MG" + "0" * 32]}

# examples in the documents that their own schemas refuse: placeholders, and a field cut since
WRONG_EXAMPLES = {
    ("messaging_v1.CreateBrandVetting", "brand_vetting_sid"),
    ("messaging_v1.FetchBrandVetting", "brand_vetting_sid"),
    ("messaging_v1.ListBrandVetting", "data/0/brand_vetting_sid"),
    ("messaging_v1.FetchDomainDnsValidation", ""),
    ("api_v2010.CreateMessage", "form/Tags"),
    ("api_v2010.CreateMessage", "form/To"),
}


@pytest.fixture
def own_twilio() -> Iterator[Caller]:
    """A simulator of this test alone, as the other one's record is the whole session's."""
    server = ServerThread()
    server.start()
    server.wait_until_ready()
    yield Caller(f"http://127.0.0.1:{server.port}")
    server.stop()


def operation(name: str) -> Operation:
    return next(each for each in operations() if each.name == name)


def example(name: str, status: int = 200) -> dict[str, Any]:
    examples = operation(name).answers[str(status)]["content"][JSON]["examples"]
    return dict(next(iter(examples.values()))["value"])


def answered(name: str, body: object, status: int = 200) -> list[tuple[str, str]]:
    text = json.dumps(body).encode()
    return list(check_answer(operation(name), Answer(status=status, content_type=JSON, body=text)))


def asked(
    method: str, path: str, *, form: dict[str, list[str]] | None = None, **query: list[str]
) -> Request:
    return Request(method=method, path=path, query=query, form=form or {})


def as_form(example: dict[str, Any]) -> dict[str, list[str]]:
    lists = {name: each if isinstance(each, list) else [each] for name, each in example.items()}
    return {
        name: [json.dumps(each) if isinstance(each, dict) else str(each) for each in values]
        for name, values in lists.items()
    }


# ------------------------------------------------------------------------------------------- documents


@pytest.mark.parametrize("each", operations(), ids=lambda each: each.name)
def test_twilios_own_examples_are_found_right(each: Operation) -> None:
    found = []
    for status, documented in each.answers.items():
        for shown in documented.get("content", {}).get(JSON, {}).get("examples", {}).values():
            found += answered(each.name, shown["value"], int(status))
    forms = each.spec.get("requestBody", {}).get("content", {}).get(FORM, {}).get("examples", {})
    for shown in forms.values():
        sent = asked(each.method, each.path, form=as_form(shown["value"]))
        found += list(check_request(each, {}, sent, accepted=True))
    assert {(each.name, where) for where, _ in found} <= WRONG_EXAMPLES


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/Services/Usecases", "messaging_v1.FetchUsecase"),
        ("POST", "/v1/Services/PreregisteredUsa2p", "messaging_v1.CreateExternalCampaign"),
        ("GET", SERVICE_PATH, "messaging_v1.FetchService"),
        (
            "GET",
            f"{SERVICE_PATH}/Compliance/Usa2p/Usecases",
            "messaging_v1.FetchUsAppToPersonUsecase",
        ),
        (
            "GET",
            f"{SERVICE_PATH}/Compliance/Usa2p/QE" + "0" * 32,
            "messaging_v1.FetchUsAppToPerson",
        ),
        ("GET", f"{ACCOUNT_PATH}.json", "api_v2010.FetchAccount"),
        ("POST", MESSAGES, "api_v2010.CreateMessage"),
    ],
)
def test_a_literal_path_beats_one_with_a_parameter(method: str, path: str, name: str) -> None:
    found = find_operation(method, path)
    assert found is not None
    assert found[0].name == name


def test_a_path_that_no_document_has_is_a_violation_unless_there_is_a_reason() -> None:
    [violation] = request_violations(asked("GET", "/v1/Nothing"))
    assert (violation.operation, violation.where) == ("GET /v1/Nothing", "path")
    assert request_violations(asked("PUT", MESSAGES))
    assert request_violations(asked("POST", f"{ACCOUNT_PATH}/Calls.json")) == []


def test_every_operation_has_a_route_and_every_route_an_operation_or_a_reason() -> None:
    def shape(method: str, path: str) -> str:
        return f"{method} {re.sub(r'\{\w+\}', 'x', path)}"

    served = {
        shape(route.method, route.resource.canonical)
        for route in build_app(Settings()).router.routes()
        if route.resource
        and route.method != "HEAD"
        and route.resource.canonical.startswith(API_PATHS)
    }
    documented = {shape(each.method, each.path) for each in operations()}
    added = {each for each in served - documented if not reason_outside(*each.split())}
    assert documented - served == set()
    assert added == set()


# -------------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("method", "path", "field", "values", "what"),
    [
        ("POST", MESSAGES, "Colour", ["red"], "is not documented"),
        ("POST", MESSAGES, "to", [ORDINARY], "is not documented"),
        ("POST", MESSAGES, "Body", ["a", "b"], "is sent more than once"),
        ("POST", MESSAGES, "ValidityPeriod", ["soon"], "'soon' is no integer"),
        ("POST", MESSAGES, "MaxPrice", ["dear"], "'dear' is no number"),
        ("POST", MESSAGES, "ShortenUrls", ["1"], "'1' is no boolean"),
        ("POST", MESSAGES, "ScheduleType", ["loose"], "is not one of"),
        ("POST", MESSAGES, "ContentSid", ["HX1"], "does not match"),
        ("POST", MESSAGES, "SendAt", ["tomorrow"], "is not a 'date-time'"),
        ("POST", MESSAGES, "StatusCallback", ["/status"], "is not a 'uri'"),
        ("POST", MESSAGES, "From", ["+"], "is not a 'phone-number'"),
        ("POST", "/v1/EndUsers", "Attributes", ["{"], "'{' is no object"),
        ("POST", "/v1/Services", "InboundMethod", ["PUT"], "is not one of"),
    ],
)
def test_a_form_that_is_not_documented_is_found(
    method: str, path: str, field: str, values: list[str], what: str
) -> None:
    [first, *_] = request_violations(asked(method, path, form={field: values}), accepted=False)
    assert (first.part, first.where) == ("request", f"form/{field}")
    assert what in first.what


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("MessageIntent", ["otp"]),  # newer than the documents
        ("MediaUrl", ["https://example.com/a.png", "https://example.com/b.png"]),
        ("ValidityPeriod", ["300"]),
        ("ShortenUrls", ["True"]),
        ("SendAt", ["2026-11-23T15:00:00Z"]),
        ("StatusCallback", [""]),
        ("From", ["Sendpool"]),
        ("From", ["whatsapp:+12025550100"]),
    ],
)
def test_what_is_documented_passes(field: str, values: list[str]) -> None:
    sent = asked("POST", MESSAGES, form=COMPLETE | {field: values})
    assert request_violations(sent) == []


def test_query_and_path_are_checked_too() -> None:
    sent = asked("GET", "/v1/Services/nobody", Colour=["red"])
    assert [each.where for each in request_violations(sent)] == ["path/Sid"] * 2 + ["query/Colour"]
    query = {"DateSent<": ["2026-11-22"], "DateSent>": ["06/11/2019 22:05:25 MST"]}
    listed = Request(method="GET", path=MESSAGES, query=query | {"PageSize": ["50"]}, form={})
    assert request_violations(listed) == []
    assert request_violations(asked("GET", MESSAGES, PageSize=["1001"]))


def test_required_fields_are_missed_only_where_the_request_was_accepted() -> None:
    sent = asked("POST", MESSAGES, form={"To": [""]})
    [violation] = request_violations(sent, accepted=True)
    assert (violation.where, violation.what) == ("form/To", "is required")
    assert request_violations(sent, accepted=False) == []


# --------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"sid": None}, "", ""),
        ({"colour": "red"}, "", "'colour' was unexpected"),
        ({"num_segments": 1}, "num_segments", "is not of type 'string'"),
        ({"status": "lost"}, "status", "is not one of"),
        ({"status": None}, "status", "is not of type 'string'"),
        ({"sid": "SM1"}, "sid", "does not match"),
        ({"date_created": "2026-11-23T15:00:00Z"}, "date_created", "is not a 'date-time-rfc-2822'"),
        ({"date_created": "soon"}, "date_created", "is not a 'date-time-rfc-2822'"),
        ({"subresource_uris": {"media": 1}}, "subresource_uris", "is not a 'uri-map'"),
    ],
)
def test_a_message_that_is_not_as_documented_is_found(
    change: dict[str, Any], where: str, what: str
) -> None:
    found = answered("api_v2010.FetchMessage", example("api_v2010.FetchMessage") | change)
    assert bool(found) == bool(what)
    assert all(place == where for place, _ in found)
    assert any(what in text for _, text in found) or not what


def test_an_answer_without_something_that_the_schema_lists_is_found() -> None:
    message = example("api_v2010.FetchMessage")
    del message["error_message"]
    [(_, what)] = answered("api_v2010.FetchMessage", message)
    assert "'error_message' is a required property" in what


def test_a_list_is_checked_to_its_last_entry() -> None:
    page = example("messaging_v1.ListService")
    page["services"] = [page["services"][0], page["services"][0] | {"friendly_name": 1}]
    page["meta"].pop("key")
    wheres = [where for where, _ in answered("messaging_v1.ListService", page)]
    assert sorted(wheres) == ["meta", "services/1/friendly_name"]


def test_either_form_of_a_campaign_will_do_and_the_nearer_one_is_what_is_missed() -> None:
    campaign = example("messaging_v1.FetchUsAppToPerson")
    urls = {"privacy_policy_url": "https://a.example", "terms_and_conditions_url": None}
    assert answered("messaging_v1.FetchUsAppToPerson", campaign) == []
    assert answered("messaging_v1.FetchUsAppToPerson", campaign | urls | {"age_gated": 1}) == [
        ("age_gated", "1 is not of type 'boolean', 'null'")
    ]


@pytest.mark.parametrize(
    ("name", "status", "content_type", "body", "where"),
    [
        ("api_v2010.CreateMessage", 200, JSON, b"{}", "status"),
        ("api_v2010.DeleteMessage", 204, JSON, b"{}", "body"),
        ("api_v2010.FetchMessage", 200, JSON, b"<xml/>", "body"),
        ("api_v2010.FetchMessage", 200, "text/html", b"{}", "body"),
        ("api_v2010.FetchMessage", 200, JSON, b"[]", ""),
    ],
)
def test_a_success_of_another_kind_is_found(
    name: str, status: int, content_type: str, body: bytes, where: str
) -> None:
    answer = Answer(status=status, content_type=content_type, body=body)
    assert [place for place, _ in check_answer(operation(name), answer)] == [where]


@pytest.mark.parametrize(
    ("status", "change", "wheres"),
    [
        (400, {}, []),
        (400, {"user_error": True}, []),
        (400, {"code": None}, ["code", "more_info"]),
        (400, {"code": "21211"}, ["code"]),
        (400, {"code": 99999}, ["code", "more_info"]),
        (400, {"more_info": None}, ["more_info"]),
        (400, {"message": ""}, ["message"]),
        (404, {}, ["status"]),
        (500, {"code": 20500, "more_info": "https://www.twilio.com/docs/errors/20500"}, ["status"]),
    ],
)
def test_a_refusal_of_another_form_is_found(
    status: int, change: dict[str, Any], wheres: list[str]
) -> None:
    refusal = {
        "code": 21211,
        "message": "The 'To' number x is not a valid phone number.",
        "more_info": "https://www.twilio.com/docs/errors/21211",
        "status": 400,
    }
    body = json.dumps(refusal | change).encode()
    found = check_answer(None, Answer(status=status, content_type=JSON, body=body))
    assert [where for where, _ in found] == wheres


def test_a_gateway_may_have_no_code_but_not_no_form() -> None:
    def found(status: int, body: bytes) -> list[str]:
        answer = Answer(status=status, content_type=JSON, body=body)
        return [where for where, _ in check_answer(None, answer)]

    assert found(503, b'{"message": "Service Unavailable", "status": 503}') == []
    assert found(404, b'{"message": "Not Found", "status": 404}') == ["code", "more_info"]
    assert found(503, b"[]") == ["body"]


# ---------------------------------------------------------------------------------------------- record


def test_the_record_counts_covers_and_keeps_the_newest() -> None:
    contract = Contract()
    body = json.dumps(example("api_v2010.CreateMessage", 201)).encode()
    contract.check(
        asked("POST", MESSAGES, form=COMPLETE), Answer(status=201, content_type=JSON, body=body)
    )
    refused = Answer(status=400, content_type=JSON, body=b"{}")
    for _ in range(KEPT):
        contract.check(asked("POST", "/v1/Services", form={"Colour": ["red"]}), refused)
    report = contract.to_json()
    assert (report["checked"], report["violated"]) == (KEPT + 1, 4 * KEPT)
    assert len(report["violations"]) == KEPT
    assert {each["part"] for each in report["violations"]} == {"answer"}
    coverage = report["coverage"]
    assert coverage["api_v2010"]["paths"] == [1, 11]
    assert coverage["api_v2010"]["operations"] == [1, 16]
    assert "POST /v1/Services" in coverage["messaging_v1"]["missing"]


@pytest.mark.undocumented_requests
def test_the_control_api_shows_what_was_taken_and_is_not_documented(twilio: Caller) -> None:
    # GIVEN what was recorded so far
    before = twilio.control("GET", "contract")
    # WHEN a field comes that Twilio does not have, and is passed over
    twilio.make(Colour="red")
    # THEN it is recorded
    after = twilio.control("GET", "contract")
    assert after["violated"] == before["violated"] + 1
    assert after["violations"][-1] == {
        "operation": "api_v2010.CreateMessage",
        "part": "request",
        "where": "form/Colour",
        "what": "is not documented",
    }


def test_what_was_refused_is_no_violation(twilio: Caller) -> None:
    before = twilio.control("GET", "contract")
    assert twilio.create(Colour="red", To="nobody").status_code == 400
    after = twilio.control("GET", "contract")
    assert after["checked"] == before["checked"] + 1
    assert after["violated"] == before["violated"]


def test_nothing_is_checked_while_it_is_off(twilio: Caller) -> None:
    twilio.control("POST", "settings", {"contract": False})
    before = twilio.control("GET", "contract")["checked"]
    twilio.make(Colour="red")
    assert twilio.control("GET", "contract")["checked"] == before


def test_a_cut_connection_is_no_answer(twilio: Caller) -> None:
    before = twilio.control("GET", "contract")
    twilio.control("POST", "faults", {"kind": "made_then_cut"})
    with pytest.raises(requests.ConnectionError):
        twilio.create()
    assert twilio.control("GET", "contract") == before


def test_the_record_outlives_a_reset_and_is_cleared_by_delete(own_twilio: Caller) -> None:
    own_twilio.make()
    own_twilio.control("POST", "reset", {"services": True, "settings": True})
    assert own_twilio.control("GET", "contract")["checked"] == 1
    cleared = own_twilio.control("DELETE", "contract")
    assert (cleared["checked"], cleared["coverage"]["api_v2010"]["paths"]) == (0, [0, 11])


@pytest.mark.whole_suite
def test_the_suite_reaches_every_operation(twilio: Caller) -> None:
    coverage = twilio.control("GET", "contract")["coverage"]
    assert [each for part in coverage.values() for each in part["missing"]] == []
