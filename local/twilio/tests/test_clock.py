"""Simulated time: it may stand, move on, and run out."""

from datetime import datetime, timedelta

import pytest

from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket


def test_frozen_time_stands_until_it_is_moved(twilio: Caller) -> None:
    frozen = twilio.control("POST", "clock", {"frozen": True})
    sid = twilio.make()["sid"]
    assert twilio.control("GET", "clock")["now"] == frozen["now"]
    assert twilio.fetch(sid)["status"] == "accepted"
    moved = twilio.control("POST", "clock", {"advance_seconds": 60})
    passed = datetime.fromisoformat(moved["now"]) - datetime.fromisoformat(frozen["now"])
    assert passed == timedelta(seconds=60)
    assert twilio.fetch(sid)["status"] == "delivered"


def test_steps_on_the_way_happen_at_their_own_moment(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 3_600_000})
    twilio.control("POST", "clock", {"frozen": True})
    begun = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    twilio.make(To="+12025550172")
    twilio.control("POST", "clock", {"advance_seconds": 86_400})
    message = twilio.control("GET", "truth")["messages"][0]
    assert message["status"] == "delivered"
    assert datetime.fromisoformat(message["sent"]) - begun == timedelta(hours=2)


def test_thirty_days_of_schedule_pass_at_once(twilio: Caller) -> None:
    now = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    for day in range(1, 31):
        send_at = (now + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
        twilio.make(ScheduleType="fixed", SendAt=send_at)
    clock = twilio.control("POST", "clock", {"until_idle": True})
    assert (clock["planned"], clock["next_due"]) == (0, None)
    assert twilio.control("GET", "truth")["by_status"] == {"delivered": 30}


@pytest.mark.parametrize("given", [{}, {"forward": 3}])
def test_an_order_that_says_nothing_is_refused(twilio: Caller, given: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match="is wanted"):
        twilio.control("POST", "clock", given)


def test_no_more_messages_are_scheduled_than_the_account_may_have(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"max_scheduled": 1})
    now = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    later = {
        "ScheduleType": "fixed",
        "SendAt": (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    first = twilio.make(**later)["sid"]
    assert twilio.create(**later).json()["code"] == 35125
    twilio.api("POST", f"{twilio.messages_path}/{first}.json", Status="canceled")
    assert twilio.create(**later).status_code == 201
