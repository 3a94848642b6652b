"""The JSON Schema of what other systems may put on the send queue."""

from __future__ import annotations

from typing import Any

from sendpool.edge.message_models import QueuedRequests

_DESCRIPTION = (
    "A body on the send queue. A request's id makes it idempotent: the same id is sent once, however often it "
    "is queued. A body that does not fit goes to the dead-letter queue with the reason."
)
# how often we handed the requests back; not for others to say
_OURS = "rounds"


def schema() -> dict[str, Any]:
    """Describe a body, without the field that only the sender itself writes."""
    described = QueuedRequests.model_json_schema(by_alias=True)
    del described["properties"][_OURS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described,
        "title": "SendQueueBody",
        "description": _DESCRIPTION,
    }
