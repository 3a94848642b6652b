"""Form-encoded bodies, the only kind that Twilio's 2010 and v1 APIs read."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from aiohttp import web

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


async def read_form(request: web.Request) -> Form:
    """The form of a request; a body of another type counts as no fields at all."""
    if request.content_type != CONTENT_TYPE:
        return Form({})
    body = (await request.read()).decode("utf-8", "replace")
    return Form(parse_qs(body, keep_blank_values=True))
