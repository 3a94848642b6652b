"""US A2P 10DLC where it is hard: processes that die, answers that get lost, rivals, refusals, deletions, events."""

from __future__ import annotations

from itertools import count
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from functions.compliance.app import lambda_handler as compliance
from functions.recorder.app import lambda_handler as recorder
from functions.status.app import lambda_handler as status_webhook
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.edge import seldom
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.listening import Listener
from tests.functional.registration import (
    BRAND,
    CAMPAIGN,
    FORM,
    STANDARD,
    Time,
    approved_brand,
    ask,
    good,
    hand_in_by_hand,
    step,
    steps,
)
from tests.functional.requests import http
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio
from tests.functional.test_webhooks import webhook
from tests.functional.twilio import Answer

ACCEPTED = STANDARD | {"accept_fees": True}
CAMPAIGN_ACCEPTED = FORM | {"accept_fees": True}


@pytest.fixture
def time(simulator: SimulatedTwilio, clock: Clock) -> Time:
    return Time(simulator, clock)


def made(simulator: SimulatedTwilio) -> dict[str, int]:
    """Count what there is at Twilio of each kind."""
    hub = "/v1"
    listed = {
        "end users": (f"{hub}/EndUsers", "results"),
        "documents": (f"{hub}/SupportingDocuments", "results"),
        "profiles": (f"{hub}/CustomerProfiles", "results"),
        "products": (f"{hub}/TrustProducts", "results"),
        "brands": ("/v1/a2p/BrandRegistrations", "data"),
    }
    return {name: len(simulator.api("GET", path)[key]) for name, (path, key) in listed.items()}


# ------------------------------------------------------------------------------------------------ dying


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_at_any_call_of_a_brand_makes_nothing_twice(
    simulator: SimulatedTwilio, time: Time, when: Literal["before", "after"]
) -> None:
    # GIVEN processes that die at each of the calls in turn, one brand after the other
    there = made(simulator)
    deaths = 0
    for number in count(1):
        path = f"/compliance/brands/owl-{number}"
        body = ACCEPTED | {"business": STANDARD["business"] | {"name": f"Owl {number}"}}
        with simulator.killed_at(number, when) as was_killed:
            good("PUT", path, body)
        deaths += was_killed()
        # WHEN somebody asks again once the lease is over
        time.stands_by(minutes=1)
        assert steps(good("PUT", path, body))["customer_profile"] == "in_review"
        # THEN there is one of each
        now = made(simulator)
        added = {name: now[name] - there[name] for name in there}
        assert added == {
            "end users": 2,
            "documents": 1,
            "profiles": 1,
            "products": 0,
            "brands": 0,
        }, number
        there = now
        if not was_killed():
            break
    assert deaths > 15


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_a_brand_is_registered_pays_once(
    simulator: SimulatedTwilio, time: Time, when: Literal["before", "after"]
) -> None:
    good("PUT", BRAND, STANDARD)
    time.passes(days=1, minutes=20)
    time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["brand"] == "fee_due"
    before = made(simulator)["brands"]
    for call in count(1):
        with simulator.killed_at(call, when) as was_killed:
            good("POST", f"{BRAND}/advance", {"accept_fees": True})
        time.stands_by(minutes=1)
        if not was_killed():
            break
    assert call > 3
    good("PUT", BRAND, STANDARD)
    assert made(simulator)["brands"] == before + 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_a_failed_brand_is_handed_in_again_uses_up_one_correction(
    simulator: SimulatedTwilio, time: Time, when: Literal["before", "after"]
) -> None:
    wrong = STANDARD["business"] | {"registration_number": "none"}
    shown = approved_or_failed(time, STANDARD | {"business": wrong})
    path = f"/v1/a2p/BrandRegistrations/{shown['brand_sid']}"
    simulator.requests.clear()
    for call in count(1):
        with simulator.killed_at(call, when) as was_killed:
            good("PUT", BRAND, STANDARD)
        time.stands_by(minutes=1)
        if not was_killed():
            break
    # an attempt that was struck down before it arrived is no correction
    tries = simulator.requests.count(f"POST {path}")
    assert tries == (2 if when == "before" else 1)
    assert steps(good("GET", BRAND))["brand"] == "in_review"


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_at_any_call_of_a_campaign_hands_in_one(
    simulator: SimulatedTwilio, time: Time, when: Literal["before", "after"]
) -> None:
    approved_brand(time)
    for call in count(1):
        with simulator.killed_at(call, when) as was_killed:
            good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
        time.stands_by(minutes=1)
        if not was_killed():
            break
    assert call > 3
    path = f"/v1/Services/{OTHER_SERVICE_SID}/Compliance/Usa2p"
    tries = simulator.requests.count(f"POST {path}")
    assert tries == (2 if when == "before" else 1)
    assert good("GET", CAMPAIGN)["status"] == "PENDING"


