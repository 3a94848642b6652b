"""`python -m local.twilio`: serve until told to stop."""

import asyncio
import os
import signal
import sys

from aiohttp import web

from local.twilio.app import build_runner
from local.twilio.core.settings import Settings, from_command_line


async def serve(settings: Settings) -> None:
    """Listen, say so in one line, and stop on SIGINT or SIGTERM."""
    runner = build_runner(settings)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    print(  # whoever started it waits for this line
        f"local.twilio ready url=http://{settings.host}:{port}"
        f" account_sid={settings.account.account_sid} service_sid={settings.service_sid}",
        flush=True,
    )
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await stopped.wait()
    await runner.cleanup()


def main() -> None:
    """Read the settings and serve."""
    asyncio.run(serve(from_command_line(sys.argv[1:], os.environ)))


if __name__ == "__main__":
    main()
