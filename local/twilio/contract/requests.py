"""Is a request one that the documents describe?

A form has texts only, so numbers and truth values are read from them first; a list is a repeated field. An empty
text stands for "not set" and is held against nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.twilio.contract.documents import Json, Operation
from local.twilio.contract.schemas import Finding, Validator, value_validator

type Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: `form` and `query` with all values of each field."""

    method: str
    path: str
    query: Fields
    form: Fields


@dataclass(frozen=True, slots=True)
class Field:
    """How the values of a field are read, and what they are held against."""

    read: Callable[[str], Any]
    kind: str
    repeated: bool
    validator: Validator | None


@dataclass(frozen=True, slots=True)
class Expected:
    """The fields of an operation by their place."""

    path: Mapping[str, Field]
    query: Mapping[str, Field]
    form: Mapping[str, Field]
    required: frozenset[str]


def check_request(
    operation: Operation, path: Mapping[str, str], request: Request, *, accepted: bool
) -> Iterator[Finding]:
    """What a request sends that is not documented, and, if it was accepted, what it lacks."""
    expected = expected_of(operation)
    yield from _check_fields("path", expected.path, {name: [text] for name, text in path.items()})
    yield from _check_fields("query", expected.query, request.query)
    yield from _check_fields("form", expected.form, request.form)
    if accepted:
        for name in sorted(expected.required):
            if not any(request.form.get(name, ())):
                yield f"form/{name}", "is required"


@cache
def expected_of(operation: Operation) -> Expected:
    """What an operation takes, compiled once."""
    query = operation.parameters("query")
    return Expected(
        path=_fields(operation.parameters("path")),
        query=_fields({name: _with_any_date(schema) for name, schema in query.items()}),
        form=_fields(operation.form),
        required=operation.required,
    )


def _with_any_date(schema: Json) -> Json:
    """Twilio's own examples filter by dates in many ways of writing them."""
    if schema.get("format") != "date-time":
        return schema
    return {word: value for word, value in schema.items() if word != "format"}


def _fields(schemas: Mapping[str, Json]) -> dict[str, Field]:
    return {name: _field(schema) for name, schema in schemas.items()}


def _field(schema: Json) -> Field:
    repeated = schema.get("type") == "array"
    one = schema["items"] if repeated else schema
    kind = str(one.get("type", "object"))
    return Field(READERS[kind], kind, repeated, value_validator(one))


def _check_fields(place: str, known: Mapping[str, Field], sent: Fields) -> Iterator[Finding]:
    for name, texts in sent.items():
        where = f"{place}/{name}"
        if name not in known:
            yield where, "is not documented"
        elif len(texts) > 1 and not known[name].repeated:
            yield where, "is sent more than once"
        else:
            for text in filter(None, texts):
                yield from ((where, what) for what in _check_value(known[name], text))


def _check_value(field: Field, text: str) -> Iterator[str]:
    try:
        value = field.read(text)
    except ValueError:
        yield f"{text!r} is no {field.kind}"
        return
    if field.validator is not None:
        yield from (what for _, what in field.validator(value))


def _read_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": _read_boolean,
    "object": json.loads,
}