def test_an_answer_that_gets_lost_leaves_the_lease_until_it_is_over(
    simulator: SimulatedTwilio, time: Time
) -> None:
    with simulator.answer_lost():
        assert ask("PUT", BRAND, ACCEPTED)[0] == 503
    # somebody who looks at once might not find what was made
    status, answered = ask("PUT", BRAND, ACCEPTED)
    assert (status, answered["code"]) == (409, "in_progress")
    time.passes(seconds=70)
    assert steps(good("GET", BRAND))["customer_profile"] == "in_review"


def test_who_has_no_time_left_leaves_the_rest_to_the_sweeper(
    simulator: SimulatedTwilio, time: Time
) -> None:
    short = Context(milliseconds=[29_000, 29_000, 29_000, 1_000])
    answer = compliance(http("PUT", BRAND, ACCEPTED), short)
    assert answer["statusCode"] == 202
    assert len(simulator.changes) < 5
    time.passes(minutes=1)
    assert steps(good("GET", BRAND))["customer_profile"] == "in_review"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer(error=NoAnswerError("late")), 503, "twilio_unavailable"),
        (Answer(429, 20429), 429, "twilio_busy"),
        (Answer(403, 20006), 502, "twilio_auth"),
        (Answer(400, 21730), 503, "twilio_a2p_temporary"),
    ],
)
def test_what_twilio_does_not_answer_is_a_problem(
    simulator: SimulatedTwilio, time: Time, answer: Answer, status: int, code: str
) -> None:
    good("PUT", BRAND, STANDARD)
    simulator.answers = [answer]
    found, answered = ask("POST", f"{BRAND}/advance")
    assert (found, answered["code"]) == (status, code)


# ------------------------------------------------------------------------------------------------ rules


