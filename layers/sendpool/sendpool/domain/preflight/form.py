"""What Twilio's form demands: presence, lengths, counts, SIDs, keywords; and texts that are no texts yet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from sendpool.domain.keywords import HELP, STOP
from sendpool.domain.preflight.reading import Reading, Text
from sendpool.domain.preflight.rules import Hit
from sendpool.domain.preflight.vocabulary import vocabulary

_REQUIRED: Final = (
    *("brand_registration_sid", "us_app_to_person_usecase", "description", "message_flow"),
    *("message_samples", "has_embedded_links", "has_embedded_phone"),
)
_LENGTHS: Final = {
    "description": (40, 4096),
    "message_flow": (40, 2048),
    "opt_in_message": (20, 320),
    "opt_out_message": (20, 320),
    "help_message": (20, 320),
}
_SAMPLE_LENGTH: Final = (20, 1024)
_SAMPLES: Final = (2, 5)
_KEYWORDS: Final = ("opt_in_keywords", "opt_out_keywords", "help_keywords")
_MOST_KEYWORDS: Final = 255
_BRAND_SID: Final = re.compile(r"BN[0-9a-fA-F]{32}")

# what stands for the brand is no variable of a message
_UNFILLED: Final = re.compile(
    r"[\[<{]{1,2}\s*(?:(?:your[\s_-]+)?(?:company|business|brand|organi[sz]ation|agency|website)|insert|enter|add|todo|tbd|xxx+)"
    r"(?![^\W_]|-)[^\[\]<>{}\n]{0,60}[\]>}]{1,2}"
    r"|\blorem ipsum\b|\b(?:your|the) (?:company|business|brand|organization|website) name\b"
    r"|\byour(?:company|business|brand|website|domain)\.com\b|\bX{4,}\b|\bTODO\b|\bTBD\b",
    re.IGNORECASE,
)
# a description and a flow have none at all
_BRACKETED: Final = re.compile(
    r"[\[<{]{1,2}\s*(?:your|client|store)(?![^\W_])[^\[\]<>{}\n]{0,60}[\]>}]{1,2}", re.IGNORECASE
)
_FEWEST_WORDS: Final = 12
_MOST_ALIKE: Final = 0.85


def check_form(reading: Reading) -> Iterator[Hit]:
    """Find what Twilio itself refuses."""
    yield from _check_presence(reading)
    yield from _check_lengths(reading)
    yield from _check_keywords(reading)
    sid = reading.campaign.brand_registration_sid
    if sid and not _BRAND_SID.fullmatch(sid):
        yield Hit("P-BRAND-SID", "brand_registration_sid", sid)
    if reading.campaign.subscriber_opt_in is False:
        yield Hit("P-SUBSCRIBER-OPT-IN", "subscriber_opt_in")


def _check_presence(reading: Reading) -> Iterator[Hit]:
    campaign = reading.campaign
    for field in _REQUIRED:
        value = getattr(campaign, field)
        if value is None or (not isinstance(value, bool) and not any(map(str.strip, value))):
            yield Hit("P-MISSING", field)
    if campaign.opt_in_keywords and not (campaign.opt_in_message or "").strip():
        message = "opt-in by keyword needs the message that confirms it"
        yield Hit("P-MISSING", "opt_in_message", message=message)


def _check_lengths(reading: Reading) -> Iterator[Hit]:
    for field, (shortest, longest) in _LENGTHS.items():
        text = getattr(reading.campaign, field)
        if text and text.strip() and not shortest <= len(text) <= longest:
            yield Hit("P-LENGTH", field, message=_bounds(len(text), shortest, longest))
    samples = reading.campaign.message_samples
    shortest, longest = _SAMPLE_LENGTH
    for place, sample in enumerate(samples):
        if not shortest <= len(sample) <= longest:
            message = _bounds(len(sample), shortest, longest)
            yield Hit("P-LENGTH", f"message_samples.{place}", message=message)
    if samples and not _SAMPLES[0] <= len(samples) <= _SAMPLES[1]:
        yield Hit("P-SAMPLE-COUNT", "message_samples", str(len(samples)))


def _bounds(length: int, shortest: int, longest: int) -> str:
    return f"it has {length} characters, Twilio takes {shortest} to {longest}"


def _check_keywords(reading: Reading) -> Iterator[Hit]:
    for field in _KEYWORDS:
        keywords = getattr(reading.campaign, field)
        if sum(map(len, keywords)) > _MOST_KEYWORDS:
            yield Hit("P-KEYWORDS", field)
        for keyword in keywords:
            taken = field == "opt_in_keywords" and keyword.strip().upper() in STOP | HELP
            if taken or not keyword.isalnum():
                yield Hit("P-KEYWORDS", field, keyword)


def check_wording(reading: Reading) -> Iterator[Hit]:
    """Find texts that are not the campaign's own: placeholders, tests, repetitions, other languages."""
    for text in reading.texts:
        yield from _check_placeholders(text, is_sample=text in reading.samples)
        yield from _check_language(text, is_sample=text in reading.samples)
        if text is not reading.flow and (said := text.tags.get("test")):
            yield Hit("P-TEST", text.field, said)
    yield from _check_repetitions(reading)


def _check_placeholders(text: Text, *, is_sample: bool) -> Iterator[Hit]:
    unfilled = _UNFILLED.search(text.text) or (not is_sample and _BRACKETED.search(text.text))
    if unfilled:
        yield Hit("P-PLACEHOLDER", text.field, unfilled[0])
        return
    for finding in text.found:
        if finding.rule != "L-TEMPLATE":
            continue
        is_variable = finding.text.endswith(("}", "%", "]", ">"))
        if not (is_sample and is_variable):
            yield Hit("P-PLACEHOLDER", text.field, finding.text)
            return
        if not finding.text.startswith("["):
            yield Hit("P-TEMPLATE", text.field, finding.text)
            return


def _check_language(text: Text, *, is_sample: bool) -> Iterator[Hit]:
    known = vocabulary()
    said = text.words.spoken()
    english = sum(word in known.english for word in said)
    foreign = sum(word in known.foreign for word in said)
    letters = [each for each in text.text if each.isalpha()]
    is_other_script = sum(not "\u0000" <= each < "\u0250" for each in letters) > len(letters) / 2
    if is_other_script or (len(said) >= _FEWEST_WORDS and foreign > max(2, english)):
        yield Hit("P-ENGLISH", text.field, severity="warn" if is_sample else None)


def _check_repetitions(reading: Reading) -> Iterator[Hit]:
    by_words: dict[str, list[Text]] = defaultdict(list)
    for text in reading.texts:
        by_words[" ".join(text.words.spoken())].append(text)
    for said, several in by_words.items():
        if said and len(several) > 1:
            yield from (Hit("P-DUPLICATE", each.field) for each in several)
    alike = {
        each.field
        for pair in combinations(reading.samples, 2)
        if _likeness(*pair) >= _MOST_ALIKE and pair[0].words.words != pair[1].words.words
        for each in pair
    }
    yield from (Hit("P-ALIKE", field) for field in sorted(alike))


def _likeness(one: Text, other: Text) -> float:
    """Return the share of words in both texts among those in either, digits left out."""
    first, second = (
        {word for word in each.words.spoken() if not word.isdigit()} for each in (one, other)
    )
    return len(first & second) / max(1, len(first | second))
