"""Phrases in texts that people write: words of any case and accent, with gaps and alternatives, in linear time.

A phrase is written as words with spaces between: `a|b` one of these, `@name` a class of words, `a?` may be
missing, `*2` up to two words of any kind, `^` and `$` the border of a clause, `^^` and `$$` of the whole text.
Words are written as they are folded: lower case, no accents, contractions joined (`dont`). As every gap is
bounded, a text takes time in proportion to its length, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import combining, normalize

BORDER: Final = "."
"""What stands between two clauses, and at both ends of a text."""

MASK: Final = "_"
"""What stands where a word was taken out; no phrase has it."""

_PIECE: Final = re.compile(
    r"(?P<word>\d{1,3}(?:,\d{3})++|[^\W_]+(?:['\u2019](?:t|s|m|ll|ve|re|d)\b)?)|[.!?\u2026:;,()\n|\u00a1\u00bf]|\#(?=\s|$)",
    re.IGNORECASE,
)

# words and whether one may be missing, or how many words may stand between
_Item = tuple[frozenset[str], bool] | int


@dataclass(frozen=True, slots=True)
class Words:
    """A text as folded words with a border at both ends; `starts` and `ends` are places in the text."""

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)

    def spoken(self) -> list[str]:
        """List the words without the borders and what was masked."""
        return [word for word in self.words if word not in {BORDER, MASK}]

    def without(self, places: Iterable[int]) -> Words:
        """Take the words at these places out of every phrase's reach."""
        gone = set(places)
        masked = tuple(
            MASK if place in gone and word != BORDER else word
            for place, word in enumerate(self.words)
        )
        return Words(masked, self.starts, self.ends)

    def clauses(self) -> Iterator[list[str]]:
        """Yield the words between two borders."""
        clause: list[str] = []
        for word in self.words:
            if word == BORDER:
                if clause:
                    yield clause
                clause = []
            elif word != MASK:
                clause.append(word)


def read_words(text: str) -> Words:
    """Cut a text into words; emoji and signs that end no clause are passed over."""
    words, starts, ends = [BORDER], [0], [0]
    for piece in _PIECE.finditer(text.lower() if text.isascii() else text):
        word = piece["word"]
        if word is not None:
            words.append(fold(word))
        elif piece[0] == "#":
            words.append("number")
        elif words[-1] == BORDER:
            continue
        else:
            words.append(BORDER)
        start, end = piece.span()
        starts.append(start)
        ends.append(end)
    if words[-1] != BORDER:
        words.append(BORDER)
        starts.append(len(text))
        ends.append(len(text))
    return Words(tuple(words), tuple(starts), tuple(ends))


def fold(word: str) -> str:
    """Write a word in lower case, without accents, apostrophes and the commas of a number."""
    if word.isalnum() and word.isascii():
        return word.lower()
    word = word.replace(",", "")
    plain = normalize("NFKD", word.casefold())
    return "".join(each for each in plain if not combining(each) and each not in "'\u2019")


@dataclass(frozen=True, slots=True)
class _Phrase:
    items: tuple[_Item, ...]
    opens_text: bool
    closes_text: bool
    tag: str
    second: frozenset[str]
    """What has to follow the first word, to pass over most phrases at a glance; empty if that varies."""


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """Phrases ready to be looked for, by each word that they may begin with."""

    _by_first: Mapping[str, tuple[_Phrase, ...]]

    def find(self, text: Words) -> Iterator[tuple[int, int]]:
        """Yield where phrases stand, as places of words from the first to behind the last."""
        last = -1
        for _, start, end in self.tagged(text):
            if start != last:
                yield start, end
            last = start

    def tagged(self, text: Words) -> Iterator[tuple[str, int, int]]:
        """Yield where phrases stand, with the tag of each."""
        words = text.words
        for start, word in enumerate(words):
            for phrase in self._by_first.get(word, ()):
                if phrase.opens_text and start:
                    continue
                if phrase.second and (
                    start + 1 == len(words) or words[start + 1] not in phrase.second
                ):
                    continue
                end = _match(words, start, phrase, 0)
                if end > start:
                    yield phrase.tag, start, end

    def places(self, text: Words) -> set[int]:
        """Collect the places of all words that belong to a phrase."""
        return {place for start, end in self.find(text) for place in range(start, end)}


def read_phrases(phrases: Iterable[str], classes: Mapping[str, str] | None = None) -> PhraseBook:
    """Read phrases; classes map a name to words with spaces between.

    Raises ValueError for a phrase that need not begin with any word.
    """
    return read_tagged({"": phrases}, classes)


def read_tagged(
    phrases: Mapping[str, Iterable[str]], classes: Mapping[str, str] | None = None
) -> PhraseBook:
    """Read phrases by the tag that `tagged` shall give them; otherwise like `read_phrases`."""
    known = {name: frozenset(words.split()) for name, words in (classes or {}).items()}
    by_first: dict[str, list[_Phrase]] = {}
    for tag, written in ((tag, each) for tag, several in phrases.items() for each in several):
        phrase = _read(written, known, tag)
        for word in _first_words(phrase.items, written):
            by_first.setdefault(word, []).append(phrase)
    return PhraseBook({word: tuple(each) for word, each in by_first.items()})


def _read(written: str, classes: Mapping[str, frozenset[str]], tag: str) -> _Phrase:
    items: list[_Item] = []
    for part in written.split():
        if part.startswith("*"):
            items.append(int(part[1:]))
            continue
        words: set[str] = set()
        for choice in part.removesuffix("?").split("|"):
            if choice in {"^", "^^", "$", "$$"}:
                words.add(BORDER)
            elif choice.startswith("@"):
                words |= classes[choice[1:].removesuffix("?")]
            else:
                words.add(choice.removesuffix("?"))
        items.append((frozenset(words), part.endswith("?")))
    return _Phrase(
        tuple(items), written.startswith("^^"), written.endswith("$$"), tag, _second_words(items)
    )


def _second_words(items: Sequence[_Item]) -> frozenset[str]:
    match items:
        case [(_, False), (words, False), *_]:
            return words
        case _:
            return frozenset()


def _first_words(items: Sequence[_Item], written: str) -> set[str]:
    found: set[str] = set()
    for item in items:
        if isinstance(item, int):
            break
        words, may_miss = item
        found |= words
        if not may_miss:
            return found
    raise ValueError(f"a phrase has to begin with a word: {written!r}")


def _match(words: Sequence[str], place: int, phrase: _Phrase, index: int) -> int:
    """Say behind which word the rest of a phrase ends; -1 if it does not stand here."""
    while index < len(phrase.items):
        item = phrase.items[index]
        index += 1
        if isinstance(item, int):
            return _match_gap(words, place, phrase, index, item)
        choices, may_miss = item
        stands = place < len(words) and words[place] in choices
        if may_miss and stands:
            end = _match(words, place + 1, phrase, index)
            if end >= 0:
                return end
        elif stands:
            place += 1
        elif not may_miss:
            return -1
    return -1 if phrase.closes_text and place < len(words) else place


def _match_gap(words: Sequence[str], place: int, phrase: _Phrase, index: int, longest: int) -> int:
    for skipped in range(longest + 1):
        end = _match(words, place + skipped, phrase, index)
        if end >= 0:
            return end
        if place + skipped >= len(words) or words[place + skipped] in {BORDER, MASK}:
            return -1
    return -1
