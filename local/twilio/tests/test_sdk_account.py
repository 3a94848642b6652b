"""Twilio's own Python library drives every resource of the account."""

import json

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio.tests.doors import ORDINARY, Caller, RedirectedClient

pytestmark = pytest.mark.enable_socket


def test_the_library_reads_account_and_balance(client: Client, twilio: Caller) -> None:
    account = client.api.v2010.accounts(twilio.account.account_sid).fetch()
    assert (account.sid, str(account.status)) == (twilio.account.account_sid, "active")
    assert account.date_created is not None
    balance = client.api.v2010.account.balance.fetch()
    assert (balance.balance, balance.currency) == ("1000.00", "USD")
    assert client.balance.fetch().account_sid == twilio.account.account_sid


@pytest.mark.undocumented_requests
def test_the_library_buys_changes_and_releases_a_number(client: Client) -> None:
    bought = client.incoming_phone_numbers.create(
        phone_number="+15035550100", sms_url="https://example.com/in"
    )
    assert (bought.friendly_name, bought.sms_url) == ("(503) 555-0100", "https://example.com/in")
    number = client.incoming_phone_numbers(str(bought.sid))
    assert number.update(friendly_name="Portland").friendly_name == "Portland"
    assert number.fetch().date_updated is not None
    found = client.incoming_phone_numbers.list(phone_number="+1503", page_size=1)
    assert [each.sid for each in found] == [bought.sid]
    assert len(client.incoming_phone_numbers.list(page_size=2)) == 6
    assert number.delete()
    with pytest.raises(TwilioRestException) as raised:
        number.fetch()
    assert (raised.value.status, raised.value.code) == (404, 20404)


def test_the_library_buys_by_area_code(client: Client) -> None:
    assert client.incoming_phone_numbers.create(area_code="415").phone_number == "+14155550101"


@pytest.mark.undocumented_requests
def test_the_library_reads_and_changes_short_codes(client: Client) -> None:
    (short_code,) = client.short_codes.list(short_code="55501")
    assert short_code.fetch().short_code == "55501"
    assert short_code.update(friendly_name="Alerts").friendly_name == "Alerts"


@pytest.mark.undocumented_requests
def test_the_library_makes_and_reads_addresses(client: Client) -> None:
    made = client.addresses.create(
        customer_name="Ann Example",
        street="1 Main St",
        city="Springfield",
        region="IL",
        postal_code="62701",
        iso_country="US",
        emergency_enabled=False,
    )
    assert client.addresses(str(made.sid)).fetch().city == "Springfield"
    assert [each.sid for each in client.addresses.list(iso_country="US")] == [made.sid]


def test_the_library_rotates_the_auth_token(client: Client, twilio: Caller) -> None:
    secondary = client.accounts.v1.secondary_auth_token().create()
    assert secondary.date_created is not None
    rotated = Client(
        twilio.account.account_sid,
        secondary.secondary_auth_token,
        http_client=RedirectedClient(twilio.base_url),
    )
    promoted = rotated.accounts.v1.auth_token_promotion().update()
    assert promoted.auth_token == secondary.secondary_auth_token
    account = rotated.api.v2010.accounts(twilio.account.account_sid).fetch()
    assert account.auth_token == promoted.auth_token


def test_the_library_deletes_the_secondary_token(client: Client) -> None:
    client.accounts.v1.secondary_auth_token().create()
    assert client.accounts.v1.secondary_auth_token().delete()


def test_the_library_tells_consents_and_contacts(client: Client, twilio: Caller) -> None:
    item: dict[str, object] = {
        "contact_id": ORDINARY,
        "correlation_id": "ad388b5a46b33b874b0d41f7226db2ef",
        "sender_id": twilio.service_sid,
        "status": "opt-out",
        "source": "website",
    }
    consents = client.accounts.v1.bulk_consents.create(items=[item])
    assert json.loads(json.dumps(consents.items))[0]["error_messages"] == []
    sent = client.messages.create(to=ORDINARY, messaging_service_sid=twilio.service_sid, body="x")
    assert twilio.wait_for(str(sent.sid), "failed")["error_code"] == 21610
    contact = item | {"country_iso_code": "US", "zip_code": "1"}
    contacts = client.accounts.v1.bulk_contacts.create(items=[json.dumps(contact)])
    assert json.loads(json.dumps(contacts.items))[0]["error_messages"] == ["INVALID_ZIP_CODE"]


def test_the_library_switches_countries(client: Client) -> None:
    geo = client.accounts.v1.messaging_geopermissions
    changed = geo.update(permissions=[{"country_code": "IN", "type": "country", "enabled": False}])
    assert json.loads(json.dumps(changed.permissions))[0]["error_code"] == 0
    fetched = json.loads(json.dumps(geo.fetch(country_code="IN").permissions))
    assert [each["enabled"] for each in fetched] == [False]


def test_the_library_keeps_the_safe_list(client: Client) -> None:
    safe_list = client.accounts.v1.safelist
    added = safe_list.create(phone_number="+18001234567")
    assert safe_list.fetch(phone_number="+18001234567").sid == added.sid
    assert safe_list.delete(phone_number="+18001234567")


def test_the_library_reads_prices(client: Client) -> None:
    countries = client.pricing.v1.messaging.countries
    assert len(countries.list(page_size=20)) == len(countries.list()) >= 30
    price = json.loads(json.dumps(countries("GB").fetch().outbound_sms_prices))
    assert price[0]["prices"][0]["current_price"] == "0.0524"


def test_the_library_takes_test_credentials(twilio: Caller) -> None:
    tester = Client(
        twilio.account.test_account_sid,
        twilio.account.test_auth_token,
        http_client=RedirectedClient(twilio.base_url),
    )
    assert tester.incoming_phone_numbers.create(area_code="500").phone_number == "+15005550006"
    call = tester.calls.create(to=ORDINARY, from_="+15005550006", url="https://example.com/call")
    assert str(call.status) == "queued"
    with pytest.raises(TwilioRestException) as raised:
        tester.balance.fetch()
    assert (raised.value.status, raised.value.code) == (403, 20008)
