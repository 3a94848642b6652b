"""What becomes of a message after its creation, and what the webhook hears of it."""

import re
from typing import Any

import pytest

from local.twilio.tests.doors import SENDER, Caller, Webhook, eventually
from local.twilio.webhooks.signing import sign

pytestmark = pytest.mark.enable_socket


def heard(webhook: Webhook, sid: str, count: int) -> list[str]:
    """The statuses the webhook heard, once there are that many."""

    def probe() -> list[str] | None:
        statuses = webhook.statuses_of(sid)
        return statuses if len(statuses) >= count else None

    return eventually(probe)


def make_with_callback(twilio: Caller, webhook: Webhook, **fields: object) -> str:
    callback = f"{webhook.url}/status?m=abc"
    return str(twilio.make(**{"StatusCallback": callback} | fields)["sid"])


def idle(twilio: Caller) -> dict[str, Any]:
    """Health, once nothing is planned or under way."""

    def probe() -> dict[str, Any] | None:
        health = twilio.control("GET", "health")
        callbacks = health["callbacks"]
        busy = health["timers"] or callbacks["pending"] or callbacks["in_flight"]
        return None if busy else dict(health)

    return eventually(probe)


def test_with_a_service_a_message_is_queued_sent_and_delivered(
    twilio: Caller, webhook: Webhook
) -> None:
    twilio.control("PATCH", "settings", {"latency_ms": 50})
    sid = make_with_callback(twilio, webhook)
    message = twilio.wait_for(sid, "delivered")
    assert message["from"] in {"+12025550100", "+14155550100", "+12125550100"}
    assert message["num_segments"] == "1"
    assert message["date_sent"].endswith("+0000")
    assert message["price"].startswith("-0.")
    assert message["error_code"] is None
    assert sorted(heard(webhook, sid, 3)) == ["delivered", "queued", "sent"]


def test_with_a_bare_sender_the_first_callback_is_sent(twilio: Caller, webhook: Webhook) -> None:
    sid = make_with_callback(twilio, webhook, From=SENDER)
    twilio.wait_for(sid, "delivered")
    idle(twilio)
    assert sorted(webhook.statuses_of(sid)) == ["delivered", "sent"]


def test_a_recipient_always_gets_the_same_sender_of_the_same_area(twilio: Caller) -> None:
    senders = {
        twilio.wait_for(twilio.make(To="+12125550123")["sid"], "delivered")["from"]
        for _ in range(3)
    }
    assert senders == {"+12125550100"}


def test_a_callback_is_signed_and_carries_the_documented_fields(
    twilio: Caller, webhook: Webhook
) -> None:
    sid = make_with_callback(twilio, webhook, To="+12025550183")
    heard(webhook, sid, 3)
    last = next(each for each in webhook.received if "ErrorCode" in each.params)
    assert (last.method, last.target) == ("POST", "/status?m=abc")
    assert last.params == {
        "MessageSid": sid,
        "SmsSid": sid,
        "MessageStatus": "undelivered",
        "SmsStatus": "undelivered",
        "AccountSid": twilio.account.account_sid,
        "From": "+12025550100",
        "To": "+12025550183",
        "ApiVersion": "2010-04-01",
        "MessagingServiceSid": twilio.service_sid,
        "ErrorCode": "30003",
        "ErrorMessage": "Unreachable destination handset",
        "RawDlrDoneDate": last.params["RawDlrDoneDate"],
    }
    assert re.fullmatch(r"\d{10}", last.params["RawDlrDoneDate"])
    assert last.headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token,
        url=f"{webhook.url}/status?m=abc",
        params=last.params,
    )
    assert last.headers["I-Twilio-Idempotency-Token"]


