"""A web site with scripted pages, for webhooks whose answers differ by path, type or redirect."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    body: str = ""
    status: int = 200
    content_type: str = "text/xml"
    location: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that the site got."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        """The form, or the query of a GET."""
        text = self.body if self.method == "POST" else urlsplit(self.target).query
        return dict(parse_qsl(text, keep_blank_values=True))


class Site:
    """Answers by path: `pages` are taken in their order, the last one stays; elsewhere 204."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.visits: list[Visit] = []
        self.pages: defaultdict[str, list[Page]] = defaultdict(list)

    def at(self, path: str, *pages: Page) -> str:
        """Script a path; its URL."""
        self.pages[path] = list(pages)
        return self.url + path

    def paths(self) -> list[str]:
        """The paths visited, in order."""
        return [visit.path for visit in self.visits]

    def answer(self, path: str) -> Page:
        pages = self.pages[path]
        if not pages:
            return Page(status=204)
        return pages.pop(0) if len(pages) > 1 else pages[0]


@contextmanager
def open_site() -> Iterator[Site]:
    """A site on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            visit = Visit(self.command, self.path, dict(self.headers.items()), body)
            site.visits.append(visit)
            self._send(site.answer(visit.path))

        def _send(self, page: Page) -> None:
            content = page.body.encode()
            self.send_response(page.status)
            if page.location:
                self.send_header("Location", page.location)
            if page.content_type:
                self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
