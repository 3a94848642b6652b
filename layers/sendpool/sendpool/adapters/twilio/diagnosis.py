"""Why a webhook's signature does not fit: what would have fitted, had it been configured or handed on so.

Only explains, for the log: nothing here makes a webhook believed. A guess is told only when a live key proves it, so a
stranger cannot put words into the log; what it holds of the request are names, never values.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote, unquote_plus

from sendpool.adapters.twilio import signature
from sendpool.adapters.twilio.signature import Cause, Keys, Request
from sendpool.adapters.twilio.spellings import Pairs

_MAX_GUESSES = 160
_MAX_BODY_BYTES = 32 * 1024  # about a longer one nothing is guessed: each guess hashes it
_SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"
# what may be logged of a URL: nothing parts URL and fields in what is signed, so whoever has seen a webhook could write
# its fields as the end of a path
_BASE = re.compile(
    r"https?://(\*\*\*@)?[a-z0-9.-]+(:\d{1,5})?(?!.*\d{7})[a-z0-9/._~-]*", re.IGNORECASE
)

REMEDIES = {
    Cause.NOT_READABLE: "The query or body is not what Twilio sends (UTF-8, base64 where AWS says so).",
    Cause.NO_SIGNATURE: "Not Twilio, or what stands before the function drops X-Twilio-Signature: let it through.",
    Cause.TOO_MANY_SIGNATURES: "Twilio sends one X-Twilio-Signature; something adds others.",
    Cause.TOO_LARGE: "Not from Twilio, whose bodies are shorter.",
    Cause.OTHER_METHOD: "Twilio calls with POST or GET.",
    Cause.BODY_WITH_GET: "Twilio's GET has no body.",
    Cause.NO_FIELDS: "Twilio's forms have fields: what stands before the function drops the body, or turned a GET into "
    "a POST.",
    Cause.BODY_NOT_SIGNED: "A body that is no form needs bodySHA256 in the query: let what stands before the function "
    "hand on Content-Type and the query as they came.",
    Cause.BODY_CHANGED: "Twilio signed this URL, but another body: let what stands before the function hand bodies on "
    "byte by byte.",
    Cause.NO_JSON_OBJECT: "Twilio signed this, but it holds no JSON object.",
    Cause.DOES_NOT_FIT: "No live key signed this for any URL that would explain it: a stranger, another account's or "
    "subaccount's token, or a changed request. Compare the token in the Twilio console with the stored one.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: a stable word, what to do, and the value that `public-url` should have if that is it."""

    cause: str
    remedy: str
    public_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refused webhook, and what it was held against. `url` is the public URL and the `route`."""

    request: Request
    url: str
    route: str
    keys: Keys
    api_key_secret: str | None = field(default=None, repr=False)

    @property
    def form(self) -> Pairs:
        """The fields that count as signed."""
        is_form = self.request.method == "POST" and self.request.is_form
        return (_pairs(signature.form_fields, self.request.body) or []) if is_form else []

    @property
    def at_twilio(self) -> str:
        return f"at Twilio, set the webhook's URL to {without_credentials(self.url)}"


type _Guess = tuple[Finding, Iterable[str], Keys]


def diagnose(cause: Cause, refused: Refused) -> Finding:
    """Find the one deviation that explains a refusal, or say what the cause means."""
    request = refused.request
    can_guess = cause in {Cause.DOES_NOT_FIT, Cause.BODY_NOT_SIGNED}
    if can_guess and len(request.body) <= _MAX_BODY_BYTES:
        texts = (
            (finding, text, keys) for finding, texts, keys in _guesses(refused) for text in texts
        )
        for finding, text, keys in islice(texts, _MAX_GUESSES):
            if keys.signed(text, request.signatures):
                return finding
        if _SIGNATURE_SETTINGS in request.headers and not refused.keys.shared:
            return Finding(
                "signing_key_missing",
                "A webhook setting at Twilio signs with a shared key: store its secret as webhook-signing-key.",
            )
    return Finding(cause, REMEDIES[cause])


def without_credentials(url: str) -> str:
    """Return a URL as it may be logged."""
    return re.sub("//[^/?#]*@", "//***@", url)


def _guesses(refused: Refused) -> Iterator[_Guess]:
    """Yield one deviation at a time, and what would have been signed with which keys."""
    url, queries, form, keys = refused.url, refused.request.queries[:1], refused.form, refused.keys
    for finding, others in _other_keys(refused):
        yield finding, signature.texts(url, queries, form), others
    for finding, query in _other_queries(queries[0]):
        yield finding, signature.texts(url, (query,), form), keys
    for finding, body in _other_bodies(refused.request.body):
        if body != form:
            yield finding, signature.texts(url, queries, body), keys
    for finding, other in _other_urls(refused):
        yield finding, signature.texts(other, queries, form), keys


def _other_keys(refused: Refused) -> Iterator[tuple[Finding, Keys]]:
    keys = refused.keys
    stripped = Keys(tuple(map(str.strip, keys.tokens)), tuple(map(str.strip, keys.shared)))
    if stripped != keys:
        yield (
            Finding(
                "white_space_in_key",
                "The stored secret begins or ends with white space, such as a line end: store it without.",
            ),
            stripped,
        )
    if refused.api_key_secret:
        yield (
            Finding(
                "api_key_secret",
                "Signed with the API key's secret; Twilio signs with the auth token, and so must a test.",
            ),
            Keys((refused.api_key_secret,)),
        )


def _other_queries(came: str) -> Iterator[tuple[Finding, str]]:
    if not came:
        return
    raw = "let what stands before the function hand on the query as it came."
    yield Finding("query_added", f"Twilio's URL has no query: {raw}"), ""
    yield Finding("query_encoded", f"Twilio's query is not encoded so: {raw}"), unquote_plus(came)
    yield Finding("query_decoded", f"Twilio's query is encoded: {raw}"), quote(came, safe="=&%+")


def _other_bodies(body: bytes) -> Iterator[tuple[Finding, Pairs]]:
    if not body:
        return
    for cause, (decode, remedy) in _BODIES.items():
        pairs = _pairs(decode, body)
        if pairs is not None:
            yield Finding(cause, remedy), pairs


_AS_IT_CAME = "let what stands before the function hand bodies on byte by byte."
_BODIES: dict[str, tuple[Callable[[bytes], Pairs], str]] = {
    "content_type": (
        signature.form_fields,
        "Twilio sent a form: let what stands before the function hand on its Content-Type.",
    ),
    "body_in_base64": (
        lambda body: signature.form_fields(b64decode(body, validate=True)),
        "The body is in base64, and isBase64Encoded does not say so or it is so twice.",
    ),
    "body_recoded": (
        lambda body: [
            (name.encode("latin-1").decode(), value.encode("latin-1").decode())
            for name, value in signature.form_fields(body)
        ],
        f"The body's UTF-8 was taken for Latin-1 and encoded again: {_AS_IT_CAME}",
    ),
    "body_encoded_twice": (
        lambda body: [
            (unquote_plus(name), unquote_plus(value)) for name, value in signature.form_fields(body)
        ],
        f"The form was encoded twice: {_AS_IT_CAME}",
    ),
    "body_added": (
        lambda _body: [],
        "Twilio signed the URL alone: its GET became a POST, a body was added, or JSON lost its Content-Type.",
    ),
}


def _pairs(decode: Callable[[bytes], Pairs], body: bytes) -> Pairs | None:
    try:
        return decode(body)
    except ValueError:
        return None


def _other_urls(refused: Refused) -> Iterator[tuple[Finding, str]]:
    """Yield other URLs that Twilio may have been told to call."""
    url = refused.url
    scheme, _, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    host, slash, path = place.partition("/")
    yield _called(f"{'http' if scheme == 'https' else 'https'}://{rest}", "scheme", refused)
    yield _called(f"{url}/", "trailing_slash", refused)
    if at:
        yield _called(f"{scheme}://{place}", "credentials", refused)
    if host != host.lower():
        lowered = f"{scheme}://{credentials}{at}{host.lower()}{slash}{path}"
        yield _called(lowered, "host_case", refused)
    for scheme_called in ("https", "http"):
        for before in dict.fromkeys(("", f"{credentials}{at}")):
            for host_called in refused.request.hosts[:3]:
                for path_called in dict.fromkeys((*refused.request.paths[:4], refused.route)):
                    called = f"{scheme_called}://{before}{host_called}{path_called}"
                    if called != url:
                        yield _called(called, "public_url", refused)


def _called(url: str, cause: str, refused: Refused) -> tuple[Finding, str]:
    """Say what to do if this is the URL that Twilio was told to call."""
    public_url, route, rest = without_credentials(url).partition(refused.route)
    if not route or rest or not _BASE.fullmatch(public_url):
        return Finding(cause, f"Twilio calls another URL: {refused.at_twilio}."), url
    remedy = (
        f"Twilio calls {public_url}{route}: set PublicUrl to {public_url}, or {refused.at_twilio}."
    )
    return Finding(cause, remedy, public_url), url
