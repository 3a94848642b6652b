"""US A2P 10DLC by our API alone, against the whole simulated Twilio, in virtual time: from nothing to approved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.registration import (
    BRAND,
    CAMPAIGN,
    FORM,
    SOLE,
    STANDARD,
    Time,
    approved_brand,
    ask,
    good,
    step,
    steps,
)
from tests.functional.simulated import SimulatedTwilio


@pytest.fixture
def time(simulator: SimulatedTwilio, clock: Clock) -> Time:
    return Time(simulator, clock)


def next_of(page: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["step"], each["state"], each["actor"]) for each in page["next"]]


def test_a_brand_and_a_campaign_go_from_draft_to_approved_through_rejections(  # noqa: PLR0915  it is one story
    simulator: SimulatedTwilio, time: Time
) -> None:
    empty = good("GET", "/compliance")
    assert (empty["ready"], empty["brands"], empty["campaigns"]) == (False, [], [])
    assert next_of(empty) == [("customer_profile", "incomplete", "team")]
    # GIVEN a brand of which something is missing
    bare = {name: each for name, each in STANDARD.items() if name != "address"}
    status, shown = ask("PUT", BRAND, bare)
    assert status == 202
    assert steps(shown) == {
        "customer_profile": "incomplete",
        "a2p_profile": "waiting",
        "brand": "waiting",
        "vetting": "waiting",
    }
    assert "address.city" in step(shown, "customer_profile")["missing"]
    assert next_of(good("GET", "/compliance")) == [("customer_profile", "incomplete", "team")]
    assert simulator.changes == []
    # WHEN the whole of it is declared, with an EIN that no registry knows
    wrong = STANDARD["business"] | {"registration_number": "not an EIN"}
    shown = good("PUT", BRAND, STANDARD | {"business": wrong})
    assert steps(shown)["customer_profile"] == "in_review"
    # what is declared is shown to whoever compares, and not on the page of all
    assert good("PUT", BRAND, shown["declared"])["declared"] == shown["declared"]
    assert "declared" not in good("GET", "/compliance")["brands"][0]
    assert step(shown, "customer_profile")["status"] == "pending-review"
    # AND reviews take their time
    time.passes(days=1, minutes=20)
    shown = good("GET", BRAND)
    assert (steps(shown)["customer_profile"], steps(shown)["a2p_profile"]) == ("done", "in_review")
    time.passes(days=1, minutes=20)
    # THEN the fee is named before it is due
    shown = good("GET", BRAND)
    assert steps(shown)["brand"] == "fee_due"
    assert step(shown, "brand")["fees"][0]["micros"] == 46_000_000
    assert next_of(good("GET", "/compliance")) == [("brand", "fee_due", "team")]
    # AND once it is accepted the brand is registered, and fails
    shown = good("POST", f"{BRAND}/advance", {"accept_fees": True})
    assert steps(shown)["brand"] == "in_review"
    time.passes(minutes=6)
    shown = good("GET", BRAND)
    failed = step(shown, "brand")
    assert (failed["state"], failed["actor"], failed["status"]) == ("rejected", "team", "FAILED")
    (problem,) = failed["problems"]
    assert (problem["code"], problem["cause"]) == (30795, "identity")
    assert "CP 575" in problem["change"]
    # WHEN what was wrong is changed, it is handed in again
    shown = good("PUT", BRAND, STANDARD)
    assert steps(shown)["brand"] == "in_review"
    time.passes(minutes=6)
    assert steps(good("GET", BRAND)) == {
        "customer_profile": "done",
        "a2p_profile": "done",
        "brand": "done",
        "vetting": "in_review",
    }
    time.passes(hours=1, minutes=1)
    status, shown = ask("PUT", BRAND, STANDARD)
    assert (status, shown["ready"], shown["identity"]) == (200, True, "VETTED_VERIFIED")
    assert shown["score"] is not None
    # GIVEN a campaign of this brand that a reviewer rejects
    draft = FORM | {"description": f"{FORM['description']} reject:30909"}
    shown = good("PUT", CAMPAIGN, draft)
    assert steps(shown) == {"campaign": "fee_due", "numbers": "incomplete"}
    shown = good("PUT", CAMPAIGN, draft | {"accept_fees": True})
    assert (shown["status"], steps(shown)["campaign"]) == ("PENDING", "in_review")
    time.passes(days=5)
    assert step(good("GET", CAMPAIGN), "campaign")["actor"] == "carriers"
    time.passes(days=6)
    page = good("GET", "/compliance")
    assert next_of(page) == [("campaign", "rejected", "team")]
    (problem,) = step(page["campaigns"][0], "campaign")["problems"]
    assert (problem["code"], problem["fields"]) == (30909, ["MESSAGE_FLOW"])
    # WHEN it is changed, it is handed in again, and approved
    assert good("PUT", CAMPAIGN, FORM)["status"] == "PENDING"
    time.passes(days=11)
    status, shown = ask("PUT", CAMPAIGN, FORM)
    assert (status, shown["ready"], shown["status"]) == (200, True, "VERIFIED")
    assert shown["granted_segments_per_second"] == shown["throughput"]["segments_per_second"]
    # THEN there was one brand, one campaign, and one of each part
    made = [each for each in simulator.changes if each.endswith("/BrandRegistrations")]
    assert len(made) == 1
    assert next_of(good("GET", "/compliance")) == [("numbers", "incomplete", "team")]


def test_a_sole_proprietor_answers_yes_and_the_sms_is_sent_again(
    simulator: SimulatedTwilio, time: Time
) -> None:
    shown = approved_brand(time, SOLE)
    assert not shown["ready"]
    confirming = step(shown, "owner_confirmation")
    assert (confirming["state"], confirming["actor"]) == ("confirming", "brand_owner")
    # GIVEN the owner did not answer in time
    time.passes(days=1, minutes=5)
    (problem,) = step(good("GET", BRAND), "owner_confirmation")["problems"]
    assert problem["code"] == 30752
    # WHEN it is sent again and answered
    assert ask("POST", f"{BRAND}/otp")[0] == 202
    simulator.control("POST", f"brands/{shown['brand_sid']}/otp", {"answer": "YES"})
    time.passes(minutes=6)
    # THEN it is ready, and nobody is asked any more
    assert good("GET", BRAND)["ready"]
    status, answered = ask("POST", f"{BRAND}/otp")
    assert (status, answered["code"]) == (409, "no_confirmation_awaited")
    # AND it may have the one kind of campaign
    found = good("GET", "/compliance/use-cases", brand="owl")
    assert [each["code"] for each in found["use_cases"]] == ["SOLE_PROPRIETOR"]
    assert found["use_cases"][0]["throughput"] == {
        "segments_per_second": 3.0,
        "tmobile_daily": 1000,
        "daily": 3000,
    }


def test_a_low_volume_brand_is_not_vetted_unless_somebody_pays_for_it(time: Time) -> None:
    shown = approved_brand(time, STANDARD | {"kind": "low_volume"})
    assert (shown["ready"], "vetting" in steps(shown)) == (True, False)
    found = good("GET", "/compliance/use-cases", brand="owl")
    assert [each["code"] for each in found["use_cases"]] == ["LOW_VOLUME"]
    assert found["use_cases"][0]["throughput"]["segments_per_second"] == 3.75
    # WHEN it is vetted after all
    status, answered = ask("POST", f"{BRAND}/vettings", {"provider": "aegis"})
    assert (status, answered["code"]) == (409, "fee_not_accepted")
    wanted = {"provider": "aegis", "accept_fees": True}
    assert steps(good("POST", f"{BRAND}/vettings", wanted))["vetting"] == "in_review"
    assert steps(good("POST", f"{BRAND}/vettings", wanted))["vetting"] == "in_review"
    time.passes(hours=1, minutes=2)
    # THEN once
    assert steps(good("GET", BRAND))["vetting"] == "done"
