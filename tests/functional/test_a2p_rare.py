"""US A2P 10DLC in states that are rare and cost money: deaths at the ledger, deletions, what is changed too late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sendpool.adapters import aws as clients
from tests.functional.conftest import Clock
from tests.functional.killed import KilledError
from tests.functional.registration import (
    BRAND,
    CAMPAIGN,
    FORM,
    STANDARD,
    Time,
    approved_brand,
    ask,
    good,
    steps,
)
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio

CAMPAIGN_ACCEPTED = FORM | {"accept_fees": True}
USA2P = f"/v1/Services/{OTHER_SERVICE_SID}/Compliance/Usa2p"


@pytest.fixture
def time(simulator: SimulatedTwilio, clock: Clock) -> Time:
    return Time(simulator, clock)


@contextmanager
def killed_at_ledger(operation: str) -> Iterator[None]:
    """Kill the process where it would have its first such operation done."""

    def strike(**_: Any) -> None:
        raise KilledError

    all_events = [clients.dynamodb(each).meta.events for each in ("long", "short")]
    for events in all_events:
        events.register(f"before-call.dynamodb.{operation}", strike)
    try:
        with pytest.raises(KilledError):
            yield
    finally:
        for events in all_events:
            events.unregister(f"before-call.dynamodb.{operation}", strike)


@contextmanager
def killed_once_done(simulator: SimulatedTwilio, request: str) -> Iterator[None]:
    """Kill the process after a request to Twilio was done, and before it is written."""

    def strike(method: str, path: str) -> None:
        if f"{method} {path}" == request:
            raise KilledError

    simulator.after = strike
    try:
        with pytest.raises(KilledError):
            yield
    finally:
        simulator.after = lambda _method, _path: None


def campaigns(simulator: SimulatedTwilio) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = simulator.api("GET", USA2P)["compliance"]
    return listed


# ------------------------------------------------------------------------------------------------ campaigns


def test_a_campaign_whose_deletion_dies_on_the_way_is_not_handed_in_again(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN somebody who deletes a campaign, and dies before it is forgotten here
    approved_brand(time)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    with killed_at_ledger("DeleteItem"):
        good("DELETE", CAMPAIGN)
    # WHEN the sweeper looks
    time.passes(days=1, minutes=1)
    # THEN no fee is paid for what nobody wants
    assert campaigns(simulator) == []
    assert simulator.requests.count(f"POST {USA2P}") == 1
    assert steps(good("GET", CAMPAIGN))["campaign"] == "fee_due"


def test_a_campaign_that_was_handed_in_without_an_answer_is_deleted_too(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    with killed_once_done(simulator, f"POST {USA2P}"):
        good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.stands_by(minutes=1)
    good("DELETE", CAMPAIGN)
    assert campaigns(simulator) == []


def test_deleting_one_that_was_never_handed_in_leaves_the_campaign_of_somebody_else(
    simulator: SimulatedTwilio, time: Time
) -> None:
    shown = approved_brand(time)
    form = {
        "BrandRegistrationSid": shown["brand_sid"],
        "Description": "Something else that somebody handed in by hand",
        "MessageFlow": FORM["message_flow"],
        "MessageSamples": FORM["message_samples"],
        "UsAppToPersonUsecase": "2FA",
        "HasEmbeddedLinks": "false",
        "HasEmbeddedPhone": "false",
    }
    simulator.api("POST", USA2P, **form)
    assert ask("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)[1]["code"] == "other_campaign"
    good("DELETE", CAMPAIGN)
    assert len(campaigns(simulator)) == 1


def test_a_campaign_handed_in_without_an_answer_stays_ours_when_something_else_is_declared(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a campaign that was handed in by a process that died, and then written anew
    approved_brand(time)
    with killed_once_done(simulator, f"POST {USA2P}"):
        good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.stands_by(minutes=1)
    other = FORM | {"description": f"{FORM['description']} Also of returns."}
    # WHEN
    shown = good("PUT", CAMPAIGN, other)
    # THEN it is followed, and nobody pays again
    assert shown["status"] == "PENDING"
    assert simulator.requests.count(f"POST {USA2P}") == 1


@pytest.mark.parametrize("path", [BRAND, CAMPAIGN])
def test_who_forgets_what_another_one_works_on_is_told_so(
    simulator: SimulatedTwilio, time: Time, path: str
) -> None:
    # GIVEN a sweep that begins between our last write and the deletion
    good("PUT", BRAND, STANDARD | {"email": None})
    if path == CAMPAIGN:
        good("PUT", CAMPAIGN, FORM)
    events = [clients.dynamodb(each).meta.events for each in ("long", "short")]

    def rival(**_: Any) -> None:
        for each in events:
            each.unregister("before-call.dynamodb.DeleteItem", rival)
        time.passes(days=2)

    for each in events:
        each.register("before-call.dynamodb.DeleteItem", rival)
    status, answered = ask("DELETE", path)
    # THEN it is not said to be forgotten while it is still there
    assert (status, answered["code"]) == (409, "in_progress")
    assert ask("GET", path)[0] == 200
    good("DELETE", path)
    assert ask("GET", path)[0] == 404
