"""What the template tells a function through its environment. A missing value fails at cold start, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast


class MissingSettingError(RuntimeError):
    """An environment variable that the template should have set is not there, or has no meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a function. URLs are those of SQS queues; `send_concurrency` counts calls to Twilio at a time."""

    stage: str
    ledger_table: str
    files_bucket: str
    dispatch_queue_url: str
    send_queue_url: str
    send_dead_letter_queue_url: str
    callbacks_queue_url: str
    parameters_path: str
    credentials_store: Literal["ssm", "secretsmanager"]
    twilio_api_url: str
    default_region: str
    send_concurrency: int
    retention: timedelta
    inbound_reply: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables of the same names in capitals."""
        store = _required(env, "CREDENTIALS_STORE")
        if store not in {"ssm", "secretsmanager"}:
            raise MissingSettingError("CREDENTIALS_STORE must be ssm or secretsmanager")
        return cls(
            stage=_required(env, "STAGE"),
            ledger_table=_required(env, "LEDGER_TABLE"),
            files_bucket=_required(env, "FILES_BUCKET"),
            dispatch_queue_url=_required(env, "DISPATCH_QUEUE_URL"),
            send_queue_url=_required(env, "SEND_QUEUE_URL"),
            send_dead_letter_queue_url=_required(env, "SEND_DEAD_LETTER_QUEUE_URL"),
            callbacks_queue_url=_required(env, "CALLBACKS_QUEUE_URL"),
            parameters_path=_required(env, "PARAMETERS_PATH"),
            credentials_store=cast("Literal['ssm', 'secretsmanager']", store),
            twilio_api_url=_required(env, "TWILIO_API_URL"),
            default_region=_required(env, "DEFAULT_REGION"),
            send_concurrency=_whole_number(env, "SEND_CONCURRENCY"),
            retention=timedelta(days=_whole_number(env, "RETENTION_DAYS")),
            inbound_reply=env.get("INBOUND_REPLY", ""),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise MissingSettingError(f"environment variable {name} is not set")
    return value


def _whole_number(env: Mapping[str, str], name: str) -> int:
    text = _required(env, name)
    if not text.isdigit():
        raise MissingSettingError(
            f"environment variable {name} must be a whole number, not {text!r}"
        )
    return int(text)
