"""SIDs: two letters that tell the kind, and 32 hexadecimal digits."""

import re
import uuid

SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


def new_sid(kind: str) -> str:
    """A fresh SID; random even under a fixed seed, as a restarted server must not repeat one."""
    return kind + uuid.uuid4().hex


def is_sid(text: str, kind: str) -> bool:
    """The text is a well-formed SID of this kind."""
    return SID.fullmatch(text) is not None and text.startswith(kind)
