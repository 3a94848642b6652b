"""What Twilio calls: nothing unsigned changes anything, what is signed is kept and answered."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from aws_lambda_powertools.utilities import parameters
from twilio.request_validator import RequestValidator

from functions.inbound.app import lambda_handler as inbound
from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from functions.status.app import lambda_handler as status
from sendpool.adapters import aws as clients
from sendpool.edge import warm
from tests.functional.aws import AUTH_TOKEN, PATH, PUBLIC_URL, SERVICE_SID, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.rest import ledger_down
from tests.functional.shapes import FORM, JSON, SHAPES, Call, Deployment
from tests.functional.twilio import Answer, FakeTwilio

PERSON = "+12025550123"
MESSAGE_ID = "msg_" + "a" * 32


def webhook(
    route: str,
    fields: dict[str, str],
    *,
    query: str = "",
    token: str = AUTH_TOKEN,
    url: str = PUBLIC_URL,
) -> dict[str, Any]:
    """A signed webhook as API Gateway hands it over: form bodies come in base64."""
    signed = f"{url}{route}" + (f"?{query}" if query else "")
    body = base64.b64encode(urlencode(fields).encode()).decode()
    event = http("POST", route, raw=body, query=query)
    event["headers"] = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": RequestValidator(token).compute_signature(signed, fields),
    }
    event["isBase64Encoded"] = True
    if query:
        event["queryStringParameters"] = dict(pair.split("=", 1) for pair in query.split("&"))
    return event


def text(body: str, **more: str) -> dict[str, str]:
    return {
        "MessageSid": "SM" + "1" * 32,
        "From": PERSON,
        "To": "+12025550100",
        "Body": body,
        "NumMedia": "0",
        "MessagingServiceSid": SERVICE_SID,
        "FromState": "",
        **more,
    }


def status_fields(word: str = "delivered", **more: str) -> dict[str, str]:
    return {
        "MessageSid": "SM" + "2" * 32,
        "MessageStatus": word,
        "To": PERSON,
        "MessagingServiceSid": SERVICE_SID,
        **more,
    }


# ------------------------------------------------------------------------------------------------ signature

STRANGERS = {
    "another token": lambda: webhook("/webhooks/inbound", text("STOP"), token="f" * 32),
    "another url": lambda: webhook(
        "/webhooks/inbound", text("STOP"), url="https://evil.example.com"
    ),
    "no signature": lambda: {**webhook("/webhooks/inbound", text("STOP")), "headers": {}},
    "changed body": lambda: {
        **webhook("/webhooks/inbound", text("Hi")),
        "body": base64.b64encode(urlencode(text("STOP")).encode()).decode(),
    },
    "query added": lambda: {**webhook("/webhooks/inbound", text("STOP")), "rawQueryString": "m=1"},
    "body that is no base64": lambda: {**webhook("/webhooks/inbound", text("STOP")), "body": "%%%"},
    "no body": lambda: {**webhook("/webhooks/inbound", text("STOP")), "body": None},
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_an_unsigned_webhook_changes_nothing_and_learns_nothing(
    aws: Aws, context: Context, stranger: Any
) -> None:
    for handler in (inbound, status):
        answer = handler(stranger(), context)
        assert answer["statusCode"] == 403
        assert answer["headers"]["Content-Type"] == "application/problem+json"
        assert json.loads(answer["body"]) == {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "Forbidden",
            "code": "invalid_signature",
            "retryable": False,
            "request_id": "request-1",
        }
    assert aws.items() == []
    assert aws.records("CALLBACKS_QUEUE") == []


def test_during_a_rotation_both_tokens_are_believed(aws: Aws, context: Context) -> None:
    # GIVEN a new primary token, the old one kept as secondary
    ssm = aws.session.client("ssm")
    for name, value in {"auth-token": "e" * 32, "auth-token-secondary": AUTH_TOKEN}.items():
        ssm.put_parameter(
            Name=f"{PATH}/twilio/{name}", Value=value, Type="SecureString", Overwrite=True
        )
    parameters.clear_caches()
    # THEN webhooks signed with either pass
    for token in ("e" * 32, AUTH_TOKEN):
        assert (
            inbound(webhook("/webhooks/inbound", text("Hi"), token=token), context)["statusCode"]
            == 200
        )


def test_credentials_may_stand_in_secrets_manager_instead(
    aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_STORE", "secretsmanager")
    warm.start_over()
    secret = {"auth-token": "e" * 32, "auth-token-secondary": "f" * 32}
    aws.session.client("secretsmanager").create_secret(
        Name=f"{PATH}/twilio", SecretString=json.dumps(secret)
    )
    answers = {
        token: inbound(webhook("/webhooks/inbound", text("Hi"), token=token), context)["statusCode"]
        for token in (*secret.values(), AUTH_TOKEN)
    }
    assert answers == {"e" * 32: 200, "f" * 32: 200, AUTH_TOKEN: 403}


def shared_key_signature(url: str, fields: dict[str, str], *, key: str, algorithm: str) -> str:
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(key.encode(), signed.encode(), algorithm)).decode()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("store", ["ssm", "secretsmanager"])
def test_a_shared_key_of_twilios_webhook_settings_is_believed_beside_the_tokens(
    aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch, store: str, algorithm: str
) -> None:
    keys = {"webhook-signing-key": "new", "webhook-signing-key-secondary": "old"}
    if store == "ssm":
        for name, value in keys.items():
            aws.session.client("ssm").put_parameter(
                Name=f"{PATH}/twilio/{name}", Value=value, Type="SecureString"
            )
    else:
        monkeypatch.setenv("CREDENTIALS_STORE", "secretsmanager")
        warm.start_over()
        aws.session.client("secretsmanager").create_secret(
            Name=f"{PATH}/twilio", SecretString=json.dumps({"auth-token": AUTH_TOKEN, **keys})
        )
    answers = {}
    for key in ("new", "old", "stranger", AUTH_TOKEN):
        event = webhook("/webhooks/inbound", text("Hi"))
        event["headers"]["x-twilio-signature"] = shared_key_signature(
            f"{PUBLIC_URL}/webhooks/inbound", text("Hi"), key=key, algorithm=algorithm
        )
        answers[key] = inbound(event, context)["statusCode"]
    # THEN also with SHA-256, which auth tokens do not sign with
    by_token = 200 if algorithm == "sha1" else 403
    assert answers == {"new": 200, "old": 200, "stranger": 403, AUTH_TOKEN: by_token}


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        (["AAAA"], 200),
        (["AAAA", ""], 200),
        (["L/OH5YylLD5NRKLltdqwSvS0BnU="] * 4, 200),
        (["L/OH5YylLD5NRKLltdqwSvS0BnU="] * 5, 403),
        (["ñ" * 28], 200),
    ],
)
@pytest.mark.parametrize("is_joined", [True, False])
def test_of_several_signatures_one_must_fit_and_five_are_tried(
    aws: Aws, context: Context, others: list[str], answer: int, is_joined: bool
) -> None:
    right = webhook("/webhooks/inbound", text("Hi"))["headers"]["x-twilio-signature"]
    signatures = [*others, right]
    call = Call(headers=(("Content-Type", FORM),), body=urlencode(text("Hi")).encode())
    call = call.signed_with(*([", ".join(signatures)] if is_joined else signatures))
    assert inbound(call.rest_api(), context)["statusCode"] == answer


def signed_call(
    *,
    route: str,
    fields: dict[str, str],
    query: str = "",
    method: str = "POST",
    as_json: bool = False,
) -> Call:
    """A webhook as it leaves Twilio."""
    body = json.dumps(fields).encode() if as_json else urlencode(fields).encode()
    if as_json:
        query = f"{query}&bodySHA256={sha256(body).hexdigest()}".lstrip("&")
    if method == "GET":
        query, body = "&".join(filter(None, (query, body.decode()))), b""
    url = f"{PUBLIC_URL}{route}?{query}" if query else f"{PUBLIC_URL}{route}"
    signed = {} if as_json or method == "GET" else fields
    return Call(
        method=method,
        path=route,
        query=query,
        headers=(("Content-Type", JSON if as_json else FORM),) if body else (),
        body=body,
    ).signed_with(RequestValidator(AUTH_TOKEN).compute_signature(url, signed))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_callback_in_json_goes_the_way_of_a_form(aws: Aws, context: Context, shape: str) -> None:
    fields: Any = {
        **status_fields(),
        "Price": 0.0079,
        "Final": True,
        "More": {"a": [1]},
        "Note": None,
    }
    call = signed_call(
        route="/webhooks/status", fields=fields, query=f"m={MESSAGE_ID}", as_json=True
    )
    assert status(SHAPES[shape](call), context)["statusCode"] == 204
    [record] = aws.records("CALLBACKS_QUEUE")
    queued = json.loads(record["body"])
    assert queued["message_id"] == MESSAGE_ID
    assert queued["fields"] == {
        **status_fields(),
        "Price": "0.0079",
        "Final": "true",
        "More": '{"a": [1]}',
        "Note": "",
    }


@pytest.mark.parametrize("shape", ["http_api", "function_url", "alb", "alb_multi"])
def test_a_text_may_come_by_get(aws: Aws, context: Context, shape: str) -> None:
    # not through a REST API, which forgets the order of so many parameters
    call = signed_call(route="/webhooks/inbound", fields=text("Grüße & STOP?"), method="GET")
    assert inbound(SHAPES[shape](call), context)["statusCode"] == 200
    assert aws.items(prefix="IN#")[0]["fields"] == text("Grüße & STOP?")


def test_of_a_name_that_comes_twice_the_order_on_the_way_does_not_decide() -> None:
    # it is not signed
    signature = RequestValidator(AUTH_TOKEN).compute_signature(
        f"{PUBLIC_URL}/webhooks/inbound", Values({"Digits": ["2", "1", "2"], "From": [PERSON]})
    )
    for body in (
        b"Digits=2&Digits=1&From=%2B12025550123",
        b"From=%2B12025550123&Digits=1&Digits=2",
    ):
        call = Call(headers=(("Content-Type", FORM),), body=body).signed_with(signature)
        webhook = Deployment(tokens=(AUTH_TOKEN,)).verified(call.http_api())
        assert webhook.fields == {"Digits": "1", "From": PERSON}


class Values(dict[str, list[str]]):
    """Fields as Twilio's library wants them where a name comes twice."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


