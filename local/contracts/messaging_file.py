"""The JSON Schema of messaging.yaml, for editors that complete and check it."""

from __future__ import annotations

from typing import Any

from local.declared.file import MessagingFile

_NARROWER = {"pattern", "enum", "const"}


def schema() -> dict[str, Any]:
    """Describe the file as an editor reads it, to which a text such as 02101 without quotes is a number."""
    described: dict[str, Any] = _with_numbers(MessagingFile.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | described


def _with_numbers(part: Any) -> Any:
    match part:
        case {"type": "string"} if not _NARROWER & part.keys():
            return part | {"type": ["string", "number"]}
        case dict():
            return {name: _with_numbers(each) for name, each in part.items()}
        case list():
            return [_with_numbers(each) for each in part]
    return part
