"""What the campaign is for, and how people agree to it: the description and the message flow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sendpool.domain.phrases import read_words
from sendpool.domain.preflight.reading import Reading, Text
from sendpool.domain.preflight.rules import Hit, Severity
from sendpool.domain.preflight.vocabulary import vocabulary

# what a flow must not say
_FAULTS: Final = {
    "no-opt-in": "P-FLOW-NO-OPT-IN",
    "prechecked": "P-FLOW-PRECHECKED",
    "required": "P-FLOW-REQUIRED",
    "bundled": "P-FLOW-BUNDLED",
    "sharing": "P-FLOW-SHARING",
}
# what a flow has to say
_DISCLOSURES: Final = {
    "frequency": "P-FLOW-FREQUENCY",
    "rates": "P-FLOW-RATES",
}
# in whatever words: nobody writes these in capitals otherwise
_HELP: Final = re.compile(r"\bHELP\b")
_TERMS: Final = re.compile(r"\b(?:terms|privacy)\b", re.IGNORECASE)
_STOP: Final = re.compile(r"\b(?:STOP|UNSUBSCRIBE|QUIT|CANCEL|END)\b")
_OPT_IN_BY_KEYWORD: Final = re.compile(
    r"\b(?i:text|txt|texting|texts|send|sending|sends|message)\s+(?:the (?:key)?word\s+)?[\"'\u201c\u2018*]?"
    r"(?!(?:STOP|HELP|INFO|END|QUIT|CANCEL|UNSUBSCRIBE|STOPALL|YES|NO|SMS|MMS|US|ME|A|AN|OTP)\b)[A-Z0-9]{2,20}"
    r"[\"'\u201d\u2019*]?\s+to\s+(?:us\b|our\b|this\b|the\b|short|number|join\b|\+?\(?\d)"
)
_PICTURE: Final = re.compile(
    r"\.(?:png|jpe?g|gif|pdf|webp|mp4|mp3|docx?)\b|\b(?:imgur|drive\.google|dropbox|onedrive|1drv|box\.com|sharepoint)",
    re.IGNORECASE,
)
_QUOTATION: Final = re.compile(r"[\"\u201c]([^\"\u201d]{40,})[\"\u201d]")
_FEWEST_SPECIFIC: Final = 2
"""Words that say something of this campaign, and not of any."""


def check_description(reading: Reading) -> Iterator[Hit]:
    """Find out whether the description says who texts whom, and why."""
    text = reading.description
    if text is None:
        return
    known = vocabulary()
    brand = read_words(reading.campaign.brand_name or "").spoken()
    specific = {*text.words.spoken()} - {*known.english, *known.audience, *known.generic, *brand}
    if len(specific) < _FEWEST_SPECIFIC:
        yield Hit("P-DESCRIPTION-VAGUE", text.field)
    if not text.says(known.audience):
        yield Hit("P-DESCRIPTION-AUDIENCE", text.field)
    if not text.names(reading.campaign.brand_name):
        yield Hit("P-DESCRIPTION-BRAND", text.field)


def check_flow(reading: Reading) -> Iterator[Hit]:
    """Find what makes the opt-in none, what it lacks, and what of it a reviewer cannot see."""
    flow = reading.flow
    if flow is None:
        return
    for tag, rule in _FAULTS.items():
        if said := flow.tags.get(tag):
            yield Hit(rule, flow.field, said)
    by_keyword = _OPT_IN_BY_KEYWORD.search(flow.text)
    yield from (Hit(rule, flow.field) for rule in _lacking(reading, flow, by_keyword))
    yield from _check_ways_out(flow)
    yield from _check_evidence(flow)
    yield from _check_keywords(reading, flow, by_keyword)


def _lacking(reading: Reading, flow: Text, by_keyword: re.Match[str] | None) -> Iterator[str]:
    # a fault already says what is wrong with the consent
    if not (by_keyword or "consent" in flow.tags or _FAULTS.keys() & flow.tags.keys()):
        yield "P-FLOW-NO-CONSENT"
    if not (by_keyword or "channel" in flow.tags):
        yield "P-FLOW-CHANNEL"
    yield from (rule for tag, rule in _DISCLOSURES.items() if tag not in flow.tags)
    if not _TERMS.search(flow.text):
        yield "P-FLOW-TERMS"
    if not flow.names(reading.campaign.brand_name):
        yield "P-FLOW-BRAND"
    if not (flow.says(vocabulary().purposes) or "about" in flow.tags):
        yield "P-FLOW-PURPOSE"


def _check_ways_out(flow: Text) -> Iterator[Hit]:
    """HELP and STOP have to stand where people agree; where that is a page, it may say so for itself."""
    severity: Severity | None = "warn" if flow.first("L-LINKS-FLAG") else None
    if not ("help" in flow.tags or _HELP.search(flow.text)):
        yield Hit("P-FLOW-HELP", flow.field, severity=severity)
    if flow.first("L-OPTOUT-MISSING") and not _STOP.search(flow.text):
        yield Hit("P-FLOW-STOP", flow.field, severity=severity)


def _check_evidence(flow: Text) -> Iterator[Hit]:
    """Find what a reviewer cannot look at: each way to opt in has to be open to them."""
    has_link = flow.first("L-LINKS-FLAG") is not None
    is_shown = has_link and ("evidence" in flow.tags or _PICTURE.search(flow.text) is not None)
    if (said := flow.tags.get("login")) and not is_shown:
        yield Hit("P-FLOW-LOGIN", flow.field, said)
    elif (said := flow.tags.get("web")) and not has_link:
        yield Hit("P-FLOW-LINK", flow.field, said)
    if (said := flow.tags.get("spoken")) and not quotes_a_script(flow):
        yield Hit("P-FLOW-VERBAL", flow.field, said)
    if (said := flow.tags.get("paper")) and not has_link:
        yield Hit("P-FLOW-PAPER", flow.field, said)


def quotes_a_script(flow: Text) -> bool:
    """Tell whether a text quotes what is said to people who agree by word of mouth."""
    return "script" in flow.tags or _QUOTATION.search(flow.text) is not None


def _check_keywords(
    reading: Reading, flow: Text, by_keyword: re.Match[str] | None
) -> Iterator[Hit]:
    keywords = reading.campaign.opt_in_keywords
    if by_keyword and not keywords:
        yield Hit("P-FLOW-KEYWORD", flow.field, by_keyword[0])
    if keywords and not any(keyword.lower() in flow.words.words for keyword in keywords):
        yield Hit("P-FLOW-KEYWORD-UNSEEN", flow.field)
