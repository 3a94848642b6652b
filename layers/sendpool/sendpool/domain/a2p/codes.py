"""Twilio's codes about US A2P 10DLC: what each one is about, who has to act, and what to change.

Some answer our requests (217xx), most are what profiles (186xx), brands (307xx, 2173x) and campaigns (305xx, 308xx,
309xx) are rejected with. The table is `data/a2p-codes.json`; titles are Twilio's, causes and changes are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).parents[1] / "data" / "a2p-codes.json"


class Cause(StrEnum):
    """What kind of trouble it is."""

    FORM = "form"
    """A field is missing, or not as it has to be."""
    IDENTITY = "identity"
    """What is said of the business is not what others know of it."""
    CONSENT = "consent"
    """How people agree, or are told how to leave, is not described or not allowed."""
    WEBSITE = "website"
    """A page is not there, cannot be read, or lacks something."""
    FORBIDDEN = "forbidden"
    """Nobody carries this content."""
    DUPLICATE = "duplicate"
    LIMIT = "limit"
    STATE = "state"
    """The thing is in a state that does not allow it."""
    OWNER = "owner"
    """Somebody at the brand has not confirmed, or not in time."""
    EXTERNAL = "external"
    """A carrier, a partner or the registry refused."""
    SUPPORT = "support"
    """Only Twilio's support can tell or help."""
    TEMPORARY = "temporary"
    """It passes by itself."""


class Actor(StrEnum):
    """Who has to act."""

    NOBODY = "nobody"
    SENDPOOL = "sendpool"
    TEAM = "team"
    BRAND_OWNER = "brand_owner"
    TWILIO = "twilio"
    CARRIERS = "carriers"


_STATUS: Final = {
    Cause.FORM: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cause.IDENTITY: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cause.CONSENT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cause.WEBSITE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cause.FORBIDDEN: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cause.DUPLICATE: HTTPStatus.CONFLICT,
    Cause.LIMIT: HTTPStatus.CONFLICT,
    Cause.STATE: HTTPStatus.CONFLICT,
    Cause.OWNER: HTTPStatus.CONFLICT,
    Cause.EXTERNAL: HTTPStatus.BAD_GATEWAY,
    Cause.SUPPORT: HTTPStatus.BAD_GATEWAY,
    Cause.TEMPORARY: HTTPStatus.SERVICE_UNAVAILABLE,
}
_ACTORS: Final = {Cause.TEMPORARY: Actor.SENDPOOL, Cause.OWNER: Actor.BRAND_OWNER}


@dataclass(frozen=True, slots=True)
class A2pCode:
    """A code: its kind of trouble, Twilio's title, and what to change."""

    code: int
    cause: Cause
    title: str
    remedy: str

    @property
    def error_class(self) -> str:
        """How our API calls it, behind `twilio_`."""
        return f"a2p_{self.cause}"

    @property
    def http_status(self) -> int:
        return _STATUS[self.cause]

    @property
    def actor(self) -> Actor:
        return _ACTORS.get(self.cause, Actor.TEAM)


@cache
def table() -> Mapping[int, A2pCode]:
    """Return all codes."""
    written = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        int(code): A2pCode(int(code), Cause(row["cause"]), row["title"], row["change"])
        for code, row in written.items()
    }


def explain_a2p(code: int) -> A2pCode:
    """Tell what a rejection means; one that nobody here knows is for Twilio's support."""
    unknown = "A code that sendpool does not know. Look it up in Twilio's error dictionary."
    return table().get(code) or A2pCode(code, Cause.SUPPORT, f"Error {code}", unknown)
