"""The one question that a failed call must answer: can Twilio have seen the request?"""

from __future__ import annotations

import inspect
import json
import threading
from http.server import BaseHTTPRequestHandler

import pytest
import urllib3.exceptions

from sendpool.adapters.twilio import transport
from sendpool.adapters.twilio.transport import (
    NeverSentError,
    NoAnswerError,
    PooledTransport,
)
from tests.unit.serving import only_this_machine, server

URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
SERVER_SAW_NOTHING = {
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "LocationValueError",
    "LocationParseError",
    "EmptyPoolError",
    "ProxyError",
    "ProxySchemeUnknown",
    "ProxySchemeUnsupported",
    "URLSchemeUnknown",
}


def test_every_error_of_the_pool_is_one_or_the_other() -> None:
    """A new one in urllib3 counts as unanswered until somebody has thought about it."""
    errors = [
        each
        for _, each in inspect.getmembers(urllib3.exceptions, inspect.isclass)
        if issubclass(each, urllib3.exceptions.HTTPError)
    ]
    assert len(errors) > 20
    for error in errors:
        assert issubclass(error, transport.FAILURES), error
        never_sent = issubclass(error, transport.NEVER_SENT)
        assert not never_sent or error.__name__ in SERVER_SAW_NOTHING, error


@pytest.fixture(autouse=True)
def _local_network() -> None:
    only_this_machine()


def test_host_and_scheme_are_replaced_and_nothing_else() -> None:
    seen: list[tuple[str, str, bytes]] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        seen.append((request.path, request.headers["Authorization"], body))
        text = json.dumps({"sid": "SM1"}).encode()
        request.send_response(201)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    with server(answer) as url:
        pooled = PooledTransport(api_url=url, connections=1)
        response = pooled.request(
            "POST", URL, data={"To": "+1202", "MediaUrl": ["a", "b"]}, auth=("AC1", "secret")
        )
        pooled.close()
    assert response.status_code == 201
    assert json.loads(response.text) == {"sid": "SM1"}
    assert seen == [
        (
            "/2010-04-01/Accounts/AC1/Messages.json",
            "Basic QUMxOnNlY3JldA==",
            b"To=%2B1202&MediaUrl=a&MediaUrl=b",
        )
    ]


def test_a_server_that_is_not_there_has_seen_nothing() -> None:
    pooled = PooledTransport(api_url="http://127.0.0.1:9", connections=1)
    with pytest.raises(NeverSentError):
        pooled.request("POST", URL, data={"To": "+1202"})


def test_a_connection_cut_before_the_answer_is_unanswered_and_not_repeated() -> None:
    calls: list[str] = []

    def cut(request: BaseHTTPRequestHandler) -> None:
        calls.append(request.path)
        request.close_connection = True

    with server(cut) as url:
        pooled = PooledTransport(api_url=url, connections=1)
        with pytest.raises(NoAnswerError):
            pooled.request("POST", URL, data={"To": "+1202"})
        pooled.close()
    assert len(calls) == 1


def test_an_answer_that_takes_too_long_is_unanswered() -> None:
    done = threading.Event()

    def hang(_request: BaseHTTPRequestHandler) -> None:
        done.wait(30)

    with server(hang) as url:
        pooled = PooledTransport(api_url=url, connections=1)
        with pytest.raises(NoAnswerError):
            pooled.request("POST", URL, data={"To": "+1202"}, timeout=0.2)
        done.set()
        pooled.close()
