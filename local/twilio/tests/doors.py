"""The two ends of every test: a caller of the simulator, and a webhook that it calls."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from local.twilio.core.settings import Account

TIMEOUT = 30
ORDINARY = "+12025550123"
SENDER = "+12025550100"


def eventually[T](probe: Callable[[], T | None]) -> T:
    """The first truthy value of a probe, asked again and again for a generous time."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"nothing within {TIMEOUT} s")


class RedirectedClient(TwilioHttpClient):
    """Twilio's HTTP client with scheme and host replaced, nothing else."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=30)
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        target = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        return super().request(method, urlunsplit(target), *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Caller:
    """Speaks to one simulator as its account, and to its control API."""

    base_url: str
    account: Account = field(default_factory=Account)
    service_sid: str = "MG" + "5e0d" * 8
    empty_service_sid: str = "MG" + "e0e0" * 8

    @property
    def messages_path(self) -> str:
        """Path of the Messages resource."""
        return f"/2010-04-01/Accounts/{self.account.account_sid}/Messages"

    def with_test_credentials(self) -> "Caller":
        """The same door for the account's test credentials."""
        account = self.account
        testing = replace(
            account,
            account_sid=account.test_account_sid,
            auth_token=account.test_auth_token,
        )
        return replace(self, account=testing)

    def api(self, method: str, path: str, **fields: object) -> requests.Response:
        """A signed-in request; fields go as a form."""
        auth = (self.account.account_sid, self.account.auth_token)
        return requests.request(
            method, self.base_url + path, data=fields, auth=auth, timeout=TIMEOUT
        )

    def create(self, **fields: object) -> requests.Response:
        """A create: to an ordinary number through the service, unless the fields say otherwise.

        A field set to None is not sent.
        """
        wanted = {
            "To": ORDINARY,
            "Body": "Hello",
            "MessagingServiceSid": self.service_sid,
        } | fields
        if "From" in fields and "MessagingServiceSid" not in fields:
            del wanted["MessagingServiceSid"]
        sent = {name: value for name, value in wanted.items() if value is not None}
        return self.api("POST", f"{self.messages_path}.json", **sent)

    def begin_create(self) -> HTTPConnection:
        """A create whose answer nobody has read yet; the caller closes the connection."""
        pair = f"{self.account.account_sid}:{self.account.auth_token}"
        connection = HTTPConnection(self.base_url.removeprefix("http://"), timeout=TIMEOUT)
        connection.request(
            "POST",
            f"{self.messages_path}.json",
            urlencode({"To": ORDINARY, "Body": "Hello", "MessagingServiceSid": self.service_sid}),
            {
                "Authorization": "Basic " + b64encode(pair.encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        return connection

    def make(self, **fields: object) -> dict[str, Any]:
        """A create that must succeed."""
        response = self.create(**fields)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def fetch(self, sid: str) -> dict[str, Any]:
        """The message now."""
        return dict(self.api("GET", f"{self.messages_path}/{sid}.json").json())

    def wait_for(self, sid: str, *statuses: str) -> dict[str, Any]:
        """The message once it has one of these statuses."""

        def probe() -> dict[str, Any] | None:
            message = self.fetch(sid)
            return message if message["status"] in statuses else None

        return eventually(probe)

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """A control request that must succeed; its JSON."""
        url = f"{self.base_url}/_control/{path}"
        response = requests.request(method, url, json=json, timeout=TIMEOUT)
        assert response.ok, response.text
        return response.json()


@dataclass(frozen=True, slots=True)
class Received:
    """One request that the webhook got."""

    method: str
    target: str
    headers: dict[str, str]
    params: dict[str, str]
    at: float


class Webhook:
    """An HTTP server that records requests and gives the answers it was told to."""

    def __init__(self, url: str) -> None:
        """Answer 204 until told otherwise."""
        self.url = url
        self.received: list[Received] = []
        self.answers: list[tuple[int, str]] = []
        self.decide: Callable[[Received], tuple[int, str]] = lambda _received: self.next_answer()
        self.stalled = threading.Event()
        self.stalled.set()

    def statuses_of(self, sid: str) -> list[str]:
        """MessageStatus of the callbacks for a message, in order of arrival."""
        return [
            received.params["MessageStatus"]
            for received in list(self.received)
            if received.params.get("MessageSid") == sid
        ]

    def next_answer(self) -> tuple[int, str]:
        """The next scripted answer."""
        return self.answers.pop(0) if self.answers else (204, "")


@contextmanager
def open_webhook() -> Iterator[Webhook]:
    """A webhook on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._answer(self.rfile.read(length).decode())

        def do_GET(self) -> None:
            self._answer("")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def _answer(self, body: str) -> None:
            params = dict(parse_qsl(body, keep_blank_values=True))
            headers = dict(self.headers.items())
            received = Received(self.command, self.path, headers, params, time.monotonic())
            webhook.received.append(received)
            webhook.stalled.wait(TIMEOUT)
            status, text = webhook.decide(received)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    webhook = Webhook(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield webhook
    finally:
        webhook.stalled.set()
        server.shutdown()
        thread.join()
        server.server_close()
