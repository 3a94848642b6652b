"""Graphemes: what a reader takes for one character, such as a letter with its accents or a flag.

Follows Unicode's rules for extended grapheme clusters (UAX #29) closely enough for cutting texts into segments:
general categories stand in for the break properties, which Python does not carry. Indic conjuncts are not kept
together, as in Twilio's calculator.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from unicodedata import category

_ZWJ: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# No marks by their category, yet they belong to what stands before them: ZWNJ, Thai and Lao AM, half-width
# Katakana sound marks.
_EXTENDING: Final = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")
# Spacing marks that stand alone all the same: signs of Myanmar, Tai and Ahom.
_STANDING: Final = frozenset(
    "\u102b\u102c\u1038\u1062\u1063\u1064\u1067\u1068\u1069\u106a\u106b\u106c\u106d\u1083\u1087\u1088"
    "\u1089\u108a\u108b\u108c\u108f\u109a\u109b\u109c\u1a61\u1a63\u1a64\uaa7b\uaa7d\U00011720\U00011721"
)
# Format characters that belong to what comes after them, such as the Arabic number sign.
_PREPENDED: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd"
)


def split_graphemes(text: str) -> Iterator[str]:
    """Yield the graphemes of a text in order; CR LF stay two, as in Twilio's calculator."""
    start = 0
    for end in range(1, len(text)):
        if not _belongs(text[start:end], text[end]):
            yield text[start:end]
            start = end
    if text:
        yield text[start:]


def _belongs(grapheme: str, character: str) -> bool:
    previous = grapheme[-1]
    if previous in _PREPENDED:
        return (
            category(character) not in _CONTROLS or character in _PREPENDED or _extends(character)
        )
    if category(previous) in _CONTROLS and not _extends(previous):
        return False
    return (
        _extends(character)
        or (previous == _ZWJ and _is_pictograph(character) and _is_pictograph(grapheme[0]))
        or (_is_flag_half(character) and len(grapheme) == 1 and _is_flag_half(grapheme))
        or _hangul_follows(_hangul_part(previous), _hangul_part(character))
    )


def _extends(character: str) -> bool:
    return (
        (category(character) in _MARKS and character not in _STANDING)
        or character in _EXTENDING
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, as in the flag of Scotland
    )


def _is_pictograph(character: str) -> bool:
    return character == "\u2194" or (category(character) == "So" and not _is_flag_half(character))


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _hangul_follows(previous: str, part: str) -> bool:
    return f"{previous}>{part}" in {
        "L>L", "L>V", "L>LV", "L>LVT", "LV>V", "LV>T", "V>V", "V>T", "LVT>T", "T>T",
    }  # fmt: skip


def _hangul_part(character: str) -> str:
    """Tell the place of a Korean letter in its syllable: leading, vowel, trailing; empty if it is not one."""
    if "\uac00" <= character <= "\ud7a3":
        return "LV" if (ord(character) - 0xAC00) % 28 == 0 else "LVT"
    if "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c":
        return "L"
    if "\u1160" <= character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6":
        return "V"
    if "\u11a8" <= character <= "\u11ff" or "\ud7cb" <= character <= "\ud7fb":
        return "T"
    return ""
