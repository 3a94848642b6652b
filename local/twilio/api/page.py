"""The control page: a window on the simulator for people, made of the control API alone."""

from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).with_name("page.html")


def add_routes(app: web.Application) -> None:
    """Hang the page into the application."""
    app.add_routes(
        [
            web.get("/_control", to_page, name="control.page_redirect"),
            web.get("/_control/", show_page, name="control.page"),
        ]
    )


async def to_page(_request: web.Request) -> web.Response:
    """Where the page is."""
    raise web.HTTPFound("/_control/")


async def show_page(_request: web.Request) -> web.FileResponse:
    """The page."""
    return web.FileResponse(PAGE)
