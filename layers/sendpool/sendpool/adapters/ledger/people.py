"""People in the ledger: who opted out of what, and what they text us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Literal

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.listing import Listing
from sendpool.adapters.ledger.table import Item, Table, TransactionLostError, Update
from sendpool.domain.conversation import InboundMessage
from sendpool.domain.media import KeptMedia
from sendpool.domain.opt_out import ALL, Change, Standing, blocking_scope, heard

_TRIES = 10
_A_TRANSACTION = 100
_WORTH_A_TRANSACTION = 5


class ContendedStandingError(Exception):
    """Others wrote where the same person stands, again and again."""


class OptOuts:
    """Opt-outs and opt-ins by person and scope: a Messaging Service's SID, or all. Kept for ever."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._listing = Listing(table, "optout")

    def record(
        self,
        person: str,
        scope: str,
        *,
        opted_out: bool,
        source: str,
        at: datetime,
        evidence: Mapping[str, str] | None = None,
    ) -> Standing:
        """Record an opt-out or opt-in, and return where the person stands now; a later word still counts."""
        change = Change(opted_out=opted_out, at=at, source=source, evidence=evidence or {})
        return self.hear(person, scope, change)

    def hear(self, person: str, scope: str, change: Change) -> Standing:
        """Record a change; one that is known already changes nothing."""
        item = self._table.get(keys.opt_out(person, scope))
        for _ in range(_TRIES):
            known = to_standing(item) if item else None
            after = heard(known, change, person=person, scope=scope)
            if after is known:
                return after
            put = self._put(after)
            if put is None:
                return after
            item = put or None
        raise ContendedStandingError

    def hear_all(self, changes: Sequence[tuple[str, str, Change]]) -> list[Standing]:
        """Record changes of (person, scope), and return where each stands now.

        Many are written a hundred at a time, all or nothing; where others write at the same time, one by one.
        """
        if len(changes) < _WORTH_A_TRANSACTION:
            return [self.hear(*change) for change in changes]
        hundreds = batched(changes, _A_TRANSACTION, strict=False)
        return [each for some in hundreds for each in self._hear_some(some)]

    def _hear_some(self, changes: Sequence[tuple[str, str, Change]]) -> list[Standing]:
        found = self._table.get_many(keys.opt_out(person, scope) for person, scope, _ in changes)
        known = {key: to_standing(item) for key, item in found.items()}
        after = dict(known)
        for person, scope, change in changes:
            key = keys.opt_out(person, scope)
            after[key] = heard(after.get(key), change, person=person, scope=scope)
        new = [each for key, each in after.items() if each is not known.get(key)]
        try:
            if new:
                self._table.transact(puts=[self._written(each) for each in new], updates=[])
        except TransactionLostError:
            return [self.hear(*change) for change in changes]
        return [after[keys.opt_out(person, scope)] for person, scope, _ in changes]

    def _put(self, standing: Standing) -> Item | None:
        """Write a standing over the version that it was made from; return what another one wrote meanwhile."""
        put = self._table.put_if(*self._written(standing))
        return None if put.written else put.existing or {}

    def _written(self, standing: Standing) -> tuple[Item, str, Item]:
        """Return a standing's item, and on which condition it is written."""
        item = _of_standing(standing)
        if standing.opted_out:
            item |= self._listing.place(standing.person, standing.since)
        if standing.version:
            return item, "version = :version", {"version": standing.version}
        return item, "attribute_not_exists(version)", {}

    def of(self, person: str) -> list[Standing]:
        """Read where a person stands, in every scope that was ever named."""
        return [to_standing(item) for item in self._table.query(keys.opt_out(person, ALL).pk)]

    def among(self, people: Iterable[str], scope: str) -> set[str]:
        """Return those of these people who must not be sent to within this scope."""
        return set(self.blocking(people, scope))

    def blocking(self, people: Iterable[str], scope: str) -> dict[str, str]:
        """Return the scope of the opt-out that forbids to send to each of these people within this scope."""
        people = set(people)
        wanted = [keys.opt_out(person, each) for person in people for each in (scope, ALL)]
        found = {key: to_standing(item) for key, item in self._table.get_many(wanted).items()}
        by = {
            person: blocking_scope(
                found.get(keys.opt_out(person, scope)), found.get(keys.opt_out(person, ALL))
            )
            for person in people
        }
        return {person: blocking for person, blocking in by.items() if blocking}

    def listed(self, *, cursor: str | None, limit: int) -> tuple[list[Standing], str | None]:
        """Return up to `limit` opt-outs that stand, and the cursor of the next ones; raises CursorError."""
        places, following = self._listing.page(cursor, limit=limit)
        found = self._table.get_many(places)
        standings = [to_standing(found[key]) for key in places if key in found]
        return [each for each in standings if each.opted_out], following


def _of_standing(standing: Standing) -> Item:
    return {
        **keys.opt_out(standing.person, standing.scope)._asdict(),
        "opted_out": standing.opted_out,
        "source": standing.source,
        "since": items.written(standing.since),
        "history": [_of_change(each) for each in standing.history],
        "consent": _of_change(standing.consent) if standing.consent else None,
        "version": standing.version + 1,
    }


