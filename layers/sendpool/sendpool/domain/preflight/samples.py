"""The samples, held against the form and the use case; and the answers to opt-in, HELP and STOP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sendpool.domain.lint import Finding
from sendpool.domain.preflight.reading import Reading, Text
from sendpool.domain.preflight.rules import Hit, Severity
from sendpool.domain.preflight.vocabulary import vocabulary

_2FA: Final = "2FA"
_LINK_VARIABLE: Final = re.compile(r"\[[^\[\]]{0,30}(?:link|url)[^\[\]]{0,10}\]", re.IGNORECASE)
_PHONE_VARIABLE: Final = re.compile(r"\[[^\[\]]{0,30}phone[^\[\]]{0,15}\]", re.IGNORECASE)
_EMAIL: Final = re.compile(r"\S@\S+\.\w")
_LINK_RULES: Final = {
    "L-URL-SHORTENER": "P-SHORTENER",
    "L-URL-HTTP": "P-HTTP",
    "L-URL-IP": "P-LINK-IP",
    "L-URL-FOREIGN": "P-LINK-FOREIGN",
}


def check_samples(reading: Reading) -> Iterator[Hit]:
    """Find samples that are nobody's, offer no way out, or are of another kind than the form says."""
    samples = reading.samples
    if not samples:
        return
    campaign = reading.campaign
    yield from _check_any(
        "P-SAMPLE-BRAND",
        samples,
        [each.names(campaign.brand_name) or each.leads_home for each in samples],
    )
    if not any(each.first("L-OPTOUT-MISSING") is None for each in samples):
        is_code = campaign.us_app_to_person_usecase == _2FA
        yield Hit("P-SAMPLE-STOP", "message_samples", severity="warn" if is_code else None)
    yield from _check_use_case(reading)
    yield from _check_flag(
        "P-LINKS-FLAG",
        samples,
        [_shows(each, "L-LINKS-FLAG", _LINK_VARIABLE) for each in samples],
        declared=campaign.has_embedded_links,
    )
    yield from _check_flag(
        "P-PHONE-FLAG",
        samples,
        [_shows(each, "L-PHONE-FLAG", _PHONE_VARIABLE) for each in samples],
        declared=campaign.has_embedded_phone,
    )


def _check_any(rule: str, samples: tuple[Text, ...], fits: list[bool]) -> Iterator[Hit]:
    """Reject samples of which none fits, and warn of each that does not if others do."""
    if not any(fits):
        yield Hit(rule, "message_samples")
        return
    for sample, does in zip(samples, fits, strict=True):
        if not does:
            yield Hit(rule, sample.field, severity="warn", message=_ALONE[rule])


_ALONE: Final = {
    "P-SAMPLE-BRAND": "this sample does not name the brand",
    "P-SAMPLE-USE-CASE": "this sample does not look like a message of the use case",
}


def _check_use_case(reading: Reading) -> Iterator[Hit]:
    for sample in reading.samples:
        if promotion := sample.first("L-USECASE"):
            yield Hit("P-SAMPLE-USE-CASE", sample.field, promotion.text, message=promotion.message)
    evidence = vocabulary().use_cases.get(reading.campaign.us_app_to_person_usecase or "")
    if evidence:
        fits = [each.says(evidence) for each in reading.samples]
        yield from _check_any("P-SAMPLE-USE-CASE", reading.samples, fits)


def _shows(sample: Text, rule: str, variable: re.Pattern[str]) -> str | None:
    """Return the first link or phone number of a sample, or the variable that stands for one."""
    finding, stand_in = sample.first(rule), variable.search(sample.text)
    return finding.text if finding else stand_in[0] if stand_in else None


def _check_flag(
    rule: str, samples: tuple[Text, ...], shown: list[str | None], *, declared: bool | None
) -> Iterator[Hit]:
    if declared and not any(shown):
        yield Hit(rule, "message_samples", message="it is declared, and no sample shows any")
    if declared is False:
        for sample, text in zip(samples, shown, strict=True):
            if text:
                yield Hit(rule, sample.field, text, message="it is shown, and not declared")


def check_links(reading: Reading) -> Iterator[Hit]:
    """Find links that carriers block, wherever they stand; foreign ones only in what recipients get."""
    for text in reading.texts:
        is_sent = text not in (reading.description, reading.flow)
        for finding in text.found:
            rule = _LINK_RULES.get(finding.rule)
            if rule and (is_sent or rule != "P-LINK-FOREIGN"):
                yield Hit(rule, text.field, finding.text)


def check_replies(reading: Reading) -> Iterator[Hit]:
    """Find answers to keywords that lack what they have to say."""
    brand = reading.campaign.brand_name
    if opt_in := reading.opt_in_message:
        yield from _check_confirmation(opt_in, brand)
    if (answer := reading.help_message) and not (
        answer.names(brand) and _tells_how_to_reach(answer)
    ):
        yield Hit("P-HELP-MESSAGE", answer.field)
    if (answer := reading.opt_out_message) and not (answer.names(brand) and "gone" in answer.tags):
        yield Hit("P-OPT-OUT-MESSAGE", answer.field)
    yield from _check_pairs(reading)


def _check_pairs(reading: Reading) -> Iterator[Hit]:
    """Who answers STOP or HELP without Twilio gives keywords and an answer, who leaves it to Twilio neither."""
    campaign = reading.campaign
    for kind, keywords, answer in (
        ("opt_out", campaign.opt_out_keywords, reading.opt_out_message),
        ("help", campaign.help_keywords, reading.help_message),
    ):
        if bool(keywords) is not bool(answer):
            rule = f"P-{kind.upper().replace('_', '-')}-MESSAGE"
            field = f"{kind}_{'message' if keywords else 'keywords'}"
            message = "give keywords and the answer to them, or neither: then Twilio answers"
            yield Hit(rule, field, severity="warn", message=message)


def _check_confirmation(text: Text, brand: str | None) -> Iterator[Hit]:
    """Without brand, HELP and STOP it is rejected; many without frequency and rates pass."""
    needed = {
        "the brand": text.names(brand),
        "HELP": "help" in text.tags,
        "STOP": text.first("L-OPTOUT-MISSING") is None,
    }
    wanted = {
        "how often you text": "frequency" in text.tags,
        "'Msg & data rates may apply'": "rates" in text.tags,
    }
    lacks = [what for what, is_said in (needed | wanted).items() if not is_said]
    if lacks:
        severity: Severity | None = None if needed.keys() & set(lacks) else "warn"
        message = f"the confirmation lacks: {', '.join(lacks)}"
        yield Hit("P-OPT-IN-MESSAGE", text.field, severity=severity, message=message)


def _tells_how_to_reach(answer: Text) -> bool:
    contact: Finding | None = answer.first("L-PHONE-FLAG") or answer.first("L-LINKS-FLAG")
    return contact is not None or _EMAIL.search(answer.text) is not None
