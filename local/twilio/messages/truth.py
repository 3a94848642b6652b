"""What really happened: every message that was made, deleted ones included."""

from collections import Counter
from typing import Any

from local.twilio.messages.message import Direction, Message, MessageStore


def tell_truth(
    store: MessageStore, *, to: str | None, with_messages: bool, last: int | None = None
) -> dict[str, Any]:
    """Counts by status and recipient of the messages made by the API, to one recipient or to all.

    With the messages themselves if wanted: all, or the last ones.
    """
    messages = [
        message
        for message in store
        if message.direction is Direction.OUTBOUND_API and to in {None, message.to}
    ]
    shown = messages if last is None else messages[-last:]
    return {
        "total": len(messages),
        "by_status": Counter(message.status.value for message in messages),
        "by_recipient": Counter(message.to for message in messages),
        **({"messages": [_to_json(message) for message in shown]} if with_messages else {}),
    }


def _to_json(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "text": message.text,
        "num_segments": message.num_segments,
        "status": message.status.value,
        "error_code": message.error_code,
        "status_callback": message.status_callback,
        "messaging_service_sid": message.service_sid,
        "created": message.created.isoformat(),
        "sent": message.sent.isoformat() if message.sent else None,
        "deleted": message.deleted,
    }
