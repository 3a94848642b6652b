"""Pages of lists: PageSize, Page and PageToken, and the envelopes of the 2010 API and of the product APIs.

A token names the last entry of the page before, so entries that are added meanwhile neither repeat nor hide any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from local.twilio.core.errors import ApiError

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
TOKEN_PREFIX = "PA"  # Twilio's page token, not a secret
PAGING = frozenset({"Page", "PageToken"})

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is wanted: `after` is the key of the last entry of the page before."""

    size: int
    number: int
    after: str | None


def read_page_request(query: Mapping[str, str]) -> PageRequest:
    """The page that a query string asks for; ApiError 20001 if its token cannot be read."""
    token = query.get("PageToken", "")
    if token and not token.startswith(TOKEN_PREFIX):
        raise ApiError(20001, detail=f"Invalid PageToken: {token}")
    return PageRequest(
        size=min(MAX_PAGE_SIZE, max(1, _read_int(query.get("PageSize"), DEFAULT_PAGE_SIZE))),
        number=_read_int(query.get("Page"), 0),
        after=token.removeprefix(TOKEN_PREFIX) if token else None,
    )


def _read_int(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries of one page; `next_key` is the key of its last entry if more follow."""

    request: PageRequest
    entries: list[Json]
    next_key: str | None


def cut_page(entries: Iterable[Json], request: PageRequest, *, key: str = "sid") -> Page:
    """The page of a whole list, whose entries are told apart by a field."""
    rest = iter(entries)
    if request.after is not None:
        for entry in rest:
            if str(entry[key]) == request.after:
                break
    return first_of(rest, request, key=key)


def first_of(entries: Iterable[Json], request: PageRequest, *, key: str = "sid") -> Page:
    """A page from entries that already start where it does."""
    found = list(islice(entries, request.size + 1))
    shown = found[: request.size]
    more = len(found) > len(shown)
    return Page(request=request, entries=shown, next_key=str(shown[-1][key]) if more else None)


def product_envelope(page: Page, *, url: str, query: Mapping[str, str], key: str) -> Json:
    """The envelope of the product APIs: `meta` with absolute URLs, and the entries under their key."""
    links = _links(page, url, query)
    meta = {
        "page": page.request.number,
        "page_size": page.request.size,
        "first_page_url": links["first"],
        "previous_page_url": None,
        "url": links["this"],
        "next_page_url": links["next"],
        "key": key,
    }
    return {"meta": meta, key: page.entries}


def classic_envelope(page: Page, *, path: str, query: Mapping[str, str], key: str) -> Json:
    """The envelope of the 2010 API: relative URIs and the entries at the top."""
    links = _links(page, path, query)
    start = page.request.number * page.request.size
    return {
        key: page.entries,
        "page": page.request.number,
        "page_size": page.request.size,
        "start": start,
        "end": start + max(0, len(page.entries) - 1),
        "uri": links["this"],
        "first_page_uri": links["first"],
        "next_page_uri": links["next"],
        "previous_page_uri": None,
    }


def _links(page: Page, url: str, query: Mapping[str, str]) -> dict[str, str | None]:
    kept = {name: value for name, value in query.items() if name not in PAGING}
    kept["PageSize"] = str(page.request.size)
    following = {
        **kept,
        "Page": page.request.number + 1,
        "PageToken": f"{TOKEN_PREFIX}{page.next_key}",
    }
    return {
        "this": f"{url}?{urlencode(query)}" if query else f"{url}?{urlencode({**kept, 'Page': 0})}",
        "first": f"{url}?{urlencode({**kept, 'Page': 0})}",
        "next": f"{url}?{urlencode(following)}" if page.next_key else None,
    }
