"""Messaging geo permissions: the countries that the account may write to."""

from collections.abc import Collection, Sequence
from typing import Any

import phonenumbers

from local.twilio.account.bulk import Item, text_of

FAILED = 30649
# whose permission only Twilio changes; PK is the example of the API's own description
HIGH_RISK = frozenset({"KP", "PK"})
START_DISABLED = frozenset({"KP"})
COUNTRY = "country"

type Json = dict[str, Any]


def prefix_of(country: str) -> str:
    """The calling code of a country, such as `+44`."""
    return f"+{phonenumbers.country_code_for_region(country)}"


class GeoPermissions:
    """Which countries are on. A country that nobody has heard of is."""

    def __init__(self, blocked_prefixes: Collection[str]) -> None:
        """Start with every country but those of these calling codes, and those that nobody gets."""
        self._start = START_DISABLED | {
            country
            for country in phonenumbers.SUPPORTED_REGIONS
            if prefix_of(country) in blocked_prefixes
        }
        self._disabled: set[str] = set()
        self.restore()

    def restore(self) -> None:
        """Put everything back to the start."""
        self._disabled = set(self._start)

    def allows(self, country: str) -> bool:
        """Messages may go to this country, in ISO 3166 letters."""
        return country not in self._disabled

    def to_json(self, countries: Collection[str] = ()) -> Sequence[Json]:
        """The permissions of these countries, of all if none is named."""
        wanted = countries or phonenumbers.SUPPORTED_REGIONS
        return [
            {
                "country_code": country,
                "type": COUNTRY,
                "enabled": self.allows(country),
                "prefix": prefix_of(country),
                "message": "High Risk Country" if country in HIGH_RISK else "",
            }
            for country in sorted(phonenumbers.SUPPORTED_REGIONS)
            if country in wanted
        ]

    def change(self, wanted: Item) -> Json:
        """Switch one country; what became of it is in the answer, also if nothing did."""
        problems = _problems_of(wanted)
        if not problems:
            self._switch(str(wanted["country_code"]), on=bool(wanted["enabled"]))
        return {
            "country_code": wanted.get("country_code"),
            "type": wanted.get("type"),
            "enabled": wanted.get("enabled"),
            "error_code": FAILED if problems else 0,
            "error_messages": problems,
        }

    def _switch(self, country: str, *, on: bool) -> None:
        if on:
            self._disabled.discard(country)
        else:
            self._disabled.add(country)


def _problems_of(wanted: Item) -> list[str]:
    country = text_of(wanted, "country_code")
    checks = {
        "Invalid country code": country not in phonenumbers.SUPPORTED_REGIONS,
        "Invalid permission type": text_of(wanted, "type") != COUNTRY,
        "Invalid value of enabled": not isinstance(wanted.get("enabled"), bool),
        "High risk country permission cannot be updated": country in HIGH_RISK,
    }
    return [problem for problem, is_so in checks.items() if is_so]
