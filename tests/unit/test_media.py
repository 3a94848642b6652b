"""Reading a picture from Twilio: our credentials go there and nowhere else, and every failure has a meaning."""

from __future__ import annotations

import base64
from http.server import BaseHTTPRequestHandler

import pytest

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.media import open_media
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.media import MediaGoneError
from tests.unit.serving import only_this_machine, server

CREDENTIALS = Credentials(account_sid="AC1", auth_tokens=("token",))
URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
PATH = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
OWL = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def _local_network() -> None:
    only_this_machine()


def owl(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "image/png")
    request.send_header("Content-Length", str(len(OWL)))
    request.end_headers()
    request.wfile.write(OWL)


def test_it_is_asked_for_at_the_api_with_our_credentials_whatever_host_is_named() -> None:
    asked: list[tuple[str, str | None]] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        asked.append((request.path, request.headers["Authorization"]))
        owl(request)

    with server(handle) as api:
        file = open_media(api, CREDENTIALS)("https://evil.example.com" + PATH)
        assert (file.content_type, b"".join(file.pieces)) == ("image/png", OWL)
    assert asked == [(PATH, "Basic " + base64.b64encode(b"AC1:token").decode())]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_where_it_points_to_our_credentials_do_not_go(status: int) -> None:
    asked: list[str | None] = []

    def storage(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers["Authorization"])
        owl(request)

    with server(storage) as elsewhere:

        def handle(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            request.send_header("Location", elsewhere + "/file?signature=1")
            request.send_header("Content-Length", "0")
            request.end_headers()

        with server(handle) as api:
            file = open_media(api, CREDENTIALS)(URL)
            assert b"".join(file.pieces) == OWL
    assert asked == [None]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, MediaGoneError),
        (410, MediaGoneError),
        (401, TwilioBusyError),
        (429, TwilioBusyError),
        (400, TwilioUnavailableError),
        (403, TwilioUnavailableError),
        (500, TwilioUnavailableError),
        (503, TwilioUnavailableError),
        (304, TwilioUnavailableError),
    ],
)
def test_every_refusal_means_something(status: int, error: type[Exception]) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    with server(handle) as api, pytest.raises(error):
        open_media(api, CREDENTIALS)(URL)


def test_who_points_in_circles_is_not_followed_for_ever() -> None:
    asked: list[str] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        request.send_response(302)
        request.send_header("Location", f"http://{request.headers['Host']}/again")
        request.send_header("Content-Length", "0")
        request.end_headers()

    with server(handle) as api, pytest.raises(TwilioUnavailableError):
        open_media(api, CREDENTIALS)(URL)
    assert len(asked) == 3


def test_a_file_that_breaks_off_is_no_file() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(OWL)))
        request.end_headers()
        request.wfile.write(OWL[:1000])

    with server(handle) as api:
        file = open_media(api, CREDENTIALS)(URL)
        with pytest.raises(TwilioUnavailableError):
            b"".join(file.pieces)


def test_nobody_there() -> None:
    with server(owl) as api:
        pass
    with pytest.raises(TwilioUnavailableError):
        open_media(api, CREDENTIALS)(URL)
