"""What we answer when somebody texts us: by keyword, by language, by the number they wrote to.

The answers come from an answer book, which a team edits (`PUT /answers`). Twilio itself confirms STOP and START, and
answers HELP unless its own handling of them is switched off; whoever asks to stop hears nothing from us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sendpool.domain.keywords import OptOutClass, words_of

Match = Literal["exact", "start", "anywhere"]
# texts by language, such as {"en": "…", "es": "…"}
Texts = Mapping[str, str]

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Texts for whoever writes one of these keywords, which are given by language; `numbers` of ours, empty for all.

    `exact`: it is all they wrote; `start`: they begin with it; `anywhere`: it occurs. Case, accents and punctuation do
    not count.
    """

    keywords: Mapping[str, tuple[str, ...]]
    texts: Texts
    numbers: frozenset[str] = frozenset()
    match: Match = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBook:
    """All answers; of the rules the first that fits counts.

    `first_contact` is said to whoever writes for the first time, `otherwise` when no rule fits, `help` to HELP where
    Twilio does not answer it. `languages` says in which language we answer at a number of ours, if not in `language`.
    """

    rules: tuple[Rule, ...] = ()
    help: Texts = field(default_factory=dict)
    first_contact: Texts = field(default_factory=dict)
    otherwise: Texts = field(default_factory=dict)
    language: str = DEFAULT_LANGUAGE
    languages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody wrote to which number of ours. `is_first`: nothing passed between us before."""

    body: str
    number: str
    opt_out_class: OptOutClass
    is_answered_by_twilio: bool = False
    is_first: bool = False


def answers_to(written: Written, book: AnswerBook) -> tuple[str, ...]:
    """Return what to answer, at most two texts; nothing to STOP and START."""
    language = book.languages.get(written.number, book.language)
    match written.opt_out_class:
        case OptOutClass.HELP:
            return _said(book.help, language, book) if not written.is_answered_by_twilio else ()
        case OptOutClass.NONE:
            pass
        case _:
            return ()
    welcome = _said(book.first_contact, language, book) if written.is_first else ()
    by_rule = _by_rule(written, book)
    if by_rule:
        rule, spoken = by_rule
        return (*welcome, *_said(rule.texts, spoken, book))
    return welcome or _said(book.otherwise, language, book)


def _by_rule(written: Written, book: AnswerBook) -> tuple[Rule, str] | None:
    """Return the first rule that fits, and the language of its keyword."""
    said = words_of(written.body)
    for rule in book.rules:
        if rule.numbers and written.number not in rule.numbers:
            continue
        for language, keywords in rule.keywords.items():
            if any(_fits(words_of(keyword), said, rule.match) for keyword in keywords):
                return rule, language
    return None


def _fits(keyword: list[str], said: list[str], match: Match) -> bool:
    if not keyword:
        return False
    if match == "exact":
        return said == keyword
    places = range(len(said) - len(keyword) + 1) if match == "anywhere" else range(1)
    return any(said[place : place + len(keyword)] == keyword for place in places)


def _said(texts: Texts, language: str, book: AnswerBook) -> tuple[str, ...]:
    """Return the text in a language, else in the book's, else whichever there is."""
    for each in (language, book.language, *texts):
        if each in texts:
            return (texts[each],)
    return ()


def read_answers(plain: Mapping[str, Any]) -> AnswerBook:
    """Read an answer book from JSON as `to_plain` writes it."""
    return AnswerBook(
        rules=tuple(
            Rule(
                keywords={
                    language: tuple(keywords) for language, keywords in each["keywords"].items()
                },
                texts=each["texts"],
                numbers=frozenset(each["numbers"]),
                match=each["match"],
            )
            for each in plain["rules"]
        ),
        **{name: plain[name] for name in ("help", "first_contact", "otherwise")},
        language=plain["language"],
        languages=plain["languages"],
    )


def to_plain(book: AnswerBook) -> dict[str, Any]:
    """Write an answer book as JSON."""
    return {
        "rules": [
            {
                "keywords": {
                    language: list(keywords) for language, keywords in rule.keywords.items()
                },
                "texts": dict(rule.texts),
                "numbers": sorted(rule.numbers),
                "match": rule.match,
            }
            for rule in book.rules
        ],
        "help": dict(book.help),
        "first_contact": dict(book.first_contact),
        "otherwise": dict(book.otherwise),
        "language": book.language,
        "languages": dict(book.languages),
    }
