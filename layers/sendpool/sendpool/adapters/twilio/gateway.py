"""Sending and asking through Twilio's Messages resource, with every failure translated once.

`create` never raises for what Twilio or the network does: it returns one of four outcomes (domain/message.py).
Questions (`messages_to`, `messages_since`) raise TwilioUnavailableError instead, because an unanswered question
proves nothing, and TwilioBusyError when Twilio asks to be asked less (429).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urljoin

from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.creation import (
    create_url,
    form_of,
    moment,
    number_in,
    outcome_of,
    raise_if_unclear,
    said,
)
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError, TransportError
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import TERMINAL, OutboundMessage, Outcome, RefusedForNow, Unknown

_PAGE = 50
# Twilio gives no more
_LONG_PAGE = 1000
_SENT_BY_API = "outbound-api"
_NOT_CANCELABLE = 30409
_RETRY_UNSENT_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMessage:
    """A message as Twilio's list shows it.

    `price` is Twilio's text, negative and in `price_unit`, None until Twilio knows it (domain/prices.py), and
    `num_segments` a text too. A message that waits in a queue, or for its hour, has a `sent_at` long after
    `created_at`, or none.
    """

    sid: str
    to: str
    body: str
    service_sid: str | None
    status: str
    created_at: datetime
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    error_code: int | None = None
    price: str | None = None
    price_unit: str | None = None
    num_segments: str | None = None
    direction: str | None = None

    @property
    def is_inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def is_reply(self) -> bool:
        """Tell whether TwiML made it, as the answer to a text."""
        return self.direction == "outbound-reply"

    def is_before(self, since: datetime) -> bool:
        """Tell whether it was made and sent before a time, or ended unsent; one that waits may go any time."""
        is_waiting = self.sent_at is None and self.status not in TERMINAL
        return not is_waiting and max(self.created_at, self.sent_at or self.created_at) < since

    def went(self, since: datetime, until: datetime) -> bool:
        """Tell whether it was made or sent within a time: from `since` on, and before `until`."""
        return any(at and since <= at < until for at in (self.created_at, self.sent_at))


class PageGoneError(Exception):
    """Twilio does not know the place in its list any more at which to go on."""


class TwilioGateway:
    """Twilio's Messages of one account, sent through one Messaging Service."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        service_sid: str,
        http_client: HttpClient,
        heard: Callable[[int], None] = lambda _in_flight: None,
    ) -> None:
        """`heard` is told how many requests the account has in flight, whenever an answer says so."""
        client = Client(
            credentials.username,
            credentials.password,
            credentials.account_sid,
            http_client=http_client,
        )
        self._service_sid = service_sid
        self._heard = heard
        self._http = http_client
        self._create_url = create_url(credentials.account_sid)
        self._headers = client.get_headers("POST", None)
        self._auth = (credentials.username, credentials.password)
        self._messages = client.messages  # touched here: the first use imports some 80 modules

    @property
    def service_sid(self) -> str:
        return self._service_sid

    def create(self, message: OutboundMessage, *, status_callback: str) -> Outcome:
        """Offer one message to Twilio, once."""
        form = form_of(message, service_sid=self._service_sid, status_callback=status_callback)
        try:
            answer = self._http.request(
                "POST", self._create_url, data=form, headers=self._headers, auth=self._auth
            )
        except NeverSentError:
            return RefusedForNow(None, _RETRY_UNSENT_SECONDS)
        except NoAnswerError as error:
            return Unknown(str(error))
        in_flight = number_in(answer, "Twilio-Concurrent-Requests")
        if in_flight:
            self._heard(in_flight)
        return outcome_of(answer)

    def cancel(self, sid: str) -> Literal["canceled", "too_late", "gone"]:
        """Cancel a scheduled message; one that was canceled before counts as canceled, one that went out is too late.

        Raises TwilioBusyError or TwilioUnavailableError when the same call has to be repeated.
        """
        answer = self._ask("POST", sid, {"Status": "canceled"})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return "gone"
        if answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return "canceled"
        if said(answer).get("code") != _NOT_CANCELABLE:
            raise TwilioUnavailableError
        found = self._ask("GET", sid)
        return "canceled" if said(found).get("status") == "canceled" else "too_late"

    def fetch(self, sid: str) -> RemoteMessage | None:
        """Return a message as Twilio has it now; None when it has none with this SID.

        Raises TwilioBusyError or TwilioUnavailableError.
        """
        answer = self._ask("GET", sid)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        remote = _remote(said(answer)) if answer.status_code == HTTPStatus.OK else None
        if remote is None:
            raise TwilioUnavailableError
        return remote

    def _ask(self, method: str, sid: str, form: dict[str, object] | None = None) -> Response:
        """Ask about one message, or to change it; repeating that is always safe."""
        url = self._create_url.replace("/Messages.json", f"/Messages/{sid}.json")
        try:
            answer = self._http.request(
                method, url, data=form, headers=self._headers, auth=self._auth
            )
        except TransportError as error:
            raise TwilioUnavailableError from error
        raise_if_unclear(answer)
        return answer

    def messages_since(
        self, since: datetime, until: datetime, *, page: str | None = None
    ) -> tuple[list[RemoteMessage], str | None]:
        """List a page of what this account sent within a time, newest first, and where the next page is.

        `page` is such a place, without it the list begins with what is newest; an empty page may have a next one.
        None stands for the end: nothing on this page is of `since` or later. Twilio's documents leave open whether
        its list goes by the making or by the sending, so either counts. Raises PageGoneError for a place that
        Twilio does not know any more.
        """
        params: dict[str, object] | None = None if page else {"PageSize": _LONG_PAGE}
        url = urljoin(self._create_url, page) if page else self._create_url
        try:
            answer = self._http.request(
                "GET", url, params=params, headers=self._headers, auth=self._auth
            )
        except TransportError as error:
            raise TwilioUnavailableError from error
        raise_if_unclear(answer)
        read = said(answer)
        rows = read.get("messages")
        if answer.status_code != HTTPStatus.OK or not isinstance(rows, list):
            raise PageGoneError if page else TwilioUnavailableError
        listed = [each for row in rows if (each := _remote(row))]
        is_over = all(each.is_before(since) for each in listed)
        sent = [each for each in listed if not each.is_inbound and each.went(since, until)]
        return sent, None if is_over else read.get("next_page_uri")

    def may_be_ours(self, listed: RemoteMessage) -> bool:
        """Tell whether a message was sent as ours are: by the API, through this service."""
        return listed.service_sid == self._service_sid and listed.direction == _SENT_BY_API

    def messages_to(self, to: str, *, since: datetime) -> list[RemoteMessage]:
        """List this service's messages to one person that Twilio made at `since` or later, newest first.

        Asks by recipient only: a filter on the date of sending hides messages that are not sent yet.
        """
        try:
            return list(self._listed(to, since))
        except (TransportError, TwilioException) as error:
            busy = _busy(error)
            if busy:
                raise TwilioBusyError(busy.code, retry_after=busy.retry_after) from error
            raise TwilioUnavailableError from error

    def _listed(self, to: str, since: datetime) -> Iterator[RemoteMessage]:
        for found in self._messages.stream(to=to, page_size=_PAGE):
            created = found.date_created
            if created is not None and created < since:
                return
            if found.messaging_service_sid == self._service_sid:
                yield RemoteMessage(
                    sid=found.sid or "",
                    to=found.to or "",
                    body=found.body or "",
                    service_sid=found.messaging_service_sid,
                    status=str(found.status),
                    created_at=created or since,
                )


def _remote(row: Mapping[str, Any]) -> RemoteMessage | None:
    """Read a message of the list as Twilio writes it; None when it has no time at which it was made."""
    created_at = moment(row.get("date_created"))
    if created_at is None:
        return None
    return RemoteMessage(
        sid=row["sid"],
        to=row.get("to") or "",
        body=row.get("body") or "",
        service_sid=row.get("messaging_service_sid"),
        status=str(row.get("status")),
        created_at=created_at,
        sent_at=moment(row.get("date_sent")),
        updated_at=moment(row.get("date_updated")),
        direction=row.get("direction"),
        error_code=row.get("error_code"),
        price=row.get("price"),
        price_unit=row.get("price_unit"),
        num_segments=row.get("num_segments"),
    )


def _busy(error: Exception) -> RefusedForNow | None:
    """Read a 429 out of the SDK's error; of a list that was refused it knows nothing but the answer."""
    for answer in error.args:
        if isinstance(answer, Response) and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            outcome = outcome_of(answer)
            return outcome if isinstance(outcome, RefusedForNow) else None
    return None
