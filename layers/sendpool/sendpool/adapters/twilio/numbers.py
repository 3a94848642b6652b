"""The numbers and short codes of an account: which SID belongs to which."""

from __future__ import annotations

from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library
from sendpool.domain.errors import TwilioRefusedError


class Numbers:
    """The senders that an account has, in a pool or not."""

    def __init__(self, *, credentials: Credentials, http_client: HttpClient) -> None:
        self._account = library(credentials=credentials, http_client=http_client).api.v2010.account

    def sid_of(self, address: str) -> str | None:
        """Return the SID of a number (E.164) or short code; None when the account has no such sender."""
        try:
            if address.startswith("+"):
                # Twilio finds parts of numbers too
                numbers = self._account.incoming_phone_numbers.stream(phone_number=address)
                return next((str(n.sid) for n in numbers if n.phone_number == address), None)
            codes = self._account.short_codes.stream(short_code=address)
            return next((str(each.sid) for each in codes if each.short_code == address), None)
        except RefusedError as error:
            raise TwilioRefusedError(error.code) from error
