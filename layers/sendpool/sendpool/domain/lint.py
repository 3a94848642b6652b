"""What in a text may get it filtered, refused or complained about, by the carriers' and Twilio's content rules.

Findings, no verdicts: each has its rule, its place and what the rule rests on; whoever sends decides. Words count
in their surroundings, as "CBD" is a part of a city and "shot" a vaccination; the phrases are English, apart from
the ways to name an opt-out. It reads words, not minds: a text without findings can still be filtered.
Rules and sources: CTIA Messaging Principles (May 2023), T-Mobile Code of Conduct 2.2, Twilio's forbidden
categories and rejection codes (308xx, 309xx), practice where it says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

from sendpool.domain.phrases import PhraseBook, Words, read_phrases, read_tagged, read_words
from sendpool.domain.text import costly_characters

Severity = Literal["error", "warning"]

_WORDS: Final = Path(__file__).with_name("data") / "lint.json"
_LONGEST: Final = 320
"""Characters that Twilio's documentation advises to stay below."""
_MOST_CAPITALS: Final = 0.3
_LEAST_LETTERS: Final = 20

_QUIET_CATEGORIES: Final = frozenset({"otp", "security"})
_PLAIN_USE_CASES: Final = frozenset({
    "2FA", "CUSTOMER_CARE", "DELIVERY_NOTIFICATION", "ACCOUNT_NOTIFICATION", "SECURITY_ALERT",
    "FRAUD_ALERT", "HIGHER_EDUCATION", "PUBLIC_SERVICE_ANNOUNCEMENT", "EMERGENCY",
})  # fmt: skip
_SWEEPSTAKE: Final = "SWEEPSTAKE"


@dataclass(frozen=True, slots=True)
class _Rule:
    severity: Severity
    message: str
    basis: str


_RULES: Final = {
    "L-SHAFT-SEX": _Rule("error", "sexual content", "CTIA 5.3; 30953"),
    "L-SHAFT-HATE": _Rule("error", "hate or violence", "CTIA 5.3; 30954"),
    "L-SHAFT-ALCOHOL": _Rule("error", "alcohol needs an age gate", "CTIA 5.3; 30955, 30956"),
    "L-SHAFT-FIREARM": _Rule("error", "guns and ammunition", "CTIA 5.3; 30957"),
    "L-SHAFT-TOBACCO": _Rule("error", "tobacco, vape and nicotine", "CTIA 5.3; 30958"),
    "L-DRUG": _Rule("error", "cannabis, CBD, kratom or medicines for sale", "Twilio forbidden; 30940, 30941, 30952"),
    "L-LOAN": _Rule("error", "payday, third-party or high-risk loans", "30942"),
    "L-DEBT": _Rule("error", "debt collection for others, consolidation or relief", "30943, 30949"),
    "L-CREDIT": _Rule("error", "credit repair", "30950"),
    "L-GAMBLE": _Rule("error", "betting and casinos", "30944"),
    "L-SWEEP": _Rule("error", "a contest needs a SWEEPSTAKE campaign", "30945"),
    "L-INVEST": _Rule("error", "stock tips, crypto, forex or promised returns", "30946, 30947, 30948"),
    "L-LEADGEN": _Rule("error", "lead sale, multi-level marketing or easy riches", "30951"),
    "L-URL-SHORTENER": _Rule("error", "carriers block public link shorteners", "AT&T, T-Mobile; 30892, 30963"),
    "L-URL-HTTP": _Rule("error", "the link has no https", "30964"),
    "L-URL-FOREIGN": _Rule("warning", "the link leads to a domain that is not the brand's", "30961"),
    "L-URL-IP": _Rule("warning", "the link leads to a bare IP address", "30961"),
    "L-URL-PUNY": _Rule("warning", "the domain has letters that look like others", "30961"),
    "L-PHISH": _Rule("error", "reads like phishing", "30884, 30960"),
    "L-DECEPTIVE": _Rule("warning", "reads like a trick: a prize, a last notice, false urgency", "30959, 30962"),
    "L-CAPS": _Rule("warning", "over 30 % of the letters are capitals", "practice"),
    "L-PUNCT": _Rule("warning", "piled-up signs", "practice"),
    "L-SPACED": _Rule("warning", "letters spaced or swapped for digits, as to dodge a filter", "practice"),
    "L-BRAND-MISSING": _Rule("warning", "the brand is not named", "CTIA 5.1; Twilio policy"),
    "L-OPTOUT-MISSING": _Rule("warning", "no STOP in it; name it at least once a month", "CTIA 5.1.2.1"),
    "L-OPTOUT-ALT": _Rule("error", "the only way out is not STOP", "Twilio filtering guide"),
    "L-TEMPLATE": _Rule("error", "a placeholder that was not filled", "own"),
    "L-USECASE": _Rule("warning", "a promotion in a campaign registered for something else", "30893"),
    "L-LINKS-FLAG": _Rule("error", "a link in a campaign registered without", "30893"),
    "L-PHONE-FLAG": _Rule("error", "a phone number in a campaign registered without", "30889"),
    "L-LENGTH": _Rule("warning", "longer than 320 characters", "Twilio, best practice"),
}  # fmt: skip

