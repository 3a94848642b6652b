"""What every function has, whatever it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sendpool.edge.settings import Settings
from tests.template.stack import ROOT, Stack, as_deployed, target

FUNCTIONS = sorted(as_deployed().functions)
# Powertools' own; our code reads none of them
POWERTOOLS = {
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_SERVICE_NAME",
}
# what Twilio waits for a webhook's answer
TWILIO_PATIENCE_SECONDS = 15
# what an HTTP API waits for its integration
API_PATIENCE_SECONDS = 30


_NOT_NUMBERS = {
    "CREDENTIALS_STORE": "ssm",
    "FEDERAL_HOURS_IN": "FL",
    "CLOSED_STATES": "LA",
    "ALLOWED_COUNTRIES": "US",
    "STICKY_SENDER": "on",
    "MMS_CONVERTER": "off",
    "SMART_ENCODING": "any",
    "AREA_CODE_GEOMATCH": "any",
    "SERVICE_USE_CASE": "marketing",
}


class _Asked(Mapping[str, str]):
    """An environment that has everything, and remembers what was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return _NOT_NUMBERS.get(name, "1")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are read by name")

    def __len__(self) -> int:
        return 1


@pytest.fixture(params=FUNCTIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def function(name: str, stack: Stack) -> dict[str, Any]:
    return stack.functions[name]


def test_the_template_has_a_function_for_each_folder_and_no_other(written: Stack) -> None:
    functions = written.of_type("AWS::Serverless::Function").values()
    folders = {str(app.parent.relative_to(ROOT)) for app in (ROOT / "functions").glob("*/app.py")}
    assert {function["CodeUri"] for function in functions} == folders


def test_a_function_states_what_it_is_for_its_timeout_and_its_memory(
    name: str, written: Stack
) -> None:
    own = written.resources[name]["Properties"]
    assert {"Description", "Timeout", "MemorySize", "Role"} <= set(own)


def test_a_function_logs_json_to_its_own_group_with_retention(
    name: str, function: dict[str, Any], stack: Stack
) -> None:
    group = target(function["LoggingConfig"]["LogGroup"])
    assert group == name.removesuffix("Function") + "LogGroup"
    assert "RetentionInDays" in stack.resources[group]["Properties"]
    assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_metrics_are_not_filtered_out_with_the_log(function: dict[str, Any]) -> None:
    # metrics are log lines without a level, which Lambda takes for INFO
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"


def test_a_function_that_fails_raises_an_alarm(name: str, stack: Stack) -> None:
    watched = [
        target(dimension["Value"])
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "Errors"
        for dimension in alarm["Dimensions"]
    ]
    assert watched.count(name) == 1


def test_every_alarm_says_what_to_do_and_notifies_whoever_is_named(stack: Stack) -> None:
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"]["Fn::If"][:2] == [
            "HasAlarmTopic",
            [{"Ref": "AlarmTopicArn"}],
        ]


def test_a_function_gets_the_variables_that_the_code_reads_and_no_others(
    function: dict[str, Any],
) -> None:
    asked = _Asked()
    Settings.from_env(asked)
    assert set(function["Environment"]["Variables"]) == asked.names | POWERTOOLS


def test_no_secret_is_in_the_environment(function: dict[str, Any]) -> None:
    variables = function["Environment"]["Variables"]
    assert not [
        name for name in variables if any(word in name for word in ("TOKEN", "SECRET", "KEY"))
    ]
    assert "resolve:" not in str(variables)


def test_a_function_calls_itself_what_its_folder_is_called(
    name: str, function: dict[str, Any]
) -> None:
    service = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert service == name.removesuffix("Function").lower()


def test_no_function_reserves_concurrency(function: dict[str, Any]) -> None:
    # pollers would over-fetch and fill the dead-letter queues with healthy messages
    assert "ReservedConcurrentExecutions" not in function