@pytest.mark.parametrize(
    ("ending", "final", "error_code"),
    [
        ("0170", "delivered", None),
        ("0171", "sent", None),
        ("0181", "failed", 30001),
        ("0183", "undelivered", 30003),
        ("0184", "undelivered", 30034),
        ("0185", "undelivered", 30005),
        ("0186", "undelivered", 30006),
        ("0187", "undelivered", 30007),
        ("0188", "undelivered", 30008),
        ("0190", "failed", 21610),
    ],
)
@pytest.mark.parametrize("area", ["+1202555", "+1907555"])
def test_magic_recipients_have_their_fate(
    twilio: Caller, area: str, ending: str, final: str, error_code: int | None
) -> None:
    sid = twilio.make(To=area + ending)["sid"]
    idle(twilio)
    message = twilio.fetch(sid)
    assert (message["status"], message["error_code"]) == (final, error_code)
    assert bool(message["error_message"]) == bool(error_code)


def test_an_opted_out_recipient_is_refused_at_once_for_a_bare_sender(twilio: Caller) -> None:
    refused = twilio.create(To="+12025550190", From=SENDER)
    assert (refused.status_code, refused.json()["code"]) == (400, 21610)


def test_doubled_callbacks_carry_the_same_token(twilio: Caller, webhook: Webhook) -> None:
    sid = make_with_callback(twilio, webhook, To="+12025550173")
    statuses = heard(webhook, sid, 6)
    assert sorted(statuses) == ["delivered", "delivered", "queued", "queued", "sent", "sent"]
    tokens = {
        (each.params["MessageStatus"], each.headers["I-Twilio-Idempotency-Token"])
        for each in webhook.received
    }
    assert len(tokens) == 3


def test_reversed_callbacks_come_newest_first(twilio: Caller, webhook: Webhook) -> None:
    sid = make_with_callback(twilio, webhook, To="+12025550174")
    assert heard(webhook, sid, 3) == ["delivered", "sent", "queued"]


def test_lost_callbacks_never_come_though_the_message_arrives(
    twilio: Caller, webhook: Webhook
) -> None:
    sid = make_with_callback(twilio, webhook, To="+12025550175")
    idle(twilio)
    assert twilio.fetch(sid)["status"] == "delivered"
    assert webhook.received == []


def test_a_slow_recipient_takes_its_own_time(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 3_600_000})
    slow = twilio.make(To="+12025550172")["sid"]
    twilio.wait_for(twilio.make()["sid"], "delivered")
    assert twilio.fetch(slow)["status"] == "accepted"
    for status in ("queued", "sent", "delivered"):
        twilio.control("POST", "clock", {"advance_seconds": 3601})
        assert twilio.fetch(slow)["status"] == status


def test_a_message_that_waits_longer_than_its_validity_fails_with_30036(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 60_000})
    sid = twilio.make(To="+12025550172", ValidityPeriod="30")["sid"]
    twilio.control("POST", "clock", {"advance_seconds": 61})
    twilio.control("POST", "clock", {"advance_seconds": 31})
    message = twilio.fetch(sid)
    assert (message["status"], message["error_code"]) == ("failed", 30036)


def test_the_share_of_failures_is_the_same_for_the_same_seed(twilio: Caller) -> None:
    recipients = [f"+1202555{number:04}" for number in range(40)]
    outcomes = []
    for order in (1, -1):
        twilio.control("POST", "reset")
        twilio.control(
            "PATCH", "settings", {"failure_share": 0.5, "failure_codes": ["30003:1", "30007:1"]}
        )
        for to in recipients[::order]:
            twilio.make(To=to)
        idle(twilio)
        messages = twilio.control("GET", "truth")["messages"]
        outcomes.append({each["to"]: (each["status"], each["error_code"]) for each in messages})
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0].values()) == {
        ("delivered", None),
        ("undelivered", 30003),
        ("undelivered", 30007),
    }


def test_the_share_of_lost_callbacks_is_kept(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("PATCH", "settings", {"loss_share": 1})
    make_with_callback(twilio, webhook)
    idle(twilio)
    assert webhook.received == []


def test_the_service_url_is_called_where_the_message_has_none(
    twilio: Caller, webhook: Webhook
) -> None:
    twilio.control("PATCH", "settings", {"status_callback": f"{webhook.url}/service"})
    plain = twilio.make()["sid"]
    own = make_with_callback(twilio, webhook)
    heard(webhook, plain, 3)
    heard(webhook, own, 3)
    targets = {each.params["MessageSid"]: each.target for each in webhook.received}
    assert targets == {plain: "/service", own: "/status?m=abc"}
