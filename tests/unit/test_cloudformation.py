"""Bringing CloudFormation its answer, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_socket import enable_socket, socket_allow_hosts

from sendpool.adapters.cloudformation import NotAnsweredError, open_responder

SECRET = "X-Amz-Signature=5ec2e7"


@pytest.fixture(autouse=True)
def _local_network() -> None:
    enable_socket()
    socket_allow_hosts(["127.0.0.1"])


@contextmanager
def server(*statuses: int) -> Iterator[tuple[str, list[tuple[bytes, str | None]]]]:
    """Answers with these statuses, one after the other; 0 breaks off. What was brought: body, content type."""
    left, seen = list(statuses), list[tuple[bytes, str | None]]()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((body, self.headers["content-type"]))
            status = left.pop(0)
            if status:
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/answer?{SECRET}", seen
        serving.shutdown()
        thread.join()


def test_an_answer_is_put_without_a_content_type() -> None:
    with server(200) as (url, seen):
        open_responder()(url, b'{"Status":"SUCCESS"}')
    assert seen == [(b'{"Status":"SUCCESS"}', "")]


@pytest.mark.parametrize("first", [0, 500, 503])
def test_an_answer_that_was_not_taken_is_brought_again(
    first: int, caplog: pytest.LogCaptureFixture
) -> None:
    with server(first, 200) as (url, seen):
        open_responder()(url, b"{}")
    assert len(seen) == 2
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [302, 403, 404])
def test_an_answer_that_is_refused_is_not_brought_again_and_the_url_stays_a_secret(
    status: int,
) -> None:
    with server(status) as (url, seen), pytest.raises(NotAnsweredError) as raised:
        open_responder()(url, b"{}")
    assert str(raised.value) == f"http_{status}"
    assert len(seen) == 1


def test_nobody_there_is_told_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with server() as (url, _):
        pass
    with pytest.raises(NotAnsweredError) as raised:
        open_responder()(url, b"{}")
    assert SECRET not in repr(raised.value) + caplog.text
    assert raised.value.__cause__ is None
