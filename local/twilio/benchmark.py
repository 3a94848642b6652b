"""`python -m local.twilio.benchmark`: creates a second of one simulator that has one core to itself.

The client sits on another core and says its requests from memory, so that it is not what is measured.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from local.twilio.core.settings import Account, Settings

READY = re.compile(r"url=http://(?P<host>[\d.]+):(?P<port>\d+)")
LENGTH = re.compile(rb"Content-Length: (\d+)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"
CREATED = b"HTTP/1.1 201"


def request_for(number: int, *, callback: str) -> bytes:
    """One create to a recipient of its own."""
    account, settings = Account(), Settings()
    fields = {
        "To": f"+1202{5560000 + number % 4_000_000:07}",
        "MessagingServiceSid": settings.service_sid,
        "Body": "Your table is ready.",
        **({"StatusCallback": callback} if callback else {}),
    }
    body = urlencode(fields, quote_via=quote)
    pair = b64encode(f"{account.account_sid}:{account.auth_token}".encode()).decode()
    return (
        f"POST /2010-04-01/Accounts/{account.account_sid}/Messages.json HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nAuthorization: Basic {pair}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def speak(host: str, port: int, requests: Sequence[bytes]) -> None:
    """Say requests one after the other on one connection; every one must be answered 201."""
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(END_OF_HEAD)
        length = LENGTH.search(head)
        if not head.startswith(CREATED) or length is None:
            raise RuntimeError(f"not created: {head[:80]!r}")
        await reader.readexactly(int(length[1]))
    writer.close()
    await writer.wait_closed()


async def measure(host: str, port: int, *, messages: int, connections: int, callback: str) -> float:
    """Creates a second."""
    requests = [request_for(number, callback=callback) for number in range(messages)]
    shares = [requests[start::connections] for start in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(speak(host, port, share) for share in shares))
    return messages / (time.perf_counter() - began)


def start_simulator(core: int) -> subprocess.Popen[str]:
    """A simulator that stays on one core."""
    command = [sys.executable, "-m", "local.twilio", "--port", "0"]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads here
    )


def main() -> None:
    """Measure a few times and print each figure."""
    parser = argparse.ArgumentParser(prog="python -m local.twilio.benchmark")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--callback", default="", help="StatusCallback of each message")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the simulator, one for the client")
    simulator = start_simulator(cores[0])
    os.sched_setaffinity(0, {cores[-1]})
    try:
        assert simulator.stdout is not None
        ready = READY.search(simulator.stdout.readline())
        assert ready is not None
        for _ in range(given.runs):
            rate = asyncio.run(
                measure(
                    ready["host"],
                    int(ready["port"]),
                    messages=given.messages,
                    connections=given.connections,
                    callback=given.callback,
                )
            )
            print(f"{rate:,.0f} creates/s ({given.messages} messages)", flush=True)
    finally:
        simulator.terminate()
        simulator.wait()


if __name__ == "__main__":
    main()
