"""What the template tells a function through its environment. A missing value fails at cold start, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast

from sendpool.domain.messaging_service import Changes, Value, problems

if TYPE_CHECKING:
    from sendpool.domain.events.messages import Told

# our names of the service's switches: the environment's
_SWITCHES = {
    "sticky_sender": "STICKY_SENDER",
    "mms_converter": "MMS_CONVERTER",
    "smart_encoding": "SMART_ENCODING",
    "area_code_geomatch": "AREA_CODE_GEOMATCH",
}
_CODE = re.compile("[A-Z]{2}")


class MissingSettingError(RuntimeError):
    """An environment variable that the template should have set is not there, or has no meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Whether marketing keeps quiet hours; states that only keep the federal ones, and states where it rests."""

    are_kept: bool
    federal_in: frozenset[str]
    closed_in: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Who may be texted, and how often: `countries` None for all, caps a person and 0 for none."""

    countries: frozenset[str] | None
    marketing_a_day: int
    marketing_a_week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a function. URLs are those of SQS queues; `send_concurrency` counts calls to Twilio at a time.

    `service_features` are the settings of the Messaging Service that are declared, by name.
    """

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
    evidence_age: timedelta
    retention: timedelta
    inbound_reply: str
    likely_stop: Literal["act", "review", "ignore"]
    forward_consents: bool
    quiet_hours: QuietHours
    limits: Limits
    checks_registration: bool
    brand: str
    link_domain: str
    event_bus: str
    told: Told
    publisher_failures_queue_url: str
    event_webhooks_queue_url: str
    event_webhook_url: str
    service_features: Changes
    patience: Literal["long", "short"]

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
            evidence_age=timedelta(seconds=_whole_number(env, "EVIDENCE_SECONDS")),
            retention=timedelta(days=_whole_number(env, "RETENTION_DAYS")),
            inbound_reply=env.get("INBOUND_REPLY", ""),
            likely_stop=_likely_stop(env),
            forward_consents=env.get("FORWARD_CONSENTS", "off") == "on",
            quiet_hours=QuietHours(
                are_kept=env.get("QUIET_HOURS", "on") == "on",
                federal_in=_codes(env, "FEDERAL_HOURS_IN"),
                closed_in=_codes(env, "CLOSED_STATES"),
            ),
            limits=Limits(
                countries=_codes(env, "ALLOWED_COUNTRIES") or None,
                marketing_a_day=_whole_number(env, "MARKETING_PER_DAY", default="0"),
                marketing_a_week=_whole_number(env, "MARKETING_PER_WEEK", default="0"),
            ),
            checks_registration=env.get("REGISTRATION_CHECK", "on") == "on",
            brand=env.get("BRAND_NAME", ""),
            link_domain=env.get("LINK_DOMAIN", ""),
            event_bus=_required(env, "EVENT_BUS"),
            told=_told(env),
            publisher_failures_queue_url=_required(env, "PUBLISHER_FAILURES_QUEUE_URL"),
            event_webhooks_queue_url=_required(env, "EVENT_WEBHOOKS_QUEUE_URL"),
            event_webhook_url=env.get("EVENT_WEBHOOK_URL", ""),
            service_features=features(env),
            patience="short" if env.get("PATIENCE") == "short" else "long",
        )


def features(env: Mapping[str, str]) -> Changes:
    """Read what is declared of the Messaging Service's features; what is `any`, or a period of 0, is not."""
    switches = {name: env.get(variable, "any") for name, variable in _SWITCHES.items()}
    said: dict[str, Value] = {
        **{name: {"on": True, "off": False}.get(word, word) for name, word in switches.items()},
        "validity_period": _whole_number(env, "SERVICE_VALIDITY_PERIOD", default="0") or "any",
        "use_case": env.get("SERVICE_USE_CASE", "any"),
    }
    features = {name: value for name, value in said.items() if value != "any"}
    wrong = problems(features)
    if wrong:
        raise MissingSettingError(f"what declares {wrong[0].field} {wrong[0].message}, or be any")
    return features


def _likely_stop(env: Mapping[str, str]) -> Literal["act", "review", "ignore"]:
    chosen = env.get("LIKELY_STOP", "act")
    if chosen in {"review", "ignore"}:
        return cast("Literal['review', 'ignore']", chosen)
    return "act"  # also for what nobody knows: a stop that is overlooked cannot be made good


def _told(env: Mapping[str, str]) -> Told:
    chosen = env.get("MESSAGE_EVENTS", "all")
    return cast("Told", chosen) if chosen in {"final", "none"} else "all"


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise MissingSettingError(f"environment variable {name} is not set")
    return value


def _codes(env: Mapping[str, str], name: str) -> frozenset[str]:
    """Read two-letter codes, separated by commas."""
    codes = frozenset(code.strip().upper() for code in env.get(name, "").split(",") if code.strip())
    wrong = sorted(code for code in codes if not _CODE.fullmatch(code))
    if wrong:
        raise MissingSettingError(f"environment variable {name} has {wrong[0]!r}, not two letters")
    return codes


def _whole_number(env: Mapping[str, str], name: str, *, default: str | None = None) -> int:
    text = _required(env, name) if default is None else env.get(name) or default
    if not text.isdigit():
        raise MissingSettingError(
            f"environment variable {name} must be a whole number, not {text!r}"
        )
    return int(text)
