"""Twilio's published signatures hold in every shape in which AWS hands over a webhook; nothing else does."""

from __future__ import annotations

import json
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from twilio.request_validator import RequestValidator

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge.webhooks import Webhook
from tests.functional.contents import CHANGES, Content, Form, other, represent, some_content
from tests.functional.shapes import FORM, JSON, SHAPES, Call, Deployment, Event

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "signature.json").read_text())["vectors"]
URL = re.compile(r"(https?://[^/?#]*)([^?]*)\??(.*)", re.DOTALL)


def accepted(event: Event, deployment: Deployment) -> Webhook | None:
    try:
        return deployment.verified(event)
    except InvalidSignatureError:
        return None


# ------------------------------------------------------------------------------------------------ vectors


def test_all_published_vectors_are_here() -> None:
    assert len(VECTORS) == 36


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_published_signature_holds_in_each_shape(vector: dict[str, Any], shape: str) -> None:
    origin, path, query = URL.fullmatch(vector["url"]).groups()
    # no shape can carry a raw non-ASCII path or query, as HTTP cannot: the path stands in the configured URL, and the
    # query goes over the wire percent-encoded
    call = Call(path=quote(path), query=quote(query, safe="%/?:@!$&'()*+,;="))
    if vector["body"] is not None:
        call = replace(call, headers=(("Content-Type", JSON),), body=vector["body"].encode())
    elif vector["params"]:
        body = urlencode(vector["params"], doseq=True).encode()
        call = replace(call, headers=(("Content-Type", FORM),), body=body)
    else:
        call = replace(call, method="GET")
    deployment = Deployment(public_url=origin, tokens=(vector["auth_token"],), route=path)
    webhook = accepted(SHAPES[shape](call.signed_with(vector["signature"])), deployment)
    assert bool(webhook) is vector["should_validate"]
    if webhook and vector["params"]:
        assert webhook.fields.keys() == vector["params"].keys()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("a=b&c=d", "a=b%26c%3Dd"),
        ("a=b%26c", "a=b&c"),
        ("a=1+1", "a=1%2B1"),
        ("a=%41", "a=%2541"),
        ("a=1&b=2", "a=1%26b=2"),
    ],
)
def test_a_query_that_decodes_to_something_else_is_another_one(
    shape: str, signed: str, sent: str
) -> None:
    is_kept = shape != "rest_api" or signed != "a=%41"  # it hands over A, and %41 is lost
    assert is_accepted_by_get(shape, signed=signed, sent=signed) is is_kept
    assert not is_accepted_by_get(shape, signed=signed, sent=sent)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("query", ["flag", "flag=", "m=1&flag", "flag=&m=1"])
def test_a_name_without_a_value_is_signed_as_it_is_written(shape: str, query: str) -> None:
    assert is_accepted_by_get(shape, signed=query, sent=query)


@pytest.mark.parametrize(("number", "answer"), [(1000, True), (1001, False)])
def test_a_thousand_parameters_are_the_most(number: int, answer: bool) -> None:
    query = "&".join(f"a{index}=" for index in range(number))
    assert is_accepted_by_get("http_api", signed=query, sent=query) is answer


def is_accepted_by_get(shape: str, *, signed: str, sent: str) -> bool:
    deployment = Deployment()
    url = f"{deployment.public_url}{deployment.route}?{signed}"
    signature = RequestValidator(deployment.tokens[0]).compute_signature(url, {})
    call = Call(method="GET", query=sent).signed_with(signature)
    return accepted(SHAPES[shape](call), deployment) is not None


# ------------------------------------------------------------------------------------------------ mutations


def says(webhook: Webhook, content: Content) -> bool:
    """Whether what came out is what was meant."""
    query = dict(reversed(content.query))
    if content.kind == "get":
        return webhook.fields == query == webhook.query
    if content.kind == "json":
        return webhook.fields.keys() == json.loads(content.json).keys() and webhook.query == query
    return webhook.fields == dict(sorted(content.form, reverse=True)) and webhook.query == query


def library_accepts(content: Content, signature: str) -> bool:
    url = content.url(content.deployment.public_url + content.deployment.route)
    params = content.json.decode() if content.json else Form(content.form)
    return RequestValidator(content.deployment.tokens[0]).validate(url, params, signature)


def is_for_library(content: Content, what: str) -> bool:
    """It knows neither methods nor content types, and leaves it to its caller to see that a hash is there."""
    is_hashed = not content.json or "bodySHA256" in dict(content.query)
    return is_hashed and not what.startswith(("method", "content type", "json"))


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Thousands of refusals are not to be read."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
def test_ten_thousand_requests_are_accepted_if_and_only_if_they_say_what_was_signed() -> None:
    chance = random.Random(18)  # noqa: S311
    seen: Counter[str] = Counter()
    wrong: list[tuple[Any, ...]] = []
    while seen["all"] < 10_000:
        content = some_content(chance)
        signature = content.signature()
        what = chance.choice(("nothing", *CHANGES, "signature"))
        if chance.random() < 0.4:
            what = "nothing"
        came, came_signature = content, signature
        if what == "signature":
            came_signature = other(signature, chance)
        elif what != "nothing":
            came = CHANGES[what](content, chance)
        is_same = came.meaning == content.meaning and came_signature == signature
        shape = chance.choice(list(SHAPES))
        if shape == "alb" and len(dict(came.query)) < len(came.query):
            continue  # it keeps the last of two values only
        seen.update(["all", "same" if is_same else what])
        webhook = accepted(represent(came, came_signature, shape, chance), came.deployment)
        if bool(webhook) is not is_same or (webhook and not says(webhook, content)):
            wrong.append((shape, what, is_same, content, came))
        if is_for_library(came, what):
            seen["asked the library"] += 1
            if library_accepts(came, came_signature) is not is_same:
                wrong.append(("library", what, is_same, content, came))
    assert wrong == []  # wrongly accepted 0, wrongly refused 0
    assert min(seen[what] for what in (*CHANGES, "signature")) > 50, seen
    assert seen["same"] > 4_000
    assert seen["asked the library"] > 7_000
