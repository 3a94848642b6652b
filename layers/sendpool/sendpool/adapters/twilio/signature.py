"""Did Twilio sign this webhook? The URL that Twilio was told to call is the only authority, never a Host header.

Signed are that URL with its query, and the fields of a form. Any other body is bound by its SHA-256, which stands in
the signed query as `bodySHA256`. Neither the method nor any header is signed: what they say is believed only where it
cannot change what the signed part means.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest, digest
from itertools import islice
from typing import Any

from sendpool.adapters.twilio import spellings
from sendpool.adapters.twilio.spellings import Pairs

MAX_BODY_BYTES = 128 * 1024
"""What is looked at of a body at most; Twilio's own forms have some 64 kB at most."""
MAX_SIGNATURES = 5

# spellings of the query are tried until so much was hashed with each key; of short forms, all
_MAX_HASHED_BYTES = 4 * 1024 * 1024

_FORM = "application/x-www-form-urlencoded"
_BODY_HASH = "bodySHA256"
_ALGORITHMS = {28: "sha1", 44: "sha256"}  # by the length of a signature


class Cause(StrEnum):
    """Why a webhook is not believed, for the log."""

    NOT_READABLE = "not_readable"
    NO_SIGNATURE = "no_signature"
    TOO_MANY_SIGNATURES = "too_many_signatures"
    TOO_LARGE = "too_large"
    OTHER_METHOD = "other_method"
    BODY_WITH_GET = "body_with_get"
    NO_FIELDS = "no_fields"
    BODY_NOT_SIGNED = "body_not_signed"
    BODY_CHANGED = "body_changed"
    NO_JSON_OBJECT = "no_json_object"
    DOES_NOT_FIT = "does_not_fit"


class NotSignedError(Exception):
    """A webhook that is not believed, and why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in. `queries` are the spellings of the raw query, as it came first; header names are lower-case.

    `hosts` and `paths`, under which it may have come, explain a refusal and prove nothing.
    """

    shape: str
    method: str
    queries: tuple[str, ...]
    headers: Mapping[str, tuple[str, ...]]
    body: bytes
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def signatures(self) -> list[str]:
        """Every one that came, be it in headers of their own or in one."""
        values = ",".join(self.headers.get("x-twilio-signature", ())).split(",")
        return [value.strip() for value in values if value.strip()]

    @property
    def media_type(self) -> str:
        """The content type without its parameters; several are none."""
        types = self.headers.get("content-type", ())
        return types[0].partition(";")[0].strip().lower() if len(types) == 1 else ""

    @property
    def is_form(self) -> bool:
        return self.media_type == _FORM


@dataclass(frozen=True, slots=True)
class Keys:
    """The live secrets. Auth tokens sign with HMAC-SHA1, shared keys of Twilio's webhook settings also with SHA-256."""

    tokens: tuple[str, ...] = field(repr=False)
    shared: tuple[str, ...] = field(default=(), repr=False)

    def signed(self, text: str, signatures: Sequence[str]) -> bool:
        """Tell whether any of the signatures is that of the text by any of the keys."""
        message = text.encode()
        return any(
            compare_digest(expected, signature.encode("utf-8", "replace"))
            for length in {len(each) for each in signatures} & _ALGORITHMS.keys()
            for expected in self._expected(message, _ALGORITHMS[length])
            for signature in signatures
        )

    def _expected(self, message: bytes, algorithm: str) -> Iterator[bytes]:
        tokens = self.tokens if algorithm == "sha1" else ()
        for key in (*tokens, *self.shared):
            yield b64encode(digest(key.encode(), message, algorithm))


@dataclass(frozen=True, slots=True)
class Signed:
    """What Twilio said: the fields of the body, or of the query with GET, and those of the query."""

    fields: dict[str, str]
    query: dict[str, str]


def verify(request: Request, *, url: str, keys: Keys) -> Signed:
    """Check a webhook against the URL that Twilio was told to call, which has neither query nor fragment here.

    Raises NotSignedError.
    """
    signatures = request.signatures
    if not signatures:
        raise NotSignedError(Cause.NO_SIGNATURE)
    if len(signatures) > MAX_SIGNATURES:
        raise NotSignedError(Cause.TOO_MANY_SIGNATURES)
    if len(request.body) > MAX_BODY_BYTES:
        raise NotSignedError(Cause.TOO_LARGE)
    query = spellings.parse(request.queries[0])
    hashes = [value for name, value in query if name == _BODY_HASH]
    form = _form(request, is_hashed=bool(hashes))
    affordable = _MAX_HASHED_BYTES // (1 + len(request.body) if form else 1)
    tried = islice(texts(url, request.queries, form), affordable)
    if not any(keys.signed(each, signatures) for each in tried):
        raise NotSignedError(Cause.DOES_NOT_FIT)
    if hashes and not _is_hash_of(request.body, hashes):
        raise NotSignedError(Cause.BODY_CHANGED)
    if request.method == "GET":
        return Signed(_firsts(query), _firsts(query))
    # the order of values of one name is not signed, and must not decide which one counts
    return Signed(_firsts(sorted(form)) if form else _json_fields(request), _firsts(query))


def texts(url: str, queries: Iterable[str], form: Pairs) -> Iterable[str]:
    """Return what Twilio may have signed: each spelling of the URL and its query, then the sorted fields."""
    fields = "".join(name + value for name, value in sorted(set(form)))
    spelled = spellings.of_url(url)
    return (
        f"{each}?{query}{fields}" if query else f"{each}{fields}"
        for query in queries
        for each in spelled
    )


def form_fields(body: bytes) -> Pairs:
    """Decode a form. Raises ValueError for what Twilio does not send."""
    form = spellings.parse(body.decode())
    if any(not name for name, _ in form):
        raise ValueError("a field without a name")  # it would add nothing to what is signed
    return form


def _form(request: Request, *, is_hashed: bool) -> Pairs:
    """Return the fields that are signed beside the URL: those of a form.

    What is signed by its URL alone must not pass for something else: a GET for a POST without fields, or the other
    way round; a form for a body of another kind.
    """
    if request.method == "GET":
        if request.body:
            raise NotSignedError(Cause.BODY_WITH_GET)
        return []
    if request.method != "POST":
        raise NotSignedError(Cause.OTHER_METHOD)
    if not request.is_form:
        if not is_hashed:
            raise NotSignedError(Cause.BODY_NOT_SIGNED)
        return []
    try:
        form = form_fields(request.body)
    except ValueError as error:
        raise NotSignedError(Cause.NOT_READABLE) from error
    if not form:
        raise NotSignedError(Cause.NO_FIELDS)
    return form


def _is_hash_of(body: bytes, hashes: Sequence[str]) -> bool:
    expected = sha256(body).hexdigest().encode()
    return all(compare_digest(expected, each.encode()) for each in hashes)


def _firsts(pairs: Pairs) -> dict[str, str]:
    return dict(reversed(pairs))


def _json_fields(request: Request) -> dict[str, str]:
    """Read a JSON object, whatever the content type says, which nobody signed; of another kind of body nothing."""
    try:
        body = json.loads(request.body.decode())
    except ValueError as error:
        if "json" in request.media_type:
            raise NotSignedError(Cause.NO_JSON_OBJECT) from error
        return {}
    if isinstance(body, dict):
        return {name: _as_text(value) for name, value in body.items()}
    if "json" in request.media_type:
        raise NotSignedError(Cause.NO_JSON_OBJECT)
    return {}


def _as_text(value: Any) -> str:
    """A text as it is, nothing as blank, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
