"""Fates that a test scripts, and answers that come after everything else."""

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, TIMEOUT, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket


def outcome(twilio: Caller) -> tuple[str, int | None]:
    sid = twilio.make()["sid"]
    message = twilio.wait_for(sid, "delivered", "undelivered", "failed")
    return message["status"], message["error_code"]


def test_scripted_fates_come_in_order_and_then_chance_again(twilio: Caller) -> None:
    fates = [
        {"to": ORDINARY, "final": "undelivered", "error_code": 30007},
        {"to": ORDINARY, "final": "failed", "error_code": 30410, "count": 2},
    ]
    twilio.control("POST", "fates", fates)
    assert [outcome(twilio) for _ in range(4)] == [
        ("undelivered", 30007),
        ("failed", 30410),
        ("failed", 30410),
        ("delivered", None),
    ]


def test_a_lasting_fate_lasts_until_it_is_cleared(twilio: Caller) -> None:
    twilio.control("POST", "fates", {"to": ORDINARY, "refused": 21614, "count": None})
    assert twilio.create().json()["code"] == 21614
    assert twilio.create().json()["code"] == 21614
    twilio.control("DELETE", "fates")
    assert outcome(twilio) == ("delivered", None)


@pytest.mark.parametrize("fate", [{"final": "lost"}, {"colour": "red"}, {"callbacks": "late"}])
def test_a_fate_that_is_none_is_refused(twilio: Caller, fate: dict[str, str]) -> None:
    url = f"{twilio.base_url}/_control/fates"
    refused = requests.post(url, json={"to": ORDINARY, **fate}, timeout=TIMEOUT)
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_callbacks_may_come_before_the_answer(twilio: Caller, webhook: Webhook) -> None:
    made = twilio.make(To="+12025550178", StatusCallback=webhook.url)
    assert sorted(webhook.statuses_of(made["sid"])) == ["delivered", "queued", "sent"]
    assert made["status"] == "accepted"


def test_a_message_may_never_leave_its_queue(twilio: Caller) -> None:
    sid = twilio.make(To="+12025550179")["sid"]
    twilio.wait_for(sid, "queued")
    twilio.control("POST", "clock", {"until_idle": True})
    assert twilio.fetch(sid)["status"] == "queued"


def test_the_last_callback_may_be_lost_alone(twilio: Caller, webhook: Webhook) -> None:
    sid = twilio.make(To="+12025550176", StatusCallback=webhook.url)["sid"]
    twilio.wait_for(sid, "delivered")
    eventually(lambda: len(webhook.received) == 2)
    assert sorted(webhook.statuses_of(sid)) == ["queued", "sent"]


def test_a_list_may_lag(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"list_lag_ms": 60_000})
    twilio.control("POST", "clock", {"frozen": True})
    sid = twilio.make()["sid"]
    path = f"{twilio.messages_path}.json"
    assert twilio.api("GET", path).json()["messages"] == []
    assert twilio.fetch(sid)["sid"] == sid
    twilio.control("POST", "clock", {"advance_seconds": 61})
    assert [each["sid"] for each in twilio.api("GET", path).json()["messages"]] == [sid]
