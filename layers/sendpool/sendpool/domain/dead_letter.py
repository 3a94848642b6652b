"""What stands among the dead letters, in what class, and how it is put back to work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

NOT_WORKED_OFF = "not_worked_off"
"""The class of what SQS set aside: its function failed at it, or did not come to it, too often."""

Kind = Literal["chunk", "requests", "tick", "callback", "event", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A body that nobody could work off. `reason` is ours, where it was we who set it aside."""

    id: str
    body: str
    sent_at: datetime
    reason: str | None = None

    @property
    def error_class(self) -> str:
        """What went wrong, without the place in the body: `missing`, `malformed_body`, `too_many_rounds`, …"""
        return self.reason.partition(" ")[0] if self.reason else NOT_WORKED_OFF

    @property
    def kind(self) -> Kind:
        match self._plain:
            case {"chunk": _}:
                return "chunk"
            case {"requests": _}:
                return "requests"
            case {"broadcast_id": _} | {"plan": _}:
                return "tick"
            case {"fields": _}:
                return "callback"
            case {"detail": {"type": _}}:
                return "event"
        return "unreadable"

    @property
    def about(self) -> str:
        """Say what it is of, without phone numbers and texts."""
        match self._plain:
            case {"chunk": {"broadcast_id": broadcast_id, "number": number}}:
                return f"{broadcast_id} chunk {number}"
            case {"requests": [{"id": first}, *more]}:
                return f"req_{first}" + (f" and {len(more)} more" if more else "")
            case (
                {"broadcast_id": name}
                | {"plan": name}
                | {"message_id": str(name)}
                | {"detail": {"id": name}}
                | {"fields": {"MessageSid": name} | {"sms_sid": name}}
            ):
                return str(name)
        return f"{len(self.body)} characters"

    @property
    def group(self) -> str | None:
        """The group whose share of the queue it takes; None for callbacks, events and what cannot be read."""
        match self._plain:
            case (
                {"chunk": {"broadcast_id": str(broadcast_id)}}
                | {"broadcast_id": str(broadcast_id)}
                | {"plan": str(broadcast_id)}
            ):
                return broadcast_id
            case {"requests": _}:
                return "requests"
        return None

    def fresh(self) -> str:
        """Return the body to put back: the rounds that it went before do not count any more."""
        match self._plain:
            case {"chunk": dict(chunk)} as body:
                return _encode({**body, "chunk": {**chunk, "rounds": 0}})
            case {"requests": _} as body:
                return _encode({**body, "rounds": 0})
        return self.body

    @property
    def _plain(self) -> Mapping[str, Any]:
        try:
            plain = json.loads(self.body)
        except json.JSONDecodeError:
            return {}
        return plain if isinstance(plain, dict) else {}


def _encode(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))
