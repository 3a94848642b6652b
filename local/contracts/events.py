"""The JSON Schema of the events on the bus (their `detail`) and at the team's own URL (the body)."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter

from sendpool.domain.events.catalogue import DATA
from sendpool.domain.events.event import EventType

_DESCRIPTION = (
    "What happened to a message, a person, a broadcast or the Messaging Service: the detail of an event of "
    "EventBridge (source sendpool, detail-type as `type`), and the body of a call to the team's own URL. Events come "
    "at least once and in any order; the same event has the same id each time. What is not known is left out. More "
    "fields and more types may come."
)
_ID = "^evt_[0-9a-f]{32}$"


def schema() -> dict[str, Any]:
    """Describe every event; each type is a definition of its own name."""
    data: dict[str, Any] = {}
    for kind in dict.fromkeys(DATA.values()):
        described = TypeAdapter(kind).json_schema(ref_template="#/$defs/{model}")
        data |= described.pop("$defs", {})
        data[kind.__name__] = described | {"description": inspect.getdoc(kind)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "description": _DESCRIPTION,
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in EventType],
        "$defs": {str(kind): _event(kind) for kind in EventType} | data,
    }


def _event(kind: EventType) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "type", "timestamp", "data"],
        "properties": {
            "id": {"type": "string", "pattern": _ID},
            "type": {"const": str(kind)},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"$ref": f"#/$defs/{DATA[kind].__name__}"},
        },
    }
