"""Twilio's own Python library works against the simulator once its host is replaced."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.twilio.tests.doors import ORDINARY, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket


def test_the_library_sends_fetches_lists_and_deletes(client: Client, twilio: Caller) -> None:
    created = client.messages.create(
        to=ORDINARY, messaging_service_sid=twilio.service_sid, body="From the library"
    )
    assert str(created.status) == "accepted"
    twilio.wait_for(str(created.sid), "delivered")
    fetched = client.messages(str(created.sid)).fetch()
    assert (str(fetched.status), fetched.error_code) == ("delivered", None)
    assert fetched.date_sent is not None
    for _ in range(4):
        client.messages.create(to=ORDINARY, messaging_service_sid=twilio.service_sid, body="More")
    assert len(client.messages.list(to=ORDINARY, page_size=2)) == 5
    day = fetched.date_sent
    assert created.sid in {message.sid for message in client.messages.list(date_sent_after=day)}
    assert client.messages(str(created.sid)).delete()


def test_the_library_raises_the_code(client: Client, twilio: Caller) -> None:
    with pytest.raises(TwilioRestException) as raised:
        client.messages.create(to="nobody", messaging_service_sid=twilio.service_sid, body="x")
    assert (raised.value.status, raised.value.code) == (400, 21211)


def test_the_library_reads_and_changes_the_service(client: Client, twilio: Caller) -> None:
    service = client.messaging.v1.services(twilio.service_sid)
    service.update(inbound_request_url="https://example.com/in")
    assert service.fetch().inbound_request_url == "https://example.com/in"
    assert len(service.phone_numbers.list()) == 3
    assert len(client.messaging.v1.services.list()) == 2


def test_the_validator_of_the_library_accepts_our_callbacks(
    twilio: Caller, webhook: Webhook
) -> None:
    url = f"{webhook.url}/$default/status?m=a%20b"
    twilio.make(StatusCallback=f"{url}#rc=1", Body="é")
    eventually(lambda: webhook.received)
    received = webhook.received[0]
    validator = RequestValidator(twilio.account.auth_token)
    assert validator.validate(url, received.params, received.headers["X-Twilio-Signature"])
