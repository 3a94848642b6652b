"""What a reviewer makes of a bundle when nobody at the control API says otherwise.

`reject:18602` in the bundle's name or in an attribute of one of its end users rejects with that code; several may
stand there. Other codes in such markers are for those who judge later.
"""

import re
from collections.abc import Iterable, Mapping

MARKER = re.compile(r"\breject:(18\d{3})\b")
# what Twilio tells with a rejection
REASONS: Mapping[int, str] = {
    18601: "The association between business name and website cannot be verified",
    18602: "The Business ID you provided could not be verified",
    18603: "The address could not be verified",
    18604: "Unable to verify Authorized representative #1",
    18605: "Unable to verify Authorized representative #2",
    18606: "The Email domain doesn't match the website domain",
    18607: "Customer Profile or Trust Product is not eligible to be copied",
    18608: "Customer Profile or Trust Product is already copied",
    18609: "Ineligible Business Registration Authority",
}
UNKNOWN_REASON = 18602


def find_faults(texts: Iterable[str], *, is_compliant: bool) -> tuple[int, ...]:
    """The rejection codes that a bundle deserves, none if it is fine."""
    marked = tuple(int(code) for text in texts for code in MARKER.findall(text))
    return marked or (() if is_compliant else (UNKNOWN_REASON,))


def reason_of(codes: Iterable[int]) -> str:
    """The codes in words."""
    return "; ".join(REASONS.get(code, "The information could not be verified") for code in codes)
