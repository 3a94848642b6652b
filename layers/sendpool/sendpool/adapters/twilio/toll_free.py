"""Toll-free verifications, through Twilio's library.

All methods can be repeated except `submit` and `edit`: look first, as an attempt whose answer got lost may have gone
in. What Twilio refuses raises TwilioRefusedError by its code; what else there is stands in answered.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from twilio.http import HttpClient
from twilio.rest.messaging.v1.tollfree_verification import TollfreeVerificationInstance

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library, moment
from sendpool.domain.errors import TwilioRefusedError
from sendpool.domain.toll_free.submission import FIELDS, Changes, Submission, Value
from sendpool.domain.toll_free.verification import Rejection, Standing, Verification

# Twilio gives no more
_PAGE: Final = 1000


class UnknownNumberError(Exception):
    """The account has no number with this SID."""


class TollFreeVerifications:
    """The toll-free verifications of an account."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        library_ = library(credentials=credentials, http_client=http_client)
        self._verifications = library_.messaging.v1.tollfree_verifications

    def listed(self, number_sid: str | None = None) -> list[Verification]:
        """Return all verifications, or those of one number."""
        asked: dict[str, Any] = {"tollfree_phone_number_sid": number_sid} if number_sid else {}
        try:
            return [_read(each) for each in self._verifications.stream(page_size=_PAGE, **asked)]
        except RefusedError as error:
            raise TwilioRefusedError(error.code) from error

    def statuses(self, number_sids: Sequence[str]) -> dict[str, list[str]]:
        """Return the statuses of the verifications of each of these numbers that has any."""
        if not number_sids:
            return {}
        # one question for the one number that a pool should have; else one for all that the account has
        listed = self.listed(number_sids[0] if len(number_sids) == 1 else None)
        found: dict[str, list[str]] = {}
        for each in listed:
            if each.standing.number_sid in number_sids:
                found.setdefault(each.standing.number_sid, []).append(each.standing.status)
        return found

    def find(self, sid: str) -> Verification | None:
        """Return a verification; None when there is none with this SID."""
        try:
            return _read(self._verifications(sid).fetch())
        except RefusedError as error:
            if error.is_missing:
                return None
            raise TwilioRefusedError(error.code) from error

    def submit(self, number_sid: str, submission: Submission) -> Verification:
        """Submit a number; raises UnknownNumberError."""
        said = {
            name: value for name in FIELDS if (value := getattr(submission, name)) not in _NOTHING
        }
        try:
            made = self._verifications.create(
                tollfree_phone_number_sid=number_sid, **_spelled(said)
            )
        except RefusedError as error:
            if error.is_missing:
                raise UnknownNumberError from error
            raise TwilioRefusedError(error.code) from error
        return _read(made)

    def edit(self, sid: str, changes: Changes, *, reason: str | None) -> Verification:
        """Change fields of a rejected one, which submits it again."""
        why = {"edit_reason": reason} if reason else {}
        try:
            return _read(self._verifications(sid).update(**_spelled(changes), **why))
        except RefusedError as error:
            raise TwilioRefusedError(error.code) from error

    def delete(self, sid: str) -> bool:
        """Remove a verification; tells whether it was there."""
        try:
            self._verifications(sid).delete()
        except RefusedError as error:
            if error.is_missing:
                return False
            raise TwilioRefusedError(error.code) from error
        return True


_NOTHING: Final = (None, ())


def _spelled(changes: Changes) -> dict[str, Any]:
    """Spell fields as the library does; an empty text empties one."""
    return {name: _as_sent(value) for name, value in changes.items()}


def _as_sent(value: Value) -> str | bool | list[str]:
    match value:
        case None:
            return ""
        case tuple():
            return list(value) or [""]
        case _:
            return value


def _read(found: TollfreeVerificationInstance) -> Verification:
    said = {name: getattr(found, name, None) for name in FIELDS}
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in said.items()
        if value not in (None, "")
    }
    touched = found.date_updated or found.date_created
    return Verification(
        standing=Standing(
            sid=str(found.sid),
            number_sid=str(found.tollfree_phone_number_sid),
            number=found.tollfree_phone_number or None,
            status=str(found.status),
            rejections=_rejections(found),
            edit_until=moment(found.edit_expiration),
            updated_at=moment(touched) or datetime.fromtimestamp(0, tz=UTC),
        ),
        submission=Submission(**fields),
        edit_allowed=bool(found.edit_allowed),
        created_at=moment(found.date_created),
    )


def _rejections(found: TollfreeVerificationInstance) -> tuple[Rejection, ...]:
    """Read why it was rejected: from the list, else from the two fields that were there before it."""
    listed: list[Any] = found.rejection_reasons or []
    several = [
        Rejection(code=_code(each.get("code")), reason=str(each.get("reason") or ""))
        for each in listed
        if isinstance(each, dict)
    ]
    if not several and (found.error_code or found.rejection_reason):
        several = [Rejection(code=_code(found.error_code), reason=found.rejection_reason or "")]
    return tuple(several)


def _code(said: object) -> int | None:
    return int(said) if isinstance(said, int | str) and str(said).isdigit() else None
