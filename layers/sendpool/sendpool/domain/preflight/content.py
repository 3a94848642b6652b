"""What no campaign may be about, or only with a flag set or as a special use case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sendpool.domain.phrases import read_words
from sendpool.domain.preflight.reading import Reading, Text
from sendpool.domain.preflight.rules import Hit
from sendpool.domain.preflight.vocabulary import vocabulary

# rules of content lint that hold for whole campaigns
_FORBIDDEN: Final = {
    "L-SHAFT-SEX": "P-ADULT",
    "L-SHAFT-HATE": "P-HATE",
    "L-SHAFT-ALCOHOL": "P-ALCOHOL",
    "L-SHAFT-FIREARM": "P-FIREARMS",
    "L-SHAFT-TOBACCO": "P-TOBACCO",
    "L-DRUG": "P-DRUGS",
    "L-DEBT": "P-DEBT",
    "L-CREDIT": "P-CREDIT-REPAIR",
    "L-GAMBLE": "P-GAMBLING",
    "L-SWEEP": "P-SWEEPSTAKES",
    "L-INVEST": "P-INVESTMENT",
    "L-LEADGEN": "P-LEAD-GENERATION",
}


def check_content(reading: Reading) -> Iterator[Hit]:
    """Find forbidden content in any text, and flags that do not fit the content."""
    for text in reading.texts:
        for finding in text.found:
            if rule := _FORBIDDEN.get(finding.rule):
                yield Hit(rule, text.field, finding.text)
        if text is not reading.flow and (said := text.tags.get("leads")):
            yield Hit("P-LEAD-GENERATION", text.field, said)
    for text in (*reading.samples, *reading.replies):
        if phishing := text.first("L-PHISH"):
            yield Hit("P-PHISHING", text.field, phishing.text)
        yield from _check_tricks(text, reading)
    yield from _check_lending(reading)
    yield from _check_age(reading)


def _check_tricks(text: Text, reading: Reading) -> Iterator[Hit]:
    finding = text.first("L-DECEPTIVE")
    if finding and reading.campaign.us_app_to_person_usecase != "SWEEPSTAKE":
        is_prize = not vocabulary().prizes.isdisjoint(read_words(finding.text).words)
        yield Hit("P-DECEPTIVE", text.field, finding.text, severity=None if is_prize else "warn")


def _check_lending(reading: Reading) -> Iterator[Hit]:
    """A lender may write of its loans if it says that it is one; payday loans and brokers may not."""
    is_lender = reading.campaign.direct_lending is True
    loans, mentions = [], []
    for text in reading.texts:
        offer = text.first("L-LOAN")
        risky, said = text.tags.get("risky-loan"), text.tags.get("lending")
        if risky and said:
            loans.append(Hit("P-LOAN", text.field, risky))
        elif offer and not is_lender:
            loans.append(Hit("P-LOAN", text.field, offer.text))
        elif said and not is_lender:
            mentions.append(Hit("P-DIRECT-LENDING", text.field, said))
    yield from loans or mentions


def _check_age(reading: Reading) -> Iterator[Hit]:
    described = (reading.description, reading.flow)
    if reading.campaign.age_gated and not any(
        each and "age-check" in each.tags for each in described
    ):
        yield Hit("P-AGE-GATE", "age_gated")
