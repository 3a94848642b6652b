"""Signatures: the published examples, the spelling of ports, and Twilio's own validator at the other end."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from local.twilio.core.settings import Behaviour
from local.twilio.tests.doors import ORDINARY, SENDER, Caller
from local.twilio.tests.sites import Site, open_site
from local.twilio.webhooks.client import Answer, Call, WebhookClient
from local.twilio.webhooks.signing import (
    AS_IS,
    WITH_PORT,
    WITHOUT_PORT,
    Params,
    sign,
    spell_port,
    with_body_hash,
)

pytestmark = pytest.mark.enable_socket

PUBLISHED = json.loads((Path(__file__).parent / "signature.json").read_text())
VECTORS = PUBLISHED["vectors"]
WITH_BODY = [each for each in VECTORS if each["body"] and "bodySHA256" in each["url"]]
# not what is signed but what one library also tries when it verifies: the query written anew
RESERIALISED = "legacy query: apostrophe and plus"
TOKEN = "12345"


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site() as opened:
        yield opened


def named(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def signed_url(vector: dict[str, Any]) -> str:
    """The vector's URL as one of the spellings of its port has it."""
    if vector["name"] == RESERIALISED:
        return str(vector["url"]).replace("'", "%27")
    spellings = [spell_port(vector["url"], style) for style in (AS_IS, WITH_PORT, WITHOUT_PORT)]
    return next(url for url in spellings if url == vector["signed_url"])


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_signature_is_that_of_the_published_example(vector: dict[str, Any]) -> None:
    # vectors that should not validate hold a wrong signature: signing gives another one
    params = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (vector["params"] or {}).items()
    }
    signature = sign(auth_token=vector["auth_token"], url=signed_url(vector), params=params)
    assert (signature == vector["signature"]) is vector["should_validate"]


def test_all_published_examples_are_here() -> None:
    assert (len(VECTORS), len(WITH_BODY)) == (36, 3)


@pytest.mark.parametrize("vector", WITH_BODY, ids=named)
def test_the_hash_of_a_body_joins_the_query(vector: dict[str, Any]) -> None:
    bare = vector["url"].partition("bodySHA256=")[0].rstrip("?&")
    assert with_body_hash(bare, vector["body"].encode()) == vector["url"]


@pytest.mark.parametrize(
    ("url", "style", "expected"),
    [
        ("https://Host.example/a?b=1", AS_IS, "https://Host.example/a?b=1"),
        ("https://Host.example/a?b=1", WITH_PORT, "https://Host.example:443/a?b=1"),
        ("http://host.example", WITH_PORT, "http://host.example:80"),
        ("http://host.example:8080/a", WITH_PORT, "http://host.example:8080/a"),
        ("http://host.example:8080/a", WITHOUT_PORT, "http://host.example/a"),
        ("https://ann:p:w@host.example:443/a:1", WITHOUT_PORT, "https://ann:p:w@host.example/a:1"),
        ("https://ann@host.example//a", WITH_PORT, "https://ann@host.example:443//a"),
        ("http://[::1]:8080/a", WITHOUT_PORT, "http://[::1]/a"),
        ("http://[::1]/a", WITH_PORT, "http://[::1]:80/a"),
        ("not a url", WITH_PORT, "not a url"),
    ],
)
def test_the_port_is_spelled_as_asked(url: str, style: str, expected: str) -> None:
    assert spell_port(url, style) == expected


@pytest.mark.parametrize("style", [AS_IS, WITH_PORT, WITHOUT_PORT])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_validator_of_the_library_accepts_every_spelling(
    twilio: Caller, site: Site, style: str, method: str
) -> None:
    # GIVEN a webhook on a port that no scheme has by default
    twilio.control("PATCH", "settings", {"sign_port": style})
    url = f"{site.url}/in?m=%27a#rc=1"
    service = f"/v1/Services/{twilio.service_sid}"
    twilio.api("POST", service, InboundRequestUrl=url, InboundMethod=method)
    # WHEN it is called
    twilio.control("POST", "inbound", {"from": ORDINARY, "to": SENDER, "body": "Hé & co"})
    # THEN the signature is over the URL in that spelling, which the validator tries as well
    visit = site.visits[0]
    called = site.url + visit.target
    params = visit.params if method == "POST" else {}
    signature = visit.headers["X-Twilio-Signature"]
    assert signature == sign(
        auth_token=twilio.account.auth_token, url=spell_port(called, style), params=params
    )
    assert RequestValidator(twilio.account.auth_token).validate(called, params, signature)


def call_once(call: Call) -> Answer:
    """One call by a client of its own."""

    async def run() -> Answer:
        async with aiohttp.ClientSession() as session:
            return await WebhookClient(session, lambda: TOKEN, Behaviour).call(call)

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/click", "/click?a=1"])
def test_a_json_body_is_signed_by_its_hash(site: Site, path: str) -> None:
    answer = call_once(Call(url=site.url + path, json={"property": "value", "boolean": True}))
    visit = site.visits[0]
    assert answer.is_success
    assert visit.headers["Content-Type"] == "application/json"
    assert visit.target.endswith(f"bodySHA256={sha256(visit.body.encode()).hexdigest()}")
    assert visit.body == PUBLISHED["body_hashes"][0]["body"]
    called = site.url + visit.target
    signature = visit.headers["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(called, visit.body, signature)


def test_a_name_that_comes_twice_is_sent_twice_and_signed_once_per_value(site: Site) -> None:
    params: Params = {"Digits": ("5678", "1234", "1234"), "Sid": "CA123"}
    call_once(Call(url=f"{site.url}/form", params=params))
    visit = site.visits[0]
    assert visit.body == "Digits=5678&Digits=1234&Digits=1234&Sid=CA123"
    assert visit.headers["X-Twilio-Signature"] == sign(
        auth_token=TOKEN,
        url=f"{site.url}/form",
        params={"Digits": ("1234", "5678"), "Sid": "CA123"},
    )
