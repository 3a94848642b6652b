"""How many SMS segments a text takes.

GSM-7 counts 160 units (153 in parts), UCS-2 70 (67); a character is never split over two parts.
"""

from functools import lru_cache

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
LAST_BMP_CHARACTER = 0xFFFF


@lru_cache(maxsize=1024)
def count_segments(body: str) -> int:
    """Segments of a text; an empty one takes one."""
    characters = set(body)
    if characters <= GSM_BASIC | GSM_EXTENSION:
        units = [2 if character in GSM_EXTENSION else 1 for character in body]
        return _pack(units, single=160, part=153)
    units = [2 if ord(character) > LAST_BMP_CHARACTER else 1 for character in body]
    return _pack(units, single=70, part=67)


def _pack(units: list[int], *, single: int, part: int) -> int:
    if sum(units) <= single:
        return 1
    segments, room = 1, part
    for unit in units:
        if unit > room:
            segments, room = segments + 1, part
        room -= unit
    return segments
