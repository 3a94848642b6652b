"""Everything that can go wrong, as our callers see it.

    SendpoolError                    a failure with an HTTP status, a stable code and advice
    ├── InvalidRequestError          422  the request breaks its contract; names each field
    │   └── PreflightRejectedError   422  reviewers would reject it; names each reason
    ├── MalformedBodyError           400  the body is no JSON object
    ├── PayloadTooLargeError         413  the body is larger than this endpoint takes
    ├── InvalidSignatureError        403  a webhook that Twilio did not sign
    ├── NotFoundError                404  no such message, broadcast or route
    ├── PlanMissingError             404  nobody asked for a plan of this broadcast
    ├── ReconciliationMissingError   404  there are no books of this day, or not yet
    ├── ConflictError                409  the broadcast's state does not allow this
    ├── InProgressError              409  the same idempotency key is being worked on
    ├── IdempotencyKeyReusedError    422  the same idempotency key came with another request
    ├── TwilioRefusedError           by code  Twilio said no; the remedy says what to change
    ├── TwilioBusyError              429 or 503  Twilio took nothing; the same request may be repeated
    ├── TwilioUnavailableError       503  Twilio gave no clear answer; the same request may be repeated
    └── OutOfTimeError               503  a deployment's function would end before its next call does

Each class has its own `code`; a test holds them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from sendpool.domain.twilio_codes import explain


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks the contract: where, which rule (a stable code), and the rule in words."""

    field: str
    code: str
    message: str


class Explanation(Protocol):
    """What a code of Twilio's means to us."""

    @property
    def error_class(self) -> str: ...
    @property
    def http_status(self) -> int: ...
    @property
    def remedy(self) -> str: ...


class SendpoolError(Exception):
    """A failure with an HTTP status, a stable code and advice on what to do."""

    status: int = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Something failed on our side"
    retryable: bool = False
    remedy: str | None = "Try again; if it stays, look up the request id in the function's log."
    twilio_code: int | None = None
    retry_after: int | None = None
    violations: tuple[Violation, ...] = ()

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title


class InvalidRequestError(SendpoolError):
    """The request breaks its contract; nothing was done."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"
    remedy = "Change the fields named under errors."

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{v.field}: {v.message}" for v in violations))
        self.violations = violations
        if violations:
            self.code = violations[0].code


class PreflightRejectedError(InvalidRequestError):
    """Reviewers would reject what is to be submitted; nothing was."""

    code = "preflight_rejected"
    title = "Reviewers would reject it"
    remedy = "Change the fields named under errors, or say `force` if you know better."

    def __init__(self, *violations: Violation) -> None:
        super().__init__(*violations)
        self.code = PreflightRejectedError.code


class MalformedBodyError(SendpoolError):
    """The body is no JSON."""

    status = 400
    code = "invalid_json"
    title = "The body is not valid JSON"
    remedy = "Send one JSON object, in UTF-8."


class PayloadTooLargeError(SendpoolError):
    """The body is larger than this endpoint takes."""

    status = 413
    code = "payload_too_large"
    title = "The request is too large"
    remedy = "Send less at once; long recipient lists go by upload."


class InvalidSignatureError(SendpoolError):
    """A webhook that Twilio did not sign; says nothing more to the outside."""

    status = 403
    code = "invalid_signature"
    title = "Forbidden"
    remedy = None


class NotFoundError(SendpoolError):
    """No such thing here."""

    status = 404
    code = "not_found"
    title = "Not found"
    remedy = None


class PlanMissingError(SendpoolError):
    """Nobody asked for a plan of this broadcast."""

    status = 404
    code = "plan_missing"
    title = "There is no plan of this broadcast"
    remedy = "Ask for one with POST /broadcasts/{id}/plan."


class ReconciliationMissingError(SendpoolError):
    """There are no books of this day, or not yet."""

    status = 404
    code = "reconciliation_missing"
    title = "There are no books of this day"
    remedy = "A day is in the books some 25 hours after it began; the first is the one after the deployment."


class ConflictError(SendpoolError):
    """The state of the thing does not allow this."""

    status = 409
    code = "conflict"
    title = "Not possible in this state"
    remedy = None

    def __init__(self, detail: str, *, code: str, remedy: str) -> None:
        super().__init__(detail)
        self.code = code
        self.remedy = remedy


class InProgressError(SendpoolError):
    """The same idempotency key is being worked on right now."""

    status = 409
    code = "in_progress"
    title = "A request with this idempotency key is in progress"
    retryable = True
    retry_after = 5
    remedy = "Repeat the same request in a few seconds; it will answer with the first one's result."


class IdempotencyKeyReusedError(SendpoolError):
    """The same idempotency key came with another request before."""

    status = 422
    code = "idempotency_key_reused"
    title = "This idempotency key belongs to another request"
    remedy = "Use a new key for a new message; repeat a message with exactly the same body."


class TwilioRefusedError(SendpoolError):
    """Twilio said no; the code's remedy says what to change."""

    code = "twilio_refused"
    title = "Twilio refused it"

    def __init__(
        self,
        twilio_code: int | None,
        *,
        message_id: str | None = None,
        detail: str = "",
        row: Explanation | None = None,
    ) -> None:
        kept = f"Twilio refused it; {message_id} keeps the reason." if message_id else ""
        super().__init__(detail or kept)
        row = row or explain(twilio_code)
        self.status = row.http_status
        self.code = f"twilio_{row.error_class}"
        self.remedy = row.remedy
        self.twilio_code = twilio_code


class TwilioBusyError(SendpoolError):
    """Twilio took nothing now; the same request may be repeated."""

    status = 503
    code = "twilio_busy"
    title = "Twilio takes no messages right now"
    retryable = True

    def __init__(self, twilio_code: int | None, *, retry_after: int) -> None:
        super().__init__()
        row = explain(twilio_code)
        self.status = row.http_status if twilio_code else 503
        self.remedy = (
            row.remedy if twilio_code else "Repeat the same request after retry_after seconds."
        )
        self.twilio_code = twilio_code
        self.retry_after = retry_after


class TwilioUnavailableError(SendpoolError):
    """Twilio gave no clear answer to what may be asked again."""

    status = 503
    code = "twilio_unavailable"
    title = "Twilio does not answer"
    retryable = True
    retry_after = 30


class OutOfTimeError(SendpoolError):
    """The function would end before its next call does; what was done stays done."""

    status = 503
    code = "out_of_time"
    title = "Twilio answers too slowly for one deployment"
    retryable = True
    remedy = "Deploy again; if there are many senders, name some of them first."