_LINK: Final = re.compile(r"(?P<scheme>https?)://[^\s<>\"\u201c\u201d]+", re.IGNORECASE)
_IP: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"(?<![\w.+-])(?:\+\d[\d ().-]{7,18}\d|(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}|1?[2-9]\d{9})(?![\w-])"
)
_PILED_UP: Final = re.compile(r"[!?]{3,}|\${3,}")
_SPACED: Final = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_-]){3,}[^\W\d_](?![^\W_])")
_LEET: Final = re.compile(
    r"(?<![\w$@])(?=[a-z]*[013457$@])[a-z013457$@]{3,10}(?![\w$@])", re.IGNORECASE
)
_LEET_LETTERS: Final = str.maketrans("013457$@", "oieastsa")
_PLACEHOLDER: Final = re.compile(
    r"\{\{[^{}]*\}\}|\$?\{[A-Za-z_][\w .]*\}|\{%[^%]*%\}|%[A-Z_]{3,}%|\bundefined\b|\$NaN\b|\bNaN\b"
    r"|\b(?:is|of|Hi|Hello|Dear|Hey|at|on|for) (?:null|None)\b(?! and)"
    r"|\b(?:Hi|Hello|Dear|Hey) ,",
)
_BRACKETED: Final = re.compile(r"[\[<]([A-Za-z][A-Za-z_ ]{1,30})[\]>]")
_CODE: Final = re.compile(r"\w*\d\w*")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a text touches: `text` is what stands from `start` up to `end`, in characters.

    What is missing, or lies in the whole, spans the whole text. `basis` names the source: a paragraph, Twilio's
    rejection codes, or practice.
    """

    rule: str
    severity: Severity
    start: int
    end: int
    text: str
    message: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LintContext:
    """What is known about a text: rules that need what is not known (None, empty) keep quiet.

    `category` is transactional, marketing, otp or security; `use_case` the campaign's, as Twilio writes it
    (`2FA`, `MARKETING`); `overrides` the rules that somebody has taken responsibility for. With `shortens_links`
    http and https links leave as links of our own domain, so where they lead is not judged.
    """

    category: str
    brand: str | None = None
    is_first: bool = False
    own_domains: tuple[str, ...] = ()
    shortens_links: bool = False
    age_gated: bool = False
    use_case: str | None = None
    has_embedded_links: bool | None = None
    has_embedded_phone: bool | None = None
    overrides: frozenset[str] = field(default_factory=frozenset)


# a rule, the span, and a severity or message that is not the rule's own
@dataclass(frozen=True, slots=True)
class _Hit:
    rule: str
    start: int
    end: int
    severity: Severity | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    start: int
    end: int
    scheme: str
    host: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as all rules look at it."""

    body: str
    words: Words
    links: tuple[_Link, ...]
    foreign: frozenset[_Link]
    tagged: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    guards: PhraseBook
    phrases: PhraseBook
    leet: frozenset[str]
    fields: frozenset[str]
    keywords: frozenset[str]
    shorteners: tuple[str, ...]
    bare_link: re.Pattern[str]


def lint(body: str, context: LintContext) -> tuple[Finding, ...]:
    """Hold a text against all rules, in order of place; what `overrides` names is left out.

    A template is linted as it stands: its placeholders are L-TEMPLATE, which its author overrides.
    """
    reading = _read(body, context)
    hits = {
        (hit.rule, hit.start): hit
        for check in _CHECKS
        for hit in check(reading, context)
        if hit.rule not in context.overrides
    }
    return tuple(_finding(hit, body) for hit in sorted(hits.values(), key=lambda hit: hit.start))


def _finding(hit: _Hit, body: str) -> Finding:
    rule = _RULES[hit.rule]
    return Finding(
        rule=hit.rule,
        severity=hit.severity or rule.severity,
        start=hit.start,
        end=hit.end,
        text=body[hit.start : hit.end],
        message=hit.message or rule.message,
        basis=rule.basis,
    )


