"""Form-encoded bodies, the only kind that Twilio's APIs of this server read, and readers of their values."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from local.twilio.core.errors import invalid_parameter, missing_parameter

CONTENT_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a request, in order, blanks kept."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        """Wrap parsed fields."""
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        """Say whether the field was sent, even if empty."""
        return name in self._fields

    def get(self, name: str) -> str:
        """The first value of a field, empty if it was not sent."""
        return self._fields.get(name, [""])[0]

    def get_all(self, name: str) -> Sequence[str]:
        """All values of a repeatable field."""
        return self._fields.get(name, ())

    def names(self) -> Sequence[str]:
        """The fields sent."""
        return tuple(self._fields)

    def require(self, *names: str) -> None:
        """Refuse with 20001 unless each of these fields is there and not empty."""
        for name in names:
            if not self.get(name):
                raise missing_parameter(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A field that is `true` or `false`; 20001 otherwise."""
        if name not in self:
            return default
        word = self.get(name).lower()
        if word not in {"true", "false"}:
            raise invalid_parameter(name, self.get(name))
        return word == "true"

    def choice(self, name: str, allowed: Collection[str], *, default: str = "") -> str:
        """A field with one of the allowed values; 20001 otherwise."""
        if name not in self:
            return default
        if self.get(name) not in allowed:
            raise invalid_parameter(name, self.get(name))
        return self.get(name)

    def json_object(self, name: str) -> dict[str, Any]:
        """A field that holds a JSON object, empty if it was not sent; 20001 if it is none."""
        if not self.get(name):
            return {}
        try:
            value = json.loads(self.get(name))
        except json.JSONDecodeError as exc:
            raise invalid_parameter(name, self.get(name)) from exc
        if not isinstance(value, dict):
            raise invalid_parameter(name, self.get(name))
        return value


async def read_form(request: web.Request) -> Form:
    """The form of a request; a body of another type counts as no fields at all."""
    if request.content_type != CONTENT_TYPE:
        return Form({})
    body = (await request.read()).decode("utf-8", "replace")
    return Form(parse_qs(body, keep_blank_values=True))
