"""Twilio's published signatures hold in every shape in which AWS hands over a webhook; nothing else does."""

from __future__ import annotations

import json
import random
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from twilio.request_validator import RequestValidator

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge.webhooks import Webhook
from tests.functional.shapes import FORM, JSON, SHAPES, Call, Deployment, Event

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "signature.json").read_text())["vectors"]
URL = re.compile(r"(https?://[^/?#]*)([^?]*)\??(.*)", re.DOTALL)
TOKEN = Deployment().tokens[0]


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
