"""The Campaign Registry, as far as its IDs go."""

from zlib import crc32

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 6


def tcr_id(kind: str, sid: str) -> str:
    """The registry's ID of a brand (`B`) or campaign (`C`), always the same for a SID."""
    number = crc32(sid.encode())
    digits = [ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(LENGTH)]
    return kind + "".join(digits)
