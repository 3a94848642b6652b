"""How brands and campaigns show why they were rejected."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.twilio.core.errors import title

ERROR_URL = "https://www.twilio.com/docs/api/errors/{code}"


def show_errors(
    codes: Iterable[int], *, fields: Mapping[int, Sequence[str]], reason: str = ""
) -> list[dict[str, Any]]:
    """The `errors` of a resource; `fields` are those that a code is about, `reason` replaces its title."""
    return [
        {
            "error_code": code,
            "fields": list(fields.get(code, ())),
            "url": ERROR_URL.format(code=code),
            "description": reason or title(code),
        }
        for code in codes
    ]
