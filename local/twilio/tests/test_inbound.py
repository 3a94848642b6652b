"""What people write to us: the webhook, the keywords and the block they make."""

import pytest

from local.twilio.tests.doors import ORDINARY, SENDER, Caller, Webhook, eventually
from local.twilio.webhooks import sign

pytestmark = pytest.mark.enable_socket

TWIML = "<Response><Message>Hello back</Message></Response>"


def listen(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("PATCH", "settings", {"inbound_request_url": f"{webhook.url}/inbound"})


def test_an_inbound_message_reaches_the_webhook_signed_and_its_answer_is_shown(
    twilio: Caller, webhook: Webhook
) -> None:
    listen(twilio, webhook)
    webhook.answers = [(200, TWIML)]
    outcome = twilio.control(
        "POST",
        "inbound",
        {"from": ORDINARY, "to": SENDER, "body": "Hé & co", "media": ["https://example.com/a"]},
    )
    received = webhook.received[0]
    assert received.params == {
        "MessageSid": outcome["sid"],
        "SmsSid": outcome["sid"],
        "SmsMessageSid": outcome["sid"],
        "AccountSid": twilio.account.account_sid,
        "MessagingServiceSid": twilio.service_sid,
        "From": ORDINARY,
        "To": SENDER,
        "Body": "Hé & co",
        "NumMedia": "1",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "MediaUrl0": "https://example.com/a",
        "MediaContentType0": "image/jpeg",
        **dict.fromkeys(("FromCity", "FromState", "FromZip", "ToCity", "ToState", "ToZip"), ""),
        "FromCountry": "US",
        "ToCountry": "US",
    }
    assert received.headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token,
        url=f"{webhook.url}/inbound",
        params=received.params,
    )
    assert outcome["webhook"] == {
        "url": f"{webhook.url}/inbound",
        "status": 200,
        "content_type": "text/xml",
        "body": TWIML,
        "error": None,
        "attempts": 1,
    }
    assert twilio.fetch(outcome["sid"])["direction"] == "inbound"


def test_without_a_webhook_a_service_drops_the_message_but_notes_the_stop(twilio: Caller) -> None:
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    assert (outcome["dropped"], outcome["webhook"]) == (True, None)
    assert twilio.control("GET", "opt-outs") == [{"scope": twilio.service_sid, "number": ORDINARY}]


def test_a_service_may_defer_to_the_webhook_of_its_numbers(
    twilio: Caller, webhook: Webhook
) -> None:
    twilio.api("POST", f"/v1/Services/{twilio.service_sid}", UseInboundWebhookOnNumber="true")
    kept = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert (kept["dropped"], kept["webhook"]) == (False, None)
    twilio.control("PATCH", "settings", {"number_sms_url": f"{webhook.url}/number"})
    heard = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert heard["webhook"]["url"] == f"{webhook.url}/number"


def test_a_get_webhook_has_its_fields_in_the_signed_url(twilio: Caller, webhook: Webhook) -> None:
    twilio.api(
        "POST",
        f"/v1/Services/{twilio.service_sid}",
        InboundRequestUrl=f"{webhook.url}/in?x=1",
        InboundMethod="GET",
    )
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "a b"})
    received = webhook.received[0]
    assert received.method == "GET"
    assert received.target.startswith("/in?x=1&MessageSid=")
    assert received.headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token, url=webhook.url + received.target, params={}
    )


def test_the_fallback_is_called_when_the_webhook_fails(twilio: Caller, webhook: Webhook) -> None:
    twilio.api(
        "POST",
        f"/v1/Services/{twilio.service_sid}",
        InboundRequestUrl=f"{webhook.url}/broken",
        FallbackUrl=f"{webhook.url}/fallback",
    )
    webhook.answers = [(500, ""), (200, TWIML)]
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert [received.target for received in webhook.received] == ["/broken", "/fallback"]
    assert webhook.received[1].params["ErrorUrl"] == f"{webhook.url}/broken"
    assert webhook.received[1].params["ErrorCode"] == "11200"
    assert outcome["webhook"]["body"] == TWIML


def test_a_webhook_out_of_reach_is_reported(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"inbound_request_url": "http://127.0.0.1:1/"})
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert (outcome["webhook"]["status"], outcome["webhook"]["error"]) == (None, "ct")


@pytest.mark.parametrize(
    "word",
    ["STOP", " Stop\n", *["stopall", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]],
)
def test_after_a_stop_sends_fail_with_21610(twilio: Caller, webhook: Webhook, word: str) -> None:
    # GIVEN
    listen(twilio, webhook)
    # WHEN the person says stop
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": word})
    # THEN the webhook hears it as well
    assert outcome["opt_out_type"] == "STOP"
    assert webhook.received[0].params["Body"] == word
    # AND a service accepts and fails, a bare sender is refused
    assert twilio.wait_for(twilio.make()["sid"], "failed")["error_code"] == 21610
    assert twilio.create(From="+14155550100").json()["code"] == 21610
    # AND others are not affected
    assert twilio.wait_for(twilio.make(To="+12025550124")["sid"], "delivered")


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
def test_a_start_lifts_the_block(twilio: Caller, word: str) -> None:
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": word})
    assert outcome["opt_out_type"] == "START"
    assert twilio.wait_for(twilio.make()["sid"], "delivered")


@pytest.mark.parametrize(
    ("body", "opt_out_type"),
    [("HELP", "HELP"), ("info", "HELP"), ("STOP PLEASE", None), ("please stop", None), ("", None)],
)
def test_other_words_block_nobody(twilio: Caller, body: str, opt_out_type: str | None) -> None:
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": body})
    assert outcome["opt_out_type"] == opt_out_type
    assert twilio.control("GET", "opt-outs") == []


def test_a_stop_makes_the_failure_known_by_callback(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    sid = twilio.make(StatusCallback=webhook.url)["sid"]
    eventually(lambda: webhook.received)
    assert webhook.statuses_of(sid) == ["failed"]
    assert webhook.received[0].params["ErrorCode"] == "21610"
