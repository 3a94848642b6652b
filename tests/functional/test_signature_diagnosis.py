"""A refused webhook is explained in one line of the log, which holds no secret, no number and no value."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from twilio.request_validator import RequestValidator

from sendpool.adapters.twilio import signature
from sendpool.adapters.twilio.signature import MAX_BODY_BYTES, MAX_SIGNATURES, Cause
from sendpool.domain.errors import InvalidSignatureError
from tests.functional.shapes import FORM, JSON, SHAPES, Call, Deployment

TOKEN = Deployment().tokens[0]
API_KEY_SECRET = "f00dfeedf00dfeedf00dfeedf00dfeed"
PASSWORD = "swordfish"
PHONE = "+12025550123"
URL = "https://sendpool.example.com/webhooks/inbound"
FIELDS = {"From": PHONE, "Body": "Grüße from the secret garden", "Empty": ""}
QUERY = "m=private-id"
SECRETS = (TOKEN, API_KEY_SECRET, PASSWORD, "2025550123", "garden", "private-id")
DEPLOYMENT = Deployment(api_key_secret=API_KEY_SECRET)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A refused call, and what the log must say about it."""

    cause: str
    call: Call
    remedy: str = ""
    public_url: str | None = None
    deployment: Deployment = DEPLOYMENT
    shape: str = "http_api"

    def __str__(self) -> str:
        return f"{self.cause} ({self.remedy or self.public_url})"


def form(
    url: str = URL,
    *,
    fields: dict[str, str] = FIELDS,
    token: str = TOKEN,
    body: bytes | None = None,
    content_type: str = FORM,
    **more: Any,
) -> Call:
    """A form, signed for a URL; the body and the rest of the request may be others."""
    headers = (("Content-Type", content_type),)
    sent = urlencode(fields).encode() if body is None else body
    call = Call(headers=headers, body=sent, **more)
    return call.signed_with(RequestValidator(token).compute_signature(url, fields))


def hashed(body: bytes, *, sent: bytes | None = None, more: str = "") -> Call:
    query = f"{more}bodySHA256={sha256(body).hexdigest()}"
    call = Call(query=query, headers=(("Content-Type", JSON),), body=body if sent is None else sent)
    return call.signed_with(RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {}))


def elsewhere(public_url: str) -> Deployment:
    return Deployment(public_url=public_url, api_key_secret=API_KEY_SECRET)


