"""A real HTTP server on this machine, for what speaks HTTP by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pytest_socket import enable_socket, socket_allow_hosts


def only_this_machine() -> None:
    """Let a test reach this machine, and no other."""
    enable_socket()
    socket_allow_hosts(["127.0.0.1"])


@contextmanager
def server(handle: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Answer every request with `handle`; yields the server's URL, without a slash at the end."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            handle(self)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        # who hangs must not keep the test
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()
