"""The Messaging Service that this stack sends through: its settings, how they differ from what is declared, its pool.

Nothing of it is kept here: Twilio is asked each time. Each change is one call of Twilio's, so a function that dies
leaves it done or not done, and the same request may be repeated either way.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sendpool.adapters.twilio.services import Services, UnknownSenderError
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.domain import messaging_service, senders
from sendpool.domain.errors import InvalidRequestError, NotFoundError, Violation
from sendpool.domain.events.event import Event
from sendpool.domain.events.service import drifted, sender_added, sender_removed
from sendpool.domain.messaging_service import (
    WEBHOOKS,
    Changes,
    Difference,
    MessagingService,
    differences,
)
from sendpool.domain.senders import NewSender, Sender, SenderKind, SenderPool

_DECLARED: Final = (
    "setting_declared",
    "follows from the public URL of this stack; POST /service/drift/apply puts it back",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What these stories need. `declared` is what this stack says that the service shall be."""

    services: Services
    verifications: TollFreeVerifications
    service_sid: str
    declared: Changes
    tell: Callable[[Sequence[Event]], None]
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A service, what of it is not as declared, and what was changed just now."""

    service: MessagingService
    declared: Changes
    differences: tuple[Difference, ...]
    changed: tuple[Difference, ...] = ()


# ------------------------------------------------------------------------------------------------ settings


def compare(needs: Serving) -> Compared:
    """Read the service and hold it against what is declared."""
    return _compared(needs.services.read(needs.service_sid), needs)


def look_for_drift(needs: Serving) -> Compared:
    """Compare, and tell whoever listens of each difference."""
    found = compare(needs)
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
    return _compared(needs.services.update(needs.service_sid, checked), needs)


def put_back(needs: Serving, *, only: Collection[str] | None = None) -> Compared:
    """Put settings back to what is declared, all of them or some; nothing is written where nothing differs.

    What somebody changes between looking and writing is not seen, and is the next difference.
    """
    found = compare(needs)
    wanted = tuple(each for each in found.differences if only is None or each.setting in only)
    if not wanted:
        return found
    after = needs.services.update(
        needs.service_sid, {each.setting: each.declared for each in wanted}
    )
    return _compared(after, needs, changed=wanted)


def _compared(
    service: MessagingService, needs: Serving, *, changed: tuple[Difference, ...] = ()
) -> Compared:
    return Compared(
        service=service,
        declared=needs.declared,
        differences=differences(needs.declared, service.settings),
        changed=changed,
    )


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
    pool = _pool(needs.services.senders(needs.service_sid), needs)
    shown, following = pool.page(after=after, limit=limit)
    return PoolPage(senders=shown, pool=pool, next_cursor=_cursor(following) if following else None)


def add_sender(new: NewSender, needs: Serving) -> tuple[Sender, SenderPool, bool]:
    """Add a sender to the pool; returns it, what is known of it, and whether it was not there before.

    Raises InvalidRequestError, also when the account has no such sender.
    """
    broken = senders.problems(new)
    if broken:
        raise InvalidRequestError(*broken)
    try:
        sender, is_new = needs.services.add(needs.service_sid, new, may_go_on=needs.may_go_on)
    except UnknownSenderError as error:
        words = "is no sender of this account"
        raise InvalidRequestError(Violation("sid", "unknown_sender", words)) from error
    # also of one that was there: whoever added it may have died before it was told
    needs.tell([sender_added(needs.service_sid, sender, now=needs.now())])
    return sender, _pool([sender], needs), is_new


def remove_sender(sender_sid: str, needs: Serving) -> bool:
    """Take a sender out of the pool; tells whether it was there. Raises NotFoundError for what is no sender's SID."""
    if not senders.is_sender_sid(sender_sid):
        raise NotFoundError("This is no SID of a sender.")
    removed = needs.services.remove(needs.service_sid, sender_sid)
    if removed:
        needs.tell([sender_removed(needs.service_sid, sender_sid, now=needs.now())])
    return removed


def _pool(found: Sequence[Sender], needs: Serving) -> SenderPool:
    """Ask for the registrations that these senders need, and for no others."""
    needs_campaign = any(each.needs_campaign for each in found)
    toll_free = [each.sid for each in found if each.kind is SenderKind.TOLL_FREE]
    return SenderPool(
        senders=found,
        campaign=needs.services.campaign(needs.service_sid) if needs_campaign else None,
        verifications=needs.verifications.statuses(toll_free),
    )


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
