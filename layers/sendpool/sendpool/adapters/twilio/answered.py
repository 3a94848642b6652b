"""Twilio's library with our errors below it: it gets only answers that succeeded.

What refuses, breaks off or makes no sense is turned into our errors where headers such as Retry-After still are.

    TwilioBusyError         429, or refused credentials: nothing was changed
    TwilioUnavailableError  no clear answer: what was to be changed may be so
    RefusedError            everything else that Twilio refuses, for the adapter to tell what of
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.creation import LOWEST_TWILIO_CODE, raise_if_unclear, said
from sendpool.adapters.twilio.transport import TransportError
from sendpool.domain.errors import TwilioUnavailableError

_NOT_FOUND: Final = 20404


class RefusedError(Exception):
    """Twilio's answer was no. `is_missing`: a resource in the path is not there, whichever."""

    def __init__(self, status: int, code: int | None) -> None:
        super().__init__(status, code)
        self.code = code
        # other codes come with a 404 too
        self.is_missing = status == HTTPStatus.NOT_FOUND and code in {_NOT_FOUND, None}


def library(*, credentials: Credentials, http_client: HttpClient) -> Client:
    """Return Twilio's library over this transport."""
    return Client(
        credentials.username,
        credentials.password,
        credentials.account_sid,
        http_client=_Answered(http_client),
    )


def moment(read: datetime | str | None) -> datetime | None:
    """Return a time that the library read, as UTC; one that it leaves a text has fractions of a second or an offset."""
    if isinstance(read, str):
        try:
            read = datetime.fromisoformat(read)
        except ValueError:
            return None
    return read and (read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC))


class _Answered(HttpClient):
    """The library's way to our transport."""

    def __init__(self, http_client: HttpClient) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=False)
        self._http = http_client

    def request(self, method: str, uri: str, *args: Any, **named: Any) -> Response:
        try:
            answer = self._http.request(method, uri, *args, **named)
        except TransportError as error:
            raise TwilioUnavailableError from error
        raise_if_unclear(answer)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            code = said(answer).get("code")
            is_known = isinstance(code, int) and code >= LOWEST_TWILIO_CODE
            raise RefusedError(answer.status_code, code if is_known else None)
        if answer.status_code != HTTPStatus.NO_CONTENT and not said(answer):
            raise TwilioUnavailableError  # a proxy's page, or half an answer
        return answer
