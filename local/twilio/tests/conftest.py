"""One simulator in a thread for the whole session, put back to its start before each test."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web

from local.twilio.app import build_runner
from local.twilio.settings import Behaviour, Settings
from local.twilio.tests.doors import Caller, Webhook, open_webhook

FAST = Settings(behaviour=Behaviour(latency_ms=1, jitter_ms=0))


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
def running_simulator() -> Iterator[Caller]:
    server = ServerThread()
    server.start()
    server.wait_until_ready()
    yield Caller(f"http://127.0.0.1:{server.port}")
    server.stop()


@pytest.fixture
def twilio(running_simulator: Caller) -> Caller:
    running_simulator.control("POST", "reset", {"services": True, "settings": True})
    return running_simulator


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with open_webhook() as opened:
        yield opened
