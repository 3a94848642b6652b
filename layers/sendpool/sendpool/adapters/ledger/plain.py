"""Frozen dataclasses as plain JSON and back, by their type hints: nested ones, tuples, mappings, times, enums."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, cast


def dumps(value: Any) -> str:
    """Write a dataclass as JSON text; times in ISO 8601."""
    return json.dumps(asdict(value), default=_written, ensure_ascii=False, separators=(",", ":"))


def loads[T](kind: type[T], text: str) -> T:
    """Read a dataclass back; members that it does not have any more are left out."""
    return cast("T", _read(kind, json.loads(text)))


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    inner = typing.get_args(kind)
    if value is None:
        return None
    match typing.get_origin(kind):
        case origin if origin in {types.UnionType, typing.Union}:
            return _read(next(each for each in inner if each is not type(None)), value)
        case origin if origin is tuple:
            return tuple(_read(inner[0], each) for each in value)
        case origin if origin is Mapping:
            return {name: _read(inner[1], each) for name, each in value.items()}
    return _read_one(kind, value)


def _read_one(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        names = {each.name for each in fields(kind)} & value.keys()
        hints = _hints(cast("type", kind))
        return cast("Any", kind)(**{name: _read(hints[name], value[name]) for name in names})
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    return value
