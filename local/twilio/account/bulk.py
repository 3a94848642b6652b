"""Bulk calls: a form field repeated, each a JSON object with a fate of its own."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.twilio.account.senders import is_phone_number
from local.twilio.core.errors import invalid_parameter
from local.twilio.core.forms import Form

MAX_ITEMS = 25
# an example of Twilio's own that succeeds has a letter beyond f
CORRELATION_ID = re.compile(r"[0-9A-Za-z]{32}")

type Item = Mapping[str, Any]
type Check = Callable[[Item], bool]


def read_objects(form: Form, name: str, *, most: int | None = None) -> Sequence[Item]:
    """The objects of a repeated field; 20001 if there are none, too many, or one is no object."""
    form.require(name)
    texts = form.get_all(name)
    if most is not None and len(texts) > most:
        raise invalid_parameter(name, f"{len(texts)} items, at most {most} are allowed")
    return [_read_object(name, text) for text in texts]


def _read_object(name: str, text: str) -> Item:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        raise invalid_parameter(name, text) from exc
    if not isinstance(value, dict):
        raise invalid_parameter(name, text)
    return value


def text_of(item: Item, name: str) -> str:
    """A text of an item, empty if it is missing or something else."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def judge_items(
    items: Sequence[Item], checks: Mapping[str, Check], *, code: int, accept: Callable[[Item], None]
) -> list[dict[str, Any]]:
    """One result an item, in order: the reasons whose checks it fails, or 0 once it was accepted."""
    results = []
    seen: set[str] = set()
    for item in items:
        correlation_id = text_of(item, "correlation_id")
        is_new = CORRELATION_ID.fullmatch(correlation_id) and correlation_id not in seen
        reasons = [] if is_new else ["INVALID_CORRELATION_ID"]
        reasons += [reason for reason, holds in checks.items() if not holds(item)]
        seen.add(correlation_id)
        if not reasons:
            accept(item)
        results.append(
            {
                "correlation_id": item.get("correlation_id"),
                "error_code": code if reasons else 0,
                "error_messages": reasons,
            }
        )
    return results


def has_contact(item: Item) -> bool:
    """The item names a contact by an E.164 number."""
    return is_phone_number(text_of(item, "contact_id"))
