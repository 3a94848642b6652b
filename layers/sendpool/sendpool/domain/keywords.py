"""What a text that somebody sends us means: Twilio's opt-out, opt-in and help words, and what else asks to stop.

`meaning` is Twilio's view: a word counts when it is the whole message, in any case; "stop please" is no opt-out
for Twilio. `classify` is the law's view: a revocation by any reasonable words counts (47 CFR 64.1200(a)(10)), so
it also names texts that a reasonable person would read as one. What follows from a likely one is policy.
Source: Twilio, default opt-out keywords (OPTOUT and REVOKE since 2025); toll-free opt-outs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Literal
from unicodedata import normalize

from sendpool.domain.phrases import PhraseBook, Words, read_phrases, read_words

Meaning = Literal["stop", "start", "help"]

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})

_PHRASES: Final = Path(__file__).with_name("data") / "opt-out-phrases.json"
_LONGEST_REACTION: Final = 6
"""Words before the quotation in what a phone sends for a reaction."""
_LONGEST_ALONE: Final = 12

_INVISIBLE: Final = re.compile(
    r"[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_QUOTATION: Final = re.compile(
    r'["\u201c\u201f]([^"\u201c\u201d]*)["\u201d]|\u00ab([^\u00ab\u00bb]*)\u00bb|^>([^\n]*)',
    re.MULTILINE,
)


class OptOutClass(StrEnum):
    """How a text bears on opting out."""

    STOP_EXACT = "stop_exact"
    """The whole message is a STOP word, or Twilio took it for one: act."""
    STOP_LIKELY = "stop_likely"
    """A reasonable person would read it as a revocation: act or let somebody look, by policy."""
    START = "start"
    """A START word; `restores` tells whether it lifts a block."""
    HELP = "help"
    NONE = "none"


_EXACT: Final = {
    "stop": OptOutClass.STOP_EXACT,
    "start": OptOutClass.START,
    "help": OptOutClass.HELP,
}


def meaning(body: str, *, opt_out_type: str | None = None) -> Meaning | None:
    """Say what an inbound text asks for. Twilio's own verdict (`OptOutType`) wins over the words."""
    word = (opt_out_type or body).strip().upper()
    if word in STOP:
        return "stop"
    if word in START:
        return "start"
    return "help" if word in HELP else None


def restores(word: str, *, toll_free: bool, is_blocked: bool) -> bool:
    """Tell whether a START word lifts a block: a toll-free number's network does not take YES for one.

    For somebody who is not blocked no word restores anything, and YES is just an answer.
    """
    said = _joined(read_words(_cleaned(word)))
    return is_blocked and said in START and not (toll_free and said == "YES")


def words_of(text: str) -> list[str]:
    """Return a text's words as they are compared: without case, accents and punctuation."""
    return read_words(_cleaned(text)).spoken()


def classify(
    body: str, *, opt_out_type: str | None = None, language: str | None = None
) -> OptOutClass:
    """Class an inbound text. Twilio's own verdict (`OptOutType`) wins over the words.

    `language` (en, es, fr) narrows likely phrases to that one and English; unknown or None looks in all. Reactions
    to our messages, and what is quoted from them, ask for nothing.
    """
    verdict = meaning("", opt_out_type=opt_out_type)
    if verdict is not None:
        return _EXACT[verdict]
    text = _cleaned(body)
    words = read_words(text)
    said = _joined(words)
    exact = meaning(said)
    if exact is not None:
        return _EXACT[exact]
    if any(said.lower() in spoken.help for spoken in _languages().values()):
        return OptOutClass.HELP
    if not said or _is_reaction(text):
        return OptOutClass.NONE
    unquoted = read_words(_QUOTATION.sub(_unquoted, text))
    words = unquoted if unquoted.spoken() else words
    likely = any(_asks_to_stop(words, spoken) for spoken in _spoken(language))
    return OptOutClass.STOP_LIKELY if likely else OptOutClass.NONE


@dataclass(frozen=True, slots=True)
class _Language:
    help: frozenset[str]
    alone: frozenset[str]
    alone_in_clause: frozenset[str]
    fillers: frozenset[str]
    praise: frozenset[str]
    reactions: tuple[str, ...]
    guards: PhraseBook
    phrases: PhraseBook


@cache
def _languages() -> dict[str, _Language]:
    written = json.loads(_PHRASES.read_text(encoding="utf-8"))
    return {
        language: _Language(
            **{
                name: frozenset(each[name].split())
                for name in ("help", "alone", "alone_in_clause", "fillers", "praise")
            },
            reactions=tuple(each["reactions"]),
            guards=read_phrases(each["guards"], each["classes"]),
            phrases=read_phrases(each["phrases"], each["classes"]),
        )
        for language, each in written.items()
    }


def _spoken(language: str | None) -> list[_Language]:
    known = _languages()
    if language not in known:
        return list(known.values())
    return [known[each] for each in dict.fromkeys((language, "en"))]


def _cleaned(body: str) -> str:
    return _INVISIBLE.sub("", normalize("NFKC", body))


def _joined(words: Words) -> str:
    return "".join(words.spoken()).upper()


def _is_reaction(text: str) -> bool:
    """Tell a reaction such as `Liked "..."` or an emoji with `to "..."`, as phones send to those without them."""
    quotation = _QUOTATION.search(text)
    if quotation is None or read_words(text[quotation.end() :]).spoken():
        return False
    head = read_words(text[: quotation.start()]).spoken()
    if not 0 < len(head) <= _LONGEST_REACTION:
        return False
    return any(
        " ".join(head).startswith(reaction) and _is_whole(reaction, head)
        for spoken in _languages().values()
        for reaction in spoken.reactions
    )


def _is_whole(reaction: str, head: list[str]) -> bool:
    return head[: len(reaction.split())] == reaction.split()


def _unquoted(quotation: re.Match[str]) -> str:
    """Leave out what is quoted, unless it is just a STOP word."""
    content = "".join(filter(None, quotation.groups()))
    return f" {content} " if _joined(read_words(content)) in STOP else " "


def _asks_to_stop(words: Words, spoken: _Language) -> bool:
    words = words.without(spoken.guards.places(words))
    return (
        _stands_alone(words.spoken(), spoken)
        or _stands_alone_in_clause(words, spoken)
        or next(spoken.phrases.find(words), None) is not None
    )


def _stands_alone(said: list[str], spoken: _Language) -> bool:
    """Tell whether it is a stop word with nothing but politeness around."""
    return (
        len(said) <= _LONGEST_ALONE
        and not spoken.alone.isdisjoint(said)
        and spoken.alone | spoken.fillers >= set(said)
    )


def _stands_alone_in_clause(words: Words, spoken: _Language) -> bool:
    if any(not each.praise.isdisjoint(words.words) for each in _languages().values()):
        return False  # "Stop! That's amazing"
    clauses = list(words.clauses())
    return any(
        not spoken.alone_in_clause.isdisjoint(clause)
        and spoken.alone_in_clause | spoken.fillers >= set(clause)
        for clause in clauses[:1] + clauses[-1:]
    )
