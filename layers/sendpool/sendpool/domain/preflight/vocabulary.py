"""The words that the rules look for: `data/preflight.json`, ready to be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sendpool.domain.phrases import PhraseBook, read_phrases, read_tagged

_WORDS: Final = Path(__file__).parents[1] / "data" / "preflight.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`use_cases` maps Twilio's codes to words of which samples have one; `instead_of` wrong codes to right ones."""

    use_cases: Mapping[str, frozenset[str]]
    special: frozenset[str]
    instead_of: Mapping[str, str]
    guards: PhraseBook
    phrases: PhraseBook
    disclaimers: PhraseBook
    purposes: frozenset[str]
    audience: frozenset[str]
    generic: frozenset[str]
    prizes: frozenset[str]
    company_words: frozenset[str]
    english: frozenset[str]
    foreign: frozenset[str]
    shared_hosts: frozenset[str]
    policy_hosts: frozenset[str]
    private_hosts: frozenset[str]
    second_levels: frozenset[str]


@cache
def vocabulary() -> Vocabulary:
    """Return the words, read once."""
    written = json.loads(_WORDS.read_text(encoding="utf-8"))
    lists = {
        name: frozenset(written[name].split())
        for name in Vocabulary.__dataclass_fields__
        if isinstance(written[name], str)
    }
    return Vocabulary(
        use_cases={code: frozenset(words.split()) for code, words in written["use_cases"].items()},
        instead_of=written["instead_of"],
        guards=read_phrases(written["guards"], written["classes"]),
        phrases=read_tagged(written["phrases"], written["classes"]),
        disclaimers=read_phrases(written["disclaimers"]),
        **lists,
    )
