"""Opt-outs: the keywords, the blocks they make, Twilio's answers, toll-free numbers, Advanced Opt-Out."""

from typing import Any

import pytest
import requests

from local.twilio.optouts.keywords import DEFAULT_TEXTS, Keyword
from local.twilio.tests.doors import ORDINARY, SENDER, TIMEOUT, Caller, Webhook, eventually

pytestmark = pytest.mark.enable_socket

TOLL_FREE = "+18885550100"
LOOSE = "+13125550100"
SHORT_CODE = "55501"
NETWORK_STOP = 'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this'


def listen(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("PATCH", "settings", {"inbound_request_url": f"{webhook.url}/inbound"})


def write(twilio: Caller, body: str, *, to: str = SENDER, person: str = ORDINARY) -> dict[str, Any]:
    """What a person writes; the outcome."""
    return dict(twilio.control("POST", "inbound", {"from": person, "to": to, "body": body}))


def answers(twilio: Caller, outcome: dict[str, Any]) -> list[str]:
    """The texts of the confirmations."""
    return [twilio.fetch(sid)["body"] for sid in outcome["confirmations"]]


def blocks(twilio: Caller) -> list[tuple[str, int]]:
    """Scope and code of each block."""
    return [(each["scope"], each["code"]) for each in twilio.control("GET", "opt-outs")]


@pytest.mark.parametrize(
    "word",
    ["STOP", " Stop\n", *["stopall", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]],
)
def test_after_a_stop_sends_fail_with_21610(twilio: Caller, webhook: Webhook, word: str) -> None:
    # GIVEN
    listen(twilio, webhook)
    # WHEN the person says stop
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": word})
    # THEN the webhook hears it as well
    assert outcome["opt_out_type"] == "STOP"
    assert webhook.received[0].params["Body"] == word
    # AND a service accepts and fails, a bare sender is refused
    assert twilio.wait_for(twilio.make()["sid"], "failed")["error_code"] == 21610
    assert twilio.create(From="+14155550100").json()["code"] == 21610
    # AND others are not affected
    assert twilio.wait_for(twilio.make(To="+12025550124")["sid"], "delivered")


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
def test_a_start_lifts_the_block(twilio: Caller, word: str) -> None:
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": word})
    assert outcome["opt_out_type"] == "START"
    assert twilio.wait_for(twilio.make()["sid"], "delivered")


@pytest.mark.parametrize(
    ("body", "opt_out_type"),
    [("HELP", "HELP"), ("info", "HELP"), ("STOP PLEASE", None), ("please stop", None), ("", None)],
)
def test_other_words_block_nobody(twilio: Caller, body: str, opt_out_type: str | None) -> None:
    outcome = twilio.control("POST", "inbound", {"from": ORDINARY, "body": body})
    assert outcome["opt_out_type"] == opt_out_type
    assert twilio.control("GET", "opt-outs") == []


def test_a_stop_makes_the_failure_known_by_callback(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("POST", "inbound", {"from": ORDINARY, "body": "STOP"})
    sid = twilio.make(StatusCallback=webhook.url)["sid"]
    eventually(lambda: webhook.received)
    assert webhook.statuses_of(sid) == ["failed"]
    assert webhook.received[0].params["ErrorCode"] == "21610"


def test_a_block_of_a_service_covers_it_and_nothing_else(twilio: Caller) -> None:
    write(twilio, "STOP")
    assert twilio.create(From=SENDER).json()["code"] == 21610
    assert twilio.wait_for(twilio.make(From=LOOSE)["sid"], "delivered", "undelivered")


def test_a_block_of_a_number_outside_services_covers_that_number(twilio: Caller) -> None:
    write(twilio, "STOP", to=LOOSE)
    assert blocks(twilio) == [(LOOSE, 21610)]
    assert twilio.create(From=LOOSE).json()["code"] == 21610
    assert twilio.wait_for(twilio.make()["sid"], "delivered")


def test_twilio_confirms_a_stop_and_a_start_free_of_charge(twilio: Caller) -> None:
    stopped = write(twilio, "STOP")
    started = write(twilio, "START")
    assert answers(twilio, stopped) == [DEFAULT_TEXTS[Keyword.STOP]]
    assert answers(twilio, started) == [DEFAULT_TEXTS[Keyword.START]]
    message = twilio.fetch(stopped["confirmations"][0])
    assert (message["direction"], message["status"]) == ("outbound-reply", "delivered")
    assert (message["from"], message["to"], message["price"]) == (SENDER, ORDINARY, None)
    assert twilio.control("GET", "truth")["total"] == 0


@pytest.mark.parametrize(
    ("words", "count"),
    [(["STOP", "STOP"], 0), (["START"], 0), (["HELP"], 1), (["STOP", "HELP"], 0), (["hi"], 0)],
)
def test_what_changes_nothing_is_not_confirmed_and_help_reaches_no_one_opted_out(
    twilio: Caller, words: list[str], count: int
) -> None:
    outcomes = [write(twilio, word) for word in words]
    assert len(outcomes[-1]["confirmations"]) == count


def test_without_advanced_opt_out_the_webhook_hears_no_type(
    twilio: Caller, webhook: Webhook
) -> None:
    listen(twilio, webhook)
    write(twilio, "STOP")
    assert "OptOutType" not in webhook.received[0].params


def test_a_short_code_leaves_keywords_to_its_owner(twilio: Caller) -> None:
    outcome = write(twilio, "STOP", to=SHORT_CODE)
    assert (outcome["opt_out_type"], outcome["confirmations"]) == (None, [])
    assert blocks(twilio) == []


def test_a_stop_by_rcs_blocks_the_number_as_well(twilio: Caller) -> None:
    twilio.control("POST", "channel-senders", {"sender": "rcs:acme_agent"})
    listed = twilio.control("POST", "channel-senders", {"sender": "rcs:acme_agent"})
    path = f"/v1/Services/{twilio.service_sid}/ChannelSenders"
    assert twilio.api("POST", path, Sid=listed["sid"]).status_code == 201
    write(twilio, "STOP", to="rcs:acme_agent", person=f"rcs:{ORDINARY}")
    assert twilio.create(From=SENDER).json()["code"] == 21610


# --- toll-free


def test_the_network_stops_a_toll_free_number_and_sends_end_with_30004(twilio: Caller) -> None:
    outcome = write(twilio, "stop", to=TOLL_FREE)
    assert blocks(twilio) == [(TOLL_FREE, 30004)]
    assert answers(twilio, outcome)[0].startswith(NETWORK_STOP)
    sid = twilio.make(From=TOLL_FREE)["sid"]
    assert twilio.wait_for(sid, "failed", "undelivered")["error_code"] == 30004


def test_another_stop_word_to_a_toll_free_number_is_twilios_matter(twilio: Caller) -> None:
    write(twilio, "UNSUBSCRIBE", to=TOLL_FREE)
    assert blocks(twilio) == [(TOLL_FREE, 21610)]
    write(twilio, "YES", to=TOLL_FREE)
    assert blocks(twilio) == []


@pytest.mark.parametrize(("word", "is_lifted"), [("START", True), ("unstop", True), ("YES", False)])
def test_only_start_and_unstop_reach_the_network(
    twilio: Caller, word: str, *, is_lifted: bool
) -> None:
    write(twilio, "STOP", to=TOLL_FREE)
    outcome = write(twilio, word, to=TOLL_FREE)
    assert blocks(twilio) == ([] if is_lifted else [(TOLL_FREE, 30004)])
    expected = f'NETWORK MSG: You have replied "{word.lower()}" and will begin receiving'
    texts = answers(twilio, outcome)
    assert [text.startswith(expected) for text in texts] == ([True] if is_lifted else [])


def test_a_toll_free_number_of_a_service_is_blocked_twice(twilio: Caller) -> None:
    # GIVEN a toll-free number in the pool
    join(twilio, TOLL_FREE)
    # WHEN it hears STOP, and then YES
    write(twilio, "STOP", to=TOLL_FREE)
    stopped = blocks(twilio)
    outcome = write(twilio, "YES", to=TOLL_FREE)
    # THEN the service is open again, but not the network
    assert stopped == [(TOLL_FREE, 30004), (twilio.service_sid, 21610)]
    assert blocks(twilio) == [(TOLL_FREE, 30004)]
    assert outcome["confirmations"] == []


def join(twilio: Caller, address: str) -> None:
    """Put a number of the account into the default service."""
    path = f"/2010-04-01/Accounts/{twilio.account.account_sid}/IncomingPhoneNumbers.json"
    listed = twilio.api("GET", path).json()["incoming_phone_numbers"]
    sid = next(each["sid"] for each in listed if each["phone_number"] == address)
    path = f"/v1/Services/{twilio.service_sid}/PhoneNumbers"
    assert twilio.api("POST", path, PhoneNumberSid=sid).status_code == 201


# --- Advanced Opt-Out


SPANISH = {
    "enabled": True,
    "keywords": {"STOP": ["Parar", "alto ya"], "START": ["JOIN"], "HELP": ["AYUDA"]},
    "messages": {"STOP": "Adiós", "START": "Hola", "HELP": "Escriba PARAR"},
}


def enable(twilio: Caller, given: dict[str, Any]) -> dict[str, Any]:
    return dict(twilio.control("PUT", f"advanced-opt-out/{twilio.service_sid}", given))


def test_advanced_opt_out_is_off_by_default(twilio: Caller) -> None:
    shown = twilio.control("GET", f"advanced-opt-out/{twilio.service_sid}")
    assert shown["enabled"] is False
    assert shown["keywords"]["START"] == ["START", "UNSTOP", "YES"]


def test_advanced_opt_out_shows_its_words_and_keeps_those_that_cannot_go(twilio: Caller) -> None:
    shown = enable(twilio, SPANISH)
    assert shown == twilio.control("GET", f"advanced-opt-out/{twilio.service_sid}")
    assert shown["enabled"] is True
    assert shown["keywords"] == {
        "STOP": ["ALTO YA", "PARAR", "STOP"],
        "START": ["JOIN", "START", "UNSTOP"],
        "HELP": ["AYUDA", "HELP"],
    }
    assert shown["messages"] == SPANISH["messages"]


@pytest.mark.parametrize(
    ("body", "opt_out_type", "text"),
    [
        ("parar", "STOP", "Adiós"),
        ("Alto ya", "STOP", "Adiós"),
        ("STOP", "STOP", "Adiós"),
        ("join", "START", "Hola"),
        ("UNSTOP", "START", "Hola"),
        ("ayuda", "HELP", "Escriba PARAR"),
        ("QUIT", None, None),
        ("YES", None, None),
        ("INFO", None, None),
    ],
)
def test_with_advanced_opt_out_own_words_count_and_the_webhook_hears_the_type(
    twilio: Caller, webhook: Webhook, body: str, opt_out_type: str | None, text: str | None
) -> None:
    listen(twilio, webhook)
    enable(twilio, SPANISH)
    outcome = write(twilio, body)
    assert outcome["opt_out_type"] == opt_out_type
    assert webhook.received[0].params.get("OptOutType") == opt_out_type
    assert answers(twilio, outcome) == ([text] if text else [])
    assert blocks(twilio) == ([(twilio.service_sid, 21610)] if opt_out_type == "STOP" else [])


def test_a_toll_free_start_is_answered_by_the_network_and_by_the_service(twilio: Caller) -> None:
    join(twilio, TOLL_FREE)
    enable(twilio, SPANISH)
    stopped = write(twilio, "STOP", to=TOLL_FREE)
    started = write(twilio, "START", to=TOLL_FREE)
    assert [text.startswith(NETWORK_STOP) for text in answers(twilio, stopped)] == [True]
    assert [text.partition(":")[0] for text in answers(twilio, started)] == ["NETWORK MSG", "Hola"]


def test_advanced_opt_out_can_be_switched_off_and_a_reset_forgets_it(twilio: Caller) -> None:
    enable(twilio, SPANISH)
    assert enable(twilio, {"enabled": False})["enabled"] is False
    enable(twilio, {"keywords": {"STOP": ["PARAR"]}})
    twilio.control("POST", "reset", {"services": True})
    assert twilio.control("GET", f"advanced-opt-out/{twilio.service_sid}")["enabled"] is False


@pytest.mark.parametrize(
    ("service", "given", "reason"),
    [
        ("MG" + "0" * 32, {}, "is no service of this account"),
        (None, {"words": {}}, "unknown: words"),
        (None, {"keywords": {"PAUSE": []}}, "PAUSE"),
        (None, {"keywords": {"STOP": "PARAR"}}, "a list is wanted"),
        (None, [], "a JSON object is wanted"),
    ],
)
def test_advanced_opt_out_refuses_what_it_cannot_read(
    twilio: Caller, service: str | None, given: Any, reason: str
) -> None:
    url = f"{twilio.base_url}/_control/advanced-opt-out/{service or twilio.service_sid}"
    response = requests.put(url, json=given, timeout=TIMEOUT)
    assert (response.status_code, reason in response.json()["error"]) == (400, True)
