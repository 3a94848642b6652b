"""How our records look as items, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time
from typing import Any, Literal

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.table import Item
from sendpool.domain.broadcast import (
    AutoPause,
    Broadcast,
    Content,
    Counters,
    Cursor,
    Forgiven,
    Hold,
    ImportCursor,
    Problem,
    State,
)
from sendpool.domain.clicks import Click, Clicks, Judged, Kind, Verdict
from sendpool.domain.message import (
    UNDECIDED,
    Delivery,
    MessageRecord,
    OutboundMessage,
    SendResult,
    Status,
)
from sendpool.domain.pace import Slowed
from sendpool.domain.quiet_hours import Window


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
        "attempts": record.attempts,
        "attempted_at": written(record.attempted_at) if record.attempted_at else None,
        **_without_none(asdict(record.result)),
        "made_at": written(record.result.made_at) if record.result.made_at else None,
        # an index key must not be empty
        "sid": record.result.sid or None,
    }
    if record.message is not None:
        item["message"] = _plain_message(record.message)
    return item | _open_attributes(record) | _listed_attributes(record.result)


def _listed_attributes(result: SendResult) -> Item:
    """What puts a message on the list of those that Twilio made on a day; by SID, which is what that list is for."""
    if not (result.sid and result.made_at):
        return {}
    kind = keys.made_on(result.made_at.date())
    return {"listed_in": keys.open_partition(kind, result.sid), "listed_at": result.sid}


def _open_attributes(record: MessageRecord) -> Item:
    if record.result.status is Status.SCHEDULED and record.message and record.message.send_at:
        return _open("scheduled", record.id, record.message.send_at)
    # what a chunk defers comes back with the chunk
    is_chunks = record.result.status is Status.DEFERRED and record.message is None
    if record.result.status in UNDECIDED and record.due_at and not is_chunks:
        return _open(str(record.result.status), record.id, record.due_at)
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
            made_at=_time(item, "made_at"),
            segments=item.get("segments", 0),
            error_code=item.get("error_code"),
            reason=item.get("reason"),
            evidence=item.get("evidence"),
            decision=item.get("decision"),
        ),
        message=_to_outbound(item["message"]) if "message" in item else None,
        fingerprint=item.get("fingerprint", ""),
        row=item.get("row"),
        attempts=item.get("attempts", 0),
        attempted_at=datetime.fromisoformat(item["attempted_at"])
        if "attempted_at" in item
        else None,
    )


def _to_outbound(plain: Item) -> OutboundMessage:
    send_at = datetime.fromisoformat(plain["send_at"]) if "send_at" in plain else None
    return OutboundMessage(
        **{**plain, "media_urls": tuple(plain["media_urls"]), "send_at": send_at}
    )


# ------------------------------------------------------------------------------------------------ deliveries


def of_delivery(delivery: Delivery, *, expires_at: datetime) -> Item:
    # an index key must not be empty
    plain = {**asdict(delivery), "sid": delivery.sid or None}
    return {**_without_none(plain), "expires_at": epoch(expires_at)}


def to_delivery(item: Item) -> Delivery:
    return Delivery(
        sid=item.get("sid", ""),
        status=Status(item["status"]),
        to=item.get("to"),
        error_code=item.get("error_code"),
        timeline=item["timeline"],
        price=item.get("price"),
        currency=item.get("currency"),
        segments=item.get("segments"),
        version=item["version"],
    )


# ------------------------------------------------------------------------------------------------ clicks


def of_clicks(clicks: Clicks, *, expires_at: datetime) -> Item:
    first = clicks.first_human
    return {
        "clicks": [_of_judged(each) for each in clicks.judged],
        "previews": clicks.count(Kind.PREVIEW),
        "scanners": clicks.count(Kind.SCANNER),
        "human": clicks.count(Kind.HUMAN),
        "first_human_at": written(first.at) if first else None,
        "first_human_link": first.link if first else None,
        "has_more": clicks.has_more,
        "version": clicks.version,
        "expires_at": epoch(expires_at),
    }


def _of_judged(judged: Judged) -> Item:
    click, (kind, reason) = judged.click, judged.verdict
    return {
        "at": written(click.at),
        "digest": click.digest,
        "event": click.event,
        "link": click.link,
        "agent": click.agent,
        "kind": str(kind),
        "reason": reason,
    }


def to_clicks(item: Item) -> Clicks:
    return Clicks(
        judged=tuple(map(_to_judged, item["clicks"])),
        has_more=item["has_more"],
        version=item["version"],
    )


def _to_judged(plain: Item) -> Judged:
    at = datetime.fromisoformat(plain["at"])
    return Judged(
        Click(at, plain["digest"], plain["event"], plain["link"], plain["agent"]),
        Verdict(Kind(plain["kind"]), plain["reason"]),
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
        "first": broadcast.first,
        "retry_of": broadcast.retry_of,
        "retry_codes": list(broadcast.retry_codes) or None,
        "start_at": written(broadcast.start_at) if broadcast.start_at else None,
        "expire_at": written(broadcast.expire_at) if broadcast.expire_at else None,
        "auto_pause": of_auto_pause(broadcast.auto_pause) if broadcast.auto_pause else None,
        "window": of_window(broadcast.window) if broadcast.window else None,
        "budget": broadcast.budget,
        **(open_broadcast("start", broadcast.id, broadcast.start_at) if broadcast.start_at else {}),
        "created_at": written(broadcast.created_at),
        "expires_at": epoch(expires_at),
        "cursor": of_cursor(broadcast.cursor),
    }


def open_broadcast(kind: Literal["start", "tick"], broadcast_id: str, due_at: datetime) -> Item:
    """What puts a broadcast into the index of what somebody has to look at: to start it, or to keep it going."""
    return {"open": keys.open_partition(kind, broadcast_id), "due_at": written(due_at)}


def of_auto_pause(rule: AutoPause) -> Item:
    return {**asdict(rule), "failure_share": str(rule.failure_share)}


def to_auto_pause(item: Item) -> AutoPause:
    return AutoPause(**{**item, "failure_share": float(item["failure_share"])})


def of_forgiven(forgiven: Forgiven) -> Item:
    # what maps names is text there
    return {**asdict(forgiven), "errors": {str(code): n for code, n in forgiven.errors.items()}}


def _to_forgiven(item: Item) -> Forgiven:
    return Forgiven(**{**item, "errors": {int(code): n for code, n in item["errors"].items()}})


def of_window(window: Window) -> Item:
    return {"opens": window.opens.isoformat(), "closes": window.closes.isoformat()}


def _to_window(item: Item) -> Window:
    return Window(time.fromisoformat(item["opens"]), time.fromisoformat(item["closes"]))


def of_cursor(cursor: Cursor) -> Item:
    return {
        "offset": cursor.offset,
        "chunk": cursor.chunk,
        "paced_until_ms": round(cursor.paced_until * 1000),
        "spent": cursor.spent,
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
        pool_rate=float(item["pool_rate"]) if item.get("pool_rate") else None,
        slowed=_to_slowed(item),
        first=item.get("first"),
        retry_of=item.get("retry_of"),
        retry_codes=tuple(item.get("retry_codes", ())),
        start_at=_time(item, "start_at"),
        expire_at=_time(item, "expire_at"),
        auto_pause=to_auto_pause(item["auto_pause"]) if "auto_pause" in item else None,
        forgiven=_to_forgiven(item["forgiven"]) if "forgiven" in item else Forgiven(),
        despite_errors=frozenset(item.get("despite_errors", ())),
        window=_to_window(item["window"]) if "window" in item else None,
        budget=item.get("budget"),
        held=Hold(item["held"]) if "held" in item else None,
        held_reason=item.get("held_reason"),
        held_at=_time(item, "held_at"),
        resumed_at=_time(item, "resumed_at"),
        due_at=_time(item, "due_at"),
        parkings=int(item.get("parkings", 0)),
        started_at=_time(item, "started_at"),
        total=item.get("total"),
        rows_etag=item.get("rows_etag"),
        import_cursor=ImportCursor(**item["import_cursor"]) if "import_cursor" in item else None,
        cursor=Cursor(
            offset=cursor["offset"],
            chunk=cursor["chunk"],
            paced_until=cursor["paced_until_ms"] / 1000,
            spent=cursor.get("spent", 0),
        ),
        advanced_by=item.get("advanced_by"),
        problem=Problem(**item["problem"]) if "problem" in item else None,
    )


def to_counters(item: Item) -> Counters:
    return Counters(
        counts={
            name.removeprefix("n:"): value for name, value in item.items() if name.startswith("n:")
        },
        completed_at=_time(item, "completed_at"),
    )


def of_slowed(slowed: Slowed) -> Item:
    return {"effective_rate": str(slowed.rate), "slowed_at": written(slowed.at)}


def _to_slowed(item: Item) -> Slowed | None:
    at = _time(item, "slowed_at")
    return Slowed(rate=float(item["effective_rate"]), at=at) if at else None


def _time(item: Item, name: str) -> datetime | None:
    return datetime.fromisoformat(item[name]) if name in item else None


def _without_none(plain: dict[str, Any]) -> Item:
    return {name: value for name, value in plain.items() if value is not None}
