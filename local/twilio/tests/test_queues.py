"""Queues before senders: their rates, their depth, and how long a message may wait."""

from typing import Any

import pytest

from local.twilio.tests.doors import SENDER, Caller, eventually

pytestmark = pytest.mark.enable_socket

LOOSE = "+13125550100"  # a long code outside all services, hence outside all campaigns
LONG_TEXT = "x" * 1500  # ten segments


@pytest.fixture(autouse=True)
def standing(twilio: Caller) -> None:
    """Time stands still, and steps take no time of their own."""
    twilio.control("POST", "clock", {"frozen": True})
    twilio.control("PATCH", "settings", {"latency_ms": 0, "enforce_registration": False})


def advance(twilio: Caller, seconds: float) -> None:
    twilio.control("POST", "clock", {"advance_seconds": seconds})


def counts(twilio: Caller) -> dict[str, int]:
    return dict(twilio.control("GET", "truth?messages=false")["by_status"])


@pytest.mark.parametrize(
    ("sender", "segments_a_second"),
    [(LOOSE, 1), ("+18885550100", 3), ("55501", 100), (SENDER, 225)],
    ids=["long code", "toll-free", "short code", "campaign"],
)
def test_a_sender_sends_at_its_rate(twilio: Caller, sender: str, segments_a_second: int) -> None:
    # GIVEN more segments than the sender sends in ten seconds
    messages = segments_a_second + 5
    for _ in range(messages):
        twilio.make(From=sender, Body=LONG_TEXT)
    # WHEN ten seconds pass
    advance(twilio, 10)
    # THEN ten messages' worth of each second has left, give or take the one under way
    gone = messages - counts(twilio).get("queued", 0)
    assert gone in {segments_a_second, segments_a_second + 1}


def test_the_numbers_of_a_campaign_share_its_rate(twilio: Caller) -> None:
    for number in range(300):
        twilio.make(To=f"+1202556{number:04}", Body=LONG_TEXT)
    advance(twilio, 0)
    advance(twilio, 10)
    assert 300 - counts(twilio).get("queued", 0) in {225, 226}


def test_a_rate_of_none_lets_all_go(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"rate_scale": 0})
    for _ in range(20):
        twilio.make(From=LOOSE)
    twilio.control("POST", "clock", {"until_idle": True})
    assert counts(twilio) == {"delivered": 20}


@pytest.fixture
def full(twilio: Caller) -> Caller:
    """A sender of one segment a second, before which as much waits as may."""
    assert twilio.control("GET", "settings")["queue_seconds"] == 36_000
    twilio.control("PATCH", "settings", {"queue_seconds": 40})
    for _ in range(4):
        twilio.make(From=LOOSE, Body=LONG_TEXT)
    return twilio


def test_a_full_queue_refuses_a_bare_sender_with_21611(full: Caller) -> None:
    refused = full.create(From=LOOSE)
    assert (refused.status_code, refused.json()["code"]) == (429, 21611)


def test_a_full_queue_fails_a_service_with_30001(full: Caller) -> None:
    sid = full.make(MessagingServiceSid=service_of(full, LOOSE))["sid"]
    full.control("POST", "clock", {"advance_seconds": 0})
    message = full.fetch(sid)
    assert (message["status"], message["error_code"]) == ("failed", 30001)


def test_a_queue_that_has_moved_on_takes_more(full: Caller) -> None:
    advance(full, 1)
    assert full.create(From=LOOSE).status_code == 201


def service_of(twilio: Caller, number: str) -> str:
    """A new service with that number alone."""
    sid = str(twilio.api("POST", "/v1/Services", FriendlyName="one").json()["sid"])
    path = f"/2010-04-01/Accounts/{twilio.account.account_sid}/IncomingPhoneNumbers.json"
    numbers = twilio.api("GET", path).json()["incoming_phone_numbers"]
    own = next(each["sid"] for each in numbers if each["phone_number"] == number)
    twilio.api("POST", f"/v1/Services/{sid}/PhoneNumbers", PhoneNumberSid=own)
    return sid


def test_what_waits_longer_than_it_is_valid_fails_with_30036_and_takes_no_room(
    twilio: Caller,
) -> None:
    # GIVEN a sender that is busy for a minute
    for _ in range(6):
        twilio.make(From=LOOSE, Body=LONG_TEXT)
    # WHEN a message may wait half a minute, and another one as long as it takes
    hasty = twilio.make(From=LOOSE, Body=LONG_TEXT, ValidityPeriod="30")["sid"]
    patient = twilio.make(From=LOOSE)["sid"]
    # THEN the first fails when its time is up
    advance(twilio, 29)
    assert twilio.fetch(hasty)["status"] == "queued"
    advance(twilio, 1)
    failed = twilio.fetch(hasty)
    assert (failed["status"], failed["error_code"]) == ("failed", 30036)
    # AND the other goes as if the first had never been
    advance(twilio, 31)
    assert twilio.fetch(patient)["status"] in {"sent", "delivered"}


def test_the_value_of_the_message_wins_over_that_of_the_service(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 60_000})
    twilio.api("POST", f"/v1/Services/{twilio.service_sid}", ValidityPeriod="30")
    slow = "+12025550172"
    short = twilio.make(To=slow)["sid"]
    long = twilio.make(To=slow, ValidityPeriod="100")["sid"]
    twilio.control("POST", "clock", {"until_idle": True})
    assert twilio.fetch(short)["error_code"] == 30036
    assert twilio.fetch(long)["status"] == "delivered"


REGISTRATION: list[tuple[str, str, int | None]] = [
    (SENDER, "+12025550123", None),
    (LOOSE, "+12025550123", 30034),
    (LOOSE, "+447700900123", None),
    ("+18885550100", "+12025550123", 30032),
    ("55501", "+12025550123", None),
]


@pytest.mark.parametrize(("sender", "to", "code"), REGISTRATION)
def test_carriers_refuse_senders_that_are_not_registered(
    twilio: Caller, sender: str, to: str, code: int | None
) -> None:
    twilio.control("PATCH", "settings", {"enforce_registration": True})
    sid = twilio.make(From=sender, To=to)["sid"]
    twilio.control("POST", "clock", {"until_idle": True})
    message = twilio.fetch(sid)
    assert message["error_code"] == code
    assert message["status"] == ("undelivered" if code else "delivered")


def test_pumping_is_stopped_unless_the_message_or_the_list_says_otherwise(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"pumping_prefixes": ["+1202555"]})

    def outcome(**fields: Any) -> object:
        sid = twilio.make(**fields)["sid"]
        twilio.control("POST", "clock", {"until_idle": True})
        return twilio.fetch(sid)["error_code"]

    assert outcome() == 30450
    assert outcome(RiskCheck="disable") is None
    assert twilio.api("POST", "/v1/SafeList/Numbers", PhoneNumber="+12025550123").status_code == 201
    assert outcome() is None


def test_prices_come_later(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"price_ms": 3_600_000})
    sid = twilio.make(From=SENDER, Body="x" * 161)["sid"]
    advance(twilio, 10)
    assert (twilio.fetch(sid)["status"], twilio.fetch(sid)["price"]) == ("delivered", None)
    advance(twilio, 3600)
    assert eventually(lambda: twilio.fetch(sid)["price"]) == "-0.01660"
