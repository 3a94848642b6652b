"""The simulated Twilio in this process, whole with its HTTP, behind the SDK's HTTP client: no socket is opened.

What it answers and takes is held against Twilio's OpenAPI documents by the simulator itself.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal
from unittest.mock import Mock
from urllib.parse import urlencode, urlsplit

from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from twilio.http import HttpClient
from twilio.http.response import Response

from local.twilio.api.edge import SIMULATOR
from local.twilio.app import build_runner
from local.twilio.core.settings import Account, Behaviour, Settings
from local.twilio.webhooks.client import Answer as Heard
from local.twilio.webhooks.client import Attempt, Call
from sendpool.adapters.twilio.transport import NoAnswerError
from tests.functional.aws import ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID
from tests.functional.killed import KilledError
from tests.functional.twilio import Answer, refusal

OTHER_SERVICE_SID = "MG" + "e0e0" * 8
_SETTINGS = Settings(
    service_sid=SERVICE_SID,
    empty_service_sid=OTHER_SERVICE_SID,
    account=Account(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN),
    behaviour=Behaviour(latency_ms=0, jitter_ms=0, contract=True),
)
_CHANGING = {"POST", "DELETE"}


@dataclass(repr=False)
class SimulatedTwilio(HttpClient):
    """An account with a service of three US long codes, and another one with an empty pool.

    `answers` holds what the next requests get instead, `instead` what a certain one gets each time (None: half an
    answer), `refused_at` how a certain one is refused. `before` and `after` are told of each request. `told` are the
    calls back about reviews.
    """

    loop: asyncio.AbstractEventLoop
    app: web.Application
    answers: list[Answer] = field(default_factory=list)
    instead: dict[str, Any] = field(default_factory=dict)
    refused_at: dict[str, Answer] = field(default_factory=dict)
    before: Callable[[str, str], None] = lambda _method, _path: None
    after: Callable[[str, str], None] = lambda _method, _path: None
    requests: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    told: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Keep what reviews call back, in place of calling."""
        told = self.told

        class Keeping:
            async def call(self, call: Call) -> Heard:
                told.append(call)
                return Heard(attempts=(Attempt(outcome="204", at=0, duration_ms=0),))

        notices: Any = self.app[SIMULATOR].trusthub.bundles._notices
        notices._client = Keeping()

    def request(  # type: ignore[override]
        self, method: str, uri: str, params: Any = None, data: Any = None, **more: Any
    ) -> Response:
        path = urlsplit(uri).path
        self.requests.append(f"{method} {path}")
        self.before(method, path)
        if self.answers:
            answer = self.answers.pop(0)
            if answer.error:
                raise answer.error
            refused = refusal(answer)
            return Response(refused.status_code, refused.text, self.headers)
        if refused_as := self.refused_at.get(f"{method} {path}"):
            refused = refusal(refused_as)
            return Response(refused.status_code, refused.text, self.headers)
        if f"{method} {path}" in self.instead:
            given = self.instead[f"{method} {path}"]
            return Response(200, json.dumps(given) if given else '{"sid": ')
        auth: tuple[str, str] = more["auth"]
        pair = b64encode(":".join(auth).encode()).decode()
        answered = self._ask(method, uri, params, data, {"Authorization": f"Basic {pair}"})
        self.after(method, path)
        return answered

    @property
    def changes(self) -> list[str]:
        """The requests that may have changed something."""
        return [each for each in self.requests if each.partition(" ")[0] in _CHANGING]

    @property
    def violations(self) -> list[Any]:
        """What broke the contract of Twilio's documents."""
        reported: list[Any] = self.control("GET", "contract")["violations"]
        return reported

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Use the simulator's own control API."""
        headers = {"Content-Type": "application/json"}
        answer = self._ask(method, f"/_control/{path}", None, None, headers, json_body=body)
        assert answer.status_code < 300, answer.text
        return json.loads(answer.text)

    def api(self, method: str, path: str, **form: object) -> Any:
        """Do something at Twilio that is not ours to do."""
        pair = b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        answer = self._ask(method, path, None, form, {"Authorization": f"Basic {pair}"})
        assert answer.status_code < 300, answer.text
        return json.loads(answer.text) if answer.text else None

    def _ask(
        self,
        method: str,
        uri: str,
        params: Any,
        data: Any,
        headers: dict[str, str],
        *,
        json_body: Any = None,
    ) -> Response:
        parts = urlsplit(uri)
        query = "&".join(filter(None, [parts.query, urlencode(params or {}, doseq=True)]))
        body = json.dumps(json_body).encode() if json_body is not None else b""
        if data:
            body = urlencode(data, doseq=True).encode()
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self.loop.run_until_complete(
            self._handle(method, f"{parts.path}?{query}" if query else parts.path, body, headers)
        )
        assert isinstance(answer, web.Response)
        text = bytes(answer.body).decode() if isinstance(answer.body, bytes | bytearray) else ""
        return Response(answer.status, text, dict(answer.headers))

    async def _handle(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        content = StreamReader(Mock(_reading_paused=False), 2**16, loop=self.loop)
        content.feed_data(body)
        content.feed_eof()
        request = make_mocked_request(
            method,
            target,
            headers={**headers, "Host": "api.twilio.com", "Content-Length": str(len(body))},
            payload=content,
            app=self.app,
        )
        return await self.app._handle(request)

    @contextmanager
    def killed_at(
        self, call: int, when: Literal["before", "after"]
    ) -> Iterator[Callable[[], bool]]:
        """Kill the process at one of its calls to Twilio, before it arrives or once it is done."""
        killed: list[str] = []
        calls = count(1)

        def strike(method: str, path: str) -> None:
            if next(calls) == call:
                killed.append(f"{method} {path}")
                raise KilledError(killed[0])

        setattr(self, when, strike)
        try:
            yield lambda: bool(killed)
        except KilledError:
            pass
        finally:
            setattr(self, when, lambda _method, _path: None)

    @contextmanager
    def answer_lost(self) -> Iterator[None]:
        """Let Twilio do what it is asked to, and the answer to each change get lost."""

        def lose(method: str, _path: str) -> None:
            if method in _CHANGING:
                raise NoAnswerError("late")

        self.after = lose
        try:
            yield
        finally:
            self.after = lambda _method, _path: None


@contextmanager
def simulated(loop: asyncio.AbstractEventLoop) -> Iterator[SimulatedTwilio]:
    """An account as new, for as long as the context lasts."""
    runner = build_runner(_SETTINGS)
    loop.run_until_complete(runner.setup())
    try:
        yield SimulatedTwilio(loop, runner.app)
    finally:
        loop.run_until_complete(runner.cleanup())
