"""What the simulator is told: who it is, where it listens, how it behaves.

Every setting has a flag (`--latency-ms`), an environment variable (`LOCAL_TWILIO_LATENCY_MS`)
and a default. `Behaviour` can also be changed while the server runs.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

ENV_PREFIX = "LOCAL_TWILIO_"
WORDS = {"sign_port": ("as_is", "with", "without"), "click_format": ("json", "form")}


@dataclass(frozen=True, slots=True)
class Account:
    """The one account of this server. The values are put together so that no scanner sees a key."""

    account_sid: str = "AC" + "5e0d" * 8
    auth_token: str = "70ce" * 8
    api_key_sid: str = "SK" + "5e0d" * 8
    api_key_secret: str = "5ec0" * 8
    test_account_sid: str = "AC" + "7e57" * 8
    test_auth_token: str = "0007" * 8


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How messages and callbacks fare; README.md explains each field."""

    latency_ms: float = 20.0
    jitter_ms: float = 10.0
    slow_ms: float = 5000.0
    failure_share: float = 0.0
    failure_codes: tuple[str, ...] = ("30003:4", "30005:3", "30006:1", "30007:1", "30008:1")
    duplicate_share: float = 0.0
    reorder_share: float = 0.0
    loss_share: float = 0.0
    seed: int = 1
    callback_concurrency: int = 50
    max_concurrent_requests: int = 0
    trial: bool = False
    verified_numbers: tuple[str, ...] = ()
    blocked_prefixes: tuple[str, ...] = ("+850",)
    number_sms_url: str = ""
    rate_scale: float = 1.0
    queue_seconds: float = 36_000.0
    price_ms: float = 50.0
    list_lag_ms: float = 0.0
    max_scheduled: int = 500_000
    max_pool: int = 400
    max_services: int = 1000
    fetch_media: bool = False
    protect_media: bool = True
    sign_port: str = "as_is"
    click_format: str = "json"
    pumping_prefixes: tuple[str, ...] = ()
    enforce_registration: bool = True
    number_registration_seconds: float = 0.0
    auto_review: bool = True
    profile_review_seconds: float = 86_400.0
    brand_review_seconds: float = 300.0
    vetting_review_seconds: float = 3_600.0
    campaign_review_seconds: float = 864_000.0
    tollfree_review_seconds: float = 259_200.0
    certificate_seconds: float = 600.0
    contract: bool = False

    def __post_init__(self) -> None:
        """Refuse words that mean nothing, and failure codes that could not be drawn from."""
        for name, allowed in WORDS.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: one of {', '.join(allowed)} is wanted")
        if not self.weighted_failure_codes()[0]:
            raise ValueError("failure_codes: at least one is needed")

    def changed(self, changes: Mapping[str, object]) -> "Behaviour":
        """This behaviour with some fields replaced; ValueError names what cannot be read."""
        return replace(self, **_read_fields(self, changes))

    def weighted_failure_codes(self) -> tuple[list[int], list[int]]:
        """Error codes and their weights, from entries such as `30003:4`."""
        pairs = [entry.partition(":") for entry in self.failure_codes]
        return [int(code) for code, _, _ in pairs], [int(weight or 1) for _, _, weight in pairs]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the server needs to start."""

    host: str = "127.0.0.1"
    port: int = 8800
    service_sid: str = "MG" + "5e0d" * 8
    empty_service_sid: str = "MG" + "e0e0" * 8
    numbers: tuple[str, ...] = ("+12025550100", "+14155550100", "+12125550100")
    loose_numbers: tuple[str, ...] = ("+13125550100", "+18885550100")
    short_codes: tuple[str, ...] = ("55501",)
    inbound_request_url: str = ""
    status_callback: str = ""
    faults: tuple[Mapping[str, Any], ...] = ()
    account: Account = field(default_factory=Account)
    behaviour: Behaviour = field(default_factory=Behaviour)


def from_command_line(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from flags, else from the environment, else the defaults."""
    given = {
        name: value
        for name, value in vars(_parser(environ).parse_args(argv)).items()
        if value is not None
    }
    top = Settings()
    faults = tuple(json.loads(given.pop("faults", "[]")))
    return replace(
        top,
        **_read_fields(top, _only(top, given)),
        faults=faults,
        account=replace(top.account, **_read_fields(top.account, _only(top.account, given))),
        behaviour=top.behaviour.changed(_only(top.behaviour, given)),
    )


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.twilio", description="A simulated Twilio; see local/twilio/README.md"
    )
    parts = (Settings(), Account(), Behaviour())
    for name in (each.name for part in parts for each in fields(part)):
        if name not in {"account", "behaviour"}:
            parser.add_argument(
                "--" + name.replace("_", "-"), default=environ.get(ENV_PREFIX + name.upper())
            )
    return parser


def _only(part: object, given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if name in type(part).__slots__}  # type: ignore[attr-defined]


def _read_fields(part: object, changes: Mapping[str, object]) -> dict[str, Any]:
    unknown = set(changes) - set(type(part).__slots__)  # type: ignore[attr-defined]
    if unknown:
        raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
    return {name: _read(name, value, like=getattr(part, name)) for name, value in changes.items()}


def _read(name: str, value: object, *, like: object) -> object:
    """A value in the type of the default that it replaces."""
    try:
        if isinstance(like, bool):
            return _read_bool(value)
        if isinstance(like, tuple):
            return _read_list(value)
        return "" if value is None else type(like)(value)  # type: ignore[call-arg]
    except (TypeError, ValueError) as exc:
        raise ValueError(f"{name}: cannot read {value!r}") from exc


def _read_bool(value: object) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    word = str(value).lower()
    if word not in words:
        raise ValueError(word)
    return words[word]


def _read_list(value: object) -> tuple[str, ...]:
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise TypeError
    return tuple(str(entry).strip() for entry in entries if str(entry).strip())
