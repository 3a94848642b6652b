"""What a campaign's form tells, and the lengths that it must keep."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form

MISSING = 21727
WRONG_LENGTH = 21728
SAMPLES = range(2, 6)
SAMPLE_LENGTH = range(20, 1025)
LENGTHS = {
    "Description": range(40, 4097),
    "MessageFlow": range(40, 2049),
    "OptInMessage": range(20, 321),
    "OptOutMessage": range(20, 321),
    "HelpMessage": range(20, 321),
}
KEYWORDS = ("OptInKeywords", "OptOutKeywords", "HelpKeywords")
MAX_KEYWORDS_LENGTH = 255
EDITED = (
    *("HasEmbeddedLinks", "HasEmbeddedPhone", "MessageSamples", "MessageFlow", "Description"),
    *("AgeGated", "DirectLending"),
)
REQUIRED = (
    *("BrandRegistrationSid", "Description", "MessageFlow", "MessageSamples"),
    *("UsAppToPersonUsecase", "HasEmbeddedLinks", "HasEmbeddedPhone"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The fields bear the names of the JSON; how STOP and HELP are answered is up to the service, not to the form."""

    us_app_to_person_usecase: str
    description: str
    message_flow: str
    message_samples: tuple[str, ...]
    has_embedded_links: bool
    has_embedded_phone: bool
    opt_in_message: str | None
    opt_in_keywords: tuple[str, ...]
    subscriber_opt_in: bool
    age_gated: bool
    direct_lending: bool
    privacy_policy_url: str | None
    terms_and_conditions_url: str | None


def read_submission(form: Form) -> Submission:
    """A whole submission; ApiError 21727 if something is missing, 21728 if it is too short or too long."""
    _check_present(form, REQUIRED)
    if form.get("OptInKeywords"):
        _check_present(form, ("OptInMessage",))
    _check_lengths(form)
    return Submission(
        us_app_to_person_usecase=form.get("UsAppToPersonUsecase"),
        description=form.get("Description"),
        message_flow=form.get("MessageFlow"),
        message_samples=tuple(form.get_all("MessageSamples")),
        has_embedded_links=form.flag("HasEmbeddedLinks"),
        has_embedded_phone=form.flag("HasEmbeddedPhone"),
        opt_in_message=form.get("OptInMessage") or None,
        opt_in_keywords=tuple(filter(None, form.get_all("OptInKeywords"))),
        subscriber_opt_in=form.flag("SubscriberOptIn", default=True),
        age_gated=form.flag("AgeGated"),
        direct_lending=form.flag("DirectLending"),
        privacy_policy_url=_read_url(form, "PrivacyPolicyUrl"),
        terms_and_conditions_url=_read_url(form, "TermsAndConditionsUrl"),
    )


def read_edit(form: Form, current: Submission) -> Submission:
    """A submission as an edit leaves it; all but the two URLs is told anew, the use case stays."""
    _check_present(form, EDITED)
    _check_lengths(form)
    edited = replace(
        current,
        description=form.get("Description"),
        message_flow=form.get("MessageFlow"),
        message_samples=tuple(form.get_all("MessageSamples")),
        has_embedded_links=form.flag("HasEmbeddedLinks"),
        has_embedded_phone=form.flag("HasEmbeddedPhone"),
        age_gated=form.flag("AgeGated"),
        direct_lending=form.flag("DirectLending"),
    )
    if "PrivacyPolicyUrl" in form:
        edited = replace(edited, privacy_policy_url=_read_url(form, "PrivacyPolicyUrl"))
    if "TermsAndConditionsUrl" in form:
        terms = _read_url(form, "TermsAndConditionsUrl")
        edited = replace(edited, terms_and_conditions_url=terms)
    return edited


def _check_present(form: Form, names: Iterable[str]) -> None:
    if not all(form.get(name) for name in names):
        raise ApiError(MISSING)


def _check_lengths(form: Form) -> None:
    samples = form.get_all("MessageSamples")
    keywords = [form.get_all(name) for name in KEYWORDS]
    is_right = (
        all(len(form.get(name)) in LENGTHS[name] for name in LENGTHS if form.get(name))
        and len(samples) in SAMPLES
        and all(len(each) in SAMPLE_LENGTH for each in samples)
        and all(sum(map(len, each)) <= MAX_KEYWORDS_LENGTH for each in keywords)
    )
    if not is_right:
        raise ApiError(WRONG_LENGTH)
    for name in KEYWORDS:
        for keyword in filter(None, form.get_all(name)):
            if not keyword.isalnum():
                raise invalid_parameter(name, keyword)


def _read_url(form: Form, name: str) -> str | None:
    url = form.get(name)
    parts = urlsplit(url)
    if url and not (parts.scheme in {"http", "https"} and parts.netloc):
        raise invalid_parameter(name, url)
    return url or None
