"""Webhooks made up by chance: what they say, the events that all say just that, and what says something else."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote, quote_plus

from twilio.request_validator import RequestValidator

from tests.functional.shapes import FORM, JSON, SHAPES, Call, Deployment, Event

type Pair = tuple[str, str]

BASES = (
    "https://sendpool.example.com",
    "https://SendPool.Example.com/base/v1",
    "https://sendpool.example.com:8443",
    "https://user:p%40ss@sendpool.example.com/in",
    "http://127.0.0.1:8080/local",
    "https://sendpool.example.com:443",
)
NAMES = (
    "MessageSid",
    "From",
    "To",
    "Body",
    "NumMedia",
    "OptOutType",
    "MediaUrl0",
    "Señal",
    "a.b[0]",
    "x",
)
ALPHABET = "abcXYZ0189 +&=%#?/:;,.'\"<>~*()_-$@!\n\tñéß€ 日本👋🏽\u0301"
ENCODERS = {
    "plus": quote_plus,
    "percent": lambda text: quote(text, safe=""),
    "readable": lambda text: quote(text, safe="!$()*,/:;?@"),
}


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a webhook says. The query is that of the URL at Twilio, encoded as its owner wrote it."""

    kind: str
    deployment: Deployment
    signed_url: str
    query: tuple[Pair, ...]
    encoder: str
    form: tuple[Pair, ...] = ()
    json: bytes = b""
    method: str = "POST"
    content_type: str = ""

    @property
    def raw_query(self) -> str:
        encode = ENCODERS[self.encoder]
        return "&".join(f"{encode(name)}={encode(value)}" for name, value in self.query)

    def url(self, base: str) -> str:
        return f"{base}?{self.raw_query}" if self.query else base

    def signature(self) -> str:
        """As Twilio's own library makes it."""
        return RequestValidator(self.deployment.tokens[0]).compute_signature(
            self.url(self.signed_url), Form(self.form)
        )

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What must not change without being noticed: the order and encoding of pairs may."""
        return (
            self.deployment,
            sorted(self.query),
            sorted(set(self.form)),
            self.json,
            self.method,
            self.content_type,
        )


class Form:
    """Fields as the library wants them where names come several times."""

    def __init__(self, pairs: tuple[Pair, ...]) -> None:
        self._pairs = pairs

    def __iter__(self) -> Iterator[str]:
        return iter({name for name, _ in self._pairs})

    def __len__(self) -> int:
        return len(self._pairs)

    def getlist(self, name: str) -> list[str]:
        return [value for each, value in self._pairs if each == name]


def text(chance: random.Random, *, most: int = 12) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randrange(most)))


def pairs(chance: random.Random, most: int) -> tuple[Pair, ...]:
    names = chance.sample(NAMES, k=chance.randrange(most + 1))
    return tuple((name, text(chance)) for name in names)


def some_content(chance: random.Random) -> Content:
    base, route = chance.choice(BASES), chance.choice(("/webhooks/inbound", "/webhooks/status"))
    deployment = Deployment(
        public_url=base, tokens=(f"{chance.getrandbits(128):032x}",), route=route
    )
    common: dict[str, Any] = {
        "deployment": deployment,
        "signed_url": chance.choice(with_and_without_port(base)) + route,
        "encoder": chance.choice(list(ENCODERS)),
    }
    kind = chance.choice(("form", "form", "json", "get"))
    if kind == "get":
        query = (*pairs(chance, 3), ("MessageSid2", text(chance)))
        return Content(kind=kind, query=query, method="GET", **common)
    if kind == "json":
        members = {
            name: chance.choice((value, 7, None, True, [value])) for name, value in pairs(chance, 5)
        }
        body = json.dumps(members, ensure_ascii=chance.random() < 0.5).encode()
        query = (*pairs(chance, 2), ("bodySHA256", sha256(body).hexdigest()))
        return Content(kind=kind, query=query, json=body, content_type=JSON, **common)
    form = (("AccountSid", "AC1"), *pairs(chance, 8))
    if chance.random() < 0.3:
        form += tuple(("Digits", text(chance)) for _ in range(3))
    return Content(kind=kind, query=pairs(chance, 3), form=form, content_type=FORM, **common)


def with_and_without_port(base: str) -> tuple[str, str]:
    """As the library has it too, but for what it makes of credentials beside a port."""
    scheme, _, rest = base.partition("://")
    place, slash, path = rest.partition("/")
    credentials, at, host = place.rpartition("@")
    name, colon, port = host.partition(":")
    port = "" if colon else ":443" if scheme == "https" else ":80"
    return base, f"{scheme}://{credentials}{at}{name}{port}{slash}{path}"


def represent(content: Content, signature: str, shape: str, chance: random.Random) -> Event:
    """One of the many events that all say this."""
    signatures = [
        signature,
        *chance.choices(("", "AAAA", "L/OH5YylLD5NRKLltdqwSvS0BnU="), k=chance.randrange(3)),
    ]
    chance.shuffle(signatures)
    if shape == "alb" or chance.random() < 0.5:
        signatures = [", ".join(signatures)]
    name = chance.choice(("X-Twilio-Signature", "x-twilio-signature", "X-TWILIO-SIGNATURE"))
    headers = [(name, each) for each in signatures]
    if content.content_type:
        kind = content.content_type.partition(";")[0]
        spelled = chance.choice(
            (kind, kind.upper(), f"{kind};charset=utf-8", f"{kind} ; charset=UTF-8")
        )
        headers.append((chance.choice(("Content-Type", "content-type")), spelled))
    chance.shuffle(headers)
    query = content.raw_query
    if shape == "rest_api":  # which keeps no order
        parts = query.split("&")
        chance.shuffle(parts)
        query = "&".join(parts)
    call = Call(
        method=content.method,
        query=query,
        headers=tuple(headers),
        body=content.json or encoded_form(content.form, chance),
        is_base64=chance.random() < 0.7,
    )
    return SHAPES[shape](call)


def encoded_form(form: tuple[Pair, ...], chance: random.Random) -> bytes:
    """A form in any order, with values that come twice, each character encoded one way or another."""
    fields = [*form, *chance.choices(form, k=chance.randrange(2))] if form else []
    chance.shuffle(fields)
    return "&".join(
        f"{encoded(name, chance)}={encoded(value, chance)}" for name, value in fields
    ).encode()


def encoded(value: str, chance: random.Random) -> str:
    match chance.randrange(4):
        case 0:
            return quote_plus(value)
        case 1:
            return quote(value, safe="")
        case 2:
            return re.sub("%..", lambda found: found[0].lower(), quote_plus(value))
        case _:
            return "".join(f"%{byte:02x}" for byte in value.encode())


# ------------------------------------------------------------------------------------------------ changes

type Change = Callable[[Content, random.Random], Content]


def other(value: str, chance: random.Random) -> str:
    """A text with one character changed, added or taken away."""
    at = chance.randrange(len(value) + 1)
    changed = value[:at] + chance.choice("abcXYZ019-_é") + value[at + chance.randrange(2) :]
    return changed if changed != value else f"{value}z"


def _added(part: str) -> Change:
    def change(content: Content, chance: random.Random) -> Content:
        if part == "form" and content.json:
            return content
        new = (f"New{chance.randrange(9)}", text(chance))
        return replace(content, **{part: (*getattr(content, part), new)})

    return change


def _at_one(part: str, others: Callable[[Pair, random.Random], tuple[Pair, ...]]) -> Change:
    """Put others in the place of one pair; where there is none, change nothing."""

    def change(content: Content, chance: random.Random) -> Content:
        before: tuple[Pair, ...] = getattr(content, part)
        if not before:
            return content
        at = chance.randrange(len(before))
        after = (*before[:at], *others(before[at], chance), *before[at + 1 :])
        return replace(content, **{part: after})

    return change


def _of_pairs(part: str) -> dict[str, Change]:
    return {
        f"{part}: added": _added(part),
        f"{part}: removed": _at_one(part, lambda _pair, _chance: ()),
        f"{part}: other name": _at_one(
            part, lambda pair, chance: ((other(pair[0], chance), pair[1]),)
        ),
        f"{part}: other value": _at_one(
            part, lambda pair, chance: ((pair[0], other(pair[1], chance)),)
        ),
        f"{part}: another value beside": _at_one(
            part, lambda pair, chance: (pair, (pair[0], other(pair[1], chance)))
        ),
    }


def _of_deployment(name: str, changed: Callable[[Any, random.Random], Any]) -> Change:
    def change(content: Content, chance: random.Random) -> Content:
        before = content.deployment
        after = {name: changed(getattr(before, name), chance)}
        return replace(content, deployment=replace(before, **after))

    return change


def _other_bit(content: Content, chance: random.Random) -> Content:
    if not content.json:
        return content
    at = chance.randrange(len(content.json))
    byte = bytes([content.json[at] ^ (1 << chance.randrange(7))])
    return replace(content, json=content.json[:at] + byte + content.json[at + 1 :])


def _other_method(content: Content, chance: random.Random) -> Content:
    methods = [each for each in ("GET", "POST", "PUT", "DELETE") if each != content.method]
    kind = content.content_type or FORM
    return replace(content, method=chance.choice(methods), content_type=kind)


def _get_without_body(content: Content, _chance: random.Random) -> Content:
    return replace(content, method="GET", form=(), json=b"")


def _other_kind(content: Content, _chance: random.Random) -> Content:
    if content.method == "GET":
        return content
    return replace(content, content_type=FORM if content.json else JSON)


CHANGES: Mapping[str, Change] = {
    **_of_pairs("query"),
    **_of_pairs("form"),
    "route": _of_deployment("route", lambda route, chance: f"/{other(route[1:], chance)}"),
    "public url": _of_deployment(
        "public_url", lambda url, _chance: url.replace("e", "a", 1).replace("0.0", "0.1")
    ),
    "token": _of_deployment("tokens", lambda tokens, chance: (other(tokens[0], chance),)),
    "json: other bit": _other_bit,
    "method": _other_method,
    "method: GET without body": _get_without_body,
    "content type": _other_kind,
}
