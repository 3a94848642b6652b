"""How a text goes over the air: encoding, segments, and Smart Encoding, as Twilio's public calculator counts them.

GSM-7 holds 160 units in one message and 153 in each part of a longer one, UCS-2 70 and 67. Neither an extension
character nor a grapheme is split over two parts. The alphabets and look-alikes are data (data/*.json).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import regex

DATA = Path(__file__).parents[1] / "data"
# the calculator counts CR LF as two, and knows no Indic conjuncts: a letter after a mark begins anew
GRAPHEME = regex.compile(r"\r|\n|\X")
IN_CONJUNCT = regex.compile(r"(?V1)(?<=[\p{M}\u200d])(?=[\p{Lo}--[\u0e33\u0eb3]])")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding with its room, in units of its own."""

    name: str
    single: int
    part: int


GSM_7 = Encoding("GSM-7", single=160, part=153)
UCS_2 = Encoding("UCS-2", single=70, part=67)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text takes: units are septets in GSM-7, UTF-16 code units in UCS-2."""

    encoding: str
    segments: int
    units: int


@cache
def _gsm_units() -> dict[str, int]:
    alphabets = json.loads((DATA / "gsm7-charset.json").read_text(encoding="utf-8"))
    return dict.fromkeys(alphabets["basic"], 1) | dict.fromkeys(alphabets["extension"], 2)


@cache
def _look_alikes() -> dict[int, str]:
    document = json.loads((DATA / "smart-encoding-map.json").read_text(encoding="utf-8"))
    return {ord(character): replacement for character, replacement in document["map"].items()}


def smart_encode(text: str) -> str:
    """Swap look-alikes for characters of GSM-7; emoji and other scripts stay."""
    return text.translate(_look_alikes())


@lru_cache(maxsize=1024)
def segment(text: str) -> Segmentation:
    """Count the segments of a text; an empty one takes one."""
    gsm_units = _gsm_units()
    if gsm_units.keys() >= set(text):
        return _fill(GSM_7, [gsm_units[character] for character in text])
    return _fill(UCS_2, [_utf16_units(grapheme) for grapheme in split_graphemes(text)])


def split_graphemes(text: str) -> Iterator[str]:
    """What the calculator never splits over two parts."""
    for cluster in GRAPHEME.findall(text):
        yield from IN_CONJUNCT.split(cluster)


def count_segments(text: str) -> int:
    """Segments of a text."""
    return segment(text).segments


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fill(encoding: Encoding, sizes: list[int]) -> Segmentation:
    units = sum(sizes)
    if units <= encoding.single:
        return Segmentation(encoding.name, 1, units)
    segments, room = 1, encoding.part
    for size in sizes:
        if size > room:
            segments, room = segments + 1, encoding.part
        room -= size
        while room < 0:  # a grapheme longer than a part is cut
            segments, room = segments + 1, room + encoding.part
    return Segmentation(encoding.name, segments, units)