def test_a_request_that_twilio_refuses_is_explained_and_kept(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    # GIVEN a use case that does not go with what the service is declared to be for
    simulator.api("POST", f"/v1/Services/{OTHER_SERVICE_SID}", Usecase="marketing")
    status, answered = ask(
        "PUT", CAMPAIGN, CAMPAIGN_ACCEPTED | {"us_app_to_person_usecase": "2FA", "force": True}
    )
    assert (status, answered["twilio_code"], answered["code"]) == (422, 21719, "twilio_a2p_form")
    assert "use case" in answered["remedy"]
    # THEN the page shows it too
    shown = step(good("GET", CAMPAIGN), "campaign")
    assert (shown["state"], shown["actor"]) == ("ready", "team")
    assert shown["problems"][0]["code"] == 21719
    # AND it goes on by itself once that is put right
    simulator.api("POST", f"/v1/Services/{OTHER_SERVICE_SID}", Usecase="undeclared")
    time.passes(minutes=16)
    assert good("GET", CAMPAIGN)["status"] == "PENDING"


def test_a_campaign_that_would_be_rejected_is_not_paid_for_unless_it_is_forced(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    bad = CAMPAIGN_ACCEPTED | {
        "message_samples": ["Owl Couriers: http://bit.ly/x Reply STOP to opt out", "Hello there"]
    }
    changes = len(simulator.changes)
    status, answered = ask("PUT", CAMPAIGN, bad)
    assert (status, answered["code"]) == (422, "preflight_rejected")
    assert "30892" in str(answered["errors"])
    assert (len(simulator.changes), ask("GET", CAMPAIGN)[0]) == (changes, 404)


def test_what_is_under_review_or_registered_is_not_changed(time: Time) -> None:
    good("PUT", BRAND, ACCEPTED)
    other = STANDARD | {"email": "other@owlcouriers.com"}
    status, answered = ask("PUT", BRAND, other)
    assert (status, answered["code"]) == (409, "registration_closed")
    approved_brand(time)
    assert ask("PUT", BRAND, other)[1]["code"] == "registration_closed"
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    changed = FORM | {"description": f"{FORM['description']} And more."}
    assert ask("PUT", CAMPAIGN, changed)[1]["code"] == "registration_closed"


def test_what_an_evaluation_finds_missing_is_shown_before_anything_is_handed_in(
    simulator: SimulatedTwilio, time: Time
) -> None:
    person = STANDARD["representatives"][0] | {"job_position": "Other"}
    body = STANDARD | {"representatives": [person], "address": STANDARD["address"]}
    # GIVEN a profile that lost its address document in the console, before it was handed in
    simulator.after = lambda method, path: (
        lose_document(simulator)
        if path.endswith("/EntityAssignments") and method == "POST"
        else None
    )
    shown = good("PUT", BRAND, body)
    simulator.after = lambda _method, _path: None
    found = step(shown, "customer_profile")
    assert (found["state"], found["actor"]) == ("incomplete", "team")
    assert 22219 in [each["code"] for each in found["problems"]]


def lose_document(simulator: SimulatedTwilio) -> None:
    for each in simulator.api("GET", "/v1/SupportingDocuments")["results"]:
        if each["friendly_name"].startswith("sendpool"):
            simulator.api("POST", f"/v1/SupportingDocuments/{each['sid']}", Attributes="{}")


def test_a_rejected_profile_says_what_to_change_and_is_handed_in_again_when_it_is(
    simulator: SimulatedTwilio, time: Time
) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    found = step(good("GET", BRAND), "customer_profile")
    assert (found["state"], found["actor"], found["status"]) == (
        "rejected",
        "team",
        "twilio-rejected",
    )
    assert found["problems"][0]["code"] == 18602
    assert "IRS" in found["problems"][0]["change"]
    # nothing is handed in again as it is, unless somebody says so
    changes = len(simulator.changes)
    good("POST", f"{BRAND}/advance")
    time.passes(days=1)
    assert len(simulator.changes) == changes
    assert steps(good("POST", f"{BRAND}/advance", {"resubmit": True}))["customer_profile"] == (
        "in_review"
    )
    time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["customer_profile"] == "rejected"
    assert steps(good("PUT", BRAND, STANDARD))["customer_profile"] == "in_review"
    time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["customer_profile"] == "done"


def test_a_new_address_is_told_as_another_one(simulator: SimulatedTwilio, time: Time) -> None:
    good("PUT", BRAND, STANDARD | {"email": None})
    wrong = STANDARD["business"] | {"name": "Owl reject:18603"}
    good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    moved = STANDARD["address"] | {"street": "2 Main Street"}
    good("PUT", BRAND, STANDARD | {"address": moved})
    (document,) = [
        each
        for each in simulator.api("GET", "/v1/SupportingDocuments")["results"]
        if each["friendly_name"].startswith("sendpool")
    ]
    account = simulator.api("GET", "/v1/SupportingDocuments")["results"][0]["account_sid"]
    sid = document["attributes"]["address_sids"]
    address = simulator.api("GET", f"/2010-04-01/Accounts/{account}/Addresses/{sid}.json")
    assert address["street"] == "2 Main Street"


def test_without_a_primary_profile_the_console_is_named(
    simulator: SimulatedTwilio, time: Time
) -> None:
    simulator.instead["GET /v1/CustomerProfiles"] = {"results": [], "meta": {"key": "results"}}
    found = step(good("PUT", BRAND, STANDARD), "customer_profile")
    assert (found["missing"], found["actor"]) == (["primary_customer_profile"], "team")
    assert "Console" in found["next"]
    simulator.instead.clear()
    assert steps(good("POST", f"{BRAND}/advance"))["customer_profile"] == "in_review"


def test_an_approved_profile_of_the_account_stands_for_business_and_address(
    simulator: SimulatedTwilio, time: Time
) -> None:
    (primary,) = simulator.api("GET", "/v1/CustomerProfiles")["results"]
    body = {
        "email": "ann@owlcouriers.com",
        "customer_profile_sid": primary["sid"],
        "company": {"company_type": "private"},
        "accept_fees": True,
    }
    assert steps(good("PUT", BRAND, body)) == {
        "customer_profile": "done",
        "a2p_profile": "in_review",
        "brand": "waiting",
        "vetting": "waiting",
    }


def test_a_suspended_brand_and_campaign_are_seen_within_a_day(
    simulator: SimulatedTwilio, time: Time
) -> None:
    shown = approved_brand(time)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.passes(days=11)
    assert good("GET", CAMPAIGN)["ready"]
    simulator.control(
        "POST", f"campaigns/{OTHER_SERVICE_SID}", {"status": "SUSPENDED", "codes": [30884]}
    )
    simulator.control("POST", f"brands/{shown['brand_sid']}", {"status": "SUSPENDED"})
    time.passes(days=1, minutes=1)
    assert steps(good("GET", BRAND))["brand"] == "suspended"
    found = step(good("GET", CAMPAIGN), "campaign")
    assert (found["state"], found["problems"][0]["code"]) == ("suspended", 30884)


def test_a_consent_to_a_fee_does_not_hold_for_a_higher_one(time: Time) -> None:
    cheap = {"kind": "low_volume", "accept_fees": True}
    assert good("PUT", BRAND, cheap)["fees_accepted_at"]
    assert good("PUT", BRAND, {"kind": "standard"})["fees_accepted_at"] is None


def test_a_brand_that_is_being_registered_stays_of_its_kind(time: Time) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    status, answered = ask("PUT", BRAND, STANDARD | {"kind": "low_volume"})
    assert (status, answered["code"]) == (409, "brand_kind_fixed")


def test_a_campaign_that_the_console_made_is_not_taken_for_ours(
    simulator: SimulatedTwilio, time: Time
) -> None:
    hand_in_by_hand(simulator, approved_brand(time)["brand_sid"])
    status, answered = ask("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    assert (status, answered["code"]) == (409, "other_campaign")


# ------------------------------------------------------------------------------------------------ deleting


def test_a_campaign_that_somebody_deleted_elsewhere_wants_its_fees_accepted_anew(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    path = f"/v1/Services/{OTHER_SERVICE_SID}/Compliance/Usa2p/QE2c6890da8086d771620e9b13fadeba0b"
    simulator.api("DELETE", path)
    time.passes(hours=1, minutes=1)
    shown = good("GET", CAMPAIGN)
    assert (shown["status"], steps(shown)["campaign"]) == ("DELETED", "fee_due")
    assert good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)["status"] == "PENDING"


def test_a_campaign_that_is_approved_is_deleted_when_somebody_says_that_traffic_stops(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.passes(days=11)
    status, answered = ask("DELETE", CAMPAIGN)
    assert (status, answered["code"]) == (409, "campaign_is_live")
    status, answered = ask("DELETE", BRAND)
    assert (status, answered["code"]) == (409, "brand_in_use")
    for call in count(1):
        with simulator.killed_at(call, "after") as was_killed:
            good("DELETE", CAMPAIGN, stops_traffic="true")
        time.stands_by(minutes=1)
        if ask("GET", CAMPAIGN)[0] == 404:
            break
        assert was_killed()
    path = f"/v1/Services/{OTHER_SERVICE_SID}/Compliance/Usa2p"
    assert simulator.api("GET", path)["compliance"] == []
    # a brand can only be forgotten: no API deletes it
    left = good("DELETE", BRAND)["left"]
    assert [each[:2] for each in left] == ["BN", "BU", "BU", "AD"]
    page = good("GET", "/compliance")
    assert (page["ready"], page["brands"], page["campaigns"]) == (False, [], [])


def test_a_draft_is_deleted_with_all_its_parts_also_by_who_dies_on_the_way(
    simulator: SimulatedTwilio, time: Time
) -> None:
    there = made(simulator)
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    for call in count(1):
        good("PUT", BRAND, STANDARD | {"business": wrong})
        assert ask("DELETE", BRAND)[1]["code"] == "registration_closed"
        time.passes(days=1, minutes=20)
        with simulator.killed_at(call, "after") as was_killed:
            good("DELETE", BRAND)
        time.stands_by(minutes=1)
        if was_killed():
            good("DELETE", BRAND)
        assert made(simulator) == there
        if not was_killed():
            break
    assert call > 3


# ------------------------------------------------------------------------------------------------ telling


def test_each_change_of_status_is_told_with_what_to_change(
    aws: Aws, simulator: SimulatedTwilio, time: Time
) -> None:
    listener = Listener(aws)
    wrong = STANDARD["business"] | {"registration_number": "none"}
    good("PUT", BRAND, ACCEPTED | {"business": wrong})
    heard = listener.told()
    time.passes(days=1, minutes=20)
    heard += listener.told()
    time.passes(days=1, minutes=20)
    heard += listener.told()
    time.passes(minutes=6)
    told = listener.told()
    again = listener.told_again()
    assert [each["id"] for each in told] == [each["id"] for each in again]
    heard += told
    assert [(each["type"], each["data"]["status"]) for each in heard] == [
        ("profile.status_changed", "pending-review"),
        ("profile.status_changed", "twilio-approved"),
        ("profile.status_changed", "pending-review"),
        ("profile.status_changed", "twilio-approved"),
        ("brand.status_changed", "PENDING"),
        ("brand.status_changed", "FAILED"),
    ]
    failed = heard[-1]["data"]
    assert (failed["brand"], failed["status_before"]) == ("owl", "PENDING")
    assert [each["code"] for each in failed["rejections"]] == [30795]
    assert failed["rejections"][0]["change"]


def test_a_campaign_is_told_of_from_submission_to_deletion(
    aws: Aws, simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    listener = Listener(aws)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    heard = listener.told()
    time.passes(days=11)
    heard += listener.told()
    assert [(each["type"], each["data"]["status"]) for each in heard] == [
        ("campaign.status_changed", "PENDING"),
        ("campaign.status_changed", "VERIFIED"),
    ]
    assert heard[0]["data"]["sid"] == OTHER_SERVICE_SID


def test_a_call_back_of_twilio_has_a_profile_looked_at_at_once(
    aws: Aws, simulator: SimulatedTwilio, time: Time
) -> None:
    good("PUT", BRAND, ACCEPTED)
    time.passes(hours=23, minutes=59)
    simulator.control("POST", "clock", {"advance_seconds": 120})
    (call,) = simulator.told
    assert call.params["Status"] == "twilio-approved"
    # WHEN Twilio's call comes, and the sweeper looks before it would have
    assert deliver(call.url, call.params) == 204
    (queued,) = aws.records("CALLBACKS_QUEUE")
    assert recorder({"Records": [queued]}, Context()) == {"batchItemFailures": []}
    sweeper({}, Context(milliseconds=[60_000]))
    assert steps(good("GET", BRAND))["customer_profile"] == "done"
    # AND again, or for a brand that is forgotten, nothing happens
    assert recorder({"Records": [queued]}, Context()) == {"batchItemFailures": []}


def test_a_call_back_waits_while_somebody_works_on_the_brand(
    aws: Aws, simulator: SimulatedTwilio, time: Time
) -> None:
    good("PUT", BRAND, ACCEPTED)
    simulator.control("POST", "clock", {"advance_seconds": 90_000})
    (call,) = simulator.told
    deliver(call.url, call.params)
    with simulator.killed_at(1, "before"):
        good("POST", f"{BRAND}/advance")
    (queued,) = aws.records("CALLBACKS_QUEUE")
    failures = recorder({"Records": [queued]}, Context())["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failures] == [queued["messageId"]]
    time.stands_by(minutes=1)
    assert recorder({"Records": [queued]}, Context()) == {"batchItemFailures": []}


def deliver(url: str, params: Any) -> int:
    """Post as Twilio does; returns the status of our answer."""
    parts = urlsplit(url)
    event = webhook(parts.path, dict(params), query=parts.query)
    return int(status_webhook(event, Context())["statusCode"])


# ------------------------------------------------------------------------------------------------ costs


def test_a_sweep_with_nothing_due_asks_twilio_nothing(
    simulator: SimulatedTwilio, time: Time
) -> None:
    good("PUT", BRAND, ACCEPTED)
    time.passes(minutes=2)
    before = [each for each in simulator.requests if "CustomerProfiles" in each]
    time.passes(minutes=2)
    assert [each for each in simulator.requests if "CustomerProfiles" in each] == before
    assert seldom.a2p_records().brand("owl") is not None


def approved_or_failed(time: Time, body: dict[str, Any]) -> dict[str, Any]:
    good("PUT", BRAND, body | {"accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    return good("GET", BRAND)
