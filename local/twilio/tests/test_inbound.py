"""What people write to us: which webhook hears of it, what it is told, and its fallback."""

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, SENDER, TIMEOUT, Caller, Webhook
from local.twilio.webhooks.signing import sign

pytestmark = pytest.mark.enable_socket

TWIML = "<Response><Message>Hello back</Message></Response>"


LOOSE = "+13125550100"


def set_webhooks(twilio: Caller, number: str, **fields: str) -> None:
    """Change the webhooks of a number of the account."""
    path = f"/2010-04-01/Accounts/{twilio.account.account_sid}/IncomingPhoneNumbers"
    listed = twilio.api("GET", f"{path}.json").json()["incoming_phone_numbers"]
    sid = next(each["sid"] for each in listed if each["phone_number"] == number)
    assert twilio.api("POST", f"{path}/{sid}.json", **fields).ok


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
    assert twilio.control("GET", "opt-outs") == [
        {"scope": twilio.service_sid, "number": ORDINARY, "code": 21610}
    ]
    assert (
        twilio.api("GET", f"{twilio.messages_path}.json?To={SENDER.replace('+', '%2B')}").json()[
            "messages"
        ]
        == []
    )


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


def test_the_webhook_and_the_fallback_of_a_number_are_its_own(
    twilio: Caller, webhook: Webhook
) -> None:
    # GIVEN a number outside all services with webhooks of its own, and the usual one for the others
    twilio.control("PATCH", "settings", {"number_sms_url": f"{webhook.url}/usual"})
    set_webhooks(
        twilio,
        LOOSE,
        SmsUrl=f"{webhook.url}/own",
        SmsMethod="GET",
        SmsFallbackUrl=f"{webhook.url}/fallback",
        SmsFallbackMethod="POST",
    )
    webhook.answers = [(404, "")]
    # WHEN it is written to
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "to": LOOSE, "body": "hi"})
    # THEN the fallback hears why
    own, fallback = webhook.received
    assert (own.method, own.target.partition("?")[0]) == ("GET", "/own")
    assert (fallback.method, fallback.target) == ("POST", "/fallback")
    assert fallback.params["ErrorCode"] == "11200"
    assert fallback.params["ErrorUrl"] == f"{webhook.url}/own"
    assert "MessagingServiceSid" not in fallback.params
    assert outcome["webhook"]["url"] == f"{webhook.url}/fallback"


@pytest.mark.parametrize("sender", ["55501", "+18885550100", LOOSE])
def test_every_sender_outside_a_service_takes_the_usual_webhook(
    twilio: Caller, webhook: Webhook, sender: str
) -> None:
    twilio.control("PATCH", "settings", {"number_sms_url": f"{webhook.url}/usual"})
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "to": sender, "body": "hi"})
    assert webhook.received[0].params["To"] == sender
    assert webhook.received[0].params["ToCountry"] == "US"
    assert outcome["webhook"]["url"] == f"{webhook.url}/usual"


def test_a_service_that_defers_leaves_the_fallback_to_the_number_too(
    twilio: Caller, webhook: Webhook
) -> None:
    twilio.api(
        "POST",
        f"/v1/Services/{twilio.service_sid}",
        UseInboundWebhookOnNumber="true",
        InboundRequestUrl=f"{webhook.url}/service",
        FallbackUrl=f"{webhook.url}/service-fallback",
    )
    set_webhooks(
        twilio, SENDER, SmsUrl=f"{webhook.url}/own", SmsFallbackUrl=f"{webhook.url}/fallback"
    )
    webhook.answers = [(500, "")]
    twilio.control("POST", "inbound", {"from": ORDINARY, "to": SENDER, "body": "hi"})
    assert [received.target for received in webhook.received] == ["/own", "/fallback"]


def test_the_country_is_that_of_the_number(twilio: Caller, webhook: Webhook) -> None:
    listen(twilio, webhook)
    twilio.control("POST", "inbound", {"from": "+447700900123", "to": SENDER, "body": "hi"})
    params = webhook.received[0].params
    assert (params["FromCountry"], params["ToCountry"], params["FromCity"]) == ("GB", "US", "")


def test_a_webhook_out_of_reach_sends_the_fallback_another_code(
    twilio: Caller, webhook: Webhook
) -> None:
    twilio.api(
        "POST",
        f"/v1/Services/{twilio.service_sid}",
        InboundRequestUrl="http://127.0.0.1:1/",
        FallbackUrl=f"{webhook.url}/fallback",
    )
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert webhook.received[0].params["ErrorCode"] == "11205"
    alerts = twilio.control("GET", "debugger")
    assert [(each["code"], each["message"], each["url"], each["sid"]) for each in alerts] == [
        (11205, "HTTP connection failure", "http://127.0.0.1:1/", outcome["sid"])
    ]


def test_a_fallback_that_fails_as_well_is_the_last_word(twilio: Caller, webhook: Webhook) -> None:
    twilio.api(
        "POST",
        f"/v1/Services/{twilio.service_sid}",
        InboundRequestUrl=f"{webhook.url}/broken",
        FallbackUrl=f"{webhook.url}/fallback",
    )
    webhook.answers = [(500, ""), (503, "")]
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert outcome["webhook"]["status"] == 503
    assert [each["code"] for each in twilio.control("GET", "debugger")] == [11200, 11200]
    assert twilio.fetch(outcome["sid"])["status"] == "received"


def test_an_unknown_sender_cannot_be_written_to(twilio: Caller) -> None:
    given = {"from": ORDINARY, "to": "+12125550199", "body": "hi"}
    response = requests.post(f"{twilio.base_url}/_control/inbound", json=given, timeout=TIMEOUT)
    assert response.status_code == 400
    assert "'+12125550199' is no sender of this account" in response.json()["error"]


def test_a_person_on_whatsapp_has_a_name(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("PATCH", "settings", {"number_sms_url": webhook.url})
    twilio.control("POST", "channel-senders", {"sender": f"whatsapp:{SENDER}"})
    given = {"from": f"whatsapp:{ORDINARY}", "to": f"whatsapp:{SENDER}", "profile_name": "Bea"}
    twilio.control("POST", "inbound", {**given, "body": "hi"})
    params = webhook.received[0].params
    assert (params["ProfileName"], params["WaId"]) == ("Bea", ORDINARY.removeprefix("+"))
    assert params["From"] == f"whatsapp:{ORDINARY}"
    assert "FromCountry" not in params
