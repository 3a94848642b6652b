"""Services and their pools by the official library, as its documentation shows."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket


def test_the_library_makes_reads_changes_lists_and_deletes_services(
    client: Client, twilio: Caller
) -> None:
    made = client.messaging.v1.services.create(
        friendly_name="From the library",
        inbound_request_url="https://example.com/in",
        sticky_sender=False,
        scan_message_content="disable",
        validity_period=600,
        usecase="notifications",
        use_inbound_webhook_on_number=True,
    )
    service = client.messaging.v1.services(str(made.sid))
    fetched = service.fetch()
    assert (fetched.friendly_name, fetched.sticky_sender) == ("From the library", False)
    assert (fetched.validity_period, fetched.usecase) == (600, "notifications")
    assert fetched.use_inbound_webhook_on_number is True
    assert fetched.us_app_to_person_registered is False
    assert fetched.links is not None
    assert fetched.date_created is not None
    assert service.update(area_code_geomatch=False).area_code_geomatch is False
    assert len(client.messaging.v1.services.list(page_size=2)) == 3
    assert service.delete()
    with pytest.raises(TwilioRestException) as raised:
        service.fetch()
    assert (raised.value.status, raised.value.code) == (404, 20404)


def test_the_library_reads_the_use_cases(client: Client) -> None:
    usecases = client.messaging.v1.usecases.fetch().usecases
    assert usecases is not None
    assert usecases[0]["usecase"] == "notifications"


def test_the_library_handles_phone_numbers(client: Client, twilio: Caller) -> None:
    service = client.messaging.v1.services(twilio.service_sid)
    first = service.phone_numbers.list(page_size=1)[0]
    assert (first.phone_number, first.country_code) == ("+12025550100", "US")
    assert service.phone_numbers(str(first.sid)).fetch().capabilities == ["SMS", "MMS"]
    assert service.phone_numbers(str(first.sid)).delete()
    moved = client.messaging.v1.services(twilio.empty_service_sid).phone_numbers.create(
        phone_number_sid=str(first.sid)
    )
    assert moved.service_sid == twilio.empty_service_sid
    with pytest.raises(TwilioRestException) as raised:
        service.phone_numbers.create(phone_number_sid=str(first.sid))
    assert (raised.value.status, raised.value.code) == (409, 21712)


def test_the_library_handles_short_codes(client: Client, twilio: Caller) -> None:
    codes = client.messaging.v1.services(twilio.service_sid).short_codes
    owned = client.api.account.short_codes.list()[0]
    added = codes.create(short_code_sid=str(owned.sid))
    assert (added.short_code, added.country_code) == ("55501", "US")
    assert [each.sid for each in codes.list()] == [owned.sid]
    assert codes(str(owned.sid)).fetch().capabilities == ["SMS", "MMS"]
    assert codes(str(owned.sid)).delete()


def test_the_library_handles_alpha_senders(client: Client, twilio: Caller) -> None:
    senders = client.messaging.v1.services(twilio.service_sid).alpha_senders
    added = senders.create(alpha_sender="Brand")
    assert senders(str(added.sid)).fetch().alpha_sender == "Brand"
    assert [each.capabilities for each in senders.list()] == [["SMS"]]
    assert senders(str(added.sid)).delete()


def test_the_library_handles_destination_alpha_senders(client: Client, twilio: Caller) -> None:
    senders = client.messaging.v1.services(twilio.service_sid).destination_alpha_senders
    added = senders.create(alpha_sender="Marque", iso_country_code="FR")
    senders.create(alpha_sender="Brand")
    assert senders(str(added.sid)).fetch().iso_country_code == "FR"
    assert [each.alpha_sender for each in senders.list(iso_country_code="FR")] == ["Marque"]
    assert len(senders.list()) == 2
    assert senders(str(added.sid)).delete()


def test_the_library_handles_channel_senders(client: Client, twilio: Caller) -> None:
    owned = twilio.control("POST", "channel-senders", {"sender": "rcs:brand_agent"})
    senders = client.messaging.v1.services(twilio.service_sid).channel_senders
    added = senders.create(sid=owned["sid"])
    assert (added.sender, added.sender_type) == ("rcs:brand_agent", "RCS")
    assert senders(str(added.sid)).fetch().messaging_service_sid == twilio.service_sid
    assert [each.sid for each in senders.list()] == [owned["sid"]]
    assert senders(str(added.sid)).delete()