@cache
def _vocabulary() -> _Vocabulary:
    written = json.loads(_WORDS.read_text(encoding="utf-8"))
    domains = "|".join(written["tlds"].split())
    return _Vocabulary(
        guards=read_phrases(written["guards"], written["classes"]),
        phrases=read_tagged(written["phrases"], written["classes"]),
        leet=frozenset(written["leet"].split()),
        fields=frozenset(written["fields"].split()),
        keywords=frozenset(written["keywords"].split()),
        shorteners=tuple(written["shorteners"].split()),
        bare_link=re.compile(
            rf"(?<![\w@./-])(?:[^\W_][\w-]{{0,62}}\.){{1,4}}(?:{domains})(?![\w-])(?!\.\w)(?:/[^\s<>\"]*)?",
            re.IGNORECASE,
        ),
    )


def _read(body: str, context: LintContext) -> _Reading:
    links = tuple(_find_links(body))
    own = tuple(domain.lower().removeprefix("www.") for domain in context.own_domains)
    foreign = frozenset(
        link
        for link in links
        if own and not _is_hidden(link, context) and not _lies_in(link.host, own)
    )
    vocabulary = _vocabulary()
    bare = _blank(body, links)
    words = read_words(bare)
    places = vocabulary.guards.places(words)
    tagged: dict[str, tuple[int, int]] = {}
    for tag, start, end in vocabulary.phrases.tagged(words.without(places)):
        if tag not in tagged:
            tagged[tag] = (start, end)
    return _Reading(body, words, links, foreign, tagged)


def _blank(body: str, links: tuple[_Link, ...]) -> str:
    """Take the links out of the text, keeping all places."""
    for link in links:
        body = f"{body[: link.start]}{' ' * (link.end - link.start)}{body[link.end :]}"
    return body


def _find_links(body: str) -> Iterator[_Link]:
    for found in _LINK.finditer(body):
        text = found[0].rstrip(".,!?;:)]'")
        authority = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
        host = authority.rpartition("@")[2]
        host = host if host.startswith("[") else host.partition(":")[0]
        yield _Link(found.start(), found.start() + len(text), found["scheme"].lower(), host.lower())
    if "." in body:
        without_links = _LINK.sub(_spaces, body)
        for found in _vocabulary().bare_link.finditer(without_links):
            text = found[0].rstrip(".,!?;:)]'")
            host = text.partition("/")[0].lower()
            yield _Link(found.start(), found.start() + len(text), "", host)


