"""Toll-free verification: submit a number, show how its review stands, fix what was rejected, take it back.

Twilio is asked each time. A number has one verification that counts, so whoever submits looks for it first: a request
whose answer got lost, or whose function died, is repeated as it is and shows what it made. An edit is repeated the same
way: fields that are there already are not sent again. Whoever submits has the sweeper look within the hour before that,
so that what a dead function submitted is followed too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sendpool.adapters.ledger.toll_free import TollFreeRecords
from sendpool.adapters.twilio.toll_free import TollFreeVerifications, UnknownNumberError
from sendpool.domain.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PreflightRejectedError,
    TwilioRefusedError,
    Violation,
)
from sendpool.domain.preflight.verdict import Finding, Preflight
from sendpool.domain.toll_free.preflight import preflight
from sendpool.domain.toll_free.submission import (
    ONCE,
    Changes,
    Submission,
    is_number_sid,
    is_verification_sid,
    problems,
)
from sendpool.domain.toll_free.verification import Status, Step, Verification, current

_CONFLICT: Final = 20409


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """What these stories need."""

    verifications: TollFreeVerifications
    records: TollFreeRecords
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A verification, whether this request submitted it, and what preflight found that does not stand against it."""

    verification: Verification
    is_new: bool
    findings: tuple[Finding, ...] = ()


def submit(
    number_sid: str, submission: Submission, needs: Verifying, *, force: bool = False
) -> Submitted:
    """Submit a number, unless it has a verification that is not over.

    Raises InvalidRequestError for what Twilio's form refuses, PreflightRejectedError for what reviewers would, the
    latter unless `force`.
    """
    wrong = () if is_number_sid(number_sid) else (_NO_NUMBER_SID,)
    broken = (*wrong, *problems(submission))
    if broken:
        raise InvalidRequestError(*broken)
    there = _current(number_sid, needs)
    if there:
        return Submitted(verification=there, is_new=False)
    judged = _judged(submission, force=force)
    needs.records.expect(needs.now())
    try:
        made = needs.verifications.submit(number_sid, submission)
    except UnknownNumberError as error:
        words = "is no number of this account"
        violation = Violation("tollfree_phone_number_sid", "unknown_number", words)
        raise InvalidRequestError(violation) from error
    except TwilioRefusedError as error:
        # another request was faster, or one of before whose answer came to nobody
        there = _current(number_sid, needs) if error.twilio_code == _CONFLICT else None
        if there is None:
            raise
        return Submitted(verification=there, is_new=False)
    needs.records.put(made.standing)
    return Submitted(verification=made, is_new=True, findings=judged.findings)


_NO_NUMBER_SID: Final = Violation(
    "tollfree_phone_number_sid", "invalid_number_sid", "must be PN and 32 hex digits"
)


def _current(number_sid: str, needs: Verifying) -> Verification | None:
    there = current(needs.verifications.listed(number_sid), needs.now())
    if there:
        needs.records.put(there.standing)
    return there


def _judged(submission: Submission, *, force: bool) -> Preflight:
    judged = preflight(submission)
    if judged.verdict == "reject" and not force:
        raise PreflightRejectedError(
            *(
                Violation(each.field, each.rule, f"{each.message}. {each.fix}")
                for each in judged.findings
                if each.severity == "reject"
            )
        )
    return judged


# ------------------------------------------------------------------------------------------------ one that is there


def listed(needs: Verifying) -> list[Verification]:
    """Return all verifications of the account, the newest first."""
    found = needs.verifications.listed()
    return sorted(
        found,
        key=lambda each: (each.created_at or each.standing.updated_at, each.sid),
        reverse=True,
    )


def show(sid: str, needs: Verifying) -> Verification:
    """Return a verification; raises NotFoundError."""
    found = needs.verifications.find(sid) if is_verification_sid(sid) else None
    if found is None:
        raise NotFoundError("There is no such toll-free verification.")
    return found


def fix(
    sid: str,
    changes: Mapping[str, object],
    needs: Verifying,
    *,
    reason: str | None = None,
    force: bool = False,
) -> Submitted:
    """Change fields of a rejected verification and submit it again; without changes, as it is.

    One that is under review or approved with these very fields was changed before, and is shown. Raises
    InvalidRequestError, PreflightRejectedError unless `force`, NotFoundError, ConflictError.
    """
    before = show(sid, needs)
    fixed = sorted(name for name in changes if name in ONCE)
    if fixed:
        words = "is said when the number is submitted, and stays"
        raise InvalidRequestError(*(Violation(name, "field_fixed", words) for name in fixed))
    checked: Changes = dict(changes)  # type: ignore[arg-type]
    after = before.submission.with_changes(checked)
    of_before = problems(before.submission)
    broken = [each for each in problems(after) if each.field in checked or each not in of_before]
    if broken:
        raise InvalidRequestError(*broken)
    if not before.may_be_edited(needs.now()):
        if before.standing.status != Status.REJECTED and after == before.submission:
            needs.records.put(before.standing)
            return Submitted(verification=before, is_new=False)
        raise _not_now(before, needs.now())
    judged = _judged(after, force=force)
    needs.records.expect(needs.now())
    try:
        edited = needs.verifications.edit(sid, checked, reason=reason)
    except TwilioRefusedError as error:
        if error.twilio_code != _CONFLICT:
            raise
        raise _not_now(show(sid, needs), needs.now()) from error
    needs.records.put(edited.standing)
    return Submitted(verification=edited, is_new=True, findings=judged.findings)


def _not_now(verification: Verification, now: datetime) -> ConflictError:
    step = verification.step(now)
    detail, code = _NOT_NOW[step]
    return ConflictError(detail, code=code, remedy=step.words)


_NOT_NOW: Final = {
    Step.WAIT: ("It is under review and takes no changes.", "verification_under_review"),
    Step.NONE: ("It is approved and takes no changes.", "verification_approved"),
    Step.FIX: ("Twilio takes no changes of it right now.", "verification_changing"),
    Step.SUBMIT_AGAIN: ("The time for edits is over.", "edit_expired"),
    Step.GIVE_UP: ("It was rejected for a reason that no edit mends.", "edit_not_allowed"),
}


def remove(sid: str, needs: Verifying, *, force: bool = False) -> bool:
    """Take a verification back; tells whether it was there.

    One that is approved only if `force`, as carriers block its number from then on: ConflictError. Raises NotFoundError
    for what is no verification's SID.
    """
    if not is_verification_sid(sid):
        raise NotFoundError("This is no SID of a toll-free verification.")
    found = None if force else needs.verifications.find(sid)
    if found and found.standing.status == Status.APPROVED:
        raise ConflictError(
            "Its number is verified, and would be blocked without it.",
            code="verification_approved",
            remedy="Repeat the request with ?force=true if the number shall not text any more.",
        )
    return needs.verifications.delete(sid)
