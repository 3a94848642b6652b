"""Whether there is such a use case, the brand may have it, and what is described belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sendpool.domain.phrases import read_words
from sendpool.domain.preflight.reading import Reading
from sendpool.domain.preflight.rules import Hit
from sendpool.domain.preflight.vocabulary import vocabulary

_FIELD: Final = "us_app_to_person_usecase"

# what a text says, the rule that it breaks, and the use cases that are for it
_CONTENT: Final = {
    "many-companies": ("P-MANY-COMPANIES", {"AGENTS_FRANCHISES"}),
    "person-to-person": ("P-PERSON-TO-PERSON", {"PROXY", "POLITICAL"}),
    "influencer": ("P-INFLUENCER", set[str]()),
    "emergency": ("P-EMERGENCY", {"EMERGENCY"}),
    "political": ("P-POLITICAL", {"POLITICAL"}),
    "donations": ("P-CHARITY", {"CHARITY", "POLITICAL"}),
}
_OF_DESCRIPTIONS: Final = {"many-companies", "person-to-person", "influencer"}


def check_use_case(reading: Reading) -> Iterator[Hit]:
    """Hold use case and brand against each other, and the texts against the use case."""
    code = (reading.campaign.us_app_to_person_usecase or "").strip()
    known = vocabulary()
    if code and code not in known.use_cases:
        yield Hit("P-USE-CASE-CODE", _FIELD, code, message=_right_code(code))
    elif code in known.special:
        yield Hit("P-USE-CASE-SPECIAL", _FIELD, code, message=_APPROVALS.get(code))
    yield from _check_brand(reading, code)
    yield from _check_content(reading, code)


_APPROVALS: Final = {
    "POLITICAL": "political campaigns need a vetting by Campaign Verify",
    "CHARITY": "charities are 501(c)(3) organizations whose tax exemption was verified with the brand",
}


def _right_code(code: str) -> str:
    written = re.sub(r"[\s/&-]+", "_", code.upper())
    right = written if written in vocabulary().use_cases else vocabulary().instead_of.get(written)
    if right is None:
        return f"there is no such use case; there are {', '.join(vocabulary().use_cases)}"
    return f"there is no such use case; the code that comes closest is {right}"


def _check_brand(reading: Reading, code: str) -> Iterator[Hit]:
    brand_type = reading.campaign.brand_type
    if brand_type and code and (brand_type == "SOLE_PROPRIETOR") is not (code == "SOLE_PROPRIETOR"):
        yield Hit("P-USE-CASE-BRAND", _FIELD, code)
    name = reading.campaign.brand_name
    if name and reading.is_sole_proprietor:
        words = read_words(name.replace(".", "")).spoken()
        if not vocabulary().company_words.isdisjoint(words):
            yield Hit("P-SOLE-PROPRIETOR-NAME", "brand_name", name)


def _check_content(reading: Reading, code: str) -> Iterator[Hit]:
    for tag, (rule, covered_by) in _CONTENT.items():
        if code in covered_by:
            continue
        texts = (
            [reading.description]
            if tag in _OF_DESCRIPTIONS
            else [reading.description, *reading.samples]
        )
        for text in filter(None, texts):
            if said := text.tags.get(tag):
                yield Hit(rule, text.field, said)
