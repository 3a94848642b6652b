"""Twilio's OpenAPI documents: their operations, and which of them a request is for.

The documents are read at the first question, once. Hosts are disregarded, as one server stands for all of Twilio's.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "openapi"
FORM = "application/x-www-form-urlencoded"
METHODS = frozenset({"get", "post", "patch", "put", "delete"})
PARAMETER = re.compile(r"\{(\w+)\}")

type Json = dict[str, Any]

# operation: fields of its form that are newer than the documents (see their README)
NEWER_FIELDS: Mapping[str, dict[str, Json]] = {
    "api_v2010.CreateMessage": {"MessageIntent": {"type": "string"}},
}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """What a method does on a path, with every reference of its description followed."""

    document: str
    method: str
    path: str
    spec: Json = field(repr=False)

    @property
    def name(self) -> str:
        """Document and Twilio's name of the operation, such as `api_v2010.CreateMessage`."""
        return f"{self.document}.{self.spec['operationId']}"

    @property
    def form(self) -> dict[str, Json]:
        """Schemas of the fields of the form; none for an operation that takes no form."""
        properties: dict[str, Json] = self._form.get("properties", {})
        return properties | NEWER_FIELDS.get(self.name, {})

    @property
    def required(self) -> frozenset[str]:
        """The fields of the form that must be there."""
        return frozenset(self._form.get("required", ()))

    @property
    def _form(self) -> Json:
        content = self.spec.get("requestBody", {}).get("content", {})
        return dict(content.get(FORM, {}).get("schema", {}))

    @property
    def answers(self) -> Json:
        """The documented answers by status; Twilio documents successes only."""
        return dict(self.spec["responses"])

    def parameters(self, place: str) -> dict[str, Json]:
        """Schemas of the parameters in the `path` or the `query`."""
        listed = self.spec.get("parameters", ())
        return {each["name"]: each["schema"] for each in listed if each["in"] == place}


@cache
def operations() -> tuple[Operation, ...]:
    """All operations, document by document."""
    return tuple(each for path in sorted(FOLDER.glob("twilio_*.json")) for each in _read(path))


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request is for and its path parameters; a literal segment beats a parameter."""
    for pattern, by_method in _paths_of_length(path.count("/")):
        match = pattern.fullmatch(path)
        if match:
            operation = by_method.get(method)
            return (operation, match.groupdict()) if operation else None
    return None


@cache
def _paths_of_length(slashes: int) -> list[tuple[re.Pattern[str], dict[str, Operation]]]:
    """The paths of so many segments, those with fewer parameters first."""
    paths: dict[str, dict[str, Operation]] = {}
    for operation in operations():
        if operation.path.count("/") == slashes:
            paths.setdefault(operation.path, {})[operation.method] = operation
    ordered = sorted(paths, key=lambda path: path.count("{"))
    return [(_pattern_of(path), paths[path]) for path in ordered]


def _pattern_of(path: str) -> re.Pattern[str]:
    literals = PARAMETER.split(path)[::2]
    names = PARAMETER.findall(path)
    groups = [f"(?P<{name}>[^/]+)" for name in names] + [""]
    return re.compile(
        "".join(re.escape(text) + group for text, group in zip(literals, groups, strict=True))
    )


def _read(path: Path) -> Iterator[Operation]:
    document = json.loads(path.read_text(encoding="utf-8"))
    for template, methods in document["paths"].items():
        for method in filter(METHODS.__contains__, methods):
            spec = _follow(methods[method], document)
            yield Operation(path.stem.removeprefix("twilio_"), method.upper(), template, spec)


def _follow(node: Any, document: Json) -> Any:
    """A part of a document with references replaced by what they mean; none of them is circular."""
    if isinstance(node, list):
        return [_follow(each, document) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _follow(_target(node["$ref"], document), document)
    return {name: _follow(each, document) for name, each in node.items()}


def _target(reference: str, document: Json) -> Any:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node
