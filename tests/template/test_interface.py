"""What whoever deploys sees: parameters, outputs, and the stages of samconfig.toml."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.template.stack import ROOT, Stack, as_written

LIMITS = {"AllowedValues", "AllowedPattern", "MinValue", "MaxLength"}
# nothing here may be guessed
WITHOUT_DEFAULT = {"TwilioAccountSid"}
PARAMETERS: dict[str, Any] = as_written().template["Parameters"]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_has_a_type_a_description_limits_and_a_default(name: str) -> None:
    parameter = PARAMETERS[name]
    assert {"Type", "Description"} <= set(parameter)
    assert set(parameter) & LIMITS
    assert ("Default" in parameter) is (name not in WITHOUT_DEFAULT)


def test_no_parameter_takes_a_secret() -> None:
    assert not [
        name
        for name, parameter in PARAMETERS.items()
        if "NoEcho" in parameter or any(word in name for word in ("Token", "Secret", "Password"))
    ]


def test_the_console_shows_every_parameter_in_a_group(written: Stack) -> None:
    groups = written.template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)


def test_every_output_has_a_description(written: Stack) -> None:
    assert all(output["Description"] for output in written.template["Outputs"].values())


def test_logical_ids_end_in_their_kind(written: Stack) -> None:
    kinds = {
        "AWS::Serverless::Function": "Function",
        "AWS::IAM::Role": "Role",
        "AWS::Logs::LogGroup": "LogGroup",
        "AWS::CloudWatch::Alarm": "Alarm",
        "AWS::SQS::Queue": "Queue",
        "AWS::SSM::Parameter": "Parameter",
    }
    assert not [
        name
        for name, resource in written.resources.items()
        if not name.endswith(kinds.get(resource["Type"], ""))
    ]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_samconfig_deploys_each_stage_under_its_own_name(stage: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())[stage]
    assert config["global"]["parameters"]["stack_name"] == f"sendpool-{stage}"
    overrides = config["deploy"]["parameters"]["parameter_overrides"].split()
    given = dict(each.split("=") for each in overrides)
    assert given["Stage"] == stage
    assert set(given) <= set(PARAMETERS)


def test_samconfig_asks_for_no_more_than_the_template_needs() -> None:
    # roles without names of their own need CAPABILITY_IAM and nothing above it
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    wanted = {config[stage]["deploy"]["parameters"]["capabilities"] for stage in ("dev", "prod")}
    assert wanted == {"CAPABILITY_IAM"}
