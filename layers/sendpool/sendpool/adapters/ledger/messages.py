"""Messages in the ledger: claims, send results, deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Put, Table, Update
from sendpool.domain.message import Delivery, MessageRecord, OutboundMessage, SendResult, Status


@dataclass(frozen=True, slots=True)
class Claimed:
    """The message is ours to send now."""


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else is sending it at this moment."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Somebody began to send it at `since` and never said how it ended: it is ours now, and ambiguous."""

    since: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """Its sending ended before."""

    record: MessageRecord


@dataclass(frozen=True, slots=True)
class Foreign:
    """The id belongs to another request."""


Claim = Claimed | Held | Abandoned | Settled | Foreign


class Messages:
    """The message and delivery items of the ledger, kept for `retention`."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def claim(
        self,
        message_id: str,
        message: OutboundMessage,
        *,
        owner: str,
        now: datetime,
        lease: timedelta,
    ) -> Claim:
        """Claim a single message before Twilio hears of it, so that nobody else offers it too."""
        record = MessageRecord(
            id=message_id,
            to=message.to,
            created_at=now,
            result=SendResult(status=Status.CLAIMED),
            message=message,
            fingerprint=message.fingerprint,
        )
        claim = {"claimed_by": owner, "lease_until": items.milliseconds(now + lease)}
        put = self._table.put_if(
            items.of_message(record, expires_at=now + self._retention) | claim,
            "attribute_not_exists(pk)",
        )
        return (
            Claimed()
            if put.written
            else self._claim_existing(put, record, owner=owner, now=now, lease=lease)
        )

    def _claim_existing(
        self, put: Put, wanted: MessageRecord, *, owner: str, now: datetime, lease: timedelta
    ) -> Claim:
        existing = put.existing or {}
        record = items.to_message(existing)
        if record.fingerprint != wanted.fingerprint:
            return Foreign()
        if record.result.status is not Status.CLAIMED:
            return Settled(record)
        if existing["claimed_by"] == owner:
            return Claimed()  # our own write: the client repeated it after a lost answer
        taken = self._table.update(
            Update(
                key=keys.message(record.id),
                expression="SET claimed_by = :owner, lease_until = :until",
                condition="lease_until < :now",
                values={
                    "owner": owner,
                    "until": items.milliseconds(now + lease),
                    "now": items.milliseconds(now),
                },
            )
        )
        return Abandoned(record.created_at) if taken.written else Held()

    def release(self, message_id: str, *, owner: str) -> None:
        """Give up a claim for which Twilio made nothing, so that the same request can come again."""
        self._table.delete_if(keys.message(message_id), "claimed_by = :owner", {"owner": owner})

    def settle(self, records: Iterable[MessageRecord]) -> None:
        """Write how sending ended. Only the holder of the claim, or of the chunk's lease, may call this."""
        self._table.put_many(
            items.of_message(record, expires_at=record.created_at + self._retention)
            for record in records
        )

    def find(self, message_id: str) -> tuple[MessageRecord | None, Delivery | None]:
        """Return both sides of one message."""
        sent, delivered = keys.message(message_id), keys.delivery(message_id)
        found = self._table.get_many([sent, delivered])
        return (
            items.to_message(found[sent]) if sent in found else None,
            items.to_delivery(found[delivered]) if delivered in found else None,
        )

    def sids_of(self, person: str, *, since: datetime) -> set[str]:
        """Return the SIDs that messages of ours to this person have been given since then."""
        found = self._table.query_index(
            "by_person", partition=("person", person), since=("created_at", items.written(since))
        )
        return {item["sid"] for item in found if "sid" in item}


class Deliveries:
    """The delivery items of the ledger; the recorder is their only writer."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def get(self, wanted: Iterable[keys.Key]) -> dict[keys.Key, Delivery]:
        return {key: items.to_delivery(item) for key, item in self._table.get_many(wanted).items()}

    def save(self, key: keys.Key, delivery: Delivery, *, now: datetime) -> bool:
        """Write a delivery over the version it was made from; False when another writer was faster."""
        item = items.of_delivery(
            replace(delivery, version=delivery.version + 1), expires_at=now + self._retention
        )
        condition = "version = :version" if delivery.version else "attribute_not_exists(pk)"
        values = {"version": delivery.version} if delivery.version else None
        return self._table.put_if(key._asdict() | item, condition, values).written
