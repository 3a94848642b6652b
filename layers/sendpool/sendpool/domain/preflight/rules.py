"""The rules: how heavy each one is, which codes of Twilio's it stands for, what is wrong, and what to do about it.

`reject`: Twilio refuses the form (217xx) or its reviewers have a code for it. `warn`: it is weak, needs somebody's
approval, or may be explained by what the form does not show. The table is `data/preflight-rules.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

Severity = Literal["reject", "warn"]

_TABLE: Final = Path(__file__).parents[1] / "data" / "preflight-rules.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause of rejection; `codes` are Twilio's."""

    severity: Severity
    codes: tuple[int, ...]
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A field breaks a rule. Severity and message, where given, stand in for the rule's; `text` is what breaks it."""

    rule: str
    field: str
    text: str | None = None
    severity: Severity | None = None
    message: str | None = None


@cache
def rules() -> Mapping[str, Rule]:
    """Return all rules by id."""
    written = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        name: Rule(each["severity"], tuple(each["codes"]), each["message"], each["fix"])
        for name, each in written.items()
    }
