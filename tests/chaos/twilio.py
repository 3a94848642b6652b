"""The simulated Twilio in this process: its logic without its HTTP, on the world's clock.

Creates and lists come in at the SDK's HTTP client; webhooks come out one by one and wait for their answer, which the
simulator judges as Twilio would (it signs, and tries again after a 5xx). Its clock is the world's.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.paging import classic_envelope
from local.twilio.core.settings import Behaviour, Settings
from local.twilio.inbound.attachments import Attachment
from local.twilio.inbound.incoming import Inbound, Incoming
from local.twilio.links.clicks import EventType, Visit
from local.twilio.links.links import Link
from local.twilio.messages.listing import list_page
from local.twilio.messages.truth import tell_truth
from local.twilio.simulator import Simulator

# a Monday, later than any day on which this runs, so that runs repeat
BEGINNING = datetime(2035, 1, 8, 15, tzinfo=UTC)
LIST_LAG_SECONDS = 5
PUBLIC_URL = "https://sendpool.example.com"
LINK_DOMAIN = "go.example.com"
Call = Callable[[str, str, Callable[[], Response]], Response]


@dataclass(slots=True)
class Webhook:
    """A request of Twilio's to us that waits for its answer."""

    url: str
    body: str
    content_type: str
    signature: str
    answer: asyncio.Future[int]


@dataclass(slots=True)
class _Content:
    async def read(self, _most: int) -> bytes:
        return b""


@dataclass(slots=True)
class _Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: _Content = field(default_factory=_Content)
    content_type: str = ""


class _Session:
    """What the simulator takes for an aiohttp session: requests are handed over, not sent."""

    def __init__(self, hand_over: Callable[[Webhook], None]) -> None:
        self._hand_over = hand_over

    def request(
        self,
        _method: str,
        url: object,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        **_: object,
    ) -> _Exchange:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        body = (data or b"").decode()
        webhook = Webhook(
            str(url), body, headers["Content-Type"], headers["X-Twilio-Signature"], answer
        )
        return _Exchange(self._hand_over, webhook)


@dataclass(slots=True)
class _Exchange:
    hand_over: Callable[[Webhook], None]
    webhook: Webhook

    async def __aenter__(self) -> _Response:
        self.hand_over(self.webhook)
        return _Response(await self.webhook.answer)

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


SETTINGS = Settings(
    behaviour=replace(Behaviour(), list_lag_ms=LIST_LAG_SECONDS * 1000, latency_ms=400)
)


