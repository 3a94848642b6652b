"""OpenAPI 3.0 schemas as JSON Schema, and validators that are compiled once.

A validator is a function from a value to what is wrong with it: pairs of where and what.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from local.twilio.contract.documents import Json

WORDS = ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# a number, a short code, a channel's address (whatsapp:+1…), a service or an alphanumeric sender
ADDRESS = re.compile(r"\+\d{2,15}|\d{3,8}|[a-z]+:.+|MG[0-9a-fA-F]{32}|(?=.*[A-Za-z])[\w &+-]{1,11}")
SHOWN = 160

# what Twilio's own examples answer against the schema beside them, besides the paths in `*uri` of the 2010 API
EMPTY_IF_UNSET = frozenset(
    {
        "sms_application_sid",
        "voice_application_sid",
        "sms_url",
        "sms_fallback_url",
        "status_callback",
    }
)
NULL_IF_UNSET = frozenset({"identity_status"})

type Finding = tuple[str, str]
type Validator = Callable[[Any], Iterator[Finding]]


def answer_validator(schema: Json) -> Validator:
    """Holds an answer against a schema: everything that it lists must be there, and nothing else."""
    return _compile(_convert(schema, complete=True))


def value_validator(schema: Json) -> Validator | None:
    """Holds one value of a request against a schema; None if any value will do."""
    converted = _convert(schema, complete=False)
    return _compile(converted) if set(converted) - {"type"} else None


def _convert(schema: Json, *, complete: bool) -> Json:
    converted = {word: schema[word] for word in WORDS if word in schema}
    if "format" in schema and not schema.get("x-twilio", {}).get("ignoreFormat"):
        converted["format"] = schema["format"]
    if "oneOf" in schema:
        converted["oneOf"] = [_convert(each, complete=complete) for each in schema["oneOf"]]
    if "items" in schema:
        converted["items"] = _convert(schema["items"], complete=complete)
    if "properties" in schema:
        converted |= _convert_properties(schema, complete=complete)
    return _with_null(converted) if schema.get("nullable") else converted


def _convert_properties(schema: Json, *, complete: bool) -> Json:
    properties = {
        name: _as_exampled(name, _convert(each, complete=complete))
        for name, each in schema["properties"].items()
    }
    if not complete:
        return {"properties": properties}
    return {"properties": properties, "required": list(properties), "additionalProperties": False}


def _with_null(converted: Json) -> Json:
    null_too = dict(converted)
    if "type" in converted:
        null_too["type"] = [converted["type"], "null"]
    if "enum" in converted:
        null_too["enum"] = [*converted["enum"], None]
    return null_too


def _as_exampled(name: str, converted: Json) -> Json:
    if converted.get("format") == "uri" and name.endswith("uri"):
        return converted | {"format": "uri-reference"}
    if name in NULL_IF_UNSET:
        return _with_null(converted)
    return {"oneOf": [converted, {"const": ""}]} if name in EMPTY_IF_UNSET else converted


def _compile(schema: Json) -> Validator:
    """Imported at the first use: a server that checks nothing does without the library."""
    library: Any = importlib.import_module("jsonschema")
    validator = library.Draft202012Validator(schema, format_checker=_format_checker())
    return lambda value: _findings(validator.iter_errors(value))


def _findings(errors: Iterable[Any]) -> Iterator[Finding]:
    for error in errors:
        if error.validator == "oneOf" and error.context:
            yield from _findings(_nearest_alternative(error.context))
        else:
            where = "/".join(str(step) for step in error.absolute_path)
            yield where, _cut(error.message)


def _nearest_alternative(errors: Iterable[Any]) -> list[Any]:
    """Of the alternatives that a value was held against, what is wrong with the one it resembles most."""
    by_alternative: dict[Any, list[Any]] = {}
    for error in errors:
        by_alternative.setdefault(error.schema_path[0], []).append(error)
    return min(by_alternative.values(), key=len)


def _cut(message: str) -> str:
    """Both ends matter: the value, and what was wanted."""
    if len(message) <= SHOWN:
        return message
    return f"{message[: SHOWN // 2]}…{message[-SHOWN // 2 :]}"


@cache
def _format_checker() -> Any:
    checker = importlib.import_module("jsonschema").FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name, raises=(ValueError, TypeError))(_of_text(check))
    checker.checks("uri-map")(_is_uri_map)
    return checker


def _of_text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    """Formats say nothing about values that are no text."""
    return lambda value: not isinstance(value, str) or check(value)


def _is_moment(text: str) -> bool:
    return MOMENT.fullmatch(text) is not None and datetime.fromisoformat(text) is not None


def _is_rfc2822(text: str) -> bool:
    return parsedate_to_datetime(text).tzinfo is not None and text[-5] in "+-"


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(datetime.fromisoformat(text))


def _is_absolute(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme) and bool(parts.netloc)


def _is_uri_map(value: object) -> bool:
    """Names with the addresses, absolute or not, of what belongs to a resource."""
    return not isinstance(value, dict) or all(isinstance(each, str) for each in value.values())


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _is_moment,
    "date-time-rfc-2822": _is_rfc2822,
    "date": _is_date,
    "uri": _is_absolute,
    "uri-reference": lambda text: text.startswith("/") or _is_absolute(text),
    "phone-number": lambda text: ADDRESS.fullmatch(text) is not None,
    "http-method": lambda text: text in {"GET", "POST"},
    "iso-country-code": lambda text: re.fullmatch(r"[A-Z]{2}", text) is not None,
    "currency": lambda text: re.fullmatch(r"[A-Za-z]{3}", text) is not None,
}
