"""The spellings in which Twilio may have signed a URL: its port written or not, its query encoded one way or another.

All spellings of a URL lead to the same place, and all spellings of a query decode to the same parameters. What some
events of AWS lost (order, encoding) is tried in the ways that clients write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode

type Pairs = list[tuple[str, str]]

MAX_FIELDS = 1000
"""Names with a value in a query or a form; Twilio sends some dozens."""

_MAX_REORDERED = 4  # 24 orders
_STANDARD_PORTS = {"https": "443", "http": "80"}
_URL = re.compile(
    r"(?P<origin>(?P<scheme>https?)://(?:[^/?#]*@)?(?:\[[^\]/?#]*\]|[^:/?#]*))(?::(?P<port>\d+))?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NOT_ASCII = re.compile("(?:%[89a-f][0-9a-f])+", re.IGNORECASE)
# what RFC 3986 lets stand in a query, without the three that part it
_READABLE = "!$'()*,/:;?@"


def parse(encoded: str) -> Pairs:
    """Decode a query or a form: blanks kept, plus as space. Raises ValueError for what is no UTF-8, or too much."""
    return parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)


def of_url(url: str) -> tuple[str, ...]:
    """Return the URL as it is, and with its port left out, or with the standard one."""
    parts = _URL.fullmatch(url)
    if not parts:
        return (url,)
    port = "" if parts["port"] else f":{_STANDARD_PORTS[parts['scheme'].lower()]}"
    return url, f"{parts['origin']}{port}{parts['rest']}"


def of_raw_query(query: str) -> tuple[str, ...]:
    """Return a query as it came, and as a client may have written it anew on its way here.

    Twilio's Node library tries the latter too: the apostrophe as %27, plus for spaces. Non-ASCII characters are signed
    as they were typed, and cannot travel so.
    """
    pairs = parse(query)
    return _saying(pairs, (query, query.replace("'", "%27"), urlencode(pairs), _typed(query)))


def of_encoded(pairs: Pairs) -> tuple[str, ...]:
    """Return the queries that an ALB may have taken apart into these pairs, which it leaves encoded."""
    return _saying(
        parse(_joined(pairs)),
        (
            spelled
            for ordered in _orders(pairs)
            for bare_blanks in (False, True)
            for joined in [_joined(ordered, bare_blanks=bare_blanks)]
            for spelled in (joined, joined.replace("'", "%27"), _typed(joined))
        ),
    )


def of_decoded(pairs: Pairs) -> tuple[str, ...]:
    """Return the queries that a REST API may have decoded into these pairs."""
    return _saying(
        pairs,
        (
            _joined(ordered, encode, bare_blanks=bare_blanks)
            for ordered in _orders(pairs)
            for encode in _ENCODERS
            for bare_blanks in (False, True)
        ),
    )


def _readable(text: str) -> str:
    return quote(text, safe=_READABLE)


def _typed(encoded: str) -> str:
    """Write what is not ASCII as it was typed."""
    return _NOT_ASCII.sub(lambda found: unquote(found[0], errors="strict"), encoded)


_ENCODERS: tuple[Callable[[str], str], ...] = (
    quote_plus,
    lambda text: quote(text, safe=""),
    _readable,
    lambda text: _readable(text).replace("'", "%27"),
    lambda text: _typed(_readable(text)),
    str,
)


def _joined(
    pairs: Iterable[tuple[str, str]],
    encode: Callable[[str], str] = str,
    *,
    bare_blanks: bool = False,
) -> str:
    return "&".join(
        encode(name) if bare_blanks and not value else f"{encode(name)}={encode(value)}"
        for name, value in pairs
    )


def _orders(pairs: Pairs) -> Iterator[Iterable[tuple[str, str]]]:
    """Order the pairs as the event has them, then otherwise: its maps need not keep the order of the query."""
    yield pairs
    if len(pairs) <= _MAX_REORDERED:
        yield from permutations(pairs)
    else:
        yield sorted(pairs)


def _saying(meant: Pairs, queries: Iterable[str]) -> tuple[str, ...]:
    """Keep the queries that decode to just these pairs: no spelling may change what is meant."""
    return tuple(query for query in dict.fromkeys(queries) if _means(query, sorted(meant)))


def _means(query: str, pairs: Pairs) -> bool:
    try:
        return sorted(parse(query)) == pairs
    except ValueError:  # a % that was decoded, and reads as if it were encoding
        return False
