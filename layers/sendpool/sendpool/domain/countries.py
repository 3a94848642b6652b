"""Which country a phone number belongs to, quickly: looked up once for each range of numbers, then remembered.

Several countries share a calling code: +1 is the United States, Canada and most of the Caribbean, +44 also Jersey.
There the digits after the calling code decide.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

# The region of numbers that belong to no country, such as satellite phones.
_NO_COUNTRY: Final = "001"
_LONGEST_CALLING_CODE: Final = 3
_AREA_CODE_DIGITS: Final = 3
# Enough to tell apart all countries that share a code; Jersey and the Isle of Man need all five.
_RANGE_DIGITS: Final = 5
_RANGES_REMEMBERED: Final = 100_000


def country_of(to: str) -> str | None:
    """Return the ISO 3166 letters of an E.164 number's country; None when its calling code is no country's.

    What lies in no listed range counts to the country that has most of the calling code: the lists lag behind new
    area codes. Freephone numbers of +1 count to the United States.
    """
    digits, regions = _calling_code(to[1 : 1 + _LONGEST_CALLING_CODE])
    if len(regions) > 1:
        after = _AREA_CODE_DIGITS if digits == 1 and regions[0] == "US" else _RANGE_DIGITS
        return _country(to[: 1 + digits + after], digits, regions[0])
    return regions[0] if regions else None


# The library is imported where it is used: it takes 50 ms.


@cache
def _calling_code(beginning: str) -> tuple[int, tuple[str, ...]]:
    """Return how many digits the calling code has, and the regions that use it, the largest first."""
    import phonenumbers  # noqa: PLC0415

    for digits in range(1, len(beginning) + 1):
        head = beginning[:digits]
        if head.isdecimal():
            regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(head), ())
            if regions:
                return digits, tuple(each for each in regions if each != _NO_COUNTRY)
    return 0, ()


@lru_cache(maxsize=_RANGES_REMEMBERED)
def _country(beginning: str, digits: int, largest: str) -> str:
    """Return the region of the first possible number that begins so: the same one, whichever number came first."""
    import phonenumbers  # noqa: PLC0415

    for length in _lengths(largest):
        for filler in ("2345678901", "0000000000", "5555555555"):
            missing = length - (len(beginning) - 1 - digits)
            number = phonenumbers.parse(beginning + filler[: max(missing, 0)])
            region = phonenumbers.region_code_for_number(number)
            if region and region != _NO_COUNTRY:
                return str(region)
    return largest


@cache
def _lengths(region: str) -> tuple[int, ...]:
    """Return the lengths that numbers of a region can have without the calling code, the longest first."""
    import phonenumbers  # noqa: PLC0415

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    described = metadata.general_desc if metadata else None
    return tuple(sorted(described.possible_length, reverse=True)) if described else ()
