"""What happens when a status callback comes: fold it into the delivery of its message.

Callbacks come late, twice, in any order, or before the answer to create: the outcome is the same. Those of one
message that arrive together are written together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.messages import Deliveries
from sendpool.adapters.ledger.people import OptOuts
from sendpool.domain.message import Delivery, StatusCallback, heard, is_message_id
from sendpool.domain.twilio_codes import Effect, explain


class ContendedError(Exception):
    """Another recorder wrote the same delivery at the same time, again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What recording needs."""

    deliveries: Deliveries
    opt_outs: OptOuts
    now: Callable[[], datetime]


def read_callback(body: Mapping[str, Any]) -> StatusCallback:
    """Read what the status webhook queued: our id, when it came, and Twilio's fields.

    Raises KeyError or ValueError when it is no callback.
    """
    fields = body["fields"]
    message_id = body.get("message_id")
    return StatusCallback(
        sid=fields["MessageSid"],
        word=fields["MessageStatus"],
        received_at=datetime.fromisoformat(body["received_at"]),
        message_id=message_id if message_id and is_message_id(message_id) else None,
        error_code=int(fields["ErrorCode"]) if fields.get("ErrorCode") else None,
        to=fields.get("To", ""),
        service_sid=fields.get("MessagingServiceSid") or None,
    )


def record(callbacks: Iterable[StatusCallback], recording: Recording) -> None:
    """Apply callbacks to the ledger. Applying them again changes nothing."""
    by_key: dict[keys.Key, list[StatusCallback]] = {}
    for callback in callbacks:
        by_key.setdefault(_key(callback), []).append(callback)
    for attempt in Retrying(
        retry=retry_if_exception_type(ContendedError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    ):
        with attempt:
            by_key = _save(by_key, recording)
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
    lost: dict[keys.Key, list[StatusCallback]] = {}
    for key, callbacks in by_key.items():
        before = known.get(key)
        folded: Callable[[Delivery | None, StatusCallback], Delivery | None] = heard
        after = reduce(folded, callbacks, before)
        if after is None or after == before:
            continue
        for callback in callbacks:
            _take_effect(callback, recording)
        if not recording.deliveries.save(key, after, now=recording.now()):
            lost[key] = callbacks
    return lost


def _take_effect(callback: StatusCallback, recording: Recording) -> None:
    """What an error means beyond its message. Comes before the delivery is written: it may be repeated."""
    if (
        callback.error_code
        and Effect.OPT_OUT in explain(callback.error_code).effects
        and callback.service_sid
    ):
        recording.opt_outs.record(
            callback.to,
            callback.service_sid,
            opted_out=True,
            source=f"twilio_{callback.error_code}",
            at=callback.received_at,
        )
