"""The Messaging Service that this stack sends through: its settings, how they differ from what is declared, its pool.

Only what the team's file declares is kept here; how the service is, Twilio is asked each time. Each change is one
call of Twilio's, so a function that dies leaves it done or not done, and the same request may be repeated either way.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sendpool.adapters.ledger.declarations import Declarations
from sendpool.adapters.twilio.numbers import Numbers
from sendpool.adapters.twilio.services import Services, UnknownSenderError
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.domain import declaration, messaging_service, senders
from sendpool.domain.declaration import Declaration
from sendpool.domain.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    TwilioRefusedError,
    Violation,
)
from sendpool.domain.events.event import Event
from sendpool.domain.events.service import drifted, sender_added, sender_removed
from sendpool.domain.messaging_service import (
    SENDERS,
    WEBHOOKS,
    Changes,
    Difference,
    MessagingService,
    differences,
)
from sendpool.domain.senders import NewSender, Sender, SenderPool
from sendpool.workflows.look_at_pool import look_at_pool, pool_of

_DECLARED: Final = (
    "setting_declared",
    "follows from the public URL of this stack; POST /service/drift/apply puts it back",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What these stories need. `declared` is what this stack's parameters say that the service shall be."""

    services: Services
    numbers: Numbers
    declarations: Declarations
    verifications: TollFreeVerifications
    service_sid: str
    declared: Changes
    tell: Callable[[Sequence[Event]], None]
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A service, what is declared of it, what is not so, and what was changed now.

    `file` is what the team's file says, `by_file` the settings that it declares and the stack does not.
    """

    service: MessagingService
    file: Declaration
    declared: Changes
    by_file: frozenset[str]
    differences: tuple[Difference, ...]
    changed: tuple[Difference, ...] = ()


# ------------------------------------------------------------------------------------------------ settings


def compare(needs: Serving) -> Compared:
    """Read the service and hold it against what is declared."""
    return _compared(needs.services.read(needs.service_sid), declared_by_file(needs), needs)


def drift(needs: Serving) -> Compared:
    """Compare, and look whether the pool has all senders that the file declares."""
    found = compare(needs)
    return _lacking(_missing(found.file, needs), found)


def look_for_drift(needs: Serving) -> Compared:
    """Look for drift, and tell whoever listens of each difference."""
    found = drift(needs)
    if found.differences:
        now = needs.now()
        needs.tell([drifted(found.service, each, now=now) for each in found.differences])
    return found


def change(changes: Mapping[str, object], needs: Serving) -> Compared:
    """Change settings, by hand. What the stack declares otherwise shows as a difference until it is put back.

    Raises InvalidRequestError, also for where texts go: sent elsewhere, STOP would not be heard.
    """
    fixed = [Violation(name, *_DECLARED) for name in changes if name in WEBHOOKS]
    broken = messaging_service.problems(
        {name: value for name, value in changes.items() if name not in WEBHOOKS}
    )
    if fixed or broken:
        raise InvalidRequestError(*fixed, *broken)
    # each value was held against its rule
    checked: Changes = dict(changes)  # type: ignore[arg-type]
    if not checked:
        return compare(needs)
    after = needs.services.update(needs.service_sid, checked)
    return _compared(after, declared_by_file(needs), needs)


def put_back(needs: Serving, *, only: Collection[str] | None = None) -> Compared:
    """Put back what is declared, all of it or some; nothing is written where nothing differs.

    What somebody changes between looking and writing is not seen, and is the next difference. A sender that cannot
    come back keeps no other from it. Raises ConflictError, once all else is put back, that says why it cannot.
    """
    found = compare(needs)
    missing = _missing(found.file, needs)
    settings = tuple(each for each in found.differences if only is None or each.setting in only)
    after = found.service
    if settings:
        changes = {each.setting: each.declared for each in settings}
        after = needs.services.update(needs.service_sid, changes)
    wanted = missing if only is None or SENDERS in only else []
    added, refused = _add(wanted, needs)
    if refused:
        raise ConflictError(
            " ".join(refused),
            code="senders_not_put_back",
            remedy="All else is put back. Take these out of the file, or mend what is told of them.",
        )
    changed = (*settings, *map(_lack, added))
    return _lacking(
        [each for each in missing if each not in added],
        _compared(after, found.file, needs, changed=changed),
    )


def _missing(file: Declaration, needs: Serving) -> list[NewSender]:
    """Return the declared senders that the pool does not have; without any, Twilio is not asked."""
    pool = needs.services.senders(needs.service_sid) if file.senders else ()
    return [each for each in file.senders if not any(map(each.is_at, pool))]


def _add(wanted: Sequence[NewSender], needs: Serving) -> tuple[list[NewSender], list[str]]:
    """Put senders into the pool, as many as there is time for; returns them, and why others cannot be."""
    added: list[NewSender] = []
    refused: list[str] = []
    for each in wanted:
        if not needs.may_go_on():
            break
        try:
            _put(each, needs)
        except InvalidRequestError as error:
            refused += [f"{each.words} {broken.message}." for broken in error.violations]
        except TwilioRefusedError as error:
            refused.append(" ".join(filter(None, (f"{each.words}:", error.detail, error.remedy))))
        else:
            added.append(each)
    return added, refused


def _lack(sender: NewSender) -> Difference:
    return Difference(SENDERS, sender.words, None)


def _lacking(missing: Sequence[NewSender], compared: Compared) -> Compared:
    return replace(compared, differences=(*compared.differences, *map(_lack, missing)))


def _compared(
    service: MessagingService,
    file: Declaration,
    needs: Serving,
    *,
    changed: tuple[Difference, ...] = (),
) -> Compared:
    # a deployment that came later counts more than the file
    declared = {**file.settings, **needs.declared}
    return Compared(
        service=service,
        file=file,
        declared=declared,
        by_file=frozenset(file.settings.keys() - needs.declared.keys()),
        differences=differences(declared, service.settings),
        changed=changed,
    )


def declared_by_file(needs: Serving) -> Declaration:
    """Return what the team's file said of the service when it was applied last."""
    return needs.declarations.of(needs.service_sid)


