"""The settings of a service: how each field of the form is read."""

from collections.abc import Callable

from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.urls import is_web_url
from local.twilio.core.validity import read_validity
from local.twilio.services import use_cases

MAX_FRIENDLY_NAME = 64
METHODS = frozenset({"GET", "POST"})
SCANS = frozenset({"inherit", "enable", "disable"})

type Reader = Callable[[Form, str], object]


def _read_name(form: Form, field: str) -> str:
    name = form.get(field)
    if not 0 < len(name) <= MAX_FRIENDLY_NAME:
        raise ApiError(20001, detail=f"{field} must have 1 to {MAX_FRIENDLY_NAME} characters")
    return name


def _read_url(form: Form, field: str) -> str | None:
    url = form.get(field)
    if url and not is_web_url(url):
        raise invalid_parameter(field, url)
    return url or None


def _read_flag(form: Form, field: str) -> bool:
    return form.flag(field)


def _read_method(form: Form, field: str) -> str:
    return form.choice(field, METHODS)


def _read_scan(form: Form, field: str) -> str:
    return form.choice(field, SCANS)


def _read_validity(form: Form, field: str) -> int:
    return read_validity(form.get(field))


def _read_use_case(form: Form, field: str) -> str:
    if form.get(field) not in use_cases.NAMES:
        raise ApiError(21713)
    return form.get(field)


# field of the form: (attribute and JSON name, reader)
FIELDS: dict[str, tuple[str, Reader]] = {
    "FriendlyName": ("friendly_name", _read_name),
    "InboundRequestUrl": ("inbound_request_url", _read_url),
    "InboundMethod": ("inbound_method", _read_method),
    "FallbackUrl": ("fallback_url", _read_url),
    "FallbackMethod": ("fallback_method", _read_method),
    "StatusCallback": ("status_callback", _read_url),
    "StickySender": ("sticky_sender", _read_flag),
    "MmsConverter": ("mms_converter", _read_flag),
    "SmartEncoding": ("smart_encoding", _read_flag),
    "ScanMessageContent": ("scan_message_content", _read_scan),
    "FallbackToLongCode": ("fallback_to_long_code", _read_flag),
    "AreaCodeGeomatch": ("area_code_geomatch", _read_flag),
    "ValidityPeriod": ("validity_period", _read_validity),
    "SynchronousValidation": ("synchronous_validation", _read_flag),
    "Usecase": ("usecase", _read_use_case),
    "UseInboundWebhookOnNumber": ("use_inbound_webhook_on_number", _read_flag),
}


def read_changes(form: Form) -> dict[str, object]:
    """The attributes that a form sets, with their new values; ApiError if one cannot be taken."""
    sent = {name: FIELDS[name] for name in form.names() if name in FIELDS}
    return {attribute: read(form, name) for name, (attribute, read) in sent.items()}
