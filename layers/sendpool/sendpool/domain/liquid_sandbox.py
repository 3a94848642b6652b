"""Liquid for message bodies: strict, without files and clock, and with a ceiling on what it may eat.

Importing this loads the Liquid library, which takes long; `template.py` does so only for templates that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Final, cast

from liquid import BoundTemplate, Environment, RenderContext, StrictDefaultUndefined, Token
from liquid.exceptions import (
    LiquidError,
    OutputStreamLimitError,
    ResourceLimitError,
    UndefinedError,
)
from liquid.output import LimitedStringIO
from liquid.undefined import UNDEFINED

LONGEST_VALUE: Final = 4_000
"""Characters, or items, of any value in between: more than twice what a body may have."""

_LONGEST_OUTPUT: Final = 8_000
_WIDEST_NUMBER: Final = 128
_NO_FILES: Final = ("include", "render")
_NO_USE: Final = ("tablerow",)
# Names that the library would answer with the time of day.
_CLOCK: Final = frozenset({"now", "today"})
# What filters let through when a value is not what they take; the library wraps only its own errors.
_FILTER_FAILURES: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class MissingVariableError(Exception):
    """The template needs a variable that is not given; its name is the argument."""


class OutputTooLongError(Exception):
    """The text has grown far beyond any body."""


class RenderFailedError(Exception):
    """A filter or loop does not go with these values, or eats too much; says why, without the values."""


class SyntaxFailedError(Exception):
    """This is no Liquid that we take: the words of the parser, and the line if it is known."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class _Missing(StrictDefaultUndefined):
    """A variable that is not given: any use but `default` raises, with its name for a message."""

    def __init__(
        self, name: str, *, token: Token | None, obj: object = UNDEFINED, hint: str | None = None
    ) -> None:
        del hint
        super().__init__(name, token=token, obj=obj, hint=name)


class _Sandbox(Environment):
    context_depth_limit = 10
    block_nesting_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 64 * 1024
    output_stream_limit = _LONGEST_OUTPUT


@cache
def _environment() -> Environment:
    environment = _Sandbox(undefined=_Missing)
    for tag in (*_NO_FILES, *_NO_USE):
        del environment.tags[tag]
    environment.filters = {name: _bounded(apply) for name, apply in environment.filters.items()}
    environment.filters["date"] = _without_clock(environment.filters["date"])
    return environment


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed template, and the variables it takes from outside."""

    template: BoundTemplate
    variables: frozenset[str]


def parse(source: str) -> Parsed:
    """Parse a template; raises SyntaxFailedError."""
    try:
        template = _environment().from_string(source)
        analysis = template.analyze()
    except LiquidError as exc:
        raise SyntaxFailedError(str(exc.message), _line(exc, source)) from exc
    for name, [use, *_] in analysis.filters.items():
        if name not in _environment().filters:
            raise SyntaxFailedError(f"unknown filter '{name}'", _line_of(source, use.index))
    return Parsed(template, frozenset(analysis.globals))


def write(parsed: Parsed, variables: Mapping[str, str]) -> str:
    """Render a parsed template; raises the other errors of this module."""
    for name in parsed.variables:
        if name in _CLOCK and name not in variables:
            raise MissingVariableError(name)
        if len(variables.get(name, "")) > LONGEST_VALUE:
            raise OutputTooLongError
    # line ends stay as they are, which the library's own buffer would not grant
    body = LimitedStringIO(_LONGEST_OUTPUT, newline="")
    try:
        parsed.template.render_with_context(RenderContext(parsed.template, globals=variables), body)
    except UndefinedError as exc:
        raise MissingVariableError(exc.message) from exc
    except OutputStreamLimitError as exc:
        raise OutputTooLongError from exc
    except ResourceLimitError as exc:
        raise RenderFailedError(str(exc.message)) from exc
    except (LiquidError, *_FILTER_FAILURES) as exc:
        raise RenderFailedError("a filter or tag does not take these values") from exc
    return body.getvalue()


def _line(exc: LiquidError, source: str) -> int | None:
    if exc.token is None:
        return None
    index = exc.token.start_index
    return _line_of(source, index if index >= 0 else len(source))  # below zero: the end


def _line_of(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1


def _bounded(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what would make each next filter more expensive; a few in a row could fill the memory."""

    @wraps(apply)
    def bounded(*values: Any, **options: Any) -> Any:
        for value in values:
            _refuse_if_huge(value)
        result = apply(*values, **options)
        _refuse_if_huge(result)
        return result

    return bounded


def _refuse_if_huge(value: object) -> None:
    kind = type(value)  # asking a missing variable for its class would raise
    is_long = kind in {str, list, tuple, range} and len(cast(Sized, value)) > LONGEST_VALUE
    is_wide = kind is int and cast(int, value).bit_length() > _WIDEST_NUMBER
    if is_long or is_wide:
        raise RenderFailedError("a value grows too large on its way through filters")


def _without_clock(date: Callable[..., Any]) -> Callable[..., Any]:
    """Let `date` format what it is given only: a row must render the same text whenever it is."""

    @wraps(date)
    def dated(value: Any, *values: Any, **options: Any) -> Any:
        if type(value) is str and value in _CLOCK:
            raise RenderFailedError("there is no clock; give the date as a variable")
        return date(value, *values, **options)

    return dated
