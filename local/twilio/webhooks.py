"""Requests that this server makes: signing, connection overrides, retries.

A webhook URL may end in a fragment of overrides, `#rc=3&rp=ct,rt,5xx&ct=2000&rt=5000`; the
fragment is neither sent nor signed.
"""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag, urlencode

import aiohttp
from yarl import URL

from local.twilio.forms import CONTENT_TYPE

CONNECT_FAILED = "ct"
READ_FAILED = "rt"
MAX_BODY = 64 * 1024
HTTP_OK = 200
HTTP_REDIRECT = 300

type Params = Mapping[str, str | tuple[str, ...]]


def sign(*, auth_token: str, url: str, params: Params) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted parameters."""
    text = url + "".join(
        name + value for name in sorted(params) for value in _unique_values(params[name])
    )
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _unique_values(value: str | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(set(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Connection overrides of a URL; times in milliseconds."""

    connect_ms: int = 5000
    read_ms: int = 15000
    total_ms: int = 15000
    retries: int = 1
    policy: frozenset[str] = frozenset({CONNECT_FAILED})

    def wants_retry(self, outcome: str) -> bool:
        """The retry policy covers this outcome."""
        kind = f"{outcome[0]}xx" if outcome.isdecimal() else outcome
        is_failure = kind in {"4xx", "5xx", CONNECT_FAILED, READ_FAILED}
        return is_failure and bool(self.policy & {kind, "all"})


def parse_overrides(fragment: str) -> Overrides:
    """Overrides of a fragment; values out of range are bounded, unreadable ones ignored."""
    given = {name: values[-1] for name, values in parse_qs(fragment).items()}
    policy = frozenset(given.get("rp", CONNECT_FAILED).split(","))
    return Overrides(
        connect_ms=_bounded(given.get("ct"), default=5000, low=100, high=10000),
        read_ms=_bounded(given.get("rt"), default=15000, low=100, high=15000),
        total_ms=_bounded(given.get("tt"), default=15000, low=100, high=15000),
        retries=_bounded(given.get("rc"), default=1, low=0, high=5),
        policy=policy,
    )


def _bounded(text: str | None, *, default: int, low: int, high: int) -> int:
    if text is None or not text.isdecimal():
        return default
    return min(high, max(low, int(text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: its outcome is an HTTP status, `ct` or `rt`."""

    outcome: str
    at: float
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the last try got, and all tries."""

    attempts: tuple[Attempt, ...]
    content_type: str = ""
    body: str = ""

    @property
    def outcome(self) -> str:
        """Outcome of the last try."""
        return self.attempts[-1].outcome

    @property
    def status(self) -> int | None:
        """HTTP status of the last try, if there was one."""
        return int(self.outcome) if self.outcome.isdecimal() else None

    @property
    def is_success(self) -> bool:
        """The webhook answered 2xx."""
        return self.status is not None and HTTP_OK <= self.status < HTTP_REDIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A webhook to be called; the token stays the same over all tries."""

    url: str
    params: dict[str, str]
    method: str = "POST"
    token: str = ""


def new_token() -> str:
    """A fresh I-Twilio-Idempotency-Token."""
    return str(uuid.uuid4())


class WebhookClient:
    """Calls webhooks as Twilio does."""

    def __init__(self, session: aiohttp.ClientSession, auth_token: str) -> None:
        """Use a session; the account's auth token signs."""
        self._session = session
        self._auth_token = auth_token

    async def call(self, call: Call) -> Answer:
        """Call once, and again as the overrides of the URL say, within their total time."""
        url, fragment = urldefrag(call.url)
        overrides = parse_overrides(fragment)
        deadline = time.monotonic() + overrides.total_ms / 1000
        answer = Answer(attempts=())
        while True:
            left = max(0.001, deadline - time.monotonic())
            answer = await self._try(call, url, overrides, left=left, earlier=answer.attempts)
            is_over = len(answer.attempts) > overrides.retries or time.monotonic() >= deadline
            if is_over or not overrides.wants_retry(answer.outcome):
                return answer

    async def _try(
        self,
        call: Call,
        url: str,
        overrides: Overrides,
        *,
        left: float,
        earlier: tuple[Attempt, ...],
    ) -> Answer:
        started = time.time()
        limits = aiohttp.ClientTimeout(
            total=left,
            sock_connect=overrides.connect_ms / 1000,
            sock_read=overrides.read_ms / 1000,
        )
        outcome, content_type, body = await self._exchange(call, url, limits)
        attempt = Attempt(
            outcome=outcome, at=started, duration_ms=round((time.time() - started) * 1000, 1)
        )
        return Answer(attempts=(*earlier, attempt), content_type=content_type, body=body)

    async def _exchange(
        self, call: Call, url: str, limits: aiohttp.ClientTimeout
    ) -> tuple[str, str, str]:
        target, form = _split(call, url)
        headers = {
            "X-Twilio-Signature": sign(
                auth_token=self._auth_token, url=target, params=call.params if form else {}
            ),
            "I-Twilio-Idempotency-Token": call.token,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            **({"Content-Type": f"{CONTENT_TYPE}; charset=UTF-8"} if form else {}),
        }
        try:
            async with self._session.request(
                call.method,
                URL(target, encoded=target.isascii()),
                data=form.encode() or None,
                headers=headers,
                timeout=limits,
            ) as response:
                body = await response.content.read(MAX_BODY)
                return str(response.status), response.content_type, body.decode("utf-8", "replace")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return CONNECT_FAILED, "", ""
        except (aiohttp.ClientError, TimeoutError):
            return READ_FAILED, "", ""


def _split(call: Call, url: str) -> tuple[str, str]:
    """Target and form: a GET carries the parameters in the URL, a POST in the body."""
    encoded = urlencode(call.params)
    if call.method == "POST":
        return url, encoded
    return f"{url}{'&' if '?' in url else '?'}{encoded}", ""
