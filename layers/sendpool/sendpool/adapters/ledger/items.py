"""How our records look as items, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.table import Item
from sendpool.domain.broadcast import Broadcast, Content, Cursor, Problem, State
from sendpool.domain.message import (
    UNDECIDED,
    Delivery,
    MessageRecord,
    OutboundMessage,
    SendResult,
    Status,
)

# how soon somebody should look at a message that is not decided
_LOOK_AGAIN = timedelta(minutes=5)


def epoch(at: datetime) -> int:
    """Seconds, as DynamoDB's TTL wants them."""
    return int(at.timestamp())


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def written(at: datetime) -> str:
    """ISO 8601 with milliseconds, UTC: sorts as text."""
    return at.isoformat(timespec="milliseconds")


# ------------------------------------------------------------------------------------------------ messages


def of_message(record: MessageRecord, *, expires_at: datetime) -> Item:
    item: Item = {
        **keys.message(record.id)._asdict(),
        "id": record.id,
        "person": record.to if record.to.startswith("+") else None,
        "to": record.to,
        "created_at": written(record.created_at),
        "expires_at": epoch(expires_at),
        "fingerprint": record.fingerprint or None,
        "row": record.row,
        **_without_none(asdict(record.result)),
    }
    if record.message is not None:
        item["message"] = _plain_message(record.message)
    return item | _open_attributes(record)


def _open_attributes(record: MessageRecord) -> Item:
    if record.result.status is Status.SCHEDULED and record.message and record.message.send_at:
        return _open("scheduled", record.id, record.message.send_at)
    if record.result.status in UNDECIDED:
        return _open(str(record.result.status), record.id, record.created_at + _LOOK_AGAIN)
    return {}


def _open(kind: str, message_id: str, due_at: datetime) -> Item:
    return {"open": keys.open_partition(kind, message_id), "due_at": written(due_at)}


def _plain_message(message: OutboundMessage) -> Item:
    plain = _without_none(asdict(message))
    if message.send_at:
        plain["send_at"] = message.send_at.isoformat()
    return plain | {"media_urls": list(message.media_urls)}


def to_message(item: Item) -> MessageRecord:
    return MessageRecord(
        id=item["id"],
        to=item["to"],
        created_at=datetime.fromisoformat(item["created_at"]),
        result=SendResult(
            status=Status(item["status"]),
            sid=item.get("sid"),
            segments=item.get("segments", 0),
            error_code=item.get("error_code"),
            reason=item.get("reason"),
            evidence=item.get("evidence"),
        ),
        message=_to_outbound(item["message"]) if "message" in item else None,
        fingerprint=item.get("fingerprint", ""),
        row=item.get("row"),
    )


def _to_outbound(plain: Item) -> OutboundMessage:
    send_at = datetime.fromisoformat(plain["send_at"]) if "send_at" in plain else None
    return OutboundMessage(
        **{**plain, "media_urls": tuple(plain["media_urls"]), "send_at": send_at}
    )


# ------------------------------------------------------------------------------------------------ deliveries


def of_delivery(delivery: Delivery, *, expires_at: datetime) -> Item:
    return {**_without_none(asdict(delivery)), "expires_at": epoch(expires_at)}


def to_delivery(item: Item) -> Delivery:
    return Delivery(
        sid=item["sid"],
        status=Status(item["status"]),
        error_code=item.get("error_code"),
        timeline=item["timeline"],
        version=item["version"],
    )


# ------------------------------------------------------------------------------------------------ broadcasts


def of_broadcast(broadcast: Broadcast, *, expires_at: datetime) -> Item:
    return {
        **keys.broadcast(broadcast.id)._asdict(),
        "id": broadcast.id,
        "name": broadcast.name,
        "content": {
            **_without_none(asdict(broadcast.content)),
            "media_urls": list(broadcast.content.media_urls),
        },
        "state": str(broadcast.state),
        "fingerprint": broadcast.fingerprint,
        # a decimal fraction survives as text only
        "rate": str(broadcast.rate) if broadcast.rate is not None else None,
        "created_at": written(broadcast.created_at),
        "expires_at": epoch(expires_at),
        "cursor": of_cursor(broadcast.cursor),
    }


def of_cursor(cursor: Cursor) -> Item:
    return {
        "offset": cursor.offset,
        "chunk": cursor.chunk,
        "paced_until_ms": round(cursor.paced_until * 1000),
    }


def to_broadcast(item: Item) -> Broadcast:
    content = item["content"]
    cursor = item["cursor"]
    return Broadcast(
        id=item["id"],
        name=item["name"],
        content=Content(**{**content, "media_urls": tuple(content["media_urls"])}),
        state=State(item["state"]),
        created_at=datetime.fromisoformat(item["created_at"]),
        fingerprint=item["fingerprint"],
        rate=float(item["rate"]) if "rate" in item else None,
        started_at=datetime.fromisoformat(item["started_at"]) if "started_at" in item else None,
        total=item.get("total"),
        rows_etag=item.get("rows_etag"),
        cursor=Cursor(
            offset=cursor["offset"],
            chunk=cursor["chunk"],
            paced_until=cursor["paced_until_ms"] / 1000,
        ),
        advanced_by=item.get("advanced_by"),
        problem=Problem(**item["problem"]) if "problem" in item else None,
    )


def _without_none(plain: dict[str, Any]) -> Item:
    return {name: value for name, value in plain.items() if value is not None}
