"""Scripted faults: what the caller sees, and whether a message was made."""

from typing import Any

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, Caller, eventually

pytestmark = pytest.mark.enable_socket


def total(twilio: Caller) -> int:
    return int(twilio.control("GET", "truth")["total"])


@pytest.mark.parametrize(("kind", "made"), [("made_then_cut", 1), ("cut_before", 0)])
def test_a_cut_leaves_the_caller_without_an_answer(twilio: Caller, kind: str, made: int) -> None:
    twilio.control("POST", "faults", {"kind": kind})
    with pytest.raises(requests.ConnectionError):
        twilio.create()
    assert total(twilio) == made
    # the fault is used up
    assert twilio.create().status_code == 201


@pytest.mark.parametrize(("kind", "made"), [("made_then_500", 1), ("refuse_500", 0)])
def test_a_500_does_not_say_whether_the_message_was_made(
    twilio: Caller, kind: str, made: int
) -> None:
    twilio.control("POST", "faults", [{"kind": kind}])
    response = twilio.create()
    assert response.status_code == 500
    assert "code" not in response.json()
    assert total(twilio) == made


def test_a_message_made_unseen_lives_on_and_is_listed(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "made_then_cut"})
    with pytest.raises(requests.ConnectionError):
        twilio.create(Body="unseen")
    listed = twilio.api("GET", f"{twilio.messages_path}.json").json()["messages"]
    assert [message["body"] for message in listed] == ["unseen"]
    twilio.wait_for(listed[0]["sid"], "delivered")


def test_a_429_makes_nothing_as_often_as_it_was_ordered(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"faults": [{"kind": "refuse_429", "count": 2}]})
    answers = [twilio.create() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].json()["code"] == 20429
    assert total(twilio) == 1


def test_a_hanging_answer_comes_after_the_message_was_made(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "made_then_hang", "seconds": 600})
    hanging = twilio.begin_create()
    eventually(lambda: total(twilio) == 1)
    hanging.close()


def test_latency_delays_the_answer_only(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "latency", "ms": 50})
    response = twilio.create()
    assert response.status_code == 201
    assert float(response.headers["Twilio-Request-Duration"]) >= 0.05
    assert twilio.control("GET", "faults") == []


def test_a_late_message_is_made_even_if_the_caller_gave_up(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "latency", "ms": 100})
    given_up = twilio.begin_create()
    eventually(lambda: twilio.control("GET", "faults") == [])
    given_up.close()
    eventually(lambda: total(twilio) == 1)


def test_a_fault_may_wait_for_one_recipient(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "refuse_429", "to": "+12025550111"})
    assert twilio.create(To=ORDINARY).status_code == 201
    assert twilio.create(To="+12025550111").status_code == 429
    assert twilio.create(To="+12025550111").status_code == 201


@pytest.mark.parametrize(("probability", "status"), [(0, 201), (1, 429)])
def test_a_fault_may_be_a_matter_of_chance(twilio: Caller, probability: float, status: int) -> None:
    fault = {"kind": "refuse_429", "count": None, "probability": probability}
    twilio.control("POST", "faults", fault)
    assert {twilio.create().status_code for _ in range(5)} == {status}
    assert len(twilio.control("GET", "faults")) == 1
    assert twilio.control("DELETE", "faults") == []
    assert twilio.create().status_code == 201


@pytest.mark.parametrize("fault", [{"kind": "unknown"}, {"count": 1}, {"kind": "latency", "x": 1}])
def test_a_fault_that_cannot_be_read_is_refused(twilio: Caller, fault: dict[str, Any]) -> None:
    response = requests.post(f"{twilio.base_url}/_control/faults", json=fault, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]
    assert twilio.control("GET", "faults") == []


def test_a_fault_may_strike_any_route(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "refuse_500", "on": "messages.list"})
    path = f"{twilio.messages_path}.json"
    assert twilio.create().status_code == 201
    assert twilio.api("GET", path).status_code == 500
    assert twilio.api("GET", path).status_code == 200


def test_a_pattern_strikes_all_routes_of_its_kind(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "refuse_429", "on": "services.*", "count": None})
    assert twilio.create().status_code == 201
    for path in ("/v1/Services", f"/v1/Services/{twilio.service_sid}"):
        assert twilio.api("GET", path).json()["code"] == 20429


def test_what_was_carried_out_before_the_cut_stays(twilio: Caller) -> None:
    twilio.control("POST", "faults", {"kind": "made_then_500", "on": "services.create"})
    assert twilio.api("POST", "/v1/Services", FriendlyName="Unseen").status_code == 500
    names = [each["friendly_name"] for each in twilio.api("GET", "/v1/Services").json()["services"]]
    assert "Unseen" in names


def test_a_run_with_chance_repeats(twilio: Caller) -> None:
    runs = []
    for _ in range(2):
        twilio.control("POST", "reset")
        twilio.control("POST", "faults", {"kind": "refuse_429", "count": None, "probability": 0.5})
        runs.append([twilio.create().status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {201, 429}