MOJIBAKE = {name: value.encode().decode("latin-1") for name, value in FIELDS.items()}
STAGE = "https://abc.execute-api.us-east-1.amazonaws.com/prod"
CASES = [
    # the URL
    Case(
        cause="public_url",
        call=form(host="sendpool.example.com"),
        deployment=elsewhere("https://old.example.com/in"),
        remedy="set PublicUrl to https://sendpool.example.com, or at Twilio, set the webhook's URL to "
        "https://old.example.com/in/webhooks/inbound.",
        public_url="https://sendpool.example.com",
    ),
    Case(
        cause="public_url",
        call=form(f"{STAGE}/webhooks/inbound", host=STAGE.split("/")[2]),
        shape="rest_api",
        remedy=f"set PublicUrl to {STAGE}",
        public_url=STAGE,
    ),
    Case(
        cause="public_url",
        call=form(
            f"{STAGE[:-5]}/webhooks/inbound",
            host=STAGE.split("/")[2],
            path="/prod/webhooks/inbound",
        ),
        public_url=STAGE[:-5],
    ),
    Case(
        cause="public_url",
        call=replace(
            form("https://front.example.com:443/webhooks/inbound", host="origin.internal"),
            headers=(
                *form("https://front.example.com:443/webhooks/inbound").headers,
                ("X-Forwarded-Host", "front.example.com"),
            ),
        ),
        shape="alb_multi",
        public_url="https://front.example.com",
    ),
    Case(
        cause="public_url",
        call=form(f"https://me:{PASSWORD}@sendpool.example.com/webhooks/inbound"),
        deployment=elsewhere(f"https://me:{PASSWORD}@old.example.com"),
        public_url="https://***@sendpool.example.com",
    ),
    Case(
        cause="public_url",
        call=form("https://sendpool.example.com/other", path="/other"),
        remedy="Twilio calls another URL: at Twilio, set the webhook's URL to "
        "https://sendpool.example.com/webhooks/inbound.",
    ),
    Case(
        cause="scheme",
        call=form(URL.replace("https", "http")),
        remedy="Twilio calls http://sendpool.example.com/webhooks/inbound",
        public_url="http://sendpool.example.com",
    ),
    Case(cause="trailing_slash", call=form(f"{URL}/"), remedy=f"set the webhook's URL to {URL}."),
    Case(
        cause="credentials",
        call=form(),
        deployment=elsewhere(f"https://me:{PASSWORD}@sendpool.example.com"),
        public_url="https://sendpool.example.com",
    ),
    Case(
        cause="host_case",
        call=form("https://other.example.com/webhooks/inbound"),
        deployment=elsewhere("https://Other.Example.com"),
        public_url="https://other.example.com",
    ),
    # the query
    Case(cause="query_added", call=form(query=QUERY), remedy="has no query"),
    Case(cause="query_encoded", call=form(f"{URL}?m=a b", query="m=a%20b")),
    Case(cause="query_decoded", call=form(f"{URL}?m=a%2Fb%3A", query="m=a/b:"), shape="alb"),
    # the keys
    Case(
        cause="white_space_in_key",
        call=form(),
        deployment=Deployment(tokens=(f"{TOKEN}\n",)),
        remedy="store it without",
    ),
    Case(cause="api_key_secret", call=form(token=API_KEY_SECRET), remedy="the auth token"),
    Case(
        cause="signing_key_missing",
        call=replace(
            form(token="a shared key"),
            headers=(
                *form(token="a shared key").headers,
                (
                    "X-Twilio-Webhooks-Signature-Settings",
                    "key=webhooks_sharedkey_1,algorithm=HMAC_SHA1",
                ),
            ),
        ),
        remedy="webhook-signing-key",
    ),
    # the body
    Case(cause="content_type", call=form(content_type="text/plain"), remedy="Content-Type"),
    Case(cause="body_in_base64", call=form(body=b64encode(urlencode(FIELDS).encode()))),
    Case(cause="body_recoded", call=form(body=urlencode(MOJIBAKE).encode()), remedy="Latin-1"),
    Case(
        cause="body_encoded_twice",
        call=form(
            body=urlencode({name: quote_plus(value) for name, value in FIELDS.items()}).encode()
        ),
    ),
    Case(
        cause="body_added",
        call=replace(
            hashed(b'{"a": 1}'),
            headers=(("Content-Type", FORM), *hashed(b'{"a": 1}').headers[1:]),
        ),
        remedy="JSON lost its Content-Type",
    ),
    Case(cause="body_added", call=form(fields={}, body=urlencode(FIELDS).encode())),
    Case(cause="body_changed", call=hashed(b'{"a": 1}', sent=b'{"a":1}'), remedy="byte by byte"),
    Case(cause="body_changed", call=hashed(b'{"a": 1}', more="bodySHA256=00&")),
    Case(
        cause="content_type",
        call=replace(form(), headers=(*form().headers, ("Content-Type", JSON))),
        shape="rest_api",
    ),
    # what needs no guess
    Case(
        cause="no_signature",
        call=Call(body=b"From=%2B12025550123", headers=(("Content-Type", FORM),)),
    ),
    Case(cause="too_many_signatures", call=form().signed_with(*["AAAA"] * MAX_SIGNATURES)),
    Case(cause="too_large", call=form(body=b"a" * (MAX_BODY_BYTES + 1))),
    Case(cause="other_method", call=form(method="PUT")),
    Case(cause="body_with_get", call=form(method="GET")),
    Case(cause="no_fields", call=form(fields={})),
    Case(cause="body_not_signed", call=replace(hashed(b'{"a": 1}'), query="")),
    Case(cause="no_json_object", call=hashed(b'["a"]')),
    Case(cause="no_json_object", call=hashed(b'{"a": ')),
    Case(cause="not_readable", call=form(body=b"From=%FF")),
    Case(cause="not_readable", call=form(body=b"From=1&=2")),
    Case(cause="not_readable", call=form(query="m=%FF")),
    Case(cause="does_not_fit", call=form(token="e" * 32), remedy="another account's"),
    Case(cause="does_not_fit", call=replace(form(), body=b"From=1&Body=2")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_refusal_is_explained_without_giving_anything_away(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidSignatureError):
        case.deployment.verified(SHAPES[case.shape](case.call))
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["msg"]) == ("WARNING", "webhook refused")
    assert (line["cause"], line.get("public_url")) == (case.cause, case.public_url)
    assert case.remedy in line.get("remedy", "")
    assert (line["route"], line["shape"]) == (
        "/webhooks/inbound",
        case.shape.removesuffix("_multi"),
    )
    assert [secret for secret in SECRETS if secret in str(line)] == []


def test_every_cause_is_explained_in_these_cases() -> None:
    assert {case.cause for case in CASES} >= set(Cause)


def test_what_is_explained_is_believed_no_sooner_than_it_is_configured() -> None:
    # GIVEN a refusal that names a public URL
    [case, *_] = CASES
    assert case.public_url
    # WHEN that is configured, THEN the same call is believed
    webhook = elsewhere(case.public_url).verified(SHAPES[case.shape](case.call))
    assert webhook.fields == FIELDS


def test_the_line_names_what_came_but_no_values(caplog: pytest.LogCaptureFixture) -> None:
    call = form(
        token="e" * 32, query=f"{QUERY}&{quote_plus(PHONE)}=1&n12025550123=1&e=2", method="POST"
    )
    with pytest.raises(InvalidSignatureError):
        Deployment().verified(call.http_api())
    line = vars(caplog.records[0])
    assert line["query_names"] == ["m", "e"]
    assert line["signature_present"] is True
    assert line["checked_url"] == URL
    assert (line["method"], line["content_type"]) == ("POST", "application/x-www-form-urlencoded")
    assert line["body_bytes"] == len(call.body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", f"text/{PHONE}\n"),
        ("Host", PHONE),
        ("X-Forwarded-Host", f"{PHONE}/{TOKEN}"),
    ],
)
def test_a_stranger_puts_nothing_into_the_log(
    caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    call = form(token="e" * 32, method="POST")
    headers = (*(each for each in call.headers if each[0] != name), (name, value))
    with pytest.raises(InvalidSignatureError):
        Deployment().verified(replace(call, headers=headers).rest_api())
    assert PHONE not in json.dumps(vars(caplog.records[0]), default=str)


@pytest.mark.parametrize("body", ["garden", "2025550123 garden", FIELDS["Body"]])
@pytest.mark.parametrize("moved_to", ["host", "path"])
def test_whoever_has_seen_a_webhook_cannot_have_its_fields_logged(
    caplog: pytest.LogCaptureFixture, moved_to: str, body: str
) -> None:
    # GIVEN fields that they move to the end of the URL, where the signature still fits
    fields = {"Body": body, "Link": "/webhooks/inbound"}
    moved = "".join(name + value for name, value in sorted(fields.items()))
    call = form(fields={**fields, "Z": "1"}, body=b"Z=1", path=f"/webhooks/inbound{moved}")
    if moved_to == "host":
        url = f"sendpool.example.com{call.path}".removesuffix("/webhooks/inbound")
        call = replace(call, host=url, path="/webhooks/inbound")
    with pytest.raises(InvalidSignatureError):
        Deployment().verified(call.http_api())
    assert [secret for secret in SECRETS if secret in str(vars(caplog.records[0]))] == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1024, 32 * 1024, MAX_BODY_BYTES])
def test_a_stranger_makes_little_work(
    monkeypatch: pytest.MonkeyPatch, shape: str, size: int
) -> None:
    # GIVEN as many keys, signatures and spellings as there may be
    hashed_bytes: list[int] = []

    def counting(key: bytes, message: bytes, algorithm: str) -> bytes:
        hashed_bytes.append(len(message))
        return digest(key, message, algorithm)

    monkeypatch.setattr(signature, "digest", counting)
    deployment = Deployment(tokens=("a\n", "b"), signing_keys=("c", "d"), api_key_secret="e")
    headers = (("Content-Type", FORM), ("X-Forwarded-Host", "a.example.com"))
    query = "a=%C3%A9'&b=%C3%A9/&c=%20&d="
    call = Call(query=query, headers=headers, body=b"a=" + b"x" * (size - 2))
    call = call.signed_with(*["A" * 28] * 3, *["A" * 44] * 2)
    # WHEN nothing fits
    with pytest.raises(InvalidSignatureError):
        deployment.verified(SHAPES[shape](call))
    # THEN it costs less than a tenth of a second's hashing
    assert sum(hashed_bytes) < 64 * 1024 * 1024
    assert len(hashed_bytes) < 6_000
