"""What a toll-free verification asks for: each field of the form, and how it is read."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.sids import is_sid
from local.twilio.tollfree.choices import (
    AUTHORITIES,
    BUSINESS_TYPES,
    OPT_IN_TYPES,
    USE_CASES,
    VETTING_PROVIDERS,
)

E164 = re.compile(r"\+[1-9]\d{6,14}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
COUNTRY = re.compile(r"[A-Z]{2}")
VOLUME = re.compile(r"\d{1,3}(?:,?\d{3})*\+?")
MAX_VETTING_ID = 500
REQUIRED = (
    *("BusinessName", "BusinessWebsite", "NotificationEmail", "UseCaseCategories"),
    *("UseCaseSummary", "ProductionMessageSample", "OptInImageUrls", "OptInType"),
    *("MessageVolume", "TollfreePhoneNumberSid"),
)

type Reader = Callable[[Form, str], object]


def _text(form: Form, name: str) -> object:
    return form.get(name) or None


def _matching(is_right: Callable[[str], object]) -> Reader:
    """A text of a certain form, or nothing."""

    def read(form: Form, name: str) -> object:
        value = form.get(name)
        if value and not is_right(value):
            raise invalid_parameter(name, value)
        return value or None

    return read


def _each_matching(is_right: Callable[[str], object]) -> Reader:
    """A repeatable field; blanks are left out."""

    def read(form: Form, name: str) -> object:
        values = [value for value in form.get_all(name) if value]
        for value in values:
            if not is_right(value):
                raise invalid_parameter(name, value)
        return values

    return read


def _flag(form: Form, name: str) -> object:
    return form.flag(name)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _is_vetting_id(text: str) -> bool:
    return len(text) <= MAX_VETTING_ID


_url = _matching(_is_web_address)
_email = _matching(EMAIL.fullmatch)
_phone = _matching(E164.fullmatch)
_country = _matching(COUNTRY.fullmatch)

# field of the form: (name in the JSON, reader); all but the number can be edited
EDITABLE: dict[str, tuple[str, Reader]] = {
    "BusinessName": ("business_name", _text),
    "BusinessWebsite": ("business_website", _url),
    "NotificationEmail": ("notification_email", _email),
    "UseCaseCategories": ("use_case_categories", _each_matching(USE_CASES.__contains__)),
    "UseCaseSummary": ("use_case_summary", _text),
    "ProductionMessageSample": ("production_message_sample", _text),
    "OptInImageUrls": ("opt_in_image_urls", _each_matching(_is_web_address)),
    "OptInType": ("opt_in_type", _matching(OPT_IN_TYPES.__contains__)),
    "MessageVolume": ("message_volume", _matching(VOLUME.fullmatch)),
    "BusinessStreetAddress": ("business_street_address", _text),
    "BusinessStreetAddress2": ("business_street_address2", _text),
    "BusinessCity": ("business_city", _text),
    "BusinessStateProvinceRegion": ("business_state_province_region", _text),
    "BusinessPostalCode": ("business_postal_code", _text),
    "BusinessCountry": ("business_country", _country),
    "AdditionalInformation": ("additional_information", _text),
    "BusinessContactFirstName": ("business_contact_first_name", _text),
    "BusinessContactLastName": ("business_contact_last_name", _text),
    "BusinessContactEmail": ("business_contact_email", _email),
    "BusinessContactPhone": ("business_contact_phone", _phone),
    "BusinessRegistrationNumber": ("business_registration_number", _text),
    "BusinessRegistrationAuthority": (
        "business_registration_authority",
        _matching(AUTHORITIES.__contains__),
    ),
    "BusinessRegistrationCountry": ("business_registration_country", _country),
    "BusinessType": ("business_type", _matching(BUSINESS_TYPES.__contains__)),
    "BusinessRegistrationPhoneNumber": ("business_registration_phone_number", _phone),
    "DoingBusinessAs": ("doing_business_as", _text),
    "OptInConfirmationMessage": ("opt_in_confirmation_message", _text),
    "HelpMessageSample": ("help_message_sample", _text),
    "PrivacyPolicyUrl": ("privacy_policy_url", _url),
    "TermsAndConditionsUrl": ("terms_and_conditions_url", _url),
    "AgeGatedContent": ("age_gated_content", _flag),
    "OptInKeywords": ("opt_in_keywords", _each_matching(bool)),
    "VettingProvider": ("vetting_provider", _matching(VETTING_PROVIDERS.__contains__)),
    "VettingId": ("vetting_id", _matching(_is_vetting_id)),
}
AT_CREATION: dict[str, tuple[str, Reader]] = {
    "CustomerProfileSid": ("customer_profile_sid", _matching(lambda text: is_sid(text, "BU"))),
    "ExternalReferenceId": ("external_reference_id", _text),
}
NOTHING: dict[str, object] = {
    **{name: None for name, _ in (EDITABLE | AT_CREATION).values()},
    "age_gated_content": False,
}


def read_submission(form: Form) -> dict[str, object]:
    """A whole submission; ApiError 20001 names a field that is missing or wrong."""
    form.require(*REQUIRED)
    return _checked(NOTHING | _read(form, EDITABLE | AT_CREATION))


def read_edit(form: Form, current: dict[str, object]) -> dict[str, object]:
    """A submission with the fields sent changed; what was required may not be emptied."""
    form.require(*(name for name in REQUIRED if name in form))
    return _checked(current | _read(form, EDITABLE))


def _read(form: Form, fields: dict[str, tuple[str, Reader]]) -> dict[str, object]:
    return {json: read(form, name) for name, (json, read) in fields.items() if name in form}


def _checked(submission: dict[str, object]) -> dict[str, object]:
    """A vetting needs both who did it and under which number."""
    if (submission["vetting_id"] is None) != (submission["vetting_provider"] is None):
        raise ApiError(20001, detail="VettingProvider and VettingId are needed together")
    return submission
