"""Bulk consents: who wants to be written to and who does not, told by the account rather than by text."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.twilio.account.bulk import Check, Item, has_contact, judge_items, text_of
from local.twilio.account.senders import is_phone_number
from local.twilio.core.sids import is_sid

FAILED = 30646
OPT_IN = "opt-in"
STATUSES = frozenset({OPT_IN, "opt-out"})
SOURCES = frozenset({"website", "offline", "opt-in-message", "opt-out-message", "others"})
SHORT_CODE = re.compile(r"\d{5,6}")

type SetBlock = Callable[[str, str], None]


class Consents:
    """Turns consents into blocks between a sender's scope and a contact."""

    def __init__(
        self, *, scope_of: Callable[[str], str], block: SetBlock, unblock: SetBlock
    ) -> None:
        """Ask `scope_of` for what a sender's blocks count for, and set them by scope and number."""
        self._scope_of = scope_of
        self._block = block
        self._unblock = unblock

    def upsert(self, items: Sequence[Item], now: datetime) -> list[dict[str, Any]]:
        """Take the consents over that are right; one result each, 30646 with reasons for the others."""
        checks: dict[str, Check] = {
            "INVALID_SENDER_ID": _has_sender,
            "INVALID_CONTACT_ID": has_contact,
            "INVALID_STATUS": lambda item: text_of(item, "status") in STATUSES,
            "INVALID_SOURCE": lambda item: text_of(item, "source") in SOURCES,
            "INVALID_DATE_OF_CONSENT": lambda item: _has_past_date(item, now),
        }
        return judge_items(items, checks, code=FAILED, accept=self._accept)

    def _accept(self, item: Item) -> None:
        scope = self._scope_of(text_of(item, "sender_id"))
        set_block = self._unblock if text_of(item, "status") == OPT_IN else self._block
        set_block(scope, text_of(item, "contact_id"))


def _has_sender(item: Item) -> bool:
    sender = text_of(item, "sender_id")
    is_short_code = SHORT_CODE.fullmatch(sender) is not None
    return is_sid(sender, "MG") or is_phone_number(sender) or is_short_code


def _has_past_date(item: Item, now: datetime) -> bool:
    """No date will do; a day without a time, or a time to come, will not."""
    given = item.get("date_of_consent")
    if given is None or given == "":
        return True
    if not isinstance(given, str) or "T" not in given:
        return False
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now
