"""What is told to reviewers of a toll-free number: each field of Twilio's form, with what it may hold.

Names are Twilio's. None or empty is not given. Twilio documents no lengths but that of a vetting's id, and message
volumes as any number: `LONGEST` is ours, far above what its Console takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from sendpool.domain.errors import Violation

type Value = str | bool | tuple[str, ...] | None
type Changes = Mapping[str, Value]
"""Fields by name, with what each shall hold; None empties one."""

type Category = Literal[
    "TWO_FACTOR_AUTHENTICATION",
    "ACCOUNT_NOTIFICATIONS",
    "CUSTOMER_CARE",
    "CHARITY_NONPROFIT",
    "DELIVERY_NOTIFICATIONS",
    "FRAUD_ALERT_MESSAGING",
    "EVENTS",
    "HIGHER_EDUCATION",
    "K12",
    "MARKETING",
    "POLLING_AND_VOTING_NON_POLITICAL",
    "POLITICAL_ELECTION_CAMPAIGNS",
    "PUBLIC_SERVICE_ANNOUNCEMENT",
    "SECURITY_ALERT",
]
type OptInType = Literal[
    "VERBAL",
    "WEB_FORM",
    "PAPER_FORM",
    "VIA_TEXT",
    "MOBILE_QR_CODE",
    "IMPORT",
    "IMPORT_PLEASE_REPLACE",
]
type BusinessType = Literal[
    "PRIVATE_PROFIT", "PUBLIC_PROFIT", "SOLE_PROPRIETOR", "NON_PROFIT", "GOVERNMENT"
]
type Authority = Literal[
    "EIN",
    "CBN",
    "CRN",
    "PROVINCIAL_NUMBER",
    "VAT",
    "ACN",
    "ABN",
    "BRN",
    "SIREN",
    "SIRET",
    "NZBN",
    "USt-IdNr",
    "CIF",
    "NIF",
    "CNPJ",
    "UID",
    "NEQ",
    "OTHER",
]
type VettingProvider = Literal["CAMPAIGN_VERIFY"]

LONGEST: Final = 4096
LONGEST_VETTING_ID: Final = 500
MOST_VALUES: Final = 50

SOLE_PROPRIETOR: Final = "SOLE_PROPRIETOR"
POLITICAL: Final = "POLITICAL_ELECTION_CAMPAIGNS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """All that reviewers are told. Two fields are said once and cannot be edited: see `ONCE`."""

    business_name: str | None = None
    business_website: str | None = None
    notification_email: str | None = None
    use_case_categories: tuple[str, ...] = ()
    use_case_summary: str | None = None
    production_message_sample: str | None = None
    opt_in_image_urls: tuple[str, ...] = ()
    opt_in_type: str | None = None
    message_volume: str | None = None
    business_street_address: str | None = None
    business_street_address2: str | None = None
    business_city: str | None = None
    business_state_province_region: str | None = None
    business_postal_code: str | None = None
    business_country: str | None = None
    additional_information: str | None = None
    business_contact_first_name: str | None = None
    business_contact_last_name: str | None = None
    business_contact_email: str | None = None
    business_contact_phone: str | None = None
    business_registration_number: str | None = None
    business_registration_authority: str | None = None
    business_registration_country: str | None = None
    business_type: str | None = None
    business_registration_phone_number: str | None = None
    doing_business_as: str | None = None
    opt_in_confirmation_message: str | None = None
    help_message_sample: str | None = None
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None
    age_gated_content: bool | None = None
    opt_in_keywords: tuple[str, ...] = ()
    vetting_provider: str | None = None
    vetting_id: str | None = None
    customer_profile_sid: str | None = None
    external_reference_id: str | None = None

    def with_changes(self, changes: Changes) -> Submission:
        """Return it with some fields changed; what is emptied is as if it had never been given."""
        known: dict[str, Any] = {
            name: _empty(name) if value is None else value for name, value in changes.items()
        }
        return replace(self, **known)

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that Twilio's form demands and that are empty."""
        return tuple(name for name in REQUIRED if not getattr(self, name))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Empty fields that the form lets be empty and reviewers ask for."""
        return tuple(name for name in self._asked_for() if not getattr(self, name))

    def _asked_for(self) -> Iterator[str]:
        yield from ("business_type", "business_street_address", "business_city")
        yield from ("business_postal_code", "business_country")
        yield from ("business_contact_first_name", "business_contact_last_name")
        yield from ("business_contact_email", "business_contact_phone")
        if self.business_type != SOLE_PROPRIETOR:
            yield from _REGISTRATION
        yield from ("opt_in_confirmation_message", "help_message_sample")
        yield from ("privacy_policy_url", "terms_and_conditions_url")
        if self.opt_in_type == "VIA_TEXT":
            yield "opt_in_keywords"
        if POLITICAL in self.use_case_categories:
            yield from ("vetting_provider", "vetting_id")


_REGISTRATION: Final = (
    "business_registration_number",
    "business_registration_authority",
    "business_registration_country",
)
FIELDS: Final = tuple(field.name for field in fields(Submission))
_LISTS: Final = frozenset({"use_case_categories", "opt_in_image_urls", "opt_in_keywords"})

REQUIRED: Final = (
    *("business_name", "business_website", "notification_email", "use_case_categories"),
    *("use_case_summary", "production_message_sample", "opt_in_image_urls", "opt_in_type"),
    "message_volume",
)
"""What Twilio's form demands, beside the number."""

