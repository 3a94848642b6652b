"""Scheduled messages: they wait for their time, may be cancelled, and ask for the block late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.twilio.tests.doors import ORDINARY, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket


def schedule(twilio: Caller, **fields: object) -> dict[str, Any]:
    """A message for two hours of simulated time from now."""
    now = datetime.fromisoformat(
        twilio.control("POST", "clock", {"advance_seconds": 0})["now"]
    ).astimezone(UTC)
    send_at = (now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return twilio.make(**{"ScheduleType": "fixed", "SendAt": send_at} | fields)


def pass_two_hours(twilio: Caller) -> None:
    twilio.control("POST", "clock", {"advance_seconds": 7201})


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (timedelta(seconds=300), 35114),
        (timedelta(seconds=301), None),
        (timedelta(days=35), None),
        (timedelta(days=35, seconds=1), 35117),
    ],
)
def test_the_window_is_more_than_300_seconds_and_at_most_35_days(
    twilio: Caller, ahead: timedelta, code: int | None
) -> None:
    # GIVEN time that stands still at a whole second
    now = datetime.fromisoformat(twilio.control("POST", "clock", {"frozen": True})["now"])
    whole = now.replace(microsecond=0) + timedelta(seconds=1)
    twilio.control("POST", "clock", {"to": whole.isoformat()})
    # WHEN a message is scheduled for then
    send_at = (whole + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    response = twilio.create(ScheduleType="fixed", SendAt=send_at)
    # THEN
    assert response.json().get("code") == code


def test_a_scheduled_message_goes_out_at_its_time(twilio: Caller, webhook: Webhook) -> None:
    message = schedule(twilio, StatusCallback=webhook.url)
    assert (message["status"], message["from"]) == ("scheduled", None)
    assert webhook.received == []
    pass_two_hours(twilio)
    twilio.wait_for(message["sid"], "delivered")
    eventually(lambda: len(webhook.received) == 3)
    assert sorted(webhook.statuses_of(message["sid"])) == ["delivered", "queued", "sent"]


def test_a_cancelled_message_never_goes_out_and_says_so_once(
    twilio: Caller, webhook: Webhook
) -> None:
    sid = schedule(twilio, StatusCallback=webhook.url)["sid"]
    path = f"{twilio.messages_path}/{sid}.json"
    canceled = twilio.api("POST", path, Status="canceled")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    pass_two_hours(twilio)
    eventually(lambda: webhook.received)
    assert twilio.fetch(sid)["status"] == "canceled"
    assert webhook.statuses_of(sid) == ["canceled"]


def test_what_is_no_longer_scheduled_cannot_be_cancelled(twilio: Caller) -> None:
    sid = schedule(twilio)["sid"]
    pass_two_hours(twilio)
    twilio.wait_for(sid, "delivered")
    refused = twilio.api("POST", f"{twilio.messages_path}/{sid}.json", Status="canceled")
    assert (refused.status_code, refused.json()["code"]) == (409, 30409)


def test_a_stop_does_not_cancel_a_scheduled_message_but_fails_it_at_its_time(
    twilio: Caller,
) -> None:
    sid = schedule(twilio)["sid"]
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "stop"})
    assert twilio.fetch(sid)["status"] == "scheduled"
    pass_two_hours(twilio)
    assert twilio.wait_for(sid, "failed")["error_code"] == 21610
