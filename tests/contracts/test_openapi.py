"""docs/openapi.json: well formed, whole, and true to what the handlers take and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.contracts.openapi import operations
from local.contracts.places import OPENAPI
from sendpool.domain.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    SendpoolError,
    TwilioBusyError,
    TwilioRefusedError,
    Violation,
)
from sendpool.edge.http import problem
from tests.template.stack import as_deployed

EVENTS = Path(__file__).parents[2] / "events"
DOCUMENT: dict[str, Any] = json.loads(OPENAPI.read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = list(operations(DOCUMENT["paths"]))
REQUEST_FIELDS = [
    (schema, field)
    for schema in (
        "SendMessage",
        "CreateBroadcast",
        "Recipient",
        "OptOut",
        "OptIn",
        "ConsentGiven",
        "ImportOptOuts",
        "ImportedOptOut",
        "Decision",
        "ChangeService",
        "PutBack",
        "AddSender",
    )
    for field in SCHEMAS[schema]["properties"]
]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    )


def _anonymous(path: str) -> str:
    """A path without the names of its parameters, which mean nothing to callers."""
    return re.sub(r"\{[^}]+\}", "{}", path)


def test_every_reference_leads_to_a_schema_and_every_schema_is_referred_to() -> None:
    assert set(_references(DOCUMENT)) == {f"#/components/schemas/{name}" for name in SCHEMAS}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_json_schema_and_every_object_says_what_it_is(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["type"] != "object" or SCHEMAS[name]["description"]


def test_every_route_but_the_webhooks_is_described_and_nothing_else() -> None:
    deployed = {
        (route.method, _anonymous(route.path))
        for route in as_deployed().routes
        if not route.is_webhook
    }
    described = {
        (method.upper(), _anonymous(path))
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    assert described == deployed


def test_every_parameter_of_a_path_is_declared() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            declared = {
                each["name"] for each in operation.get("parameters", []) if each["in"] == "path"
            }
            assert declared == set(re.findall(r"\{([^}]+)\}", path))


def test_every_operation_has_an_id_of_its_own_and_a_summary() -> None:
    assert len({each["operationId"] for each in OPERATIONS}) == len(OPERATIONS)
    assert all(each["summary"] for each in OPERATIONS)


def test_every_operation_answers_with_one_success_or_a_problem() -> None:
    for operation in OPERATIONS:
        (success, *failures) = sorted(operation["responses"])
        assert success in {"200", "201", "202"}
        assert failures == ["4XX", "5XX"]
        for failure in failures:
            assert set(operation["responses"][failure]["content"]) == {"application/problem+json"}
        assert all(each["description"] for each in operation["responses"].values())


def test_every_operation_needs_a_signature() -> None:
    (needed,) = (set(each) for each in DOCUMENT["security"])
    assert needed == set(DOCUMENT["components"]["securitySchemes"])
    assert not [each for each in OPERATIONS if "security" in each]


@pytest.mark.parametrize(("schema", "field"), REQUEST_FIELDS)
def test_every_request_field_has_a_type(schema: str, field: str) -> None:
    described = SCHEMAS[schema]["properties"][field]
    alternatives = described.get("anyOf", [described])
    assert all({"type", "$ref", "enum", "const"} & set(each) for each in alternatives)


def test_requests_take_no_fields_that_are_not_described() -> None:
    assert not [
        schema
        for schema, _ in REQUEST_FIELDS
        if SCHEMAS[schema]["additionalProperties"] is not False
    ]


@pytest.mark.parametrize(
    ("schema", "event"),
    [
        ("SendMessage", "messages/send-sms"),
        ("SendMessage", "messages/send-mms"),
        ("CreateBroadcast", "broadcasts/create-inline"),
        ("CreateBroadcast", "broadcasts/create-upload"),
        ("CreateBroadcast", "broadcasts/create-and-start"),
        ("OptOut", "compliance/opt-out"),
        ("OptIn", "compliance/opt-in"),
        ("ImportOptOuts", "compliance/import"),
        ("ChangeService", "service/change"),
        ("PutBack", "service/put-back"),
        ("AddSender", "service/add-sender"),
        ("AddSender", "service/add-alphanumeric"),
        ("CampaignModel", "compliance/preflight"),
    ],
)
def test_a_request_that_is_served_fits_its_schema(schema: str, event: str) -> None:
    body = json.loads(json.loads((EVENTS / f"{event}.json").read_text())["body"])
    _validator(schema).validate(body)


FAILURES = [
    SendpoolError(),
    NotFoundError("There is no message with this id."),
    InvalidRequestError(Violation("to", "invalid_phone", "must be E.164")),
    ConflictError("Not now.", code="recipients_missing", remedy="Upload first."),
    TwilioRefusedError(21211, message_id="msg_1"),
    TwilioBusyError(20429, retry_after=5),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_failure_is_answered_as_the_problem_schema_says(failure: SendpoolError) -> None:
    _validator("Problem").validate(_answered(failure))


def test_the_problem_schema_describes_exactly_the_members_that_problems_have() -> None:
    answered = {member for failure in FAILURES for member in _answered(failure)}
    assert answered == set(SCHEMAS["Problem"]["properties"])
    required = set.intersection(*(set(_answered(failure)) for failure in FAILURES))
    assert set(SCHEMAS["Problem"]["required"]) <= required


def _answered(failure: SendpoolError) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(problem(failure, request_id="r-1").body or "{}")
    return answer