# ------------------------------------------------------------------------------------------------ answers


def test_every_shape_is_answered_as_it_wants(aws: Aws, context: Context) -> None:
    stranger = replace(signed_call(route="/webhooks/status", fields=status_fields()), query="m=1")
    calls = {
        204: (status, signed_call(route="/webhooks/status", fields=status_fields())),
        200: (inbound, signed_call(route="/webhooks/inbound", fields=text("Hi"))),
        403: (status, stranger),
    }
    kinds = {200: "text/xml; charset=utf-8", 403: "application/problem+json"}
    phrases = {204: "204 No Content", 200: "200 OK", 403: "403 Forbidden"}
    for code, (handler, call) in calls.items():
        answers = {shape: handler(event(call), context) for shape, event in SHAPES.items()}
        headers = {"Content-Type": kinds[code]} if code in kinds else {}
        for shape, answer in answers.items():
            assert answer["statusCode"] == code
            if shape == "alb_multi":
                assert answer.pop("multiValueHeaders") == {
                    name: [value] for name, value in headers.items()
                }
            elif shape == "alb" or headers:
                assert answer.pop("headers") == headers
            if shape.startswith("alb"):
                assert answer.pop("statusDescription") == phrases[code]
                assert answer.pop("isBase64Encoded") is False
                assert isinstance(answer["body"], str)
            assert answer.keys() <= {"statusCode", "body"}
            assert ("body" in answer) is (code != 204 or shape.startswith("alb"))


