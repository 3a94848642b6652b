"""The control API: truth, settings, reset."""

from typing import Any

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, Caller

pytestmark = pytest.mark.enable_socket


def test_the_truth_counts_messages_by_recipient_and_status(twilio: Caller) -> None:
    for to in (ORDINARY, ORDINARY, "+12025550183"):
        twilio.wait_for(twilio.make(To=to)["sid"], "delivered", "undelivered")
    truth = twilio.control("GET", "truth")
    assert truth["total"] == 3
    assert truth["by_status"] == {"delivered": 2, "undelivered": 1}
    assert truth["by_recipient"] == {ORDINARY: 2, "+12025550183": 1}
    assert [message["to"] for message in truth["messages"]].count(ORDINARY) == 2


def test_the_truth_can_be_narrowed(twilio: Caller) -> None:
    twilio.make(To=ORDINARY)
    twilio.make(To="+12025550124")
    narrowed = twilio.control("GET", "truth?to=%2B12025550124&messages=false")
    assert narrowed["by_recipient"] == {"+12025550124": 1}
    assert "messages" not in narrowed


def test_inbound_messages_are_not_part_of_the_truth(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"inbound_request_url": "http://127.0.0.1:1/"})
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "hi"})
    assert twilio.control("GET", "truth")["total"] == 0


def test_settings_change_at_run_time_and_reset_puts_them_back_only_if_asked(
    twilio: Caller,
) -> None:
    changed = twilio.control(
        "POST", "settings", {"latency_ms": 7, "inbound_request_url": "http://127.0.0.1:1/"}
    )
    assert (changed["latency_ms"], changed["inbound_request_url"]) == (7, "http://127.0.0.1:1/")
    twilio.make()
    twilio.control("POST", "reset")
    assert twilio.control("GET", "truth")["total"] == 0
    assert twilio.control("GET", "settings") == changed
    twilio.control("POST", "reset", {"settings": True, "services": True})
    restored = twilio.control("GET", "settings")
    assert (restored["latency_ms"], restored["inbound_request_url"]) == (1, None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"unknown": 1}),
        ("settings", {"latency_ms": "fast"}),
        ("settings", {"trial": "perhaps"}),
        ("settings", {"verified_numbers": 5}),
        ("settings", {"failure_codes": ["soon"]}),
        ("settings", {"failure_codes": []}),
        ("settings", {"sign_port": "sometimes"}),
        ("settings", {"click_format": "xml"}),
        ("settings", []),
        ("inbound", {"body": "from nobody"}),
        ("clock", {}),
    ],
)
def test_a_mistake_is_answered_with_its_reason(twilio: Caller, path: str, body: Any) -> None:
    response = requests.post(f"{twilio.base_url}/_control/{path}", json=body, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]


def test_reset_forgets_opt_outs_faults_and_pending_steps(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 3_600_000})
    twilio.make(To="+12025550172")
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    twilio.control("POST", "faults", {"kind": "cut_before"})
    twilio.control("POST", "callbacks/pause")
    twilio.control("POST", "reset")
    assert twilio.control("GET", "opt-outs") == []
    assert twilio.control("GET", "faults") == []
    assert twilio.control("GET", "health") == {
        "status": "ok",
        "messages": 0,
        "callbacks": {"pending": 0, "in_flight": 0, "paused": False},
        "timers": 0,
    }
