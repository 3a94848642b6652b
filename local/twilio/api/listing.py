"""Lists of the product APIs: one page of the entries, in its envelope."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from local.twilio.api.edge import base_url
from local.twilio.core.paging import cut_page, product_envelope, read_page_request


def list_answer(
    request: web.Request, entries: Iterable[dict[str, Any]], *, key: str, entry_key: str = "sid"
) -> web.Response:
    """The page that the query asks for; entries are told apart by a field of theirs."""
    page = cut_page(entries, read_page_request(request.query), key=entry_key)
    url = base_url(request) + request.path
    return web.json_response(product_envelope(page, url=url, query=request.query, key=key))
