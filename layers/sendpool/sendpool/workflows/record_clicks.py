"""What happens when clicks come: find whose message it was, and judge them together with those that came before.

Twilio tells of clicks by its SID, with no id of ours. A click may be here before the answer to create is written, so
one whose message is not known yet stays on the queue for a while. When that is over it is kept under its SID, and
joins its message with the next click on it, or when Twilio's list told whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.clicks import ClickRecords
from sendpool.adapters.ledger.messages import Messages
from sendpool.domain.clicks import NONE, Click, clicked
from sendpool.domain.message import UNDECIDED, MessageRecord, StatusCallback, is_sid
from sendpool.workflows.record import until_nobody_lost

MOST_RECEIVES: Final = 3
"""How often a click is received until nobody waits for its message any more: with the queue's six minutes, twelve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingClicks:
    """What recording clicks needs."""

    messages: Messages
    clicks: ClickRecords
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ClickCallback:
    """A click and the SID of its message; one that `may_wait` comes again if nobody knows the message."""

    sid: str
    click: Click
    may_wait: bool = False


def read_click(body: Mapping[str, Any], *, receives: int) -> ClickCallback:
    """Read what the clicks webhook queued, as it is received for the nth time.

    Raises KeyError, TypeError or ValueError when it is no click; whatever Twilio calls it, is judged later.
    """
    fields = body["fields"]
    if not is_sid(fields["sms_sid"]):
        raise ValueError("not a SID")
    at = datetime.fromisoformat(fields["click_time"])
    try:
        click = Click.told(
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            event=fields["event_type"],
            link=fields["link"],
            agent=fields.get("user_agent") or "",
        )
    except OverflowError as error:  # a time at the end of all times, and east or west of it
        raise ValueError("not a time") from error
    return ClickCallback(fields["sms_sid"], click, may_wait=receives < MOST_RECEIVES)


def record_clicks(callbacks: Mapping[str, ClickCallback], needs: RecordingClicks) -> list[str]:
    """Apply clicks to the ledger, and return the names of those that wait. Applying them again changes nothing."""
    sids = {each.sid for each in callbacks.values()}
    ids = {sid: message_id for sid in sids if (message_id := needs.messages.id_of(sid))}
    return _record(callbacks, ids, needs)


def join_message(told: Iterable[StatusCallback], needs: RecordingClicks) -> None:
    """Let clicks that are kept under a SID join the message that has it, as was told only now."""
    ids = {each.sid: each.message_id for each in told if each.message_id}
    kept = needs.clicks.get(map(keys.unowned_clicks, ids))
    # one of them brings all along
    first = {
        sid: ClickCallback(sid, clicks.judged[0].click)
        for sid in ids
        if (clicks := kept.get(keys.unowned_clicks(sid)))
    }
    _record(first, ids, needs)


def _record(
    callbacks: Mapping[str, ClickCallback], ids: Mapping[str, str], needs: RecordingClicks
) -> list[str]:
    waiting: list[str] = []
    by_key: dict[keys.Key, list[ClickCallback]] = {}
    found = _find({each.sid for each in callbacks.values()}, ids, needs.messages)
    for name, each in callbacks.items():
        message = found[each.sid]
        if message.is_settled or not each.may_wait:
            by_key.setdefault(message.key, []).append(each)
        else:
            waiting.append(name)
    sent = {message.key: message.sent_at for message in found.values()}
    until_nobody_lost(by_key, lambda some: _save(some, sent, needs))
    return waiting


@dataclass(frozen=True, slots=True)
class _Message:
    """Where the clicks of a message stand, and its send result, if it has one that stays."""

    key: keys.Key
    result: MessageRecord | None = None

    @property
    def is_settled(self) -> bool:
        return self.result is not None

    @property
    def sent_at(self) -> datetime | None:
        """When it was offered to Twilio, or Twilio was to send it; None when that it went was learned from evidence."""
        if self.result is None or self.result.result.evidence:
            return None
        message = self.result.message
        send_at = message.send_at if message else None
        return max(self.result.created_at, send_at or self.result.created_at)


def _find(sids: set[str], ids: Mapping[str, str], messages: Messages) -> dict[str, _Message]:
    """Find the messages that have these SIDs; the clicks of one that nobody knows stand under its SID."""
    results = messages.results(ids[sid] for sid in sids if sid in ids)
    settled = {
        message_id: record
        for message_id, record in results.items()
        if record.result.status not in UNDECIDED
    }
    return {
        sid: _Message(keys.clicks(ids[sid]), settled.get(ids[sid]))
        if sid in ids
        else _Message(keys.unowned_clicks(sid))
        for sid in sids
    }


def _save(
    by_key: dict[keys.Key, list[ClickCallback]],
    sent: Mapping[keys.Key, datetime | None],
    needs: RecordingClicks,
) -> dict[keys.Key, list[ClickCallback]]:
    """Add and write; return what lost against another writer."""
    apart = {key: {keys.unowned_clicks(each.sid) for each in told} for key, told in by_key.items()}
    known = needs.clicks.get([*by_key, *(each for some in apart.values() for each in some)])
    lost = {}
    for key, told in by_key.items():
        before = known.get(key, NONE)
        after = clicked(
            before,
            (each.click for each in told),
            sent_at=sent[key],
            waited=[known[each] for each in apart[key] if each in known],
        )
        if after != before and not needs.clicks.save(key, after, now=needs.now()):
            lost[key] = told
    return lost
