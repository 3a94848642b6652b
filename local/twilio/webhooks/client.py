"""Requests that this server makes: signed, within the times of their overrides, tried again as those say."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlencode

import aiohttp
from yarl import URL

from local.twilio.core.forms import CONTENT_TYPE
from local.twilio.core.settings import Behaviour
from local.twilio.webhooks.overrides import (
    CONNECT_FAILED,
    DEFAULT_EDGES,
    READ_FAILED,
    Overrides,
    parse_overrides,
)
from local.twilio.webhooks.signing import Params, sign, spell_port, with_body_hash

MAX_BODY = 64 * 1024
MAX_REDIRECTS = 10
HTTP_OK = 200
HTTP_REDIRECT = 300
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FORM = f"{CONTENT_TYPE}; charset=UTF-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: its outcome is an HTTP status, `ct` or `rt`."""

    outcome: str
    at: float
    duration_ms: float
    edge: str = DEFAULT_EDGES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the last try got, and all tries; a body longer than 64 kB `is_too_long` and cut off."""

    attempts: tuple[Attempt, ...]
    content_type: str = ""
    body: str = ""
    is_too_long: bool = False

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
    """A webhook to be called; the token stays the same over all tries.

    `params` go as a form, or into the query with GET; with `json` that is the body and there are no params.
    """

    url: str
    params: Params = field(default_factory=dict)
    method: str = "POST"
    token: str = ""
    json: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as it goes out: `signed` are the parameters that its signature covers beside the URL."""

    url: str
    method: str
    body: bytes = b""
    content_type: str = ""
    signed: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one request got; `location` is where a redirect leads."""

    word: str
    content_type: str = ""
    body: str = ""
    is_too_long: bool = False
    location: str = ""


def new_token() -> str:
    """A fresh I-Twilio-Idempotency-Token."""
    return str(uuid.uuid4())


class WebhookClient:
    """Calls webhooks as Twilio does."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        auth_token: Callable[[], str],
        behaviour: Callable[[], Behaviour],
    ) -> None:
        """Use a session; the auth token of the moment signs, the port spelled as the behaviour says."""
        self._session = session
        self._auth_token = auth_token
        self._behaviour = behaviour

    async def call(self, call: Call) -> Answer:
        """Call once, and again as the overrides of the URL say, within their total time."""
        url, fragment = urldefrag(call.url)
        overrides = parse_overrides(fragment)
        deadline = time.monotonic() + overrides.total_ms / 1000
        answer = Answer(attempts=())
        while True:
            answer = await self._try(call, url, overrides, deadline, answer.attempts)
            is_over = len(answer.attempts) > overrides.retries or time.monotonic() >= deadline
            if is_over or not overrides.wants_retry(answer.outcome):
                return answer

    async def _try(
        self,
        call: Call,
        url: str,
        overrides: Overrides,
        deadline: float,
        earlier: tuple[Attempt, ...],
    ) -> Answer:
        started = time.time()
        outcome = await self._follow(call, url, overrides, deadline)
        attempt = Attempt(
            outcome=outcome.word,
            at=started,
            duration_ms=round((time.time() - started) * 1000, 1),
            edge=overrides.edge_of(len(earlier)),
        )
        return Answer(
            attempts=(*earlier, attempt),
            content_type=outcome.content_type,
            body=outcome.body,
            is_too_long=outcome.is_too_long,
        )

    async def _follow(self, call: Call, url: str, overrides: Overrides, deadline: float) -> Outcome:
        """A redirect is followed by a GET that has lost the fields; one too many stays the outcome."""
        outgoing = _first_outgoing(call, url)
        for _ in range(MAX_REDIRECTS):
            outcome = await self._exchange(outgoing, call.token, _limits(overrides, deadline))
            if not outcome.location:
                return outcome
            outgoing = Outgoing(url=outcome.location, method="GET")
        return outcome

    async def _exchange(
        self, outgoing: Outgoing, token: str, limits: aiohttp.ClientTimeout
    ) -> Outcome:
        try:
            target = URL(outgoing.url, encoded=outgoing.url.isascii())
            async with self._session.request(
                outgoing.method,
                target,
                data=outgoing.body or None,
                headers=self._headers(outgoing, token),
                timeout=limits,
                allow_redirects=False,
            ) as response:
                return await _read_outcome(response, target)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ValueError):
            return Outcome(word=CONNECT_FAILED)  # a URL that is none is a ValueError
        except (aiohttp.ClientError, TimeoutError):
            return Outcome(word=READ_FAILED)

    def _headers(self, outgoing: Outgoing, token: str) -> dict[str, str]:
        signature = sign(
            auth_token=self._auth_token(),
            url=spell_port(outgoing.url, self._behaviour().sign_port),
            params=outgoing.signed,
        )
        return {
            "X-Twilio-Signature": signature,
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            **({"Content-Type": outgoing.content_type} if outgoing.content_type else {}),
        }


def _first_outgoing(call: Call, url: str) -> Outgoing:
    """A GET carries the fields in the URL, a POST in the body, and JSON has its hash in the URL."""
    if call.json is not None:
        body = json.dumps(call.json).encode()
        return Outgoing(
            url=with_body_hash(url, body), method=call.method, body=body, content_type=JSON
        )
    fields = urlencode(call.params, doseq=True)
    if call.method == "POST":
        return Outgoing(
            url=url, method="POST", body=fields.encode(), content_type=FORM, signed=call.params
        )
    separator = "&" if "?" in url else "?"
    return Outgoing(url=f"{url}{separator}{fields}" if fields else url, method=call.method)


def _limits(overrides: Overrides, deadline: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=max(0.001, deadline - time.monotonic()),
        sock_connect=overrides.connect_ms / 1000,
        sock_read=overrides.read_ms / 1000,
    )


async def _read_outcome(response: aiohttp.ClientResponse, target: URL) -> Outcome:
    location = response.headers.get("Location", "") if response.status in REDIRECTS else ""
    body = b""
    while len(body) <= MAX_BODY and (chunk := await response.content.read(MAX_BODY)):
        body += chunk
    return Outcome(
        word=str(response.status),
        content_type=response.content_type if "Content-Type" in response.headers else "",
        body=body[:MAX_BODY].decode("utf-8", "replace"),
        is_too_long=len(body) > MAX_BODY,
        location=str(target.join(URL(location))) if location else "",
    )
