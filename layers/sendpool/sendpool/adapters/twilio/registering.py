"""Twilio's library as registration uses it: refusals are explained by the codes of registration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sendpool.adapters.twilio.answered import RefusedError
from sendpool.domain.a2p.codes import table
from sendpool.domain.a2p.record import Problem
from sendpool.domain.errors import TwilioRefusedError

# Twilio gives no more
PAGE: Final = 1000


@contextmanager
def refusals() -> Iterator[None]:
    """Raise TwilioRefusedError by its code for what is refused inside."""
    try:
        yield
    except RefusedError as error:
        row = table().get(error.code or 0)
        raise TwilioRefusedError(error.code, row=row) from error


def problems(errors: Sequence[Any] | None) -> tuple[Problem, ...]:
    """Read `errors` of a profile (`code`) or of a brand or campaign (`error_code`); what has no code is left out."""
    found = [(each, each.get("error_code") or each.get("code")) for each in errors or ()]
    return tuple(
        Problem(
            code=int(code),
            fields=tuple(map(str, each.get("fields") or ())),
            description=each.get("description") or None,
        )
        for each, code in found
        if str(code).isdigit()
    )
