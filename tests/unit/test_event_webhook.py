"""Calling the team's own URL over real HTTP, and the signature by the standard's own example."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.adapters.event_webhook import NotTakenError, open_webhook
from sendpool.domain.event_webhook import (
    LONGEST_WAIT,
    SecretError,
    headers,
    read_secret,
    wait_after,
)
from tests.unit.serving import only_this_machine, server


@pytest.fixture(autouse=True)
def _local_network() -> None:
    only_this_machine()


def test_a_call_carries_its_body_and_headers() -> None:
    seen: list[tuple[bytes, str | None]] = []

    def take(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        seen.append((body, request.headers["webhook-id"]))
        request.send_response(204)
        request.end_headers()

    with server(take) as url:
        open_webhook(url)(b'{"id":"evt_1"}', {"webhook-id": "evt_1"})
    assert seen == [(b'{"id":"evt_1"}', "evt_1")]


@pytest.mark.parametrize(
    ("status", "asked", "why", "retry_after"),
    [
        (500, None, "http_500", None),
        (410, None, "http_410", None),
        (429, "120", "http_429", 120),
        (503, "soon", "http_503", None),
        (302, None, "http_302", None),
    ],
)
def test_any_other_answer_is_no_taking(
    status: int, asked: str | None, why: str, retry_after: int | None
) -> None:
    calls: list[str] = []

    def refuse(request: BaseHTTPRequestHandler) -> None:
        calls.append(request.path)
        request.send_response(status)
        request.send_header("Location", "/elsewhere")
        if asked:
            request.send_header("Retry-After", asked)
        request.end_headers()

    with server(refuse) as url, pytest.raises(NotTakenError) as raised:
        open_webhook(url)(b"{}", {})
    assert (raised.value.why, raised.value.retry_after) == (why, retry_after)
    # no redirect is followed: it would turn the call into another, at a place that nobody named
    assert calls == ["/"]


def test_nobody_there_is_no_taking() -> None:
    with server(lambda _: None) as url:
        pass
    with pytest.raises(NotTakenError, match="NewConnectionError"):
        open_webhook(url)(b"{}", {})


def test_an_answer_that_breaks_off_is_no_taking() -> None:
    with server(lambda request: request.connection.close()) as url, pytest.raises(NotTakenError):
        open_webhook(url)(b"{}", {})


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the reference libraries (github.com/standard-webhooks/standard-webhooks)."""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = headers(
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, tz=UTC),
        keys=[key],
    )
    assert signed["webhook-timestamp"] == "1614265330"
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=16, max_size=64))
def test_a_secret_is_read_with_and_without_its_prefix(key: bytes) -> None:
    text = base64.b64encode(key).decode()
    assert read_secret(f"whsec_{text}") == read_secret(text) == key


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_é"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(SecretError):
        read_secret(text)


@given(st.integers(1, 100), st.none() | st.integers(0, 10**9))
def test_waits_grow_and_stay_within_what_sqs_gives(tries: int, asked: int | None) -> None:
    wait = wait_after(tries, asked=asked)
    assert 0 < wait <= LONGEST_WAIT
    assert wait <= wait_after(tries + 1, asked=asked)
    assert wait >= min(asked or 0, LONGEST_WAIT)
