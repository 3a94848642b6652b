"""What happens when a status callback comes: fold it into the delivery of its message.

Callbacks come late, twice, in any order, or before the answer to create: the outcome is the same. Those of one
message that arrive together are written together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.adapters.ledger.messages import Deliveries
from sendpool.domain.message import Delivery, StatusCallback, heard, is_message_id, place_of
from sendpool.domain.opt_out import ALL
from sendpool.domain.prices import read_price
from sendpool.domain.twilio_codes import Effect, explain
from sendpool.workflows.opting_out import Failed, OptingOut, take_effects
from sendpool.workflows.slow import slow_down

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_SEGMENTS = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class ContendedError(Exception):
    """Another recorder wrote the same item at the same time, again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What recording needs."""

    deliveries: Deliveries
    opting_out: OptingOut
    broadcasts: Broadcasts
    now: Callable[[], datetime]


def read_callback(body: Mapping[str, Any]) -> StatusCallback:
    """Read what the status webhook queued: our id, when it came, and Twilio's fields.

    The reconciliation queues the same of what it finds in Twilio's list, with the source `list`. Raises KeyError or
    ValueError when it is no callback; a price or a number of segments that cannot be read is not known yet.
    """
    fields = body["fields"]
    message_id = body.get("message_id")
    price, currency = _billed(fields)
    segments = str(fields.get("NumSegments"))
    return StatusCallback(
        sid=fields["MessageSid"],
        word=fields["MessageStatus"],
        received_at=datetime.fromisoformat(body["received_at"]),
        message_id=message_id if message_id and is_message_id(message_id) else None,
        error_code=int(fields["ErrorCode"]) if fields.get("ErrorCode") else None,
        to=fields.get("To", ""),
        service_sid=fields.get("MessagingServiceSid") or None,
        price=price,
        currency=currency,
        segments=int(segments) if _SEGMENTS.fullmatch(segments) else None,
        source="list" if body.get("source") == "list" else "callback",
    )


def _billed(fields: Mapping[str, Any]) -> tuple[int, str] | tuple[None, None]:
    billed = read_price(fields.get("Price"), str(fields.get("PriceUnit") or ""))
    if billed is None or billed[0] < 0 or not _CURRENCY.fullmatch(billed[1]):
        return None, None
    return billed


def record(callbacks: Iterable[StatusCallback], recording: Recording) -> None:
    """Apply callbacks to the ledger. Applying them again changes nothing."""
    by_key: dict[keys.Key, list[StatusCallback]] = {}
    for callback in callbacks:
        by_key.setdefault(_key(callback), []).append(callback)
    until_nobody_lost(by_key, lambda some: _save(some, recording))


def until_nobody_lost[Told](
    by_key: dict[keys.Key, list[Told]],
    save: Callable[[dict[keys.Key, list[Told]]], dict[keys.Key, list[Told]]],
) -> None:
    """Save, and again what `save` returns because another writer was faster.

    Raises ContendedError when that happens again and again.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(ContendedError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    ):
        with attempt:
            by_key = save(by_key)
            if by_key:
                raise ContendedError


def _key(callback: StatusCallback) -> keys.Key:
    if callback.message_id is None:
        return keys.unowned_delivery(callback.sid)
    return keys.delivery(callback.message_id)


def _save(
    by_key: dict[keys.Key, list[StatusCallback]], recording: Recording
) -> dict[keys.Key, list[StatusCallback]]:
    """Fold and write; return what lost against another writer."""
    known = recording.deliveries.get(by_key)
    changed: dict[keys.Key, Delivery] = {}
    new: list[StatusCallback] = []
    for key, callbacks in by_key.items():
        delivery = before = known.get(key)
        for callback in callbacks:
            after = heard(delivery, callback)
            if _is_news(delivery, after):
                new.append(callback)
            delivery = after
        if delivery is not None and delivery != before:
            changed[key] = delivery
    # before the deliveries are written: it may be repeated, and after that nobody would
    take_effects(map(_failed, new), recording.opting_out)
    lost = {
        key: by_key[key]
        for key, after in changed.items()
        if not recording.deliveries.save(key, after, now=recording.now())
    }
    too_fast = {broadcast_id for callback in new for broadcast_id in _too_fast(callback)}
    for broadcast_id in too_fast:
        slow_down(broadcast_id, recording.broadcasts, now=recording.now())
    return lost


def _is_news(before: Delivery | None, after: Delivery) -> bool:
    """Tell whether a callback told of a status or an error that was not known, rather than of a price alone."""
    return before is None or (before.status, before.error_code) != (after.status, after.error_code)


def _too_fast(callback: StatusCallback) -> set[str]:
    """Return the broadcast that goes out too fast, if this callback says so: 30001 and its like.

    What the list says of an hour ago, or a day, says nothing about now.
    """
    if callback.source == "list":
        return set()
    place = place_of(callback.message_id) if callback.message_id else None
    code = callback.error_code
    slows = place and code and Effect.SLOW_DOWN in explain(code).effects
    return {place.broadcast_id} if place and slows else set()


def _failed(callback: StatusCallback) -> Failed:
    """What a callback says of its recipient. One of ours that names no service went through ours, whichever it is."""
    return Failed(
        code=callback.error_code,
        to=callback.to,
        scope=callback.service_sid or (ALL if callback.message_id else None),
        at=callback.received_at,
    )
