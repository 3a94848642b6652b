"""Where a person may be, by number, state and time zone: the places whose clocks and laws count.

A number does not tell where its owner is; people keep it when they move, and an area code may lie in two time zones
or an overlay over both. So the answer is every place that is possible, and a message may go only if the hour is
decent at each of them (domain/quiet_hours.py).

`data/area_codes.json` has the area codes of the North American plan and says where they come from. Elsewhere the
country is known by its number, and all its time zones count. Zones are read from the `tzdata` package that ships with
the layer, never from the system: that one lags behind, and governments announce late.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sendpool.domain.countries import country_of

_AREA_CODES: Final = Path(__file__).parent / "data" / "area_codes.json"
_AREA_CODE_ENDS: Final = len("+1202")
# regions that have numbers, but no line in zone.tab: Kosovo, Ascension, Tristan da Cunha
_NOT_IN_ZONE_TAB: Final = {
    "XK": ("Europe/Belgrade",),
    "AC": ("Atlantic/St_Helena",),
    "TA": ("Atlantic/St_Helena",),
}
# It is never a decent hour both there and in New York, so together they would leave none.
_BEYOND_THE_DATE_LINE: Final = frozenset({"GU", "MP"})


class PlaceError(ValueError):
    """What is said about a person's place is wrong; `code` says which part of it."""

    code = "invalid_place"


class UnknownTimezoneError(PlaceError):
    """This is no name of the IANA time zone database, such as America/New_York."""

    code = "unknown_timezone"


class UnknownStateError(PlaceError):
    """These are not the two letters of a US state, of DC or of a territory."""

    code = "unknown_state"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place where a person may be: a country, a US state (two letters) if known, and an IANA time zone.

    Puerto Rico and the other territories are the state of a US place. A US place without a state is one whose state
    nobody knows: the laws of all of them count.
    """

    country: str
    state: str | None
    zone: str


def whereabouts(
    to: str, *, state: str | None = None, timezone: str | None = None
) -> tuple[Whereabouts, ...]:
    """List every place where the owner of an E.164 number may be; none if nothing is known, as of a toll-free number.

    `state` and `timezone` are what is known otherwise, from an address or the person's own choice. A zone replaces
    those of the number, a state adds its zones; an area code in another state stays, for some states presume that
    its owner lives there. Raises UnknownStateError or UnknownTimezoneError.
    """
    if to.startswith("+1"):
        return _candidates(to[:_AREA_CODE_ENDS], state, timezone)
    return _candidates(country_of(to) if to.startswith("+") else None, state, timezone)


@cache
def anywhere_in_the_us() -> tuple[Whereabouts, ...]:
    """List every US time zone but those of Guam and the Northern Marianas, with no state: nothing is known."""
    return _once(
        Whereabouts("US", None, place.zone)
        for state, places in _states().items()
        if state not in _BEYOND_THE_DATE_LINE
        for place in places
    )


def check_state(state: str) -> str:
    """Return the state in capitals; raises UnknownStateError."""
    known = us_state(state)
    if known is None:
        raise UnknownStateError("no US state; write two letters, such as NY")
    return known


def us_state(text: str | None) -> str | None:
    """Return the state that a text is, in capitals; None if it is none."""
    known = text.strip().upper() if text else ""
    return known if known in _states() else None


def is_timezone(name: str) -> bool:
    return name in _zone_names()


@cache
def zone_info(name: str) -> ZoneInfo:
    """Load a time zone as the layer's `tzdata` has it; raises UnknownTimezoneError."""
    _check_zone(name)
    with (_tzdata() / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@lru_cache(maxsize=1 << 14)
def _candidates(
    origin: str | None, state: str | None, timezone: str | None
) -> tuple[Whereabouts, ...]:
    """List the places for a number's origin: `+1202` or a country; all that they depend on, so that few are asked."""
    if timezone is not None:
        _check_zone(timezone)
    by_number = _by_number(origin)
    if state is not None:
        return _with_state(check_state(state), timezone, by_number)
    if timezone is None:
        return by_number
    if not by_number:
        # a zone that no country claims may be anyone's; the strictest hours are those of the US
        return (Whereabouts(_country_of_zone().get(timezone, "US"), None, timezone),)
    return _once(Whereabouts(place.country, place.state, timezone) for place in by_number)


def _with_state(
    state: str, timezone: str | None, by_number: tuple[Whereabouts, ...]
) -> tuple[Whereabouts, ...]:
    agrees = any(place.state == state for place in by_number)
    if timezone is not None:
        known: tuple[Whereabouts, ...] = (Whereabouts("US", state, timezone),)
    elif agrees:
        known = by_number
    else:
        known = _states()[state]
    return known if agrees else known + by_number


def _by_number(origin: str | None) -> tuple[Whereabouts, ...]:
    if origin is None:
        return ()
    if origin.startswith("+1"):
        return _area_codes().get(origin.removeprefix("+1"), ())
    return tuple(Whereabouts(origin, None, zone) for zone in _zones_of_country().get(origin, ()))


def _check_zone(name: str) -> None:
    if name not in _zone_names():
        raise UnknownTimezoneError("no time zone; write an IANA name, such as America/New_York")


def _once(places: Iterable[Whereabouts]) -> tuple[Whereabouts, ...]:
    return tuple(dict.fromkeys(places))


@cache
def _area_codes() -> dict[str, tuple[Whereabouts, ...]]:
    rows = json.loads(_AREA_CODES.read_text())["area_codes"]
    return {
        code: tuple(Whereabouts(country, state, zone) for zone in zones)
        for code, (country, state, *zones) in rows.items()
    }


@cache
def _states() -> dict[str, tuple[Whereabouts, ...]]:
    """Every state with all its time zones, as its area codes have them."""
    found: defaultdict[str, list[Whereabouts]] = defaultdict(list)
    for places in _area_codes().values():
        for place in places:
            if place.state is not None:
                found[place.state].append(place)
    return {state: _once(places) for state, places in found.items()}


@cache
def _zones_of_country() -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in (_tzdata() / "zoneinfo" / "zone.tab").read_text().splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found[country].append(zone)
    return _NOT_IN_ZONE_TAB | {country: tuple(zones) for country, zones in found.items()}


@cache
def _country_of_zone() -> dict[str, str]:
    return {
        zone: country
        for country, zones in _zones_of_country().items()
        if country not in _NOT_IN_ZONE_TAB
        for zone in zones
    }


@cache
def _zone_names() -> frozenset[str]:
    return frozenset((_tzdata() / "zones").read_text().split()) - {"Factory"}


@cache
def _tzdata() -> Path:
    # not importlib.resources, which costs 30 ms; the layer lies unpacked on a disk
    return Path(import_module("tzdata").__path__[0])
