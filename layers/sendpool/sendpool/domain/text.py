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
from functools import cache
from itertools import repeat
from typing import Final, Literal

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

# Characters of one UTF-16 unit that never join each other: most of what the world writes.
_PLAIN: Final = (
    r"\u0000-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05f4\u0620-\u064a\u0660-\u066f\u0904-\u0939"
    r"\u0e01-\u0e30\u0e40-\u0e46\u10a0-\u10ff\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    r"\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d"
)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text takes: `units` are septets for GSM-7 and UTF-16 code units for UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
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


def smart_encode(body: str) -> str:
    """Swap typographic look-alikes for GSM-7 characters, as Twilio's Smart Encoding does; leaves emoji alone."""
    return body.translate(REPLACEMENTS)


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