def to_standing(item: Item) -> Standing:
    """Read where a person stands."""
    # items of before there was a history say only what counts
    history = item.get("history") or [
        {"opted_out": item["opted_out"], "at": item["since"], "source": item["source"]}
    ]
    return Standing(
        person=keys.name_in(item["pk"]),
        scope=item["sk"],
        history=tuple(_to_change(each) for each in history),
        consent=_to_change(item["consent"]) if "consent" in item else None,
        version=item.get("version", 0),
    )


def _of_change(change: Change) -> Item:
    return {
        "opted_out": change.opted_out,
        "at": items.written(change.at),
        "source": change.source,
        **({"evidence": dict(change.evidence)} if change.evidence else {}),
    }


def _to_change(plain: Item) -> Change:
    return Change(
        opted_out=plain["opted_out"],
        at=datetime.fromisoformat(plain["at"]),
        source=plain["source"],
        evidence=plain.get("evidence", {}),
    )


Review = Literal["opt_out", "ignore"]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An inbound text that may be an opt-out, for somebody to decide about; `decision` is None until then."""

    sid: str
    person: str
    scope: str
    body: str
    received_at: datetime
    decision: Review | None = None


class InboundMessages:
    """Texts that people sent us, and which of them somebody has to read."""

    def __init__(self, table: Table, *, retention: timedelta) -> None:
        self._table = table
        self._retention = retention
        self._listing = Listing(table, "review")

    def keep(self, message: InboundMessage, *, for_review: bool = False) -> InboundMessage:
        """Keep a text, and return it as it was first kept."""
        item = {
            **keys.inbound(message.sid)._asdict(),
            "sid": message.sid,
            "person": message.fields.get("From") or None,
            "created_at": items.written(message.received_at),
            "expires_at": items.epoch(message.received_at + self._retention),
            "fields": dict(message.fields),
            "opt_out_class": message.opt_out_class,
            "answers": list(message.answers) or None,
            "in_reply_to": message.in_reply_to,
            "error_code": message.error_code,
            "error_url": message.error_url,
            **(self._listing.place(message.sid, message.received_at) if for_review else {}),
        }
        existing = self._table.put_if(item, "attribute_not_exists(pk)").existing
        return to_inbound(existing) if existing else message

    def get(self, sid: str) -> InboundMessage | None:
        item = self._table.get(keys.inbound(sid))
        return to_inbound(item) if item else None

    def note_failure(self, sid: str, *, error_code: str | None, error_url: str | None) -> None:
        """Note that the webhook of a text that was kept had failed all the same, in Twilio's eyes."""
        self._table.update(
            Update(
                key=keys.inbound(sid),
                expression="SET error_code = :code, error_url = :url",
                condition="attribute_exists(pk)",
                values={"code": error_code or "", "url": error_url or ""},
            )
        )

    def note_media(self, sid: str, number: int, kept: KeptMedia) -> None:
        """Note what became of a picture; one of a text that is gone is forgotten."""
        self._table.update(
            Update(
                key=keys.inbound(sid),
                expression="SET #media = :kept",
                condition="attribute_exists(pk)",
                names={"media": f"{_MEDIA}{number}"},
                values={"kept": {n: v for n, v in asdict(kept).items() if v is not None}},
            )
        )

    def for_review(self, *, cursor: str | None, limit: int) -> tuple[list[Reviewed], str | None]:
        """Return up to `limit` texts to decide about, and the cursor of the next ones; raises CursorError."""
        places, following = self._listing.page(cursor, limit=limit)
        found = self._table.get_many(places)
        return [
            _to_reviewed(found[key])
            for key in places
            if key in found and "review" not in found[key]
        ], following

    def reviewed(self, sid: str) -> Reviewed | None:
        """Return a text that is or was to be decided about; None if there is none."""
        item = self._table.get(keys.inbound(sid))
        return _to_reviewed(item) if item and ({"review", *Listing.NAMES} & set(item)) else None

    def decide(self, sid: str, decision: Review) -> None:
        """Write a decision down and take the text off the list."""
        self._table.update(
            Update(
                key=keys.inbound(sid),
                expression="SET #review = :decision REMOVE " + ", ".join(Listing.NAMES),
                condition="attribute_exists(pk)",
                names={"review": "review"},
                values={"decision": decision},
            )
        )


_MEDIA = "media_"


def to_inbound(item: Item) -> InboundMessage:
    """Read a text that was kept."""
    return InboundMessage(
        sid=item["sid"],
        received_at=datetime.fromisoformat(item["created_at"]),
        fields=item["fields"],
        opt_out_class=item.get("opt_out_class"),
        answers=tuple(item.get("answers", ())),
        in_reply_to=item.get("in_reply_to"),
        error_code=item.get("error_code"),
        error_url=item.get("error_url"),
        kept_media={
            int(name.removeprefix(_MEDIA)): KeptMedia(**value)
            for name, value in item.items()
            if name.startswith(_MEDIA)
        },
    )


def _to_reviewed(item: Item) -> Reviewed:
    fields = item["fields"]
    return Reviewed(
        sid=item["sid"],
        person=fields.get("From", ""),
        scope=fields.get("MessagingServiceSid") or ALL,
        body=fields.get("Body", ""),
        received_at=datetime.fromisoformat(item["created_at"]),
        decision=item.get("review"),
    )