class SimulatedTwilio:
    """The simulator, driven by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.webhooks: deque[Webhook] = deque()
        self._loop = loop
        self.silent: set[str] = set()
        self._refuses_until = BEGINNING
        self._receptions: list[asyncio.Task[Inbound]] = []
        session: Any = _Session(self.webhooks.append)
        self._simulator = Simulator(SETTINGS, session)
        urls = {"inbound_request_url": "inbound", "fallback_url": "fallback"}
        self._simulator.change(
            {setting: f"{PUBLIC_URL}/webhooks/{route}" for setting, route in urls.items()}
        )
        self.clock = self._simulator.clock
        self._simulator.callbacks.pause()
        self.clock.freeze()
        self.clock.advance(BEGINNING.timestamp() - self.clock.seconds())

    def now(self) -> datetime:
        """The world's time, to the millisecond as the ledger keeps it."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def announce(self) -> None:
        """Let the webhooks that are due come out, and those that were answered go on."""
        callbacks = self._simulator.callbacks
        self._loop.call_soon(callbacks.resume)
        self._turn(2)
        self._loop.call_soon(callbacks.pause)
        self._turn(1)

    def _turn(self, rounds: int) -> None:
        for _ in range(rounds):
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()

    def truth(self) -> list[dict[str, Any]]:
        """Every message that was made, whoever knows of it."""
        told: list[dict[str, Any]] = tell_truth(self._simulator.store, to=None, with_messages=True)[
            "messages"
        ]
        return told

    def silence(self, person: str) -> None:
        """Lose every callback of messages to this person."""
        self.silent.add(person)
        self._simulator.fates.script({"to": person, "callbacks": "lost", "count": None})

    def empty_the_pool(self, *, seconds: float) -> None:
        """Refuse everybody's messages from now on for so long."""
        self._refuses_until = self.now() + timedelta(seconds=seconds)

    def slow_down(self, person: str, *, seconds: float) -> None:
        """Let each step of messages to this person take so long; it is the same for all who are slow."""
        self._simulator.change({"slow_ms": seconds * 1000})
        self._simulator.fates.script({"to": person, "is_slow": True, "count": None})

    def receive(self, person: str, body: str, picture: bytes | None = None) -> None:
        """Let a person write to the service; its webhook comes out like any other, and a STOP blocks at once."""
        incoming = Incoming(
            person=person,
            to=None,
            body=body,
            base_url="https://api.twilio.com",
            attachments=(Attachment(content_type="image/png", content=picture),) if picture else (),
        )
        self._receptions.append(self._loop.create_task(self._simulator.receive(incoming)))

    def shorten_links(self) -> None:
        """Let the service shorten links, and tell us when somebody follows one."""
        simulator, now = self._simulator, self.clock.now()
        domain = simulator.domains.take(LINK_DOMAIN, sid=None, now=now)
        simulator.issuer.provide(domain)
        simulator.domains.associate(domain, simulator.services.default)
        overrides = "rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"
        url = f"{PUBLIC_URL}/webhooks/clicks#{overrides}"
        domain.configure(Form({"CallbackUrl": [url]}), now)

    def links_of(self, person: str) -> list[Link]:
        """The short links in messages to this person, as they stand there."""
        return [link for link in self._simulator.links if link.to == person]

    def follow(self, link: Link, *, event_type: EventType, user_agent: str) -> None:
        """Let somebody follow a link; the webhook that tells of it comes out like any other."""
        visit = Visit(
            code=link.code, host=LINK_DOMAIN, user_agent=user_agent, event_type=event_type
        )
        self._loop.call_soon(self._simulator.clicks.follow, visit)
        self._turn(1)

    def create(self, form: Mapping[str, Any]) -> Response:
        if self.now() < self._refuses_until:
            return _EMPTY_POOL
        fields = parse_qs(urlencode(form, doseq=True), keep_blank_values=True)
        return _answered(lambda: (201, self._simulator.outbox.create(Form(fields)).to_json()))

    def change(self, sid: str, form: Mapping[str, Any]) -> Response:
        fields = parse_qs(urlencode(form, doseq=True), keep_blank_values=True)

        def changed() -> tuple[int, Any]:
            message = self._simulator.outbox.find(sid)
            self._simulator.outbox.update(message, Form(fields))
            return 200, message.to_json()

        return _answered(changed)

    def fetch(self, sid: str) -> Response:
        return _answered(lambda: (200, self._simulator.outbox.find(sid).to_json()))

    def picture(self, url: str) -> Response:
        message_sid, _, sid = urlsplit(url).path.split("/")[-3:]
        found = self._simulator.media.find(message_sid, sid)
        return Response(200, found.content.decode()) if found else Response(404, "")

    def list(self, path: str, query: Mapping[str, str]) -> Response:
        def page() -> tuple[int, Any]:
            found = list_page(
                self._simulator.store, query, made_until=self._simulator.listed_until()
            )
            return 200, classic_envelope(found, path=path, query=query, key="messages")

        return _answered(page)

    def close(self) -> None:
        """Leave no task behind."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._turn(2)


_ONE_MESSAGE = re.compile(r"/Messages/(\w+)\.json$")
_EMPTY_POOL = Response(400, json.dumps({"code": 21704, "message": "no sender", "status": 400}))
# what is never there: reading it is struck in tests/functional/test_reach.py and test_toll_free.py
_NOTHING_THERE = {
    "/v1/Deactivations": Response(
        400, json.dumps({"code": 30114, "message": "not yet", "status": 400})
    ),
    "/v1/Tollfree/Verifications": Response(
        200, json.dumps({"verifications": [], "meta": {"key": "verifications"}})
    ),
}


def _answered(work: Callable[[], tuple[int, Any]]) -> Response:
    try:
        status, body = work()
    except ApiError as refused:
        return Response(refused.status, json.dumps(refused.to_json()))
    return Response(status, json.dumps(body))


class Transport(HttpClient):
    """The SDK's HTTP client: each request is one call that leaves the process."""

    def __init__(self, twilio: SimulatedTwilio, call: Call) -> None:
        super().__init__(None, is_async=False)  # type: ignore[arg-type]
        self._twilio = twilio
        self._call = call

    def request(  # type: ignore[override]
        self, method: str, uri: str, params: Any = None, data: Any = None, **_: object
    ) -> Response:
        parts = urlsplit(uri)
        if parts.path in _NOTHING_THERE:
            return _NOTHING_THERE[parts.path]
        one = _ONE_MESSAGE.search(parts.path)
        if one and method == "POST":
            return self._call("cancel", one[1], lambda: self._twilio.change(one[1], data))
        if one:
            return self._call("fetch", one[1], lambda: self._twilio.fetch(one[1]))
        assert parts.path.endswith("/Messages.json"), uri
        if method == "POST":
            return self._call("create", data["To"], lambda: self._twilio.create(data))
        query = dict(parse_qs(parts.query)) | {n: [str(v)] for n, v in (params or {}).items()}
        first = {name: values[0] for name, values in query.items()}
        subject = first.get("To", "everybody")
        return self._call("list", subject, lambda: self._twilio.list(parts.path, first))
