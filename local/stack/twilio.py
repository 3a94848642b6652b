"""The Twilio that the stack talks to: our simulator, or whatever `TWILIO_API_URL` names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from local.stack.failure import StackError
from local.stack.places import PYTHON
from local.stack.ports import HOST, choose
from local.stack.processes import Program
from local.twilio.core.settings import ENV_PREFIX, Account, Settings

SIMULATOR = Program("twilio")
# more only queue up before the emulator's few environments, until the simulator stops waiting for them
CALLBACKS_AT_ONCE = "8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """A Twilio-compatible endpoint and who we are there."""

    url: str
    account_sid: str
    auth_token: str
    messaging_service_sid: str
    is_simulator: bool


def elsewhere(env: Mapping[str, str]) -> Twilio | None:
    """The endpoint that the caller's environment names, with the identities that go with it."""
    url = env.get("TWILIO_API_URL", "").rstrip("/")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise StackError(f"TWILIO_API_URL must begin with http:// or https://, not {url!r}")
    own = _simulated(url)
    return Twilio(
        url=url,
        account_sid=env.get("TWILIO_ACCOUNT_SID", own.account_sid),
        auth_token=env.get("TWILIO_AUTH_TOKEN", own.auth_token),
        messaging_service_sid=env.get("TWILIO_MESSAGING_SERVICE_SID", own.messaging_service_sid),
        is_simulator=False,
    )


def start_simulator() -> Twilio:
    """Start our simulator and wait until it serves. `LOCAL_TWILIO_*` of the caller's environment reach it."""
    twilio = _simulated(f"http://{HOST}:{choose('SENDPOOL_TWILIO_PORT', usual=8800)}")
    command = [str(PYTHON), "-m", "local.twilio", "--port", twilio.url.rpartition(":")[2]]
    given = {name: value for name, value in os.environ.items() if name.startswith(ENV_PREFIX)}
    settings = {ENV_PREFIX + "CALLBACK_CONCURRENCY": CALLBACKS_AT_ONCE} | given
    SIMULATOR.start(command, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **settings})
    SIMULATOR.wait_until(lambda: "local.twilio ready" in SIMULATOR.log.read_text())
    return twilio


def _simulated(url: str) -> Twilio:
    account, settings = Account(), Settings()
    return Twilio(
        url=url,
        account_sid=os.environ.get(ENV_PREFIX + "ACCOUNT_SID", account.account_sid),
        auth_token=os.environ.get(ENV_PREFIX + "AUTH_TOKEN", account.auth_token),
        messaging_service_sid=os.environ.get(ENV_PREFIX + "SERVICE_SID", settings.service_sid),
        is_simulator=True,
    )
