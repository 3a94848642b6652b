"""The web application: routes, their surroundings, start and end."""

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from local.twilio import control, messages_api, services_api
from local.twilio.edge import SIMULATOR, twilio_edge
from local.twilio.settings import Settings
from local.twilio.simulator import Simulator


def build_app(settings: Settings) -> web.Application:
    """An application that simulates one account."""
    app = web.Application(middlewares=[twilio_edge(settings.account), control.control_errors])
    messages_api.add_routes(app)
    services_api.add_routes(app)
    control.add_routes(app)

    async def live(app: web.Application) -> AsyncIterator[None]:
        # the callbacks bound their own concurrency, so the connector must not
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
            app[SIMULATOR] = Simulator(settings, session)
            yield
            app[SIMULATOR].clock.clear()
            await app[SIMULATOR].callbacks.close()

    app.cleanup_ctx.append(live)
    return app


def build_runner(settings: Settings) -> web.AppRunner:
    """A runner of the application, ready for `setup`; who hangs up ends a handler that waits."""
    return web.AppRunner(
        build_app(settings), access_log=None, handler_cancellation=True, shutdown_timeout=1.0
    )
