"""What Twilio offers and the documents here, trimmed to messaging, do not describe.

Only these paths may be answered without a description; the README of data/openapi says what was kept.
"""

import re

ACCOUNT = r"/2010-04-01/Accounts/\w+"

# method and path: why it is not in the documents
REASONS = {
    rf"POST {ACCOUNT}/IncomingPhoneNumbers(/\w+)?\.json": (
        "numbers bought and changed: of this resource, list and fetch were kept"
    ),
    rf"DELETE {ACCOUNT}/IncomingPhoneNumbers/\w+\.json": (
        "numbers released: of this resource, list and fetch were kept"
    ),
    rf"(GET|POST) {ACCOUNT}/SMS/ShortCodes/\w+\.json": (
        "one short code: of this resource, the list was kept"
    ),
    rf"GET {ACCOUNT}/Addresses/\w+\.json": (
        "one address: of this resource, list and create were kept"
    ),
    rf"GET {ACCOUNT}/Messages/\w+/Media/\w+": (
        "the content of media: described is what is known of it, in JSON"
    ),
    rf"POST {ACCOUNT}/Calls\.json": "calls belong to Voice",
    r"GET /v1/Messaging/Countries(/\w+)?": "prices are a product of their own",
    r"(POST|DELETE) /v1/AuthTokens/\w+": "auth tokens: a part of accounts that was cut",
}
OUTSIDE = [(re.compile(pattern), why) for pattern, why in REASONS.items()]


def reason_outside(method: str, path: str) -> str | None:
    """Why a request has no description, None if there is no reason."""
    line = f"{method} {path}"
    return next((why for pattern, why in OUTSIDE if pattern.fullmatch(line)), None)
