"""The web application: routes, their surroundings, start and end."""

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from local.twilio.api import (
    a2p,
    account,
    accounts,
    brands,
    calls,
    campaigns,
    certificates,
    channel_senders,
    clicks,
    contract,
    control,
    deactivations,
    links,
    media,
    messages,
    numbers,
    optouts,
    page,
    pools,
    pricing,
    services,
    tollfree,
    trust_entities,
    trust_parts,
    trusthub,
)
from local.twilio.api.edge import SIMULATOR, twilio_edge
from local.twilio.core.settings import Settings
from local.twilio.simulator import Simulator


def build_app(settings: Settings) -> web.Application:
    """An application that simulates one account."""
    app = web.Application(
        middlewares=[
            contract.contract_check,
            media.public_media,
            twilio_edge,
            control.control_errors,
        ]
    )
    for part in (
        messages,
        account,
        numbers,
        calls,
        accounts,
        pricing,
        services,
        pools,
        channel_senders,
        links,
        certificates,
        clicks,
        tollfree,
        trusthub,
        trust_parts,
        trust_entities,
        brands,
        campaigns,
        a2p,
        deactivations,
        control,
        contract,
        media,
        optouts,
        page,
    ):
        part.add_routes(app)

    async def live(app: web.Application) -> AsyncIterator[None]:
        # the callbacks bound their own concurrency, so the connector must not
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
            app[SIMULATOR] = Simulator(settings, session)
            yield
            await app[SIMULATOR].close()

    app.cleanup_ctx.append(live)
    return app


def build_runner(settings: Settings) -> web.AppRunner:
    """A runner of the application, ready for `setup`; who hangs up ends a handler that waits."""
    return web.AppRunner(
        build_app(settings), access_log=None, handler_cancellation=True, shutdown_timeout=1.0
    )
