"""How a text goes over the air: its encoding and the number of its segments, as Twilio bills them.

A text is GSM-7 if every character is in the GSM alphabet, else all of it is UCS-2. One message holds 160 GSM-7
units (an extension character such as the euro sign takes two) or 70 UTF-16 units; a longer one is cut into
segments of 153 or 67. The counts are those of Twilio's public calculator, which splits neither an extension
character nor a grapheme over two segments; only a grapheme too long for any segment is cut, which the calculator
leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import repeat
from typing import Final, Literal
from unicodedata import name, normalize

from sendpool.domain.graphemes import split_graphemes
from sendpool.domain.smart_encoding import REPLACEMENTS

_GSM_SINGLE: Final = 160
_GSM_PART: Final = 153
_UCS2_SINGLE: Final = 70
_UCS2_PART: Final = 67

_BASIC_CHARACTERS: Final = (
    r"\n\r !-#$%-?@A-Z_a-z"
    r"\u00a1\u00a3-\u00a5\u00a7\u00bf\u00c4-\u00c7\u00c9\u00d1\u00d6\u00d8\u00dc\u00df\u00e0"
    r"\u00e4-\u00e6\u00e8\u00e9\u00ec\u00f1\u00f2\u00f6\u00f8\u00f9\u00fc"
    r"\u0393\u0394\u0398\u039b\u039e\u03a0\u03a3\u03a6\u03a8\u03a9"
)
_EXTENSION_CHARACTERS: Final = r"\f\[\\\]^{|}~\u20ac"
_BASIC: Final = re.compile(f"[{_BASIC_CHARACTERS}]*")
_GSM: Final = re.compile(f"[{_BASIC_CHARACTERS}{_EXTENSION_CHARACTERS}]*")
_EXTENSION: Final = re.compile(f"[{_EXTENSION_CHARACTERS}]")
_ESCAPE: Final = "\x1b"
_ANY_GSM: Final = "?"

# What makes no difference to which characters are costly, and how much: a plain character among its like. Beside
# another one it may be a part of what a reader takes for one character.
_FORMLESS: Final = re.compile(
    f"(?<![^{_BASIC_CHARACTERS}{_EXTENSION_CHARACTERS}])"
    r"(?![\n\r])"
    f"[{_BASIC_CHARACTERS}]"
    f"(?![^{_BASIC_CHARACTERS}{_EXTENSION_CHARACTERS}])"
)
_SHAPES_REMEMBERED: Final = 4_096

_LINK: Final = re.compile(
    r"https?://[^\s.,!?;:)\]\"'\u201d]++(?:[.,!?;:)\]\"'\u201d]+[^\s.,!?;:)\]\"'\u201d]++)*",
    re.IGNORECASE,
)
_SHORT_CODE: Final = 10
_MOST_COUNTED_ALONE: Final = 12

# Characters of one UTF-16 unit that never join each other: most of what the world writes.
_PLAIN: Final = (
    r"\u0000-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05f4\u0620-\u064a\u0660-\u066f\u0904-\u0939"
    r"\u0e01-\u0e30\u0e40-\u0e46\u10a0-\u10ff\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    r"\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d"
)


Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text takes: `units` are septets for GSM-7 and UTF-16 code units for UCS-2."""

    encoding: Encoding
    segments: int
    units: int