def test_exactly_those_that_can_feed_themselves_through_queues_may_loop(stack: Stack) -> None:
    feeds = {
        name: {
            stack.consumers[resource]
            for action, resource in stack.grants(name)
            if action == "sqs:SendMessage" and resource in stack.consumers
        }
        for name in stack.functions
    }
    looping = {name for name in feeds if name in _reached(feeds, name)}
    allowed = {
        name for name, each in stack.functions.items() if each.get("RecursiveLoop") == "Allow"
    }
    assert allowed == looping == {"DispatcherFunction", "SenderFunction"}


def _reached(feeds: dict[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    fresh = feeds[start]
    while fresh:
        reached |= fresh
        fresh = {following for each in fresh for following in feeds[each]} - reached
    return reached


def test_functions_behind_the_api_answer_before_it_gives_up(stack: Stack) -> None:
    for route in stack.routes:
        assert stack.functions[route.function]["Timeout"] < API_PATIENCE_SECONDS, route


def test_functions_that_twilio_calls_end_before_it_gives_up(stack: Stack) -> None:
    webhooks = [route for route in stack.routes if route.is_webhook]
    assert webhooks
    for route in webhooks:
        assert stack.functions[route.function]["Timeout"] < TWILIO_PATIENCE_SECONDS, route


def test_all_functions_run_the_same_python_on_the_layers_architecture(stack: Stack) -> None:
    ((layer_id, layer),) = stack.of_type("AWS::Lambda::LayerVersion").items()
    for function in stack.functions.values():
        assert function["Layers"] == [{"Ref": layer_id}]
        assert [function["Runtime"]] == layer["CompatibleRuntimes"]
        assert function["Architectures"] == layer["CompatibleArchitectures"]


def test_old_versions_of_the_layer_are_deleted(stack: Stack) -> None:
    (layer,) = (
        each for each in stack.resources.values() if each["Type"] == "AWS::Lambda::LayerVersion"
    )
    assert layer["DeletionPolicy"] == "Delete"


def test_what_runs_by_the_clock_leaves_failures_to_the_next_run(stack: Stack) -> None:
    rules = [
        each for each in stack.of_type("AWS::Events::Rule").values() if "ScheduleExpression" in each
    ]
    every = {target(each["Targets"][0]["Arn"]): each["ScheduleExpression"] for each in rules}
    assert every == {
        "SweeperFunction": "rate(1 minute)",
        "DeactivationsFunction": "rate(1 hour)",
        "ServiceFunction": "rate(1 day)",
    }
    retries = {
        target(each["FunctionName"]): each
        for each in stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    assert set(retries) == {*every, "ProvisionerFunction"}
    for function, seconds in (
        ("SweeperFunction", 60),
        ("DeactivationsFunction", 3600),
        ("ServiceFunction", 3600),
    ):
        assert retries[function]["MaximumRetryAttempts"] == 0
        # an invocation that waited longer would only run beside the next one
        assert retries[function]["MaximumEventAgeInSeconds"] == seconds
        assert stack.functions[function]["Timeout"] <= seconds


def test_the_lists_of_deactivated_numbers_are_read_unless_that_is_off(stack: Stack) -> None:
    (rule,) = (
        each
        for each in stack.of_type("AWS::Events::Rule").values()
        if target(each["Targets"][0]["Arn"]) == "DeactivationsFunction"
    )
    assert rule["State"] == {"Fn::If": ["ReadsDeactivations", "ENABLED", "DISABLED"]}
    assert stack.template["Parameters"]["Deactivations"]["Default"] == "on"


def test_a_deployment_waits_for_two_runs_of_the_provisioner_and_not_for_an_hour(
    stack: Stack,
) -> None:
    function = stack.functions["ProvisionerFunction"]
    (config,) = (
        each
        for each in stack.of_type("AWS::Lambda::EventInvokeConfig").values()
        if target(each["FunctionName"]) == "ProvisionerFunction"
    )
    runs = 1 + config["MaximumRetryAttempts"]
    pause = 60  # before the first retry of an asynchronous invocation
    resource = stack.of_type("Custom::MessagingService")["MessagingService"]
    assert runs * function["Timeout"] + pause <= resource["ServiceTimeout"] < 1_000
    # one whose turn comes later would answer nobody
    assert function["Timeout"] + pause <= config["MaximumEventAgeInSeconds"] < 1_000
