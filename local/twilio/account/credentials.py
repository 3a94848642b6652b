"""Who may call: the account with its auth tokens, its API key, and the test credentials."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from local.twilio.core.errors import ApiError
from local.twilio.core.settings import Account

TOKEN_LENGTH = 32


class Access(Enum):
    """What a caller is let do."""

    LIVE = "live"
    TEST = "test"  # magic numbers only; nothing is kept or sent


@dataclass(frozen=True, slots=True)
class AuthToken:
    """A token and when it was made."""

    value: str
    created: datetime


class Credentials:
    """The account's keys. With a secondary token two open it; webhooks are signed with the primary."""

    def __init__(self, account: Account) -> None:
        """Start with the token of the settings."""
        self._account = account
        self._tokens_made = 0
        self.primary = account.auth_token
        self.secondary: AuthToken | None = None

    def restore(self) -> None:
        """Put the tokens back to how the settings have them."""
        self.primary = self._account.auth_token
        self.secondary = None

    def create_secondary(self, now: datetime) -> AuthToken:
        """A second token that opens the account; one that was there before no longer does."""
        self.secondary = AuthToken(self._next_token(), now)
        return self.secondary

    def withdraw_secondary(self) -> AuthToken | None:
        """Let the secondary token open nothing any more; None if there is none."""
        withdrawn, self.secondary = self.secondary, None
        return withdrawn

    def promote(self) -> AuthToken | None:
        """Make the secondary token the only one, which also signs; None if there is none."""
        promoted = self.withdraw_secondary()
        if promoted is not None:
            self.primary = promoted.value
        return promoted

    def access_of(self, authorization: str | None) -> Access:
        """What an Authorization header opens; ApiError 20003 if nothing."""
        if authorization in self._live_headers():
            return Access.LIVE
        if authorization == _basic(self._account.test_account_sid, self._account.test_auth_token):
            return Access.TEST
        raise ApiError(20003)

    def account_sid_of(self, access: Access) -> str:
        """The account that stands in the path of such a caller's requests."""
        account = self._account
        return account.test_account_sid if access is Access.TEST else account.account_sid

    def _next_token(self) -> str:
        """Counted rather than drawn, so that a run can be repeated; no two of a run are alike."""
        self._tokens_made += 1
        text = f"{self._account.account_sid}:{self._tokens_made}"
        return hashlib.sha256(text.encode()).hexdigest()[:TOKEN_LENGTH]

    def _live_headers(self) -> tuple[str, ...]:
        account = self._account
        secondary = [self.secondary.value] if self.secondary else []
        return (
            *(_basic(account.account_sid, token) for token in (self.primary, *secondary)),
            _basic(account.api_key_sid, account.api_key_secret),
        )


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
