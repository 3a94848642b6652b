"""What template.yaml deploys, as far as a run needs it: functions with their triggers, queues, the table's keys.

Read from the template, so that a new function, queue or variable takes part without a change here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.chaos.memory import Index, Queue

ROOT = Path(__file__).parents[2]
TABLE = "LedgerTable"
STAGE = "chaos"
URL = "https://sqs.us-east-1.amazonaws.com/000000000000/"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What makes a function run: a queue, the table's stream, a schedule, or the API.

    A batch waits `window` seconds for more to come.
    """

    kind: str
    queue: str = ""
    batch_size: int = 1
    window: float = 0.0
    patterns: tuple[Mapping[str, Any], ...] = ()
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function as the template has it."""

    name: str
    path: Path
    timeout: float
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """All that is deployed; `environment` is what every function is given."""

    functions: Mapping[str, Deployed]
    environment: Mapping[str, str]
    indexes: Mapping[str, Index]
    _queues: Mapping[str, Any]

    def queues(self) -> dict[str, Queue]:
        """Fresh, empty queues by their logical ids."""
        made: dict[str, Queue] = {}
        for name in sorted(self._queues, key=lambda name: "RedrivePolicy" in self._queues[name]):
            properties = self._queues[name]
            redrive = properties.get("RedrivePolicy", {})
            target = redrive.get("deadLetterTargetArn")
            made[name] = Queue(
                name,
                visibility=properties.get("VisibilityTimeout", 30),
                most_receives=redrive.get("maxReceiveCount"),
                dead_letters=made[_referred(target)] if target else None,
            )
        return made

    def routes(self) -> set[str]:
        """`POST /messages` and the like."""
        return {
            f"{properties['Method']} {properties['Path']}"
            for function in _template()["Resources"].values()
            for event in function.get("Properties", {}).get("Events", {}).values()
            if event["Type"] == "HttpApi"
            for properties in [event["Properties"]]
        }


@cache
def _template() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return loaded


@cache
def deployment() -> Deployment:
    """Read the template."""
    resources = _template()["Resources"]
    of_type = {
        kind: {
            name: each.get("Properties", {})
            for name, each in resources.items()
            if each["Type"] == kind
        }
        for kind in ("AWS::Serverless::Function", "AWS::SQS::Queue")
    }
    functions = [_function(each) for each in of_type["AWS::Serverless::Function"].values()]
    variables = _template()["Globals"]["Function"]["Environment"]["Variables"]
    return Deployment(
        functions={function.name: function for function in functions},
        environment={name: _value(value) for name, value in variables.items()}
        # pools and campaigns are no part of this world
        | {"REGISTRATION_CHECK": "off"},
        indexes={
            index["IndexName"]: Index(
                tuple(key["AttributeName"] for key in index["KeySchema"]),
                keys_only=index["Projection"]["ProjectionType"] == "KEYS_ONLY",
            )
            for index in resources[TABLE]["Properties"]["GlobalSecondaryIndexes"]
        },
        _queues=of_type["AWS::SQS::Queue"],
    )


def _function(properties: Mapping[str, Any]) -> Deployed:
    path = ROOT / properties["CodeUri"] / "app.py"
    return Deployed(
        name=path.parent.name,
        path=path,
        timeout=properties["Timeout"],
        triggers=tuple(map(_trigger, properties.get("Events", {}).values())),
    )


def _trigger(event: Mapping[str, Any]) -> Trigger:
    properties = event["Properties"]
    match event["Type"]:
        case "SQS":
            return Trigger(
                "queue",
                queue=_referred(properties["Queue"]),
                batch_size=properties.get("BatchSize", 10),
                window=properties.get("MaximumBatchingWindowInSeconds", 0),
            )
        case "DynamoDB":
            filters = properties.get("FilterCriteria", {}).get("Filters", [])
            return Trigger(
                "stream",
                batch_size=properties["BatchSize"],
                window=properties.get("MaximumBatchingWindowInSeconds", 0),
                patterns=tuple(json.loads(each["Pattern"]) for each in filters),
            )
        case "Schedule" | "ScheduleV2":
            every = properties.get("ScheduleExpression") or properties.get("Schedule")
            found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", every)
            minutes = {"minute": 1, "hour": 60, "day": 1440}
            return Trigger("schedule", minutes=int(found[1]) * minutes[found[2]] if found else 1440)
    return Trigger("api")


def _referred(reference: Any) -> str:
    """The logical id that a `!Ref` or `!GetAtt` names."""
    target = reference.get("Ref") or reference["Fn::GetAtt"]
    name: str = target if isinstance(target, str) else target[0]
    return name.split(".", maxsplit=1)[0]


def _value(value: Any) -> str:
    """What an environment variable becomes: parameters by their defaults, resources by name or URL."""
    if not isinstance(value, dict):
        return str(value)
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${Stage}", STAGE)
    name = _referred(value)
    if name in _template()["Parameters"]:
        return STAGE if name == "Stage" else str(_template()["Parameters"][name].get("Default", ""))
    return URL + name if _template()["Resources"][name]["Type"] == "AWS::SQS::Queue" else name


def matches(pattern: Any, value: Any) -> bool:
    """Lambda's event filter: every named field has one of its values, or begins as asked."""
    if isinstance(pattern, dict):
        inside = {} if value is None else value
        return isinstance(inside, dict) and all(
            matches(inner, inside.get(name)) for name, inner in pattern.items()
        )
    return any(_allows(each, value) for each in pattern)


def _allows(rule: Any, value: Any) -> bool:
    if not isinstance(rule, dict):
        return bool(rule == value)
    if rule.keys() == {"exists"}:
        return (value is not None) is bool(rule["exists"])
    if rule.keys() == {"prefix"}:
        return isinstance(value, str) and value.startswith(rule["prefix"])
    raise NotImplementedError(f"filter {rule}")