def segment(body: str, *, smart_encoded: bool = False) -> Segmentation:
    """Count the segments of a text; an empty one counts as one.

    Set `smart_encoded` if Twilio will swap look-alikes for GSM-7 characters before it sends.
    """
    if smart_encoded:
        body = smart_encode(body)
    if _BASIC.fullmatch(body):
        units = len(body)
        parts = 1 if units <= _GSM_SINGLE else -(-units // _GSM_PART)
        return Segmentation("GSM-7", parts, units)
    if _GSM.fullmatch(body):
        return _segment_extended(body)
    return _segment_ucs2(body)


def encoding_of(body: str, *, smart_encoded: bool = False) -> Encoding:
    """Tell how a text is encoded, without counting its segments."""
    return "GSM-7" if _GSM.fullmatch(smart_encode(body) if smart_encoded else body) else "UCS-2"


def smart_encode(body: str) -> str:
    """Swap typographic look-alikes for GSM-7 characters, as Twilio's Smart Encoding does; leaves emoji alone."""
    return body.translate(REPLACEMENTS)


@dataclass(frozen=True, slots=True)
class CostlyCharacter:
    """A character that keeps a text from GSM-7, and what it costs.

    One entry stands for all occurrences of what a reader takes for one character (a grapheme); `position` is the
    first one's, in characters of the text as given, from 0. `segments` is what the text saves if this character
    alone goes: with a second costly one the text stays UCS-2, and that is mostly 0 (with more than a dozen, which
    is another script, it is not worked out and 0). `together` is what it saves
    if all its costly characters go, the same for each. Counted with `replacement` where there is one (from Smart
    Encoding's map, or the same letter composed), with a single GSM-7 character where there is none.
    """

    character: str
    position: int
    name: str
    segments: int
    together: int
    replacement: str | None


def costly_characters(body: str, *, smart_encoded: bool = False) -> tuple[CostlyCharacter, ...]:
    """List what makes a text UCS-2, in order of appearance; empty if it is GSM-7.

    With `smart_encoded` only what Smart Encoding leaves.
    """
    text = smart_encode(body) if smart_encoded else body
    if _GSM.fullmatch(text):
        return ()
    graphemes = list(_graphemes(body))
    first: dict[str, int] = {}
    position = 0
    for grapheme in graphemes:
        if not _GSM.fullmatch(smart_encode(grapheme) if smart_encoded else grapheme):
            first.setdefault(grapheme, position)
        position += len(grapheme)
    stand_ins = {
        grapheme: _ANY_GSM if (replacement := _replacement(grapheme)) is None else replacement
        for grapheme in first
    }
    before = segment(text).segments

    def saved(*gone: str) -> int:
        swaps = {each: stand_ins[each] for each in gone}
        swapped = "".join(swaps.get(each, each) for each in graphemes)
        return max(0, before - segment(swapped, smart_encoded=smart_encoded).segments)

    together = saved(*first)
    return tuple(
        CostlyCharacter(
            character=grapheme,
            position=place,
            name=_name(grapheme),
            segments=saved(grapheme) if len(first) <= _MOST_COUNTED_ALONE else 0,
            together=together,
            replacement=_replacement(grapheme),
        )
        for grapheme, place in first.items()
    )


def costly_in_many(body: str, *, smart_encoded: bool = False) -> tuple[CostlyCharacter, ...]:
    """Do the same as `costly_characters`, quickly for many texts that differ in plain characters alone."""
    return _costly_in_shape(_FORMLESS.sub(_ANY_GSM, body), smart_encoded)


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _costly_in_shape(shape: str, smart_encoded: bool) -> tuple[CostlyCharacter, ...]:  # noqa: FBT001 - a key of the cache
    return costly_characters(shape, smart_encoded=smart_encoded)


def as_sent(body: str, *, shortens_urls: bool, link_domain: str | None) -> str:
    """Return the text as long as it goes out: with short links, if Twilio shortens them and their domain is known."""
    return shortened(body, domain=link_domain) if shortens_urls and link_domain else body


def shortened(body: str, *, domain: str) -> str:
    """Put a link as long as Twilio's short ones (`https://<domain>/` and ten characters) for each http(s) link.

    For counting: give it to `segment`. Signs that end a sentence are left behind the link; a domain whose
    `DisableHttps` is set makes links 8 characters shorter than this. Source: Twilio, Link Shortening.
    """
    return _LINK.sub(f"https://{domain}/{'x' * _SHORT_CODE}", body)


def _replacement(grapheme: str) -> str | None:
    """Find what says the same in GSM-7; None if nothing does."""
    for candidate in (smart_encode(grapheme), normalize("NFC", grapheme)):
        if _GSM.fullmatch(candidate):
            return candidate
    return None


def _name(grapheme: str) -> str:
    return " + ".join(name(each, f"U+{ord(each):04X}") for each in grapheme)


def _segment_extended(body: str) -> Segmentation:
    septets = _EXTENSION.sub(_ESCAPE + "x", body)
    units = len(septets)
    if units <= _GSM_SINGLE:
        return Segmentation("GSM-7", 1, units)
    segments = end = 0
    while end < units:
        end += _GSM_PART
        if septets[end - 1 : end] == _ESCAPE:  # the pair moves on to the next segment
            end -= 1
        segments += 1
    return Segmentation("GSM-7", segments, units)


def _segment_ucs2(body: str) -> Segmentation:
    units = _utf16_units(body)
    segments = 1 if units <= _UCS2_SINGLE else _pack(_grapheme_sizes(body))
    return Segmentation("UCS-2", segments, units)


def _graphemes(body: str) -> Iterator[str]:
    """Yield each grapheme, at a run's speed where characters stand alone."""
    end = 0
    for stretch in _intricate().finditer(body):
        yield from body[end : stretch.start()]
        yield from split_graphemes(stretch[0])
        end = stretch.end()
    yield from body[end:]


def _grapheme_sizes(body: str) -> Iterator[int]:
    """Yield the UTF-16 units of each grapheme, at a run's speed where characters stand alone."""
    end = 0
    for stretch in _intricate().finditer(body):
        yield from repeat(1, stretch.start() - end)
        yield from map(_utf16_units, split_graphemes(stretch[0]))
        end = stretch.end()
    yield from repeat(1, len(body) - end)


@cache
def _intricate() -> re.Pattern[str]:
    """Match where graphemes have to be told apart: other characters, and one plain one at each side.

    Made on demand: compiling it takes longer than importing all the rest.
    """
    return re.compile(rf"(?:[{_PLAIN}]?[^{_PLAIN}]++)++[{_PLAIN}]?")


def _pack(sizes: Iterable[int]) -> int:
    """Count the segments that graphemes of these sizes fill in order."""
    segments, free = 1, _UCS2_PART
    for size in sizes:
        if size > free and size <= _UCS2_PART:
            segments, free = segments + 1, _UCS2_PART
        free -= size
        while free < 0:  # longer than a segment: cut it
            segments, free = segments + 1, free + _UCS2_PART
    return segments


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