def _spaces(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _lies_in(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _is_hidden(link: _Link, context: LintContext) -> bool:
    return context.shortens_links and bool(link.scheme)


def _check_words(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    passing = set()
    if context.age_gated:
        passing.add("L-SHAFT-ALCOHOL")
    if context.use_case == _SWEEPSTAKE:
        passing.add("L-SWEEP")
    for tag, (start, end) in reading.tagged.items():
        if tag in _RULES and tag not in passing:
            yield _Hit(tag, *_span(reading.words, start, end))


def _span(words: Words, start: int, end: int) -> tuple[int, int]:
    """Turn places of words into places of characters, without borders at either end."""
    while end - start > 1 and words.words[start] == ".":
        start += 1
    while end - start > 1 and words.words[end - 1] == ".":
        end -= 1
    return words.starts[start], words.ends[end - 1]


def _check_links(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    for link in reading.links:
        at = (link.start, link.end)
        if context.has_embedded_links is False:
            yield _Hit("L-LINKS-FLAG", *at)
        if _lies_in(link.host, _vocabulary().shorteners) and link not in _own(reading, context):
            yield _Hit("L-URL-SHORTENER", *at)
        elif link in reading.foreign:
            yield _Hit("L-URL-FOREIGN", *at)
        if _is_hidden(link, context):
            continue
        if link.scheme == "http":
            yield _Hit("L-URL-HTTP", *at)
        if _IP.fullmatch(link.host):
            yield _Hit("L-URL-IP", *at)
        if not link.host.isascii() or "xn--" in link.host:
            yield _Hit("L-URL-PUNY", *at)


def _own(reading: _Reading, context: LintContext) -> frozenset[_Link]:
    return frozenset(reading.links) - reading.foreign if context.own_domains else frozenset()


def _check_phishing(reading: _Reading, _: LintContext) -> Iterator[_Hit]:
    if reading.foreign and (place := reading.tagged.get("account-locked")):
        start, end = _span(reading.words, *place)
        yield _Hit("L-PHISH", start, end, message="an account in trouble and a foreign link")


def _check_phone(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    if context.has_embedded_phone is False:
        for found in _PHONE.finditer(_blank(reading.body, reading.links)):
            yield _Hit("L-PHONE-FLAG", *found.span())


def _check_shape(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    body = _PLACEHOLDER.sub(_spaces, _blank(reading.body, reading.links))
    if _shouts(body, reading.words, context):
        yield _Hit("L-CAPS", 0, len(body))
    for found in _PILED_UP.finditer(body):
        yield _Hit("L-PUNCT", *found.span())
    for found in _SPACED.finditer(body):
        yield _Hit("L-SPACED", *found.span())
    for found in _LEET.finditer(body):
        if found[0].lower().translate(_LEET_LETTERS) in _vocabulary().leet:
            yield _Hit("L-SPACED", *found.span())


def _shouts(body: str, words: Words, context: LintContext) -> bool:
    """Tell whether too many letters are capitals, not counting the brand, codes, STOP and the like, and I."""
    if sum(map(str.isupper, body)) <= _MOST_CAPITALS * _LEAST_LETTERS:
        return False
    unjudged = {*_vocabulary().keywords, *_brand_words(context.brand)}
    judged = "".join(
        text
        for word, start, end in zip(words.words, words.starts, words.ends, strict=True)
        if word not in unjudged and end - start > 1 and not _CODE.fullmatch(text := body[start:end])
    )
    letters, capitals = sum(map(str.isalpha, judged)), sum(map(str.isupper, judged))
    return letters >= _LEAST_LETTERS and capitals > _MOST_CAPITALS * letters


def _check_placeholders(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    for found in _PLACEHOLDER.finditer(reading.body):
        yield _Hit("L-TEMPLATE", *found.span())
    for found in _BRACKETED.finditer(reading.body):
        name = found[1].strip().lower().replace(" ", "_")
        if name in _vocabulary().fields and name != (context.brand or "").lower():
            yield _Hit("L-TEMPLATE", *found.span())


def _check_brand(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    brand = _brand_words(context.brand)
    if brand and not _names(reading, brand):
        severity: Severity = "error" if context.is_first else "warning"
        yield _Hit("L-BRAND-MISSING", 0, len(reading.body), severity)


@lru_cache(maxsize=256)
def _brand_words(brand: str | None) -> tuple[str, ...]:
    return tuple(read_words(brand or "").spoken())


def _names(reading: _Reading, brand: tuple[str, ...]) -> bool:
    """Tell whether the brand stands in the text, or written as one word in a link."""
    said = reading.words.spoken()
    joined = "".join(brand)
    return (
        f" {' '.join(brand)} " in f" {' '.join(said)} "
        or joined in said
        or any(joined in re.split(r"[.-]", link.host) for link in reading.links)
    )


def _check_opt_out(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    if "optout" in reading.tagged:
        return
    if place := reading.tagged.get("optout-instead"):
        yield _Hit("L-OPTOUT-ALT", *_span(reading.words, *place))
    asked_for = context.category == "marketing" or (
        context.is_first and context.category not in _QUIET_CATEGORIES
    )
    if asked_for and context.is_first:
        message = "a first message has to name STOP"
        yield _Hit("L-OPTOUT-MISSING", 0, len(reading.body), "error", message)
    elif asked_for:
        yield _Hit("L-OPTOUT-MISSING", 0, len(reading.body))


def _check_use_case(reading: _Reading, context: LintContext) -> Iterator[_Hit]:
    if context.use_case in _PLAIN_USE_CASES and (place := reading.tagged.get("promotion")):
        yield _Hit("L-USECASE", *_span(reading.words, *place))


def _check_length(reading: _Reading, _: LintContext) -> Iterator[_Hit]:
    body = reading.body
    if len(body) > _LONGEST:
        yield _Hit("L-LENGTH", 0, len(body))
    stray = () if body.isascii() else costly_characters(body)
    if len(stray) == 1 and stray[0].segments:
        (one,) = stray
        end = one.position + len(one.character)
        message = f"{one.name} alone costs {one.segments} more segment(s)"
        yield _Hit("L-LENGTH", one.position, end, message=message)


_CHECKS: Final[tuple[Callable[[_Reading, LintContext], Iterator[_Hit]], ...]] = (
    _check_words,
    _check_links,
    _check_phishing,
    _check_phone,
    _check_shape,
    _check_placeholders,
    _check_brand,
    _check_opt_out,
    _check_use_case,
    _check_length,
)
