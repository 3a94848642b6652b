"""What a reviewer makes of a campaign when nobody at the control API says otherwise.

`reject:30897` in the description fails it with that code; several may stand there.
"""

import re
from collections.abc import Iterator

from local.twilio.a2p.brand import Brand
from local.twilio.a2p.submission import Submission
from local.twilio.a2p.use_cases import CHARITY, POLITICAL
from local.twilio.a2p.vetting import Provider

MARKER = re.compile(r"\breject:(30\d{3})\b")
LINK = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]+\.(?:com|org|net|io|co|ly|us|gov|edu)\b", re.IGNORECASE
)
INSECURE_LINK = re.compile(r"\bhttp://", re.IGNORECASE)
PHONE = re.compile(r"\+1\d{10}\b|\(\d{3}\)[ -]?\d{3}-\d{4}|\b(?:1-)?\d{3}-\d{3}-\d{4}\b")
SHORTENER = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|tiny\.cc|cutt\.ly)\b",
    re.IGNORECASE,
)
CONSENT = re.compile(r"opt|consent|agree|subscri|sign|check|text|permission", re.IGNORECASE)
FEWEST_WORDS = 12

UNKNOWN_REASON = 30880
SHORTENER_IN_SAMPLE = 30892
SAMPLES_MISMATCH = 30893
INELIGIBLE = 30900
FLOW_TOO_THIN = 30909
DUPLICATE_TEXT = 30911
PRIVACY_MISSING = 30933
TERMS_MISSING = 30934
SHORTENER_ELSEWHERE = 30963
INSECURE = 30964
EXTERNAL_REJECTED = 30906
FIELDS = {
    SHORTENER_IN_SAMPLE: ("MESSAGE_SAMPLES",),
    SAMPLES_MISMATCH: ("MESSAGE_SAMPLES",),
    30896: ("MESSAGE_FLOW",),
    30897: ("MESSAGE_FLOW",),
    INELIGIBLE: ("US_APP_TO_PERSON_USECASE",),
    FLOW_TOO_THIN: ("MESSAGE_FLOW",),
    DUPLICATE_TEXT: ("MESSAGE_SAMPLES",),
    PRIVACY_MISSING: ("PRIVACY_POLICY_URL",),
    TERMS_MISSING: ("TERMS_AND_CONDITIONS_URL",),
    SHORTENER_ELSEWHERE: ("MESSAGE_FLOW", "DESCRIPTION"),
    INSECURE: ("MESSAGE_FLOW", "MESSAGE_SAMPLES", "DESCRIPTION"),
}


def marked_codes(submission: Submission) -> tuple[int, ...]:
    """The codes that its description asks for."""
    return tuple(int(code) for code in MARKER.findall(submission.description))


def find_faults(submission: Submission, brand: Brand) -> tuple[int, ...]:
    """The codes with which a campaign fails, none if it is fine."""
    return marked_codes(submission) or tuple(_faults(submission, brand))


def _faults(submission: Submission, brand: Brand) -> Iterator[int]:
    if not submission.privacy_policy_url:
        yield PRIVACY_MISSING
    if not submission.terms_and_conditions_url:
        yield TERMS_MISSING
    yield from _link_faults(submission)
    if not _samples_match(submission):
        yield SAMPLES_MISMATCH
    if len(set(submission.message_samples)) < len(submission.message_samples):
        yield DUPLICATE_TEXT
    flow = submission.message_flow
    if len(flow.split()) < FEWEST_WORDS or not CONSENT.search(flow):
        yield FLOW_TOO_THIN
    if not _is_eligible(submission, brand):
        yield INELIGIBLE


def _link_faults(submission: Submission) -> Iterator[int]:
    samples = " ".join(submission.message_samples)
    elsewhere = f"{submission.message_flow} {submission.description}"
    pages = f"{submission.privacy_policy_url} {submission.terms_and_conditions_url}"
    if INSECURE_LINK.search(f"{samples} {elsewhere} {pages}"):
        yield INSECURE
    if SHORTENER.search(samples):
        yield SHORTENER_IN_SAMPLE
    if SHORTENER.search(elsewhere):
        yield SHORTENER_ELSEWHERE


def _samples_match(submission: Submission) -> bool:
    """There are links and phone numbers in the samples just if the campaign says that it sends them."""
    samples = " ".join(submission.message_samples)
    return (
        bool(LINK.search(samples)) is submission.has_embedded_links
        and bool(PHONE.search(samples)) is submission.has_embedded_phone
    )


def _is_eligible(submission: Submission, brand: Brand) -> bool:
    """Political campaigns have a token of Campaign Verify, charities a tax exemption."""
    use_case = submission.us_app_to_person_usecase
    if use_case == POLITICAL:
        return brand.has_passed(Provider.CAMPAIGN_VERIFY)
    return use_case != CHARITY or brand.company_type == "non-profit"
