"""The files of events/: complete, and each answered by its handler as events/expectations.json says."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.sam_local import cases
from local.sam_local.cases import EVENTS, Case
from tests.functional.aws import Aws, Context
from tests.functional.simulated import SimulatedTwilio
from tests.functional.twilio import FakeTwilio

CASES = cases.load()
# the fake knows messages; these are answered by the simulator, as everything is in `make sam-local`
NEEDS_ALL_OF_TWILIO = {"compliance", "service"}
FUNCTIONS = {app.parent.name for app in (Path(__file__).parents[2] / "functions").glob("*/app.py")}


def test_every_event_file_has_an_expectation_and_every_expectation_a_file() -> None:
    files = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.glob("*/*.json")}
    assert files == {case.name for case in CASES}


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    assert {case.folder for case in CASES} == FUNCTIONS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_handler_answers_each_event_as_expected(
    case: Case,
    event: Callable[[str], dict[str, Any]],
    aws: Aws,
    twilio: FakeTwilio,
    context: Context,
    request: pytest.FixtureRequest,
) -> None:
    if case.folder in NEEDS_ALL_OF_TWILIO:
        request.getfixturevalue("simulator")
    handler = importlib.import_module(f"functions.{case.folder}.app").lambda_handler
    answer = handler(event(case.name), context)
    assert cases.meets(answer, case.expected), cases.told(answer)
    assert sorted(message["to"] for message in twilio.made) == sorted(case.sent)


def test_events_that_change_twilio_hold_one_after_the_other_on_one_account(
    event: Callable[[str], dict[str, Any]], simulator: SimulatedTwilio, context: Context
) -> None:
    for case in CASES:
        if case.folder in NEEDS_ALL_OF_TWILIO:
            handler = importlib.import_module(f"functions.{case.folder}.app").lambda_handler
            answer = handler(event(case.name), context)
            assert cases.meets(answer, case.expected), (case.name, cases.told(answer))


@pytest.mark.parametrize(
    ("answer", "expected", "met"),
    [
        (None, None, True),
        ({"statusCode": 204}, None, False),
        (None, {"statusCode": 204}, False),
        ({"statusCode": 204}, {"statusCode": 204}, True),
        ({"statusCode": 500}, {"statusCode": 204}, False),
        ({"statusCode": 200, "body": '{"a": {"b": 1, "c": 2}}'}, {"body": {"a": {"b": 1}}}, True),
        ({"statusCode": 200, "body": '{"a": {"b": 1}}'}, {"body": {"a": {"b": 2}}}, False),
        ({"body": '{"errors": [{"field": "to"}]}'}, {"body": {"errors": [{"field": "to"}]}}, True),
        ({"body": '{"errors": []}'}, {"body": {"errors": [{"field": "to"}]}}, False),
        ({"body": "<Response />"}, {"body": "<Response />"}, True),
        ({"body": "<Response />"}, {"body": {"code": "not_found"}}, False),
        ({"batchItemFailures": []}, {"batchItemFailures": 0}, True),
        ({"batchItemFailures": [{"itemIdentifier": "m"}]}, {"batchItemFailures": 0}, False),
        ({"errorType": "KeyError"}, {"batchItemFailures": 0}, False),
        ("nothing (sam: 1)", {"statusCode": 200}, False),
    ],
)
def test_an_answer_meets_an_expectation_when_it_has_all_that_is_named(
    answer: Any, expected: Any, met: bool
) -> None:
    assert cases.meets(answer, expected) is met
