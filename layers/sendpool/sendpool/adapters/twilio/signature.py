"""Did Twilio sign this webhook? Only the configured public URL is believed, never a Host header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs

from twilio.request_validator import RequestValidator


class FormFields:
    """The fields of a form body, blank and repeated ones kept, as the validator wants them."""

    def __init__(self, body: str) -> None:
        self._values = parse_qs(body, keep_blank_values=True)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        return self._values[name]

    def first(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._values.items()}


def is_signed(*, url: str, fields: FormFields, signature: str, tokens: Sequence[str]) -> bool:
    """Check a form webhook against each live auth token (two during rotation).

    `url` is what Twilio was told to call, query included and fragment left out.
    """
    return bool(signature) and any(
        RequestValidator(token).validate(url, fields, signature) for token in tokens
    )
