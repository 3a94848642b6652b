"""Bringing CloudFormation its answer, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from sendpool.adapters.cloudformation import NotAnsweredError, open_responder
from tests.unit.serving import only_this_machine, server

SECRET = "X-Amz-Signature=5ec2e7"


@pytest.fixture(autouse=True)
def _local_network() -> None:
    only_this_machine()


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[tuple[bytes, str | None]]]]:
    """Answers with these statuses, one after the other; 0 breaks off. What was brought: body, content type."""
    left, seen = list(statuses), list[tuple[bytes, str | None]]()

    def take(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        seen.append((body, request.headers["content-type"]))
        status = left.pop(0)
        if status:
            request.send_response(status)
            request.send_header("Location", "/elsewhere")
            request.send_header("Content-Length", "0")
            request.end_headers()

    with server(take) as url:
        yield f"{url}/answer?{SECRET}", seen


def test_an_answer_is_put_without_a_content_type() -> None:
    with answering(200) as (url, seen):
        open_responder()(url, b'{"Status":"SUCCESS"}')
    assert seen == [(b'{"Status":"SUCCESS"}', "")]


@pytest.mark.parametrize("first", [0, 500, 503])
def test_an_answer_that_was_not_taken_is_brought_again(
    first: int, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(first, 200) as (url, seen):
        open_responder()(url, b"{}")
    assert len(seen) == 2
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [302, 403, 404])
def test_an_answer_that_is_refused_is_not_brought_again_and_the_url_stays_a_secret(
    status: int,
) -> None:
    with answering(status) as (url, seen), pytest.raises(NotAnsweredError) as raised:
        open_responder()(url, b"{}")
    assert str(raised.value) == f"http_{status}"
    assert len(seen) == 1


def test_nobody_there_is_told_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with answering() as (url, _):
        pass
    with pytest.raises(NotAnsweredError) as raised:
        open_responder()(url, b"{}")
    assert SECRET not in repr(raised.value) + caplog.text
    assert raised.value.__cause__ is None
