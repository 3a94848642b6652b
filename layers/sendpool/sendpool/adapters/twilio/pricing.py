"""Twilio's Pricing API: what a segment to a country costs this account.

One GET a country, written out: the SDK's own classes cost an import and understand no more of the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus

from twilio.http import HttpClient
from twilio.http.response import Response

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.creation import outcome_of
from sendpool.adapters.twilio.transport import TransportError
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import RefusedForNow
from sendpool.domain.prices import CountryPrices, read_country

_COUNTRIES = "https://pricing.twilio.com/v1/Messaging/Countries"
_TIMEOUT_SECONDS = 4.0
_HEADERS = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """The price list of one account."""

    credentials: Credentials
    http_client: HttpClient

    def ask(self, country: str, *, now: datetime) -> CountryPrices:
        """Ask what a segment to a country (ISO 3166 letters) costs; without prices if Twilio knows none (404).

        Raises TwilioBusyError when Twilio asks to be asked less (429), TwilioUnavailableError for everything
        else that is no price list: refused credentials, an answer that makes no sense, none at all.
        """
        try:
            answer = self.http_client.request(
                "GET",
                f"{_COUNTRIES}/{country}",
                headers=_HEADERS,
                auth=(self.credentials.username, self.credentials.password),
                timeout=_TIMEOUT_SECONDS,
            )
        except TransportError as error:
            raise TwilioUnavailableError from error
        match answer.status_code:
            case HTTPStatus.OK:
                return _prices(answer, country, now)
            case HTTPStatus.NOT_FOUND:
                return CountryPrices(country=country, currency="", fetched_at=now, sms={})
            case HTTPStatus.TOO_MANY_REQUESTS:
                raise _busy(answer)
        raise TwilioUnavailableError(f"Twilio's price list answers {answer.status_code}")


def _prices(answer: Response, country: str, now: datetime) -> CountryPrices:
    try:
        said = json.loads(answer.text, parse_float=Decimal)
        return read_country(said, country=country, fetched_at=now)
    except ValueError as error:
        raise TwilioUnavailableError("Twilio's price list cannot be read") from error


def _busy(answer: Response) -> TwilioBusyError | TwilioUnavailableError:
    outcome = outcome_of(answer)
    if isinstance(outcome, RefusedForNow):
        return TwilioBusyError(outcome.code, retry_after=outcome.retry_after)
    return TwilioUnavailableError()
