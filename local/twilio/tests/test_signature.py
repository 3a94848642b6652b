"""Signatures, against the worked examples of Twilio's documentation and libraries."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.twilio.webhooks import sign

VECTORS = json.loads((Path(__file__).parent / "signature.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_a_signature_is_that_of_the_published_example(vector: dict[str, Any]) -> None:
    params = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (vector["params"] or {}).items()
    }
    signature = sign(auth_token=vector["auth_token"], url=vector["signed_url"], params=params)
    assert (signature == vector["signature"]) is vector["should_validate"]
