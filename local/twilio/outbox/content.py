"""Content templates: the part of Twilio's Content API that a create needs, filled by the control API.

As long as no template is registered, every well-formed ContentSid passes and its text is empty; once there is one,
only those that are registered do.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.sids import is_sid

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with `{{1}}` places, and what stands there by default."""

    sid: str
    body: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    media: tuple[str, ...] = ()


@dataclass(slots=True)
class Templates:
    """The registered templates."""

    _by_sid: dict[str, Template] = field(default_factory=dict)

    def add(self, given: Mapping[str, Any]) -> Template:
        """Register a template from JSON: `sid`, `body`, `variables` (defaults), `media`."""
        sid = str(given["sid"])
        if not is_sid(sid, "HX"):
            raise ValueError(f"sid: HX and 32 hexadecimal digits are wanted, not {sid!r}")
        template = Template(
            sid=sid,
            body=str(given["body"]),
            defaults={str(name): str(value) for name, value in given.get("variables", {}).items()},
            media=tuple(str(url) for url in given.get("media", ())),
        )
        self._by_sid[sid] = template
        return template

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()

    def render(self, form: Form) -> tuple[str, tuple[str, ...]]:
        """Text and media of a form with a ContentSid; 21654 to 21656 if it cannot be rendered."""
        sid = form.get("ContentSid")
        if not sid:
            if form.get("ContentVariables"):
                raise ApiError(21654)
            return "", ()
        variables = _read_variables(form.get("ContentVariables"))
        template = self._by_sid.get(sid)
        if not is_sid(sid, "HX") or (self._by_sid and template is None):
            raise ApiError(21655, sid=sid)
        return _fill(template, variables) if template else ("", ())


def _read_variables(text: str) -> Mapping[str, str]:
    try:
        variables = json.loads(text or "{}")
    except json.JSONDecodeError as exc:
        raise ApiError(21656) from exc
    is_flat = isinstance(variables, dict) and all(
        isinstance(value, str) for value in variables.values()
    )
    if not is_flat:
        raise ApiError(21656)
    return dict(variables)


def _fill(template: Template, variables: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    values = {**template.defaults, **variables}
    text = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template.body)
    return text, template.media
