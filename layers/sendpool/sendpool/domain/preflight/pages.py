"""The privacy policy and the terms: two public, secured pages of the brand's own site. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult

from sendpool.domain.lint import LintContext, lint
from sendpool.domain.preflight.addresses import host_of, is_below, site_of, split_url
from sendpool.domain.preflight.reading import Reading
from sendpool.domain.preflight.rules import Hit
from sendpool.domain.preflight.vocabulary import vocabulary

_MISSING: Final = {
    "privacy_policy_url": "P-PRIVACY-MISSING",
    "terms_and_conditions_url": "P-TERMS-MISSING",
}
_HOMES: Final = {"", "index", "home", "index.html", "index.htm", "index.php"}
_CONTEXT: Final = LintContext(category="transactional")


def check_pages(reading: Reading) -> Iterator[Hit]:
    """Find pages that are missing, that reviewers cannot open, or that are not the brand's."""
    given: dict[str, str] = {}
    for field, missing in _MISSING.items():
        url = (getattr(reading.campaign, field) or "").strip()
        if not url:
            yield Hit(missing, field)
            continue
        parts = split_url(url)
        if parts is None or ("." not in (parts.hostname or "") and parts.hostname != "localhost"):
            yield Hit("P-PAGE-URL", field, url)
            continue
        given[field] = url
        yield from _check_page(field, url, parts, reading.campaign.brand_website)
    if len(given) == len(_MISSING) and len({_identity(url) for url in given.values()}) == 1:
        yield from (Hit("P-PAGES-SAME", field, url) for field, url in given.items())
    yield from _check_sites(given, reading.campaign.brand_website)


def _check_page(field: str, url: str, parts: SplitResult, website: str | None) -> Iterator[Hit]:
    found = {each.rule for each in lint(url, _CONTEXT)}
    if "L-URL-SHORTENER" in found:
        yield Hit("P-SHORTENER", field, url)
    if parts.scheme == "http":
        yield Hit("P-HTTP", field, url)
    elif parts.scheme != "https":
        yield Hit("P-PAGE-URL", field, url)
    host = parts.hostname or ""
    if "L-URL-IP" in found or is_below(host, vocabulary().private_hosts):
        yield Hit("P-PAGE-PRIVATE", field, url)
    elif "L-URL-SHORTENER" not in found and parts.path.strip("/").lower() in _HOMES:
        is_site = not (parts.query or parts.fragment) and (
            website is None or host_of(website) == host_of(url)
        )
        yield Hit("P-PAGE-HOME", field, url, severity=None if is_site else "warn")


def _identity(url: str) -> tuple[str | None, str, str, str]:
    parts = split_url(url)
    if parts is None:
        return (None, url, "", "")
    return (host_of(url), parts.path.rstrip("/"), parts.query, parts.fragment)


def _check_sites(given: dict[str, str], website: str | None) -> Iterator[Hit]:
    own = site_of(website)
    judged = {
        field: url
        for field, url in given.items()
        if not any(each.rule == "L-URL-SHORTENER" for each in lint(url, _CONTEXT))
        and not is_below(host_of(url) or "", vocabulary().private_hosts)
    }
    for field, url in judged.items():
        if own and site_of(url) != own:
            is_policy_host = is_below(host_of(url) or "", vocabulary().policy_hosts)
            yield Hit("P-PAGE-FOREIGN", field, url, severity="warn" if is_policy_host else None)
    if own is None and len({site_of(url) for url in judged.values()}) > 1:
        message = "the two pages are on different sites"
        for field, url in judged.items():
            yield Hit("P-PAGE-FOREIGN", field, url, severity="warn", message=message)
