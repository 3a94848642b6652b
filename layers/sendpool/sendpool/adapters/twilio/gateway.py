"""Sending and asking through Twilio's Messages resource, with every failure translated once.

`create` never raises for what Twilio or the network does: it returns one of four outcomes (domain/message.py).
Questions (`messages_to`) raise TwilioUnavailableError instead, because an unanswered question proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.rest import Client

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError, TransportError
from sendpool.domain.errors import TwilioUnavailableError
from sendpool.domain.message import (
    Accepted,
    OutboundMessage,
    Outcome,
    RefusedForNow,
    Status,
    Unknown,
    outcome_of_refusal,
)

_PAGE = 50
_LOWEST_TWILIO_CODE = 10000
_RETRY_UNSENT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class RemoteMessage:
    """A message as Twilio's list shows it."""

    sid: str
    to: str
    body: str
    service_sid: str | None
    status: str
    created_at: datetime


class TwilioGateway:
    """Twilio's Messages of one account, sent through one Messaging Service."""

    def __init__(
        self, *, credentials: Credentials, service_sid: str, http_client: HttpClient
    ) -> None:
        self._service_sid = service_sid
        self._messages = Client(
            credentials.username,
            credentials.password,
            credentials.account_sid,
            http_client=http_client,
        ).messages  # touched here: the first use imports some 80 modules

    @property
    def service_sid(self) -> str:
        return self._service_sid

    def create(self, message: OutboundMessage, *, status_callback: str) -> Outcome:
        """Offer one message to Twilio, once."""
        try:
            made = self._messages.create(
                **self._arguments(message), status_callback=status_callback
            )
        except NeverSentError:
            return RefusedForNow(None, _RETRY_UNSENT_SECONDS)
        except NoAnswerError as error:
            return Unknown(str(error))
        except (TwilioRestException, TwilioServiceException) as error:
            return outcome_of_refusal(http_status=error.status, code=_twilio_code(error))
        except (
            TwilioException
        ) as error:  # an answer that is no message: Twilio's page, a proxy's page
            return Unknown(type(error).__name__)
        return Accepted(sid=made.sid or "", status=_initial_status(made.status))

    def _arguments(self, message: OutboundMessage) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "to": message.to,
            "messaging_service_sid": self._service_sid,
            "from_": message.sender,
            "body": message.body,
            "content_sid": message.content_sid,
            "content_variables": message.content_variables,
            "media_url": list(message.media_urls) or None,
            "validity_period": message.validity_period,
            "shorten_urls": message.shorten_urls,
            "smart_encoded": message.smart_encoded,
            "message_intent": message.intent,
        }
        if message.send_at:
            arguments |= {"send_at": message.send_at.astimezone(UTC), "schedule_type": "fixed"}
        return {name: value for name, value in arguments.items() if value is not None}

    def messages_to(self, to: str, *, since: datetime) -> list[RemoteMessage]:
        """List this service's messages to one person that Twilio made at `since` or later, newest first.

        Asks by recipient only: a filter on the date of sending hides messages that are not sent yet.
        """
        try:
            return list(self._listed(to, since))
        except (TransportError, TwilioException) as error:
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


def _initial_status(word: object) -> Status:
    text = str(word)
    return Status(text) if text in Status else Status.ACCEPTED


def _twilio_code(error: TwilioRestException | TwilioServiceException) -> int | None:
    """Without a code of Twilio's own, the SDK puts the HTTP status in its place."""
    code = error.code
    return code if isinstance(code, int) and code >= _LOWEST_TWILIO_CODE else None
