"""What a deployment knows at run time: the service SID, the public URL, Twilio's credentials.

Everything stands below `/sendpool/<stage>/` in SSM and is read with one call, cached for five minutes, so a
rotated token works without a restart. With `secretsmanager` the credentials come from one JSON secret instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.utilities.parameters import (
    GetParameterError,
    SecretsProvider,
    SSMProvider,
)

from sendpool.adapters import aws

_MAX_AGE_SECONDS = 300
_NOT_THERE = "ResourceNotFoundException"


class MissingParameterError(LookupError):
    """A parameter that every deployment needs is not there; says its name and how to put it there."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Twilio's credentials. `auth_tokens` has one, or two during rotation, the primary first.

    `webhook_signing_keys` are secrets of shared keys, which Twilio's webhook settings may name to sign with instead.
    """

    account_sid: str
    auth_tokens: tuple[str, ...]
    api_key_sid: str | None = None
    api_key_secret: str | None = None
    webhook_signing_keys: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Credentials(account_sid={self.account_sid!r}, …)"

    @property
    def username(self) -> str:
        return self.api_key_sid or self.account_sid

    @property
    def password(self) -> str:
        return (
            self.api_key_secret if self.api_key_sid and self.api_key_secret else self.auth_tokens[0]
        )


class Parameters:
    """The parameters below `path` (such as `/sendpool/prod`)."""

    def __init__(self, path: str, *, credentials_store: Literal["ssm", "secretsmanager"]) -> None:
        self._path = path
        self._store = credentials_store
        self._ssm = SSMProvider(boto3_client=aws.ssm())
        self._secrets_manager = (
            SecretsProvider(boto3_client=aws.secrets_manager())
            if credentials_store == "secretsmanager"
            else None
        )

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._ssm.clear_cache()
        if self._secrets_manager:
            self._secrets_manager.clear_cache()

    @property
    def messaging_service_sid(self) -> str:
        return self._value("messaging-service-sid")

    @property
    def public_url(self) -> str:
        """Without a trailing slash."""
        return self._value("public-url").rstrip("/")

    @property
    def credentials(self) -> Credentials:
        account_sid = self._value("twilio/account-sid")
        secrets = self._secrets()
        if not secrets.get("auth-token"):
            raise MissingParameterError(self._how_to_put_the_token_there())
        return Credentials(
            account_sid=account_sid,
            auth_tokens=_live(secrets, "auth-token"),
            api_key_sid=secrets.get("api-key-sid"),
            api_key_secret=secrets.get("api-key-secret"),
            webhook_signing_keys=_live(secrets, "webhook-signing-key"),
        )

    @property
    def event_webhook_secrets(self) -> tuple[str, ...]:
        """What events are signed with at the team's own URL: one, or two while it is rotated."""
        name = "event-webhook-secret"
        secrets = _live(self._all() if self._store == "ssm" else self._secrets(), name)
        if not secrets:
            where = f"{self._path}/" + (name if self._store == "ssm" else f"twilio (key {name})")
            raise MissingParameterError(f"no signing secret in {self._store} at {where}")
        return secrets

    def _secrets(self) -> dict[str, str]:
        if self._secrets_manager is None:
            prefix = "twilio/"
            return {
                n.removeprefix(prefix): v for n, v in self._all().items() if n.startswith(prefix)
            }
        try:
            secret: Any = self._secrets_manager.get(
                f"{self._path}/twilio", max_age=_MAX_AGE_SECONDS, transform="json"
            )
        except GetParameterError as error:
            # Powertools has one error for everything
            if error.__context__ and aws.refusal(error.__context__).get("code") == _NOT_THERE:
                raise MissingParameterError(self._how_to_put_the_token_there()) from error
            raise
        return dict(secret)

    def _how_to_put_the_token_there(self) -> str:
        name = f"{self._path}/twilio"
        if self._store == "ssm":
            command = (
                f"aws ssm put-parameter --type SecureString --name {name}/auth-token"
                ' --value "$TWILIO_AUTH_TOKEN"'
            )
        else:
            command = (
                f"aws secretsmanager create-secret --name {name} --secret-string"
                """ '{"auth-token": "…"}'"""
            )
        return f"Twilio's auth token is not in {self._store}. Put it there: {command}"

    def _value(self, name: str) -> str:
        value = self._all().get(name)
        if not value:
            raise MissingParameterError(f"no parameter {self._path}/{name} in SSM")
        return value

    def _all(self) -> dict[str, str]:
        found: Any = self._ssm.get_multiple(
            self._path, max_age=_MAX_AGE_SECONDS, decrypt=True, recursive=True
        )
        return {name.lstrip("/"): value for name, value in found.items()}


def _live(secrets: dict[str, str], name: str) -> tuple[str, ...]:
    """The secret of this name, and the secondary one that is believed beside it during a rotation."""
    return tuple(filter(None, (secrets.get(name), secrets.get(f"{name}-secondary"))))
