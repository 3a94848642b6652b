"""One simulator in a thread for the whole session, put back to its start before each test.

It holds every request and answer against Twilio's OpenAPI documents: a test fails if the simulator answers what they
do not describe, or takes a request that they do not describe (unless that is marked as meant).
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from twilio.rest import Client

from local.twilio.app import build_runner
from local.twilio.core.settings import Behaviour, Settings
from local.twilio.tests.doors import Caller, RedirectedClient, Webhook, open_webhook

FAST = Settings(behaviour=Behaviour(latency_ms=1, jitter_ms=0, contract=True))
WHOLE = pytest.StashKey[bool]()
COVERAGE = pytest.StashKey[dict[str, Any]]()


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "undocumented_requests: this test sends what Twilio's documents do not describe",
        "whole_suite: runs last, and only where every test of this folder runs",
    ):
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    last = [item for item in items if item.get_closest_marker("whole_suite")]
    rest = [item for item in items if item not in last]
    config.stash[WHOLE] = _is_whole(config, rest)
    items[:] = rest + (last if config.stash[WHOLE] else [])
    if not config.stash[WHOLE]:
        config.hook.pytest_deselected(items=last)


def _is_whole(config: pytest.Config, items: list[pytest.Item]) -> bool:
    """No file of this folder and no test of a file was left out."""
    chosen = config.option.keyword or config.option.markexpr or any("::" in a for a in config.args)
    return not chosen and set(Path(__file__).parent.glob("test_*.py")) <= {i.path for i in items}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    coverage = config.stash.get(COVERAGE, None)
    if coverage is not None and config.stash[WHOLE]:
        parts = (
            "{} {}/{} paths, {}/{} operations".format(name, *part["paths"], *part["operations"])
            for name, part in coverage.items()
        )
        terminalreporter.write_line("OpenAPI: " + "; ".join(parts))


class ServerThread(threading.Thread):
    """A simulator on a free port, in its own event loop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def wait_until_ready(self) -> None:
        assert self._ready.wait(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self.join()

    async def _serve(self) -> None:
        runner = build_runner(FAST)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()


@pytest.fixture(scope="session")
def running_simulator(request: pytest.FixtureRequest) -> Iterator[Caller]:
    server = ServerThread()
    server.start()
    server.wait_until_ready()
    caller = Caller(f"http://127.0.0.1:{server.port}")
    yield caller
    request.config.stash[COVERAGE] = caller.control("GET", "contract")["coverage"]
    server.stop()


@pytest.fixture(autouse=True)
def _contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """What this test makes the simulator say and take is documented."""
    if "running_simulator" not in request.fixturenames:
        yield
        return
    caller = request.getfixturevalue("running_simulator")
    before = caller.control("GET", "contract")["violated"]
    yield
    report = caller.control("GET", "contract")
    new = report["violations"][before - report["violated"] :] if report["violated"] > before else []
    if request.node.get_closest_marker("undocumented_requests"):
        new = [violation for violation in new if violation["part"] != "request"]
    assert not new, "\n".join("{operation} {part} {where}: {what}".format(**each) for each in new)


@pytest.fixture
def twilio(running_simulator: Caller) -> Caller:
    running_simulator.control("POST", "reset", {"services": True, "settings": True})
    return running_simulator


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with open_webhook() as opened:
        yield opened


@pytest.fixture
def client(twilio: Caller) -> Client:
    """The official library, signed in with the API key, its host replaced."""
    account = twilio.account
    return Client(
        account.api_key_sid,
        account.api_key_secret,
        account.account_sid,
        http_client=RedirectedClient(twilio.base_url),
    )
