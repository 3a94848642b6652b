"""Pictures and files that come with texts: they are fetched from Twilio by a queue and kept in the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

VERSION = 1
# Twilio takes inbound media of up to 5 MB; other channels know more
LARGEST_BYTES: Final = 32 * 1024 * 1024

# why there is nothing to keep: Twilio does not have it any more, or it is larger than what we keep
Missing = Literal["gone", "too_large"]


class MalformedMediaError(ValueError):
    """A body that claims to ask for a picture and does not."""


class MediaGoneError(Exception):
    """Twilio does not have it, or not any more."""


class MediaTooLargeError(Exception):
    """It is larger than what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMedia:
    """A picture to fetch: the `number`th (from 0) of the text `sid`; `rounds` counts what was handed back."""

    sid: str
    number: int
    url: str
    rounds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMedia:
    """A picture that was fetched: where it is in the bucket, or why it is not."""

    key: str | None = None
    content_type: str | None = None
    size: int = 0
    missing: Missing | None = None


def key_of(wanted: WantedMedia) -> str:
    return f"media/{wanted.sid}/{wanted.number}"


def to_body(wanted: WantedMedia) -> dict[str, Any]:
    """Write it as the queue carries it."""
    return {"version": VERSION, "media": asdict(wanted)}


def from_body(body: Mapping[str, Any]) -> WantedMedia:
    """Read it back; raises MalformedMediaError when it is none."""
    try:
        plain = body["media"]
        return WantedMedia(
            sid=str(plain["sid"]),
            number=int(plain["number"]),
            url=str(plain["url"]),
            rounds=int(plain["rounds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMediaError(type(error).__name__) from error
