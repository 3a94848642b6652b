"""The safe list: numbers, and prefixes of a thousand numbers, that no fraud check blocks.

A prefix is written with its last three digits as `xxx`: `+18001234xxx`.
"""

from dataclasses import dataclass

from local.twilio.account.senders import is_phone_number
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.sids import new_sid

PREFIX_END = "xxx"
MIN_LENGTH_OF_PREFIX = 10


@dataclass(frozen=True, slots=True)
class SafeEntry:
    """A number or a prefix of the list."""

    sid: str
    phone_number: str


class SafeList:
    """The safe list of the account."""

    def __init__(self) -> None:
        """Start with nothing on it."""
        self._by_number: dict[str, SafeEntry] = {}

    def add(self, number: str) -> SafeEntry:
        """Put a number or prefix on the list; 20001 if it is none, or there already."""
        if not _is_listable(number):
            raise invalid_parameter("PhoneNumber", number)
        if number in self._by_number:
            raise ApiError(20001, detail=f"PhoneNumber {number} is already in the Safe List")
        entry = SafeEntry(new_sid("GN"), number)
        self._by_number[number] = entry
        return entry

    def find(self, number: str) -> SafeEntry | None:
        """The entry of exactly this number or prefix."""
        return self._by_number.get(number)

    def remove(self, number: str) -> None:
        """Take a number or prefix off the list; KeyError if it is not on it."""
        del self._by_number[number]

    def covers(self, number: str) -> bool:
        """The number is on the list, itself or by its prefix."""
        return number in self._by_number or _prefix_of(number) in self._by_number

    def clear(self) -> None:
        """Take everything off the list."""
        self._by_number.clear()


def _prefix_of(number: str) -> str:
    return number[: -len(PREFIX_END)] + PREFIX_END


def _is_listable(number: str) -> bool:
    if not number.endswith(PREFIX_END):
        return is_phone_number(number)
    digits = number.replace(PREFIX_END, "000")
    return len(number) >= MIN_LENGTH_OF_PREFIX and is_phone_number(digits)
