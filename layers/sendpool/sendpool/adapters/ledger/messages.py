"""Messages in the ledger: claims, send results, deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.table import Item, Table, Update
from sendpool.domain.books import Known
from sendpool.domain.message import (
    UNDECIDED,
    Delivery,
    MessageRecord,
    OutboundMessage,
    SendResult,
    Status,
)

# Twilio schedules up to 35 days ahead
_LONGEST_WAIT = timedelta(days=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A time in which one invocation alone works on a message.

    `until` lies after the end of the invocation; at `due_at` the sweeper looks whether it ended without a word.
    """

    owner: str
    begun_at: datetime
    until: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """The message is ours to send now, and nobody has offered it before; `deferred` is how it waited until now."""

    record: MessageRecord
    deferred: MessageRecord | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else is sending it at this moment."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Somebody offered it, or may have, and how that ended is not known: it is ours now.

    No such call is under way after `until`.
    """

    record: MessageRecord
    until: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """Its sending ended before."""

    record: MessageRecord


@dataclass(frozen=True, slots=True)
class Foreign:
    """The id belongs to another request."""


Claim = Claimed | Held | Doubtful | Settled | Foreign


def is_waiting(record: MessageRecord, now: datetime) -> bool:
    """Tell whether a single message waits for its hour; evidence shows one that is scheduled as accepted."""
    if record.message is None:
        return False
    if record.result.status is Status.DEFERRED:
        return True
    send_at = record.message.send_at
    is_made = record.result.status in {Status.SCHEDULED, Status.ACCEPTED}
    return is_made and send_at is not None and send_at > now


class Messages:
    """The message and delivery items of the ledger, kept for `retention`."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention

    def claim(self, message_id: str, message: OutboundMessage, lease: Lease) -> Claim:
        """Claim a single message before Twilio hears of it, so that nobody else offers it too."""
        record = MessageRecord(
            id=message_id,
            to=message.to,
            created_at=lease.begun_at,
            result=SendResult(status=Status.CLAIMED),
            message=message,
            fingerprint=message.fingerprint,
            due_at=lease.due_at,
        )
        claim = {"claimed_by": lease.owner, "lease_until": items.milliseconds(lease.until)}
        item = items.of_message(record, expires_at=lease.begun_at + self._retention)
        put = self._table.put_if(item | claim, "attribute_not_exists(pk)")
        if put.existing is None:
            return Claimed(record)
        if put.existing.get("fingerprint") != record.fingerprint:
            return Foreign()
        return self._claim_existing(put.existing, lease)

    def claim_existing(self, message_id: str, lease: Lease) -> Claim | None:
        """Claim a single message that is in the ledger; None when it is not."""
        existing = self._table.get(keys.message(message_id))
        return self._claim_existing(existing, lease) if existing else None

    def _claim_existing(self, existing: Item, lease: Lease) -> Claim:
        record = items.to_message(existing)
        if record.result.status not in UNDECIDED:
            return Settled(record)
        if existing.get("claimed_by") == lease.owner:
            return Claimed(record)  # our own write: the client repeated it after a lost answer
        # one that was deferred was never offered; from now on it may be
        deferred = record if record.result.status is Status.DEFERRED else None
        taken_as = Status.CLAIMED if deferred else record.result.status
        taken = self._table.update(
            Update(
                key=keys.message(record.id),
                expression=(
                    "SET claimed_by = :owner, lease_until = :until, due_at = :due, "
                    "#open = :open, #status = :taken"
                ),
                # the status and the number of attempts: it was not settled and offered again since it was read
                condition=(
                    "#status = :status AND attempts = :attempts "
                    "AND (attribute_not_exists(lease_until) OR lease_until < :now)"
                ),
                names={"status": "status", "open": "open"},
                values={
                    "owner": lease.owner,
                    "taken": str(taken_as),
                    "open": keys.open_partition(str(taken_as), record.id),
                    "until": items.milliseconds(lease.until),
                    "due": items.written(lease.due_at),
                    "status": str(record.result.status),
                    "attempts": record.attempts,
                    "now": items.milliseconds(lease.begun_at),
                },
            )
        )
        is_ours = taken.written or (taken.existing or {}).get("claimed_by") == lease.owner
        if not is_ours:
            return Held()
        if deferred:
            return Claimed(replace(record, result=SendResult(status=Status.CLAIMED)), deferred)
        return Doubtful(record, _last_under_way(existing, record))

    def release(self, message_id: str, *, owner: str) -> None:
        """Give up a claim for which Twilio made nothing, so that the same request can come again."""
        self._table.delete_if(keys.message(message_id), "claimed_by = :owner", {"owner": owner})

    def put_back(self, deferred: MessageRecord, *, owner: str) -> None:
        """Give up a claim of what was deferred, and for which Twilio made nothing: it is deferred again."""
        item = items.of_message(deferred, expires_at=deferred.created_at + self._retention)
        # a late copy of this write must not undo what the next claim came to
        self._table.put_if(item, "claimed_by = :owner", {"owner": owner})

    def settle(self, records: Iterable[MessageRecord]) -> None:
        """Write how sending ended. Only the holder of the claim, or of the chunk's lease, may call this."""
        self._table.put_many(
            items.of_message(record, expires_at=record.created_at + self._retention)
            for record in records
        )

    def results(self, message_ids: Iterable[str]) -> dict[str, MessageRecord]:
        """Return the send sides of these messages; absent where there is none yet."""
        wanted = {keys.message(message_id): message_id for message_id in message_ids}
        found = self._table.get_many(wanted)
        return {wanted[key]: items.to_message(item) for key, item in found.items()}

    def find(self, message_id: str) -> tuple[MessageRecord | None, Delivery | None]:
        """Return both sides of one message."""
        sent, delivered = keys.message(message_id), keys.delivery(message_id)
        found = self._table.get_many([sent, delivered])
        return (
            items.to_message(found[sent]) if sent in found else None,
            items.to_delivery(found[delivered]) if delivered in found else None,
        )

    def has_texted(self, person: str) -> bool:
        """Tell whether any message of ours to a person is kept; the index lags behind the table by a moment."""
        found = self._table.query_index("by_person", partition=("person", person))
        return any(item["pk"].startswith(("MSG#", "BC#")) for item in found)

    def rows_of(self, message_ids: Iterable[str]) -> dict[str, int]:
        """Return which row of the uploaded recipients each message of a broadcast is to.

        Raises LookupError when one has no result yet.
        """
        wanted = {keys.message(message_id): message_id for message_id in message_ids}
        found = self._table.get_many(wanted)
        return {message_id: found[key]["row"] for key, message_id in wanted.items()}

    # -------------------------------------------------------------------------------------------- withdrawing

    def waiting_for(self, person: str, *, now: datetime) -> Iterator[MessageRecord]:
        """Yield the single messages to a person that wait for their hour: scheduled at Twilio, or deferred here.

        The index that is read lags a moment, and what it names may have changed since.
        """
        found = self._table.query_index(
            "by_person",
            partition=("person", person),
            since=("created_at", items.written(now - _LONGEST_WAIT)),
        )
        for item in found:
            if item["sk"] == "MSG" and "message" in item:
                record = items.to_message(item)
                if is_waiting(record, now):
                    yield record

    def withdraw(self, record: MessageRecord, *, reason: str, now: datetime) -> bool:
        """Write that a waiting message is canceled; False when it is not as it was read, or somebody works on it."""
        is_same = "sid = :sid" if record.result.sid else "attribute_not_exists(sid)"
        return self._table.update(
            Update(
                key=keys.message(record.id),
                expression="SET #status = :canceled, #reason = :reason REMOVE #open, due_at",
                condition=(
                    f"#status = :status AND {is_same} "
                    "AND (attribute_not_exists(lease_until) OR lease_until < :now)"
                ),
                names={"status": "status", "reason": "reason", "open": "open"},
                values={
                    "canceled": str(Status.CANCELED),
                    "reason": reason,
                    "status": str(record.result.status),
                    "now": items.milliseconds(now),
                    **({"sid": record.result.sid} if record.result.sid else {}),
                },
            )
        ).written

    def look_again(self, record: MessageRecord, at: datetime | None) -> None:
        """Say when somebody has to look at a scheduled message again, or that nobody has to, if it still is one."""
        self._table.update(
            Update(
                key=keys.message(record.id),
                expression="SET due_at = :due" if at else "REMOVE #open, due_at",
                condition="#status = :scheduled AND attribute_exists(#open)",
                names={"status": "status", "open": "open"},
                values={"scheduled": str(Status.SCHEDULED)}
                | ({"due": items.written(at)} if at else {}),
            )
        )

    # -------------------------------------------------------------------------------------------- whose SID

    def is_anothers(self, sid: str, message_id: str) -> bool:
        """Tell whether a result or a callback gives this SID to another message; the index of them lags a moment."""
        return any(self._holds(holder, sid) for holder in self._named_with(sid) - {message_id})

    def id_of(self, sid: str) -> str | None:
        """Return whose SID this is; None when it is none of our messages', or of several and no callback decides.

        The index that is read lags a moment.
        """
        holders = self.holders(sid)
        return holders[0] if len(holders) == 1 else None

    def holders(self, sid: str) -> list[str]:
        """Return the messages of ours whose SID this is: one, none, or several that no callback decides between."""
        named = sorted(each for each in self._named_with(sid) if each)
        return named if len(named) < 2 else [each for each in named if self._holds(each, sid)]  # noqa: PLR2004

    def known(self, holders: Mapping[str, Sequence[str]]) -> dict[str, Known | None]:
        """Return what is kept under each SID, of the first of the messages whose it is; None where it is nobody's."""
        firsts = {sid: each[0] for sid, each in holders.items() if each}
        wanted = [key(each) for each in firsts.values() for key in (keys.message, keys.delivery)]
        found = self._table.get_many(wanted)
        return {
            sid: _known(sid, firsts[sid], found, holders=len(each)) if each else None
            for sid, each in holders.items()
        }

    def claims(self, sid: str) -> list[Known]:
        """Return what is kept of every message that ever had this SID, whether or not it still has."""
        named = sorted(each for each in self._named_with(sid) if each)
        holders = len(self.holders(sid))
        found = self._table.get_many(
            key(each) for each in named for key in (keys.message, keys.delivery)
        )
        return [_known(sid, each, found, holders=holders) for each in named]

    def own(self, sid: str, message_id: str, *, now: datetime) -> bool:
        """Take a SID that Twilio's list shows as this message's; False when another message took it.

        Two messages that look at the same time cannot take the same one.
        """
        holder = self._take_sid(sid, message_id, from_=message_id, now=now)
        if holder is None:
            return True
        return (
            not self._holds(holder, sid)
            and self._take_sid(sid, message_id, from_=holder, now=now) is None
        )

    def _named_with(self, sid: str) -> set[str | None]:
        """Return the messages whose result or callback names a SID; None stands for one that is not ours."""
        found = self._table.query_index("by_sid", partition=("sid", sid))
        return {keys.message_id(keys.Key(item["pk"], item["sk"])) for item in found}

    def _holds(self, holder: str | None, sid: str) -> bool:
        """Tell whether a message still has a SID: callbacks that name another one prove that it never had."""
        if holder is None:
            return True
        _, delivery = self.find(holder)
        return delivery is None or delivery.sid == sid

    def _take_sid(self, sid: str, message_id: str, *, from_: str, now: datetime) -> str | None:
        """Own a SID that nobody owns, or that `from_` does; else return who does."""
        item = {
            **keys.sid_owner(sid)._asdict(),
            "message_id": message_id,
            "expires_at": items.epoch(now + self._retention),
        }
        condition = "attribute_not_exists(pk) OR message_id = :from"
        existing = self._table.put_if(item, condition, {"from": from_}).existing
        owner: str | None = existing["message_id"] if existing else None
        return None if owner == message_id else owner


def _known(sid: str, message_id: str, found: Mapping[keys.Key, Item], *, holders: int) -> Known:
    sent, delivered = found.get(keys.message(message_id)), found.get(keys.delivery(message_id))
    return Known(
        message_id=message_id,
        sid=sid,
        result=items.to_message(sent).result if sent else None,
        delivery=items.to_delivery(delivered) if delivered else None,
        holders=holders,
    )


def _last_under_way(existing: Item, record: MessageRecord) -> datetime:
    """Return the last moment at which an earlier call to create may have been under way."""
    if "lease_until" in existing:
        return datetime.fromtimestamp(existing["lease_until"] / 1000, tz=UTC)
    return record.attempted_at or record.created_at


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