ONCE: Final = frozenset({"customer_profile_sid", "external_reference_id"})


def _empty(name: str) -> Value:
    return () if name in _LISTS else None


# ------------------------------------------------------------------------------------------------ what may be said


def is_number_sid(sid: str) -> bool:
    """Tell whether a text has the form of a phone number's SID."""
    return _NUMBER_SID.fullmatch(sid) is not None


def is_verification_sid(sid: str) -> bool:
    """Tell whether a text has the form of a verification's SID."""
    return _VERIFICATION_SID.fullmatch(sid) is not None


def problems(submission: Submission) -> tuple[Violation, ...]:
    """Tell what Twilio's form would refuse: what is missing, and what no field may hold."""
    return tuple(_problems(submission))


def _problems(submission: Submission) -> Iterator[Violation]:
    for name in submission.missing:
        yield Violation(name, "missing_field", "is demanded by Twilio's form")
    for name in FIELDS:
        value = getattr(submission, name)
        if value and (broken := RULES[name](value)):
            yield Violation(name, *broken)
    if (submission.vetting_id is None) is not (submission.vetting_provider is None):
        field = "vetting_id" if submission.vetting_id is None else "vetting_provider"
        words = "vetting_provider and vetting_id go together"
        yield Violation(field, "vetting_incomplete", words)


_NUMBER_SID: Final = re.compile("PN[0-9a-fA-F]{32}")
_VERIFICATION_SID: Final = re.compile("HH[0-9a-fA-F]{32}")
_PROFILE_SID: Final = re.compile("BU[0-9a-fA-F]{32}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_COUNTRY: Final = re.compile("[A-Z]{2}")
_VOLUME: Final = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})\+?")

type Broken = tuple[str, str] | None
type Rule = Callable[[Any], Broken]


def _text(value: str) -> Broken:
    if not value.strip():
        return "blank_text", "must not be blank"
    return (
        ("text_too_long", f"has more than {LONGEST} characters") if len(value) > LONGEST else None
    )


def _matching(pattern: re.Pattern[str], code: str, words: str) -> Rule:
    return lambda value: None if pattern.fullmatch(value) else (code, words)


def _choice(literal: Any) -> Rule:
    choices = choices_of(literal)
    words = f"must be one of {', '.join(choices)}"
    return lambda value: None if value in choices else ("unknown_choice", words)


def _each(rule: Rule) -> Rule:
    def check(values: tuple[str, ...]) -> Broken:
        if len(values) > MOST_VALUES:
            return "too_many_values", f"has more than {MOST_VALUES} values"
        return next((broken for value in values if (broken := rule(value))), None)

    return check


def _url(value: str) -> Broken:
    words = "must be an absolute http or https URL"
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for what is none
    except ValueError:
        return "invalid_url", words
    is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
    is_plain = value.isprintable() and " " not in value and len(value) <= LONGEST
    return None if is_whole and is_plain else ("invalid_url", words)


def _flag(_value: bool) -> Broken:  # noqa: FBT001 - a rule like all others
    return None


def _vetting_id(value: str) -> Broken:
    words = f"has more than {LONGEST_VETTING_ID} characters"
    return ("text_too_long", words) if len(value) > LONGEST_VETTING_ID else _text(value)


def choices_of(literal: Any) -> tuple[str, ...]:
    """Return the choices that a literal type names."""
    choices: tuple[str, ...] = literal.__value__.__args__
    return choices


_email: Final = _matching(_EMAIL, "invalid_email", "must be an e-mail address")
_phone: Final = _matching(_PHONE, "invalid_phone", "must be a phone number in E.164")
_country: Final = _matching(_COUNTRY, "invalid_country", "must be a country in two capital letters")

RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(FIELDS, _text),
    "business_website": _url,
    "notification_email": _email,
    "use_case_categories": _each(_choice(Category)),
    "opt_in_image_urls": _each(_url),
    "opt_in_type": _choice(OptInType),
    "message_volume": _matching(
        _VOLUME, "invalid_volume", "must be messages a month, such as 10,000"
    ),
    "business_country": _country,
    "business_contact_email": _email,
    "business_contact_phone": _phone,
    "business_registration_authority": _choice(Authority),
    "business_registration_country": _country,
    "business_type": _choice(BusinessType),
    "business_registration_phone_number": _phone,
    "privacy_policy_url": _url,
    "terms_and_conditions_url": _url,
    "age_gated_content": _flag,
    "opt_in_keywords": _each(_text),
    "vetting_provider": _choice(VettingProvider),
    "vetting_id": _vetting_id,
    "customer_profile_sid": _matching(
        _PROFILE_SID, "invalid_profile_sid", "must be BU and 32 hex digits"
    ),
}
"""What each field may hold, if it holds anything."""