def test_behind_a_load_balancer_a_refusal_names_its_trace(aws: Aws, context: Context) -> None:
    call = Call(headers=(("X-Amzn-Trace-Id", "Root=1-2"),), body=b"a=1")
    assert json.loads(status(call.alb(), context)["body"])["request_id"] == "Root=1-2"


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"requestContext": None, "body": "x"}])
def test_what_is_no_request_is_refused(aws: Aws, context: Context, event: dict[str, Any]) -> None:
    assert status(event, context)["statusCode"] == 403


# ------------------------------------------------------------------------------------------------ inbound


@pytest.mark.parametrize("body", ["Hello", "", "Grüße 👋 & <tags>", "x" * 1600])
def test_a_text_is_kept_with_all_its_fields_and_answered_with_twiml(
    aws: Aws, context: Context, body: str
) -> None:
    answer = inbound(webhook("/webhooks/inbound", text(body)), context)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"].startswith("text/xml")
    assert answer["body"].endswith("<Response />")
    [kept] = aws.items(prefix="IN#")
    assert kept["fields"] == text(body)
    assert kept["person"] == PERSON


def test_a_configured_reply_answers_a_text_but_no_keyword(
    aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBOUND_REPLY", "We read <this> & answer soon.")
    answer = inbound(webhook("/webhooks/inbound", text("Hello")), context)
    assert "<Message>We read &lt;this&gt; &amp; answer soon.</Message>" in answer["body"]
    for n, keyword in enumerate(("STOP", "help", " Start ")):
        fields = text(keyword, MessageSid=f"SM{n:032}")
        again = inbound(webhook("/webhooks/inbound", fields), context)
        assert "<Message>" not in again["body"]


@pytest.mark.parametrize("word", ["STOP", "stop", " Stop\n", "UNSUBSCRIBE", "OPTOUT", "REVOKE"])
def test_stop_opts_the_person_out_of_the_service(aws: Aws, context: Context, word: str) -> None:
    inbound(webhook("/webhooks/inbound", text(word)), context)
    [opt_out] = aws.items(prefix="OPTOUT#")
    assert (opt_out["pk"], opt_out["sk"]) == (f"OPTOUT#{PERSON}", SERVICE_SID)
    assert opt_out["opted_out"] is True


@pytest.mark.parametrize("words", ["don't stop", "Hello", "HELP"])
def test_other_words_opt_nobody_out(aws: Aws, context: Context, words: str) -> None:
    inbound(webhook("/webhooks/inbound", text(words)), context)
    assert aws.items(prefix="OPTOUT#") == []


def test_start_puts_the_person_back_and_a_replayed_stop_does_not_undo_it(
    aws: Aws, context: Context, clock: Clock
) -> None:
    stop = webhook("/webhooks/inbound", text("STOP"))
    start = webhook("/webhooks/inbound", text("START", MessageSid="SM" + "3" * 32))
    inbound(stop, context)
    clock.pass_by(seconds=5)
    inbound(start, context)
    clock.pass_by(seconds=5)
    inbound(stop, context)
    [opt_out] = aws.items(prefix="OPTOUT#")
    assert opt_out["opted_out"] is False


def test_twilios_own_verdict_wins_over_the_words(aws: Aws, context: Context) -> None:
    inbound(webhook("/webhooks/inbound", text("Basta", OptOutType="STOP")), context)
    assert aws.items(prefix="OPTOUT#")[0]["opted_out"] is True


# ------------------------------------------------------------------------------------------------ status


def test_a_callback_goes_the_whole_way_to_the_delivery(aws: Aws, context: Context) -> None:
    # WHEN Twilio calls back
    event = webhook("/webhooks/status", status_fields(), query=f"m={MESSAGE_ID}")
    assert status(event, context) == {"statusCode": 204}
    # THEN the recorder finds it and writes the delivery of our message
    records = aws.records("CALLBACKS_QUEUE")
    assert recorder({"Records": records}, context) == {"batchItemFailures": []}
    [delivery] = aws.items(prefix="MSG#")
    assert (delivery["pk"], delivery["sk"]) == (f"MSG#{MESSAGE_ID}", "ST")
    assert (delivery["status"], delivery["sid"]) == ("delivered", "SM" + "2" * 32)


def test_a_callback_that_comes_again_under_another_token_is_no_other_one(
    aws: Aws, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    for token in ("1", "2"):
        fields = status_fields("undelivered", ErrorCode="30034")
        event = webhook("/webhooks/status", fields, query=f"m={MESSAGE_ID}")
        event["headers"]["i-twilio-idempotency-token"] = token
        status(event, context)
        recorder({"Records": aws.records("CALLBACKS_QUEUE")}, context)
    [delivery] = aws.items(prefix="MSG#")
    assert delivery["version"] == 1
    assert len(alarms(caplog)) == 1


def test_a_callback_of_a_message_that_is_not_ours_is_kept_by_its_sid(
    aws: Aws, context: Context
) -> None:
    status(webhook("/webhooks/status", status_fields()), context)
    recorder({"Records": aws.records("CALLBACKS_QUEUE")}, context)
    assert aws.items()[0]["pk"] == "TW#SM" + "2" * 32


def test_an_unreadable_callback_is_reported_and_its_neighbours_are_recorded(
    aws: Aws, context: Context
) -> None:
    good = {
        "received_at": "2026-11-23T15:00:00+00:00",
        "message_id": MESSAGE_ID,
        "fields": status_fields(),
    }
    bodies = {"bad-1": "{", "good": json.dumps(good), "bad-2": '{"fields": {}}'}
    records = [{"messageId": name, "body": body} for name, body in bodies.items()]
    answer = recorder({"Records": records}, context)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["bad-1", "bad-2"]
    assert len(aws.items(prefix="MSG#")) == 1


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_callbacks_outlive_a_ledger_that_is_down(
    aws: Aws, context: Context, how: Literal["refuses", "hangs"]
) -> None:
    ids = [f"msg_{n:032}" for n in range(30)]
    with ledger_down(how):
        for message_id in ids:
            event = webhook("/webhooks/status", status_fields(), query=f"m={message_id}")
            assert status(event, context) == {"statusCode": 204}
        records = aws.records("CALLBACKS_QUEUE")
        # the whole batch stays on the queue
        with pytest.raises(clients.UNAVAILABLE):
            recorder({"Records": records}, context)
    assert recorder({"Records": records}, context) == {"batchItemFailures": []}
    assert sorted(each["pk"] for each in aws.items(prefix="MSG#")) == [
        f"MSG#{each}" for each in ids
    ]


def test_callbacks_that_come_late_or_twice_never_turn_a_message_back(
    aws: Aws, context: Context
) -> None:
    def call_back(word: str, at: str, code: str = "") -> None:
        fields = status_fields(word, **({"ErrorCode": code} if code else {}))
        body = {"received_at": at, "message_id": MESSAGE_ID, "fields": fields}
        records = [{"messageId": "1", "body": json.dumps(body)}]
        assert recorder({"Records": records}, context) == {"batchItemFailures": []}

    call_back("undelivered", "2026-11-23T15:00:03+00:00", "30003")
    call_back("sent", "2026-11-23T15:00:02+00:00")
    call_back("queued", "2026-11-23T15:00:01+00:00")
    call_back("undelivered", "2026-11-23T15:00:09+00:00", "30003")
    [delivery] = aws.items(prefix="MSG#")
    assert (delivery["status"], delivery["error_code"]) == ("undelivered", 30003)
    assert list(delivery["timeline"])
    assert delivery["timeline"]["undelivered"].startswith("2026-11-23T15:00:03")
    assert delivery["version"] == 3  # the repeated one wrote nothing


def test_a_signature_for_one_route_opens_no_other(aws: Aws, context: Context) -> None:
    assert inbound(webhook("/webhooks/status", text("STOP")), context)["statusCode"] == 403
    assert status(webhook("/webhooks/inbound", status_fields()), context)["statusCode"] == 403
    assert aws.items() == []


# ------------------------------------------------------------------------------------------------ alarms


def test_an_error_that_somebody_has_to_mend_raises_an_alarm_with_its_remedy(
    aws: Aws,
    context: Context,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for n, code in enumerate(("30003", "30034", "21610", "30006")):
        fields = status_fields("undelivered", MessageSid=f"SM{n:032}", ErrorCode=code)
        status(webhook("/webhooks/status", fields), context)
    recorder({"Records": aws.records("CALLBACKS_QUEUE")}, context)
    [alarm] = alarms(caplog)
    assert (alarm["twilio_code"], alarm["class"]) == (30034, "not_registered")
    assert "campaign" in alarm["remedy"]
    assert capsys.readouterr().out.count('"TwilioAlarms":[1.0]') == 1


@pytest.mark.parametrize("answer", [Answer(401, 20003), Answer(400, 21704)])
def test_so_does_one_that_twilio_answers_at_once(
    aws: Aws,
    context: Context,
    twilio: FakeTwilio,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    twilio.answers[PERSON] = [answer]
    messages(http("POST", "/messages", {"to": PERSON, "body": "Hi"}), context)
    [alarm] = alarms(caplog)
    assert alarm["twilio_code"] == answer.code


def alarms(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(each) for each in caplog.records if each.getMessage() == "twilio alarm"]
