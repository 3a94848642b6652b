"""The JSON Schema of messaging.yaml, for editors that complete and check it."""

from __future__ import annotations

from typing import Any

from local.declared.file import MessagingFile


def schema() -> dict[str, Any]:
    """Describe the file as it is after YAML was read."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    } | MessagingFile.model_json_schema()
