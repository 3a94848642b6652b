"""Twilio's error codes as this server answers them.

`ApiError` is the only error of the Twilio-facing side: a code, which fixes HTTP status and text. Titles and
statuses come from the published dictionary (data/error-codes.json); the table here holds the texts that Twilio
answers in other words, and statuses that the dictionary lacks.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

MORE_INFO = "https://www.twilio.com/docs/errors/{code}"
DATA = Path(__file__).parents[1] / "data"
BAD_REQUEST = 400

# code: (HTTP status, text)
ANSWERS: dict[int, tuple[int, str]] = {
    20001: (400, "{detail}"),
    20003: (401, "Authenticate"),
    20009: (409, "Cannot delete this resource before it is complete"),
    20404: (404, "The requested resource {path} was not found"),
    20429: (429, "Too many requests"),
    21211: (400, "The 'To' number {to} is not a valid phone number."),
    21212: (
        400,
        (
            "The 'From' number {sender} is not a valid phone number, shortcode, "
            "or alphanumeric sender ID."
        ),
    ),
    21265: (400, "'To' number cannot be a Short Code: {to}"),
    21266: (400, "'To' and 'From' number cannot be the same: {to}"),
    21408: (
        400,
        (
            "Permission to send an SMS has not been enabled for the region "
            "indicated by the 'To' number: {to}"
        ),
    ),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' or 'MessagingServiceSid' parameter is required to send a message."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        (
            "The From phone number {sender} is not a valid, SMS-capable inbound phone number "
            "or short code for your account."
        ),
    ),
    21608: (
        400,
        "The number {to} is unverified. Trial accounts cannot send messages to unverified numbers.",
    ),
    21609: (400, "The 'StatusCallback' URL {url} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "SMS queue is full."),
    21612: (
        400,
        (
            "The 'To' phone number: {to}, is not currently reachable using the 'From' "
            "phone number: {sender} via {channel}."
        ),
    ),
    21614: (400, "To number: {to}, is not a mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21619: (400, "A Message Body, Media URL or Content SID is required."),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit of 10."),
    21624: (400, "The validity period value {value} is invalid."),
    21655: (400, "The ContentSid {sid} is invalid."),
    21656: (400, "The ContentVariables parameter is invalid."),
    21701: (404, "The Messaging Service {sid} does not exist."),
    21704: (400, "The Messaging Service contains no phone numbers."),
    21705: (400, "The Messaging Service Sid {sid} is invalid."),
    21710: (409, "Phone Number or Short Code is already in the Messaging Service."),
    21712: (409, "Phone Number or Short Code is associated with another Messaging Service."),
    30107: (404, "Domain private certificate has not been uploaded"),
    30137: (404, "Domain messaging service mapping not found"),
    30409: (409, "This message cannot be canceled."),
    35114: (400, "SendAt time must be between 300 seconds and 35 days in the future."),
    35115: (400, "SendAt must be an ISO 8601 time in UTC: {value}"),
    35117: (400, "SendAt time must be between 300 seconds and 35 days in the future."),
}


@cache
def dictionary() -> dict[int, dict[str, Any]]:
    """Twilio's dictionary: `message` (the title), `phase` and `http_status` of each code."""
    text = (DATA / "error-codes.json").read_text(encoding="utf-8")
    return {int(code): row for code, row in json.loads(text).items()}


def title(code: int) -> str:
    """What the dictionary calls a code; for delivery errors also the message's `error_message`."""
    return str(dictionary()[code]["message"]) if code in dictionary() else "Unknown error"


class ApiError(Exception):
    """A request refused with a Twilio code; `details` fill the text, `status` overrides the HTTP status."""

    def __init__(self, code: int, *, status: int | None = None, **details: object) -> None:
        """Look status and text of the code up."""
        usual = dictionary().get(code, {}).get("http_status") or BAD_REQUEST
        answered, text = ANSWERS.get(code, (usual, title(code)))
        self.code = code
        self.status = status or answered
        self.message = text.format(**details) if details else text
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        detail = {"detail": "Your AccountSid or AuthToken was incorrect."}
        return {
            "code": self.code,
            **(detail if self.code == 20003 else {}),
            "message": self.message,
            "more_info": MORE_INFO.format(code=self.code),
            "status": self.status,
        }


def missing_parameter(name: str) -> ApiError:
    """A required field of a form that was not sent."""
    return ApiError(20001, detail=f"Missing required parameter {name} in the post body")


def invalid_parameter(name: str, value: object) -> ApiError:
    """A field with a value that Twilio has no code of its own for."""
    return ApiError(20001, detail=f"Invalid parameter {name}: {value}")