def declare(said: Declaration, needs: Serving) -> Declaration:
    """Keep what a file says, in the place of what it said before; nothing is changed at Twilio by that.

    Raises InvalidRequestError, also where the stack's parameters say something else.
    """
    broken = declaration.problems(said, needs.declared)
    if broken:
        raise InvalidRequestError(*broken)
    kept = replace(said, declared_at=needs.now())
    needs.declarations.put(needs.service_sid, kept)
    return kept


# ------------------------------------------------------------------------------------------------ senders


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPage:
    """Some senders of the pool, and the whole pool that they are of."""

    senders: Sequence[Sender]
    pool: SenderPool
    next_cursor: str | None


def list_senders(needs: Serving, *, cursor: str | None, limit: int) -> PoolPage:
    """Show up to `limit` senders after a cursor; raises InvalidRequestError for what is none."""
    after = _place(cursor) if cursor else None
    pool = look_at_pool(needs.service_sid, needs.services, needs.verifications)
    shown, following = pool.page(after=after, limit=limit)
    return PoolPage(senders=shown, pool=pool, next_cursor=_cursor(following) if following else None)


def add_sender(new: NewSender, needs: Serving) -> tuple[Sender, SenderPool, bool]:
    """Add a sender to the pool; returns it, what is known of it, and whether it was not there before.

    Raises InvalidRequestError, also when the account has no such sender.
    """
    sender, is_new = _put(new, needs)
    alone = pool_of([sender], needs.service_sid, needs.services, needs.verifications)
    return sender, alone, is_new


def _put(new: NewSender, needs: Serving) -> tuple[Sender, bool]:
    broken = senders.problems(new)
    if broken:
        raise InvalidRequestError(*broken)
    try:
        known = _by_sid(new, needs)
        sender, is_new = needs.services.add(needs.service_sid, known, may_go_on=needs.may_go_on)
    except UnknownSenderError as error:
        field, words = "number" if new.number else "sid", "is no sender of this account"
        raise InvalidRequestError(Violation(field, "unknown_sender", words)) from error
    # also of one that was there: whoever added it may have died before it was told
    needs.tell([sender_added(needs.service_sid, sender, now=needs.now())])
    return sender, is_new


def _by_sid(new: NewSender, needs: Serving) -> NewSender:
    if new.number is None:
        return new
    sid = needs.numbers.sid_of(new.number)
    if sid is None:
        raise UnknownSenderError
    return NewSender(sid=sid)


def remove_sender(sender_sid: str, needs: Serving) -> bool:
    """Take a sender out of the pool; tells whether it was there. Raises NotFoundError for what is no sender's SID."""
    if not senders.is_sender_sid(sender_sid):
        raise NotFoundError("This is no SID of a sender.")
    removed = needs.services.remove(needs.service_sid, sender_sid)
    if removed:
        needs.tell([sender_removed(needs.service_sid, sender_sid, now=needs.now())])
    return removed


def _cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> str:
    try:
        place = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _invalid_cursor() from error
    if not senders.is_place(place):
        raise _invalid_cursor()
    return place


def _invalid_cursor() -> InvalidRequestError:
    return InvalidRequestError(
        Violation("cursor", "invalid_cursor", "must be the next_cursor of an earlier page")
    )
