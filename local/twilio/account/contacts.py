"""Bulk contacts: where a recipient lives. Judged and forgotten, for nothing here depends on it."""

import re
from collections.abc import Sequence
from typing import Any

import phonenumbers

from local.twilio.account.bulk import Item, has_contact, judge_items, text_of

FAILED = 30647
ZIP_CODES = {
    "US": re.compile(r"\d{5}(-?\d{4})?"),
    "CA": re.compile(r"[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d"),
}
OTHER_ZIP_CODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,9}")


def upsert_contacts(items: Sequence[Item]) -> list[dict[str, Any]]:
    """One result a contact: 0, or 30647 with reasons."""
    checks = {
        "INVALID_COUNTRY_ISO_CODE": _has_country,
        "INVALID_CONTACT_ID": has_contact,
        "INVALID_ZIP_CODE": _has_zip_code,
    }
    return judge_items(items, checks, code=FAILED, accept=lambda _: None)


def _has_country(item: Item) -> bool:
    return text_of(item, "country_iso_code") in phonenumbers.SUPPORTED_REGIONS


def _has_zip_code(item: Item) -> bool:
    pattern = ZIP_CODES.get(text_of(item, "country_iso_code"), OTHER_ZIP_CODES)
    return pattern.fullmatch(text_of(item, "zip_code")) is not None
