"""What registration means for messages: unregistered, registered, still coming, suspended."""

from typing import Any

import pytest

from local.twilio.account.senders import steady_sid
from local.twilio.tests.a2p_doors import (
    DEFAULT_BRAND,
    campaign_path,
    hand_in,
    new_service,
    register,
)
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import advance, approved_bundles, freeze, made

pytestmark = pytest.mark.enable_socket

LOOSE_SID = steady_sid("PN", "+13125550100")
HOUR = 3_600


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


@pytest.fixture
def service(twilio: Caller) -> str:
    """A service with one US number and no campaign."""
    sid = new_service(twilio)
    made(twilio, f"/v1/Services/{sid}/PhoneNumbers", PhoneNumberSid=LOOSE_SID)
    return sid


def send(twilio: Caller, service: str) -> tuple[str, int | None]:
    """Status and error code of a message, in the end."""
    sid = twilio.make(MessagingServiceSid=service)["sid"]
    advance(twilio, 60)
    message = twilio.fetch(sid)
    return message["status"], message["error_code"]


def verify(twilio: Caller, service: str, **fields: object) -> dict[str, Any]:
    campaign = hand_in(twilio, service, **fields)
    twilio.control("POST", f"reviews/{service}", {"approved": True})
    return campaign


def test_the_default_service_sends(twilio: Caller) -> None:
    assert send(twilio, twilio.service_sid) == ("delivered", None)


def test_a_service_sends_once_its_campaign_is_verified(twilio: Caller, service: str) -> None:
    assert send(twilio, service) == ("undelivered", 30034)
    hand_in(twilio, service)
    assert send(twilio, service) == ("undelivered", 30034)
    twilio.control("POST", f"reviews/{service}", {"approved": True})
    assert send(twilio, service) == ("delivered", None)
    assert twilio.api("DELETE", campaign_path(service)).status_code == 204
    assert send(twilio, service) == ("undelivered", 30034)


def test_a_failed_campaign_carries_nothing(twilio: Caller, service: str) -> None:
    hand_in(twilio, service)
    twilio.control("POST", f"reviews/{service}", {"approved": False})
    assert send(twilio, service) == ("undelivered", 30034)


def test_a_mock_campaign_carries_nothing(twilio: Caller, service: str) -> None:
    brand = register(twilio, approved_bundles(twilio), Mock="true")["sid"]
    advance(twilio, 1)
    verify(twilio, service, BrandRegistrationSid=brand)
    assert send(twilio, service) == ("undelivered", 30034)


def test_a_suspended_campaign_carries_nothing(twilio: Caller, service: str) -> None:
    verify(twilio, service)
    twilio.control("POST", f"campaigns/{service}", {"status": "SUSPENDED"})
    assert send(twilio, service) == ("undelivered", 30033)
    twilio.control("POST", f"campaigns/{service}", {"status": "VERIFIED"})
    assert send(twilio, service) == ("delivered", None)


def test_a_suspended_brand_carries_nothing(twilio: Caller, service: str) -> None:
    verify(twilio, service)
    twilio.control("POST", f"brands/{DEFAULT_BRAND}", {"status": "SUSPENDED"})
    assert send(twilio, service) == ("undelivered", 30033)


def test_numbers_take_their_time_to_be_registered(twilio: Caller, service: str) -> None:
    twilio.control("POST", "settings", {"number_registration_seconds": HOUR})
    verify(twilio, service)
    assert send(twilio, service) == ("undelivered", 30035)
    advance(twilio, HOUR)
    assert send(twilio, service) == ("delivered", None)
    path = f"/v1/Services/{service}/PhoneNumbers"
    twilio.api("DELETE", f"{path}/{LOOSE_SID}")
    made(twilio, path, PhoneNumberSid=LOOSE_SID)
    assert send(twilio, service) == ("undelivered", 30035)
    advance(twilio, HOUR)
    assert send(twilio, service) == ("delivered", None)
