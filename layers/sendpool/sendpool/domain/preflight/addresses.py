"""Addresses of pages: which host they are on, and to whom it belongs."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sendpool.domain.preflight.vocabulary import vocabulary

_LONGEST: Final = 2048
_COUNTRY: Final = 2
"""Letters of a country's domain."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def split_url(url: str) -> SplitResult | None:
    """Take an address apart, written with a scheme or without; None if it is none."""
    url = url.strip()
    if not url or len(url) > _LONGEST or any(each.isspace() for each in url):
        return None
    try:
        parts = urlsplit(url if _SCHEME.match(url) else f"//{url}")
        host = parts.hostname
        _ = parts.port  # raises for what is none
    except ValueError:
        return None
    return parts if host else None


def host_of(url: str | None) -> str | None:
    """Return an address's host without `www.`; None if it has none."""
    parts = split_url(url or "")
    host = parts and (parts.hostname or "").rstrip(".").removeprefix("www.")
    return host or None


def site_of(url: str | None) -> str | None:
    """Return the domain that belongs to whoever owns an address, such as owl.shop of www.owl.shop/faq.

    An approximation of the public suffix list: hosts that many share count whole, and so does what lies below an
    unknown second level.
    """
    host = host_of(url)
    if host is None or is_below(host, vocabulary().shared_hosts):
        return host
    labels = host.split(".")
    match labels:
        case [_, _, *_, "us"]:
            return host  # k12.mn.us and its like
        case [*_, second, country] if (
            len(country) == _COUNTRY and second in vocabulary().second_levels
        ):
            return ".".join(labels[-3:])
        case _:
            return ".".join(labels[-2:])


def is_below(host: str, domains: frozenset[str]) -> bool:
    """Tell whether a host is one of these domains or below."""
    labels = host.split(".")
    return any(".".join(labels[place:]) in domains for place in range(len(labels)))
