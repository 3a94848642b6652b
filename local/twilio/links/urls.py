"""Links in a text: where they are, and which can be shortened."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

LINK = re.compile(r"""https?://[^\s<>"]+""", re.IGNORECASE)
ENCODED = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
ENDS_A_SENTENCE = ".,:;!?'\u2026\u201d\u2019"
CLOSERS = {")": "(", "]": "["}


def is_web_address(text: str) -> bool:
    """An http or https URL with a host, in which all special characters are percent-encoded."""
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return parts.scheme in {"http", "https"} and has_place and ENCODED.fullmatch(text) is not None


def find_links(text: str) -> list[str]:
    """All links of a text, without what ends the sentence around them."""
    return [_without_ending(link) for link in LINK.findall(text)]


def replace_links(text: str, replacements: Iterable[str]) -> str:
    """The text with other words in place of its links, in order."""
    following = iter(replacements)

    def exchange(found: re.Match[str]) -> str:
        link = found.group()
        return next(following) + link[len(_without_ending(link)) :]

    return LINK.sub(exchange, text)


def _without_ending(link: str) -> str:
    while link[-1] in ENDS_A_SENTENCE or _is_stray_closer(link):
        link = link[:-1]
    return link


def _is_stray_closer(link: str) -> bool:
    opener = CLOSERS.get(link[-1])
    return opener is not None and link.count(link[-1]) > link.count(opener)
