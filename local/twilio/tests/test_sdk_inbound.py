"""Twilio's own Python library at both ends of an inbound message: TwiML, signatures, messages and their media."""

import pytest
import requests
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

from local.twilio.tests.doors import ORDINARY, SENDER, TIMEOUT, Caller, Webhook

pytestmark = pytest.mark.enable_socket


def test_the_library_answers_and_finds_both_messages(
    client: Client, twilio: Caller, webhook: Webhook
) -> None:
    # GIVEN a webhook that answers with the library's TwiML
    twilio.control("PATCH", "settings", {"inbound_request_url": f"{webhook.url}/in"})
    response = MessagingResponse()
    response.message("Thanks & bye")
    webhook.answers = [(200, str(response))]
    # WHEN somebody writes
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "to": SENDER, "body": "Hé"})
    # THEN the library's validator accepts the request
    received = webhook.received[0]
    validator = RequestValidator(twilio.account.auth_token)
    signature = received.headers["X-Twilio-Signature"]
    assert validator.validate(f"{webhook.url}/in", received.params, signature)
    # AND the library lists what came in and what went out
    inbound = client.messages.list(from_=ORDINARY)
    assert [(each.sid, str(each.direction), str(each.status)) for each in inbound] == [
        (outcome["sid"], "inbound", "received")
    ]
    twilio.wait_for(outcome["replies"][0], "delivered")
    reply = client.messages(outcome["replies"][0]).fetch()
    assert (reply.body, str(reply.direction)) == ("Thanks & bye", "outbound-reply")


def test_the_library_leads_to_the_media_of_an_inbound_message(
    client: Client, twilio: Caller
) -> None:
    twilio.api("POST", f"/v1/Services/{twilio.service_sid}", UseInboundWebhookOnNumber="true")
    media = {"content_type": "image/gif", "size": 100}
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "to": SENDER, "media": [media]})
    piece = client.messages(outcome["sid"]).media.list()[0]
    assert (piece.content_type, piece.parent_sid) == ("image/gif", outcome["sid"])
    url = twilio.base_url + str(piece.uri).removesuffix(".json")
    auth = (twilio.account.api_key_sid, twilio.account.api_key_secret)
    assert len(requests.get(url, auth=auth, timeout=TIMEOUT).content) == 100
    assert client.messages(outcome["sid"]).media(str(piece.sid)).delete()
    assert requests.get(url, auth=auth, timeout=TIMEOUT).status_code == 404
