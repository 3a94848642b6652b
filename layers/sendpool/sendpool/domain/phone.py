"""Phone numbers: E.164 from what people type, and masks for what people log.

A number is taken if its length is possible in its country's plan. Whether the number exists is for the carriers
to say: the tables of valid ranges lag behind new area codes, and Twilio answers 21211 for free.

What spreadsheets do to numbers is repaired only where no digit can have been lost or moved: `12025550123.0` is,
`2.0255550123E+10` is not. A leading `00` counts as `+` only where people dial so: in the United States
`0020 2555 0123` may just as well be a padded number of Washington as one in Egypt.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NANP: Final = re.compile(r"\+1[2-9][0-9]{9}")
# Not with a second number behind a slash, such as 123456/7: read as one it would be a stranger's.
_TYPED: Final = re.compile(r"[+0-9 ().\-/]+(?<!/[0-9])(?<!/[0-9]{2})")
_WHOLE_NUMBER_AS_FLOAT: Final = re.compile(r"(\+?[0-9]{7,15})\.0{1,2}")
_FLOAT: Final = re.compile(r"\+?[0-9]{7,}\.[0-9]{1,2}")
# Copying from a contact book brings invisible marks, and spreadsheets keep text as text with an apostrophe.
_INVISIBLE: Final = re.compile("^'|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc]")
_LONGEST: Final = 60
_LONG_ENOUGH_TO_SHOW_BOTH_ENDS: Final = 12
_LONG_ENOUGH_TO_SHOW_ANYTHING: Final = 8


class InvalidPhoneError(ValueError):
    """This is no phone number that a text can be sent to; the message never contains it."""

    code = "invalid_phone"


def to_e164(raw: str, *, default_region: str | None = "US") -> str:
    """Read a phone number; one without a plus sign is of `default_region`, or refused if that is None.

    Raises InvalidPhoneError with the reason.
    """
    if _NANP.fullmatch(raw) or (_E164.fullmatch(raw) and _is_plain_and_possible(raw)):
        return raw
    return _parse(_clean(raw), default_region)


def is_e164(raw: str) -> bool:
    """Tell whether this is written as E.164: a plus sign and 7 to 15 digits, nothing else."""
    return _E164.fullmatch(raw) is not None


def mask(phone: str) -> str:
    """Hide the middle of a number for the log: `+1202***0123`; of what is short nearly all."""
    if len(phone) >= _LONG_ENOUGH_TO_SHOW_BOTH_ENDS:
        return f"{phone[:5]}***{phone[-4:]}"
    if len(phone) >= _LONG_ENOUGH_TO_SHOW_ANYTHING:
        return f"{phone[:2]}***{phone[-2:]}"
    return "***"


def _clean(raw: str) -> str:
    """Reduce what was typed to digits and common punctuation, or refuse it."""
    if len(raw) > _LONGEST:
        raise InvalidPhoneError("too long for a phone number")
    text = _DASHES.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", raw.strip())))
    text = "".join(_ascii(character) for character in text).strip()
    if not text:
        raise InvalidPhoneError("no phone number given")
    if ":" in text:
        raise InvalidPhoneError(
            "channel addresses such as whatsapp: are not supported; give a phone number"
        )
    if not _TYPED.fullmatch(text):
        raise InvalidPhoneError(
            "contains something other than digits; in a spreadsheet, format the column as text"
        )
    return _undo_float(text)


def _ascii(character: str) -> str:
    """Write any script's digit, and any space, in ASCII."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return " " if character.isspace() else character


def _undo_float(text: str) -> str:
    if whole := _WHOLE_NUMBER_AS_FLOAT.fullmatch(text):
        return whole[1]
    if _FLOAT.fullmatch(text):
        raise InvalidPhoneError("a decimal fraction; in a spreadsheet, format the column as text")
    return text


# The library is imported where it is used: it takes 50 ms, and most who import this only mask.


def _parse(text: str, default_region: str | None) -> str:
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as exc:
        if exc.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidPhoneError(
                "no country code; write it as +, country code, number"
            ) from None
        raise InvalidPhoneError("not a phone number") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise InvalidPhoneError("too short or too long for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_plain_and_possible(e164: str) -> bool:
    """Tell whether parsing would give this very number, without parsing: a twentieth of the work."""
    for length in (1, 2, 3):
        plan = _plan(int(e164[1 : 1 + length]))
        if plan is not None:
            lengths, prefix = plan
            national = e164[1 + length :]
            return len(national) in lengths and not prefix.match(national)
    return False


@cache
def _plan(country_code: int) -> tuple[frozenset[int], re.Pattern[str]] | None:
    """Look up the lengths of a country's numbers, and what is dialled before them inside the country.

    None if there is no such country code.
    """
    import phonenumbers  # noqa: PLC0415

    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = (
        phonenumbers.PhoneMetadata.metadata_for_nongeo_region(country_code, None)
        if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
        else phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    )
    if metadata is None or metadata.general_desc is None:
        return None
    # a leading zero is parsed apart (it stays in Italy), so leave it to the parser
    prefix = metadata.national_prefix_for_parsing or "0"
    return frozenset(metadata.general_desc.possible_length), re.compile(f"0|(?:{prefix})")
