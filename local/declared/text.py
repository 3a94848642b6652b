"""The text of a declarative file: YAML in which nothing is read as something else, with the line of each part.

YAML's surprises are left out: all scalars are text but true, false and null (a postal code keeps its zeros, `NO` is
Norway, +12025550100 keeps its plus), a key that comes twice is refused, as are aliases and tags, and `${NAME}` is what
the environment says, so that tax IDs and people's data need not be in a repository (`$${` is a `${`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

type Path = tuple[str | int, ...]

_DEEPEST: Final = 20
_VARIABLE: Final = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong in a file: the line, what stands there, and why."""

    line: int
    where: str
    message: str


class BrokenFileError(Exception):
    """A file that cannot be read; `problems` in the order of the file."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(sorted(problems, key=lambda each: each.line))


class _Loader(yaml.SafeLoader):
    """Reads scalars as text, but for true, false and null; no aliases, no tags, and nothing without end."""

    yaml_implicit_resolvers: Final[dict[str, Any]] = {}  # type: ignore[misc]
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        refused = self._refused(event)
        if refused:
            raise yaml.MarkedYAMLError(problem=refused, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refused(self, event: yaml.NodeEvent) -> str | None:
        if isinstance(event, yaml.AliasEvent):
            return "aliases are not taken"
        if getattr(event, "tag", None):
            return "tags are not taken"
        return "it is nested too deeply" if self.depth > _DEEPEST else None


_TEXT: Final = "tag:yaml.org,2002:str"
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("(null|~|)$"), ["n", "~", ""])


@dataclass(frozen=True, slots=True)
class Text:
    """What a file says, and the line on which each part of it begins, the first being 1."""

    said: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """Return the line of a part, or of the nearest thing around it that is there."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read(text: str, environment: Mapping[str, str]) -> Text:
    """Read a file's text. Raises BrokenFileError."""
    reading = _Reading(environment)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reading.see(node, ())
        if reading.problems:
            raise BrokenFileError(*reading.problems)
        said = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BrokenFileError(Problem(line, "", f"is no YAML: {error.problem}")) from error
    except yaml.YAMLError as error:
        raise BrokenFileError(Problem(1, "", f"is no YAML: {error}")) from error
    return Text(said, reading.lines)


class _Reading:
    """Goes through the nodes of a file once, and puts in what the environment says."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def see(self, node: yaml.Node | None, path: Path) -> None:
        if node is None:
            return
        self.lines[path] = node.start_mark.line + 1
        match node:
            case yaml.MappingNode():
                self._see_mapping(node, path)
            case yaml.SequenceNode():
                for place, each in enumerate(node.value):
                    self.see(each, (*path, place))
            case yaml.ScalarNode():
                self._fill_in(node, path)

    def _see_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        names: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, path, "has a key that is no name")
                continue
            if key.value in names:
                self._wrong(key, (*path, key.value), "comes twice")
            names.add(key.value)
            # also where it reads true or null
            key.tag = _TEXT
            self.see(value, (*path, key.value))
            self.lines[(*path, key.value)] = key.start_mark.line + 1

    def _fill_in(self, node: yaml.ScalarNode, path: Path) -> None:
        def value(found: re.Match[str]) -> str:
            if found[0].startswith("$$"):
                return found[0][1:]
            if found[1] not in self._environment:
                self._wrong(node, path, f"needs {found[1]}, which the environment does not have")
                return ""
            return self._environment[found[1]]

        if "${" in node.value:
            node.value = _VARIABLE.sub(value, node.value)

    def _wrong(self, node: yaml.Node, path: Path, message: str) -> None:
        where = ".".join(map(str, path))
        self.problems.append(Problem(node.start_mark.line + 1, where, message))
