"""The text of a broadcast with its variables: Liquid, strict, bounded to what one message may hold.

A template that only names variables, such as `Hi {{ name }}!`, is filled without the Liquid library: most are
so, and it saves both its import and most of the work of each message. Any tag, filter or other finesse goes
through `liquid_sandbox.py`, with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

LONGEST_BODY: Final = 1_600
"""Characters of one message; Twilio refuses more."""

_LONGEST_SOURCE: Final = 8_000
_VARIABLE: Final = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")
_MARKUP: Final = re.compile(r"\{\{|\{%|\}\}|%\}")
# Names that mean something else to Liquid, or nothing.
_WORDS: Final = frozenset({
    "and", "as", "blank", "by", "cols", "continue", "contains", "else", "empty", "false", "for", "forloop", "if",
    "in", "limit", "nil", "not", "now", "null", "offset", "or", "reversed", "tablerowloop", "today", "true",
    "unless", "with",
})  # fmt: skip

RenderCode = Literal["missing_variable", "render_failed", "body_too_long", "empty_body"]


class TemplateError(ValueError):
    """This is no template that we take; `line` counts from 1, None if it cannot be told."""

    code = "invalid_template"

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.line = line


class RenderError(ValueError):
    """These variables make no message; `variable` names the missing one."""

    def __init__(self, code: RenderCode, reason: str, *, variable: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Template:
    """A text ready to be filled; `variables` are the names that it takes from outside."""

    variables: frozenset[str]
    _fill: Callable[[Mapping[str, str]], str]

    def render(self, variables: Mapping[str, str]) -> str:
        """Fill in the variables; raises RenderError if one is missing, or the text is too long or empty."""
        body = self._fill(variables)
        if len(body) > LONGEST_BODY:
            raise _too_long()
        if not body or body.isspace():
            raise RenderError("empty_body", "the text is empty with these variables")
        return body


def compile_template(source: str) -> Template:
    """Read a template; raises TemplateError with the line of the mistake."""
    if len(source) > _LONGEST_SOURCE:
        raise TemplateError(f"longer than {_LONGEST_SOURCE} characters")
    if not source.strip():
        raise TemplateError("the template is empty")
    return _compile_plain(source) or _compile_liquid(source)


def _compile_plain(source: str) -> Template | None:
    """Compile a text with nothing but plain variables in it; None if there is more to it."""
    literals, names = _VARIABLE.split(source)[::2], _VARIABLE.findall(source)
    if any(map(_MARKUP.search, literals)) or not _WORDS.isdisjoint(names):
        return None
    pattern = "%s".join(literal.replace("%", "%%") for literal in literals)

    def fill(variables: Mapping[str, str]) -> str:
        try:
            return pattern % tuple([variables[name] for name in names])
        except KeyError as exc:
            raise _missing(exc.args[0]) from None

    return Template(frozenset(names), fill)


def _compile_liquid(source: str) -> Template:
    # imported late, for it costs more than all the rest of a cold start
    from sendpool.domain import liquid_sandbox as liquid  # noqa: PLC0415

    try:
        parsed = liquid.parse(source)
    except liquid.SyntaxFailedError as exc:
        raise TemplateError(exc.reason, line=exc.line) from exc

    def fill(variables: Mapping[str, str]) -> str:
        try:
            return liquid.write(parsed, variables)
        except liquid.MissingVariableError as exc:
            raise _missing(str(exc)) from exc
        except liquid.OutputTooLongError as exc:
            raise _too_long() from exc
        except liquid.RenderFailedError as exc:
            raise RenderError("render_failed", str(exc)) from exc

    return Template(parsed.variables, fill)


def _missing(name: str) -> RenderError:
    return RenderError("missing_variable", f"the variable {name} is missing", variable=name)


def _too_long() -> RenderError:
    return RenderError("body_too_long", f"the text is longer than {LONGEST_BODY} characters")
