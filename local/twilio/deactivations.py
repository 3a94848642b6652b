"""Deactivations: which US numbers the carriers took out of service on a day.

The list of a day is a file behind a signed URL that is good for two minutes of simulated time.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from local.twilio.core.errors import ApiError

DAY = re.compile(r"\d{4}-\d\d-\d\d")
US_NUMBER = re.compile(r"\+1[2-9]\d{9}")
FIRST_DAY = date(2020, 8, 27)
LIFE = timedelta(minutes=2)
TOO_OLD = 30113
NOT_YET = 30114
NO_DATE = 30115


class Deactivations:
    """The lists of all days."""

    def __init__(self, key: str) -> None:
        """Sign with a key."""
        self._key = key.encode()
        self._by_day: dict[str, list[str]] = {}

    def add(self, day: date, numbers: Iterable[str]) -> list[str]:
        """Take numbers out of service; the list of that day. ValueError if one is no US number."""
        added = list(numbers)
        for number in added:
            if not US_NUMBER.fullmatch(number):
                raise ValueError(f"no US number in E.164: {number}")
        listed = self._by_day.setdefault(str(day), [])
        listed.extend(number for number in added if number not in listed)
        return listed

    def sign(self, day: str, now: datetime) -> str:
        """The token for the file of a day; ApiError if its list is not out, or that is no day."""
        _check_day(day, now)
        expires = int((now + LIFE).timestamp())
        return f"{expires}.{self._signature(day, expires)}"

    def read(self, day: str, *, token: str, now: datetime) -> str | None:
        """The file of a day, one number a line; None if the token is wrong or too old."""
        expires = token.partition(".")[0]
        if not (expires.isdecimal() and now.timestamp() <= int(expires)):
            return None
        right = f"{expires}.{self._signature(day, int(expires))}"
        if not hmac.compare_digest(token.encode(), right.encode()):
            return None
        return "".join(f"{number}\n" for number in self._by_day.get(day, ()))

    def clear(self) -> None:
        """Forget all lists."""
        self._by_day.clear()

    def _signature(self, day: str, expires: int) -> str:
        return hmac.new(self._key, f"{day}.{expires}".encode(), hashlib.sha256).hexdigest()


def _check_day(text: str, now: datetime) -> None:
    """The lists from the first day to yesterday are out."""
    if not DAY.fullmatch(text):
        raise ApiError(NO_DATE)
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise ApiError(NO_DATE) from exc
    if day >= now.astimezone(UTC).date():
        raise ApiError(NOT_YET)
    if day < FIRST_DAY:
        raise ApiError(TOO_OLD)
