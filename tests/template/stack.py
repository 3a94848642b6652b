"""template.yaml as CloudFormation sees it, made offline by SAM's own translator."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"

Properties = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A template, and what tests ask of it."""

    template: dict[str, Any]

    @property
    def resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = self.template["Resources"]
        return resources

    def of_type(self, kind: str) -> dict[str, Properties]:
        """The properties of every resource of a kind, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    @property
    def functions(self) -> dict[str, Properties]:
        return self.of_type("AWS::Lambda::Function")

    @property
    def queues(self) -> dict[str, Properties]:
        return self.of_type("AWS::SQS::Queue")

    @property
    def sources(self) -> list[Source]:
        """The queues and streams that call functions."""
        return [
            Source(target(each["FunctionName"]), target(each["EventSourceArn"]), each)
            for each in self.of_type("AWS::Lambda::EventSourceMapping").values()
        ]

    @property
    def consumers(self) -> dict[str, str]:
        """The function that works on each queue."""
        return {each.origin: each.function for each in self.sources if each.origin in self.queues}

    @property
    def routes(self) -> list[Route]:
        api = self.of_type("AWS::ApiGatewayV2::Api")["HttpApi"]["Body"]
        return [
            Route(
                method.upper(), path, _invoked(operation), tuple(map(dict, operation["security"]))
            )
            for path, operations in api["paths"].items()
            for method, operation in operations.items()
        ]

    def statements(self, function: str) -> list[Properties]:
        """What a function's role allows, conditional statements included."""
        role = self.resources[target(self.functions[function]["Role"])]["Properties"]
        return [
            chosen
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for chosen in _either(statement)
        ]

    def grants(self, function: str) -> set[tuple[str, str]]:
        """Every action on every resource that a function's role allows; resources as `written`."""
        return {
            (action, written(resource))
            for statement in self.statements(function)
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }


@dataclass(frozen=True)
class Source:
    """An event source mapping: `origin` is the logical id of a queue, or of a table with a stream."""

    function: str
    origin: str
    properties: Properties


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API, with its security as OpenAPI states it."""

    method: str
    path: str
    function: str
    security: tuple[dict[str, Any], ...]

    @property
    def is_webhook(self) -> bool:
        return self.path.startswith("/webhooks/")


def _read() -> dict[str, Any]:
    plain: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return plain


@functools.cache
def as_written() -> Stack:
    return Stack(_read())


@functools.cache
def as_deployed() -> Stack:
    """The CloudFormation that SAM makes of the template; code is where `sam package` would put it."""
    template = _read()
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=Session(region_name="us-east-1"))
    return Stack(translator.translate(template, parameter_values={}))


def target(value: Any) -> str:
    """The logical id that a Ref or GetAtt names."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    raise AssertionError(f"no reference: {value}")


def written(resource: Any) -> str:
    """A resource as one reads it: the logical id for its ARN, a Sub's text for the rest."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return str(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": str(text)}:
            prefix = "arn:${AWS::Partition}:"
            account = "${AWS::Region}:${AWS::AccountId}:"
            short = text.removeprefix(prefix).replace(account, "").replace(".Arn}", "}")
            return short.replace("${", "").replace("}", "")
    return str(resource)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _either(statement: Properties) -> Iterator[Properties]:
    """Both branches of an If, without NoValue."""
    branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
    yield from (each for each in branches if each != {"Ref": "AWS::NoValue"})


def _invoked(operation: Properties) -> str:
    uri: str = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    return uri.rsplit("${", maxsplit=1)[-1].removesuffix(".Arn}/invocations")
