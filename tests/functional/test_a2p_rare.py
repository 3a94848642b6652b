"""US A2P 10DLC in states that are rare and cost money: deaths at the ledger, deletions, what is changed too late."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Literal

import pytest

from functions.compliance.app import lambda_handler as compliance
from functions.service.app import lambda_handler as service
from local.twilio.api.edge import SIMULATOR
from sendpool.adapters import aws as clients
from sendpool.adapters.ledger.registrations import RegistrationRecords
from sendpool.edge import warm
from tests.functional.aws import PATH, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.killed import KilledError
from tests.functional.listening import Listener
from tests.functional.registration import (
    BRAND,
    BUSINESS,
    CAMPAIGN,
    FORM,
    SOLE,
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
from tests.functional.test_service import LOOSE
from tests.functional.twilio import Answer

CAMPAIGN_ACCEPTED = FORM | {"accept_fees": True}
CAMPAIGN_SID = "QE2c6890da8086d771620e9b13fadeba0b"
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


@pytest.mark.parametrize("milliseconds", [29_000, 16_000])
def test_nobody_looks_within_half_a_minute_of_an_answer_that_got_lost(
    simulator: SimulatedTwilio, time: Time, milliseconds: int
) -> None:
    """However little time the function had left: Twilio's lists may not show yet what was made."""
    event = http("PUT", BRAND, STANDARD)
    with simulator.answer_lost():
        answer = compliance(event, Context(milliseconds=[milliseconds, 16_000]))
    assert answer["statusCode"] == 503
    time.stands_by(milliseconds=milliseconds, seconds=29)
    assert ask("PUT", BRAND, STANDARD)[1]["code"] == "in_progress"
    time.stands_by(seconds=2)
    assert steps(good("PUT", BRAND, STANDARD))["customer_profile"] == "in_review"


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
    hand_in_by_hand(simulator, approved_brand(time)["brand_sid"])
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


@pytest.mark.parametrize(
    "said", [{"description": "x" * 500_000}, {"opt_in_keywords": ["é" * 9_000]}]
)
def test_a_campaign_that_is_too_long_to_be_kept_is_refused_also_if_forced(
    time: Time, said: dict[str, Any]
) -> None:
    good("PUT", BRAND, STANDARD | {"email": None})
    status, answered = ask("PUT", CAMPAIGN, FORM | said | {"force": True})
    assert (status, answered["code"]) == (422, "text_too_long")
    assert ask("GET", CAMPAIGN)[0] == 404


@pytest.mark.parametrize(
    "change",
    [
        {"opt_in_keywords": ["JOIN"], "opt_in_message": "Owl Couriers: you joined. STOP ends."},
        {"subscriber_opt_in": False},
    ],
)
def test_a_failed_campaign_is_not_handed_in_again_without_what_its_update_leaves_out(
    simulator: SimulatedTwilio, time: Time, change: dict[str, Any]
) -> None:
    # GIVEN a campaign that was rejected
    approved_brand(time)
    draft = {"description": f"{FORM['description']} reject:30909"}
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED | draft)
    for _ in range(2):
        time.passes(days=6)
    assert steps(good("GET", CAMPAIGN))["campaign"] == "rejected"
    # WHEN something is changed that Twilio takes no update of
    status, answered = ask("PUT", CAMPAIGN, FORM | change | {"force": True})
    # THEN nobody waits for a review that does not see it
    assert (status, answered["code"]) == (409, "field_fixed")
    assert next(iter(change)) in answered["detail"]
    assert "DELETE" in answered["remedy"]
    assert simulator.requests.count(f"POST {USA2P}/{CAMPAIGN_SID}") == 0


def test_a_sweep_goes_on_after_a_campaign_that_was_deleted_meanwhile(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a sweep that has read what is due, and somebody who deletes some of that
    good("PUT", BRAND, STANDARD)
    good("PUT", CAMPAIGN, FORM)

    def delete(_method: str, path: str) -> None:
        if not path.startswith("/v1/CustomerProfiles"):
            return
        simulator.before = lambda _method, _path: None
        good("DELETE", CAMPAIGN)

    time.stands_by(days=1, minutes=20)
    simulator.before = delete
    # THEN
    time.passes(minutes=0)
    assert steps(good("GET", BRAND))["customer_profile"] == "done"


def test_the_campaign_of_a_service_that_is_gone_is_not_ready(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN an approved campaign whose service somebody deletes
    approved_brand(time)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.passes(days=11)
    assert good("GET", CAMPAIGN)["ready"]
    simulator.api("DELETE", f"/v1/Services/{OTHER_SERVICE_SID}")
    # WHEN the sweeper looks, and somebody asks
    time.passes(days=1, minutes=1)
    assert not good("GET", CAMPAIGN)["ready"]
    status, answered = ask("POST", f"{CAMPAIGN}/advance")
    assert (status, answered["code"]) == (409, "service_missing")
    # THEN there is a way on
    good("DELETE", CAMPAIGN)


# ------------------------------------------------------------------------------------------------ brands


def fails(time: Time, body: dict[str, Any] = STANDARD) -> dict[str, Any]:
    """Have a brand registered with a tax ID that no registry knows."""
    business = body["business"] | {"registration_number": "none"}
    good("PUT", BRAND, body | {"business": business, "accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    shown = good("GET", BRAND)
    assert steps(shown)["brand"] == "rejected", shown
    return shown


def test_a_correction_of_a_failed_brand_that_is_half_filled_in_uses_up_no_try(
    simulator: SimulatedTwilio, time: Time
) -> None:
    path = f"/v1/a2p/BrandRegistrations/{fails(time)['brand_sid']}"
    bare = {name: each for name, each in STANDARD.items() if name != "address"}
    # WHEN a correction lacks something, so that Twilio is told nothing of it
    shown = good("PUT", BRAND, bare)
    # THEN
    assert simulator.requests.count(f"POST {path}") == 0
    assert steps(shown)["brand"] == "rejected"
    assert "address.city" in step(shown, "brand")["missing"]
    # AND whole it goes in
    assert steps(good("PUT", BRAND, STANDARD))["brand"] == "in_review"


def test_a_brand_that_was_registered_without_an_answer_keeps_its_profiles_when_it_is_forgotten(
    simulator: SimulatedTwilio, time: Time
) -> None:
    good("PUT", BRAND, STANDARD)
    for _ in range(2):
        time.passes(days=1, minutes=20)
    with killed_once_done(simulator, "POST /v1/a2p/BrandRegistrations"):
        good("POST", f"{BRAND}/advance", {"accept_fees": True})
    time.stands_by(minutes=1)
    # THEN what was paid for is named, and stays whole
    assert [each[:2] for each in good("DELETE", BRAND)["left"]] == ["BN", "BU", "BU", "AD"]
    good("PUT", BRAND, STANDARD)
    time.passes(minutes=6)
    assert good("PUT", BRAND, STANDARD | {"accept_fees": True})["ready"]
    assert simulator.requests.count("POST /v1/a2p/BrandRegistrations") == 1


def test_a_profile_that_is_rejected_after_a_death_is_not_handed_in_as_it_is(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a process that died when a profile was handed in, and nobody since
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}

    def strike(method: str, path: str) -> None:
        if method == "POST" and re.fullmatch("/v1/CustomerProfiles/BU[^/]+", path):
            raise KilledError

    simulator.after = strike
    with pytest.raises(KilledError):
        good("PUT", BRAND, STANDARD | {"business": wrong})
    simulator.after = lambda _method, _path: None
    # WHEN it is looked at, in review and then rejected
    time.passes(minutes=20)
    time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["customer_profile"] == "rejected"
    before = len(simulator.changes)
    time.passes(days=1, minutes=20)
    assert len(simulator.changes) == before


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_nobody_joins_or_leaves_a_profile_that_is_approved(
    simulator: SimulatedTwilio, time: Time, before: int, after: int
) -> None:
    # GIVEN an approved profile, and a brand that failed
    (ann,) = STANDARD["representatives"]
    people = [ann, ann | {"first_name": "Bea", "email": "bea@owlcouriers.com"}]
    business = STANDARD["business"] | {"name": "Owl reject:30795"}
    wrong = STANDARD | {"business": business, "representatives": people[:before]}
    good("PUT", BRAND, wrong | {"accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    assert steps(good("GET", BRAND))["brand"] == "rejected"
    # WHEN another number of representatives is declared
    changes = len(simulator.changes)
    status, answered = ask("PUT", BRAND, STANDARD | {"representatives": people[:after]})
    # THEN that is refused before anything is made or told
    assert (status, answered["code"]) == (409, "field_fixed")
    assert "another name" in answered["remedy"]
    assert len(simulator.changes) == changes
    # AND what they are called may be corrected
    corrected = [each | {"last_name": "Owlson"} for each in people[:before]]
    good("PUT", BRAND, STANDARD | {"representatives": corrected})
    assert steps(good("GET", BRAND))["brand"] == "in_review"


def test_another_email_for_reviews_is_told_when_a_profile_is_handed_in_again(
    simulator: SimulatedTwilio, time: Time
) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    good("PUT", BRAND, STANDARD | {"email": "bea@owlcouriers.com"})
    found = simulator.api("GET", "/v1/CustomerProfiles")["results"]
    (profile,) = [each for each in found if each["friendly_name"].startswith("sendpool")]
    assert profile["email"] == "bea@owlcouriers.com"


def test_a_brand_with_the_longest_name_is_registered(time: Time) -> None:
    path = "/compliance/brands/" + "o" * 40
    assert steps(good("PUT", path, STANDARD))["customer_profile"] == "in_review"


def test_a_given_profile_that_nobody_handed_in_is_for_the_team(
    simulator: SimulatedTwilio, time: Time
) -> None:
    draft = simulator.api(
        "POST",
        "/v1/CustomerProfiles",
        FriendlyName="Somebody's draft",
        Email="ann@owlcouriers.com",
        PolicySid="RNdfbf3fae0e1107f8aded0e7cead80bf5",
    )
    body = {
        "email": "ann@owlcouriers.com",
        "customer_profile_sid": draft["sid"],
        "company": {"company_type": "private"},
    }
    found = step(good("PUT", BRAND, body), "customer_profile")
    assert (found["state"], found["actor"]) == ("incomplete", "team")
    assert found["status"] == "draft"


def test_a_brand_that_is_gone_from_twilio_wants_its_fee_accepted_anew(
    simulator: SimulatedTwilio, time: Time
) -> None:
    sid = approved_brand(time)["brand_sid"]
    del simulator.app[SIMULATOR].a2p.brands._by_sid[sid]
    time.passes(days=1, minutes=1)
    shown = good("GET", BRAND)
    assert (steps(shown)["brand"], shown["ready"]) == ("fee_due", False)
    assert shown["fees_accepted_at"] is None
    # AND once it is, there is another one
    shown = good("POST", f"{BRAND}/advance", {"accept_fees": True})
    assert (steps(shown)["brand"], shown["brand_sid"] != sid) == ("in_review", True)


@pytest.mark.parametrize(
    ("status", "actor", "word"),
    [("DELETION_PENDING", "twilio", "deleted"), ("DELETION_FAILED", "team", "deleted")],
)
def test_a_brand_that_is_being_deleted_is_not_called_suspended(
    simulator: SimulatedTwilio, time: Time, status: str, actor: str, word: str
) -> None:
    sid = approved_brand(time)["brand_sid"]
    path = f"/v1/a2p/BrandRegistrations/{sid}"
    simulator.instead[f"GET {path}"] = simulator.api("GET", path) | {"status": status}
    found = step(good("POST", f"{BRAND}/advance"), "brand")
    assert (found["actor"], found["status"]) == (actor, status)
    assert word in found["next"]


def test_a_company_whose_identity_nobody_confirmed_is_told_what_to_do(
    simulator: SimulatedTwilio, time: Time
) -> None:
    sid = approved_brand(time, STANDARD | {"kind": "low_volume"})["brand_sid"]
    path = f"/v1/a2p/BrandRegistrations/{sid}"
    unverified = simulator.api("GET", path) | {"identity_status": "UNVERIFIED"}
    simulator.instead[f"GET {path}"] = unverified
    shown = good("POST", f"{BRAND}/advance")
    found = step(shown, "brand")
    assert (shown["ready"], found["state"], found["actor"]) == (False, "rejected", "team")
    assert "/vettings" in found["next"]


@pytest.mark.parametrize("identity", ["SELF_DECLARED", None])
def test_a_sole_proprietor_is_ready_only_once_the_owner_has_answered(
    simulator: SimulatedTwilio, time: Time, identity: str | None
) -> None:
    sid = approved_brand(time, SOLE)["brand_sid"]
    path = f"/v1/a2p/BrandRegistrations/{sid}"
    said = simulator.api("GET", path) | {"identity_status": identity}
    simulator.instead[f"GET {path}"] = said
    shown = good("POST", f"{BRAND}/advance")
    assert (shown["ready"], steps(shown)["owner_confirmation"]) == (False, "confirming")


def test_a_new_token_of_campaign_verify_is_imported_beside_the_old_one(
    simulator: SimulatedTwilio, time: Time
) -> None:
    sid = approved_brand(time, STANDARD | {"kind": "low_volume"})["brand_sid"]
    for token in ("first", "first", "second"):
        wanted = {"provider": "campaign-verify", "vetting_id": f"cv|1.0|tcr|10dlc|{token}|x"}
        good("POST", f"{BRAND}/vettings", wanted)
        time.passes(hours=2)
    assert simulator.requests.count(f"POST /v1/a2p/BrandRegistrations/{sid}/Vettings") == 2


def test_an_owner_who_did_not_answer_in_time_is_told_of(
    aws: Aws, simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN an owner who is asked again
    approved_brand(time, SOLE)
    assert ask("POST", f"{BRAND}/otp")[0] == 202
    time.passes(minutes=6)
    listener = Listener(aws)
    # WHEN a day passes without a YES
    time.passes(days=1)
    (told,) = listener.told()
    assert told["type"] == "brand.status_changed"
    assert told["data"]["identity"] == "UNVERIFIED"
    assert [each["code"] for each in told["data"]["rejections"]] == [30752]
    # AND once
    time.passes(minutes=6)
    assert listener.told() == []


def test_a_mock_brand_stays_one(simulator: SimulatedTwilio, time: Time) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:30795"}
    approved = STANDARD | {"mock": True}
    good("PUT", BRAND, approved | {"business": wrong})
    for _ in range(3):
        time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["brand"] == "rejected"
    status, answered = ask("PUT", BRAND, STANDARD)
    assert (status, answered["code"]) == (409, "brand_kind_fixed")


def test_a_mock_campaign_is_said_to_reach_nobody(
    aws: Aws, context: Context, simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a stack that sends through a service with a US long code, and a mock brand
    name = f"{PATH}/messaging-service-sid"
    clients.ssm().put_parameter(Name=name, Value=OTHER_SERVICE_SID, Type="String", Overwrite=True)
    warm.parameters().forget()
    simulator.api("POST", f"/v1/Services/{OTHER_SERVICE_SID}/PhoneNumbers", PhoneNumberSid=LOOSE)
    good("PUT", BRAND, STANDARD | {"mock": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    assert (good("GET", BRAND)["ready"], good("GET", BRAND)["mock"]) == (True, True)
    # WHEN its campaign is "approved"
    shown = good("PUT", CAMPAIGN, FORM)
    time.passes(hours=2)
    # THEN that does not make it ready
    shown = good("GET", CAMPAIGN)
    assert (shown["status"], shown["mock"], shown["ready"]) == ("VERIFIED", True, False)
    assert "reaches nobody" in step(shown, "campaign")["next"]
    page = good("GET", "/compliance")
    assert page["ready"] is False
    assert [each["step"] for each in page["next"]] == ["customer_profile"]
    # AND the pool has no rate for it, and warns
    answer = service(http("GET", "/service/senders"), context)
    pool = json.loads(answer["body"])["pool"]
    assert pool["segments_per_second"] == 0
    assert (pool["campaign"]["mock"], pool["campaign"]["registered"]) == (True, "not_registered")
    codes = [each["code"] for each in pool["warnings"]]
    assert codes == ["campaign_not_approved", "mock_campaign"]
    # AND nothing is sent to the US into 30034
    found = RegistrationRecords(warm.table()).get(OTHER_SERVICE_SID)
    assert found
    assert (found.is_registered, found.segments_per_second) == (False, None)


def test_a_consent_to_no_fee_does_not_hold_for_one(time: Time) -> None:
    assert good("PUT", BRAND, {"mock": True, "accept_fees": True})["fees_accepted_at"]
    assert good("PUT", BRAND, {"mock": False})["fees_accepted_at"] is None


def test_a_given_profile_that_is_none_is_named(simulator: SimulatedTwilio, time: Time) -> None:
    status, answered = ask("PUT", BRAND, STANDARD | {"customer_profile_sid": f"BU{0:032}"})
    assert (status, answered["code"]) == (422, "unknown_profile")
    # AND another one can be declared at once, also after a sweep
    time.passes(days=1, minutes=1)
    assert steps(good("PUT", BRAND, STANDARD))["customer_profile"] == "in_review"


def test_a_profile_that_somebody_deleted_says_how_to_go_on(
    simulator: SimulatedTwilio, time: Time
) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    shown = good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    sid = step(shown, "customer_profile")["sid"]
    simulator.api("DELETE", f"/v1/CustomerProfiles/{sid}")
    status, answered = ask("PUT", BRAND, STANDARD)
    assert (status, answered["code"]) == (409, "profile_missing")
    assert f"DELETE {BRAND}" in answered["remedy"]
    good("DELETE", BRAND)
    assert steps(good("PUT", BRAND, STANDARD))["customer_profile"] == "in_review"


def test_nobody_pays_for_a_vetting_that_begins_by_itself(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a standard brand that was approved just now, and Twilio that has not begun yet
    good("PUT", BRAND, STANDARD | {"accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.stands_by(minutes=6)
    sid = good("GET", BRAND)["brand_sid"]
    path = f"/v1/a2p/BrandRegistrations/{sid}/Vettings"
    simulator.instead[f"GET {path}"] = {"data": [], "meta": {"key": "data"}}
    status, answered = ask("POST", f"{BRAND}/vettings", {"accept_fees": True})
    assert (status, answered["code"]) == (409, "vetting_begins_by_itself")
    assert simulator.requests.count(f"POST {path}") == 0


def test_a_vetting_that_failed_stands_beside_what_comes_next(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a standard brand whose vetting fails
    good("PUT", BRAND, STANDARD | {"accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    sid = step(good("GET", BRAND), "vetting")["sid"]
    simulator.control("POST", f"reviews/{sid}", {"approved": False})
    time.passes(hours=2)
    assert step(good("GET", BRAND), "vetting")["state"] == "rejected"
    # WHEN the team looks what comes next
    page = good("GET", "/compliance")
    # THEN it is the campaign, and the vetting with what it costs stands beside
    assert [(each["of"], each["step"]) for each in page["next"]] == [("owl", "campaign")]
    (vetting,) = page["optional"]
    assert (vetting["of"], vetting["step"], vetting["actor"]) == ("owl", "vetting", "team")
    assert "12 segments a second" in vetting["next"]
    assert "225 segments a second" in vetting["next"]
    assert f"POST {BRAND}/vettings" in vetting["next"]
    # AND nothing waits for it
    simulator.api("POST", f"/v1/Services/{OTHER_SERVICE_SID}/PhoneNumbers", PhoneNumberSid=LOOSE)
    good("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)
    time.passes(days=11)
    page = good("GET", "/compliance")
    assert (page["ready"], page["next"], len(page["optional"])) == (True, [], 1)


def test_a_sole_proprietor_is_not_vetted(time: Time) -> None:
    approved_brand(time, SOLE)
    status, answered = ask("POST", f"{BRAND}/vettings", {"accept_fees": True})
    assert (status, answered["code"]) == (409, "not_vetted")


def test_two_stages_of_an_account_do_not_write_into_each_others_brands(
    aws: Aws, simulator: SimulatedTwilio, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a brand of one stage
    good("PUT", BRAND, STANDARD)
    # WHEN another stage, with a ledger of its own, declares one of the same name
    (kept,) = aws.items(prefix="A2P")
    key = {name: {"S": kept[name]} for name in ("pk", "sk")}
    clients.dynamodb().delete_item(TableName=aws.environment["LEDGER_TABLE"], Key=key)
    monkeypatch.setenv("STAGE", "other")
    warm.settings.cache_clear()
    good("PUT", BRAND, STANDARD | {"business": STANDARD["business"] | {"name": "Owl Tests"}})
    # THEN each has its own
    told = [each["attributes"] for each in simulator.api("GET", "/v1/EndUsers")["results"]]
    called = [each["business_name"] for each in told if "business_name" in each]
    assert {"Owl Couriers", "Owl Tests"} <= set(called)


def test_a_vetting_that_has_not_begun_yet_is_looked_for_by_the_hour(
    simulator: SimulatedTwilio, time: Time
) -> None:
    good("PUT", BRAND, STANDARD | {"accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    sid = good("GET", BRAND)["brand_sid"]
    path = f"GET /v1/a2p/BrandRegistrations/{sid}/Vettings"
    simulator.instead[path] = {"data": [], "meta": {"key": "data"}}
    time.passes(minutes=6)
    assert steps(good("GET", BRAND))["vetting"] == "in_review"
    simulator.instead.clear()
    time.passes(hours=2)
    assert steps(good("GET", BRAND))["vetting"] == "done"


def test_a_brand_in_review_says_that_somebody_has_to_confirm_an_email(time: Time) -> None:
    listed = {
        "company_type": "public",
        "stock_exchange": "NYSE",
        "stock_ticker": "OWL",
        "brand_contact_email": "bea@owlcouriers.com",
    }
    good("PUT", BRAND, STANDARD | {"company": listed, "accept_fees": True})
    for _ in range(2):
        time.passes(days=1, minutes=20)
    found = step(good("GET", BRAND), "brand")
    assert (found["state"], found["actor"]) == ("in_review", "twilio")
    assert "brand_contact_email" in found["next"]


# ------------------------------------------------------------------------------------------------ refused again


def refusing(simulator: SimulatedTwilio, request: str, code: int, *, status: int = 400) -> None:
    """Let Twilio refuse a request from now on."""

    def refuse(method: str, path: str) -> None:
        if f"{method} {path}" == request:
            simulator.answers.insert(0, Answer(status=status, code=code))

    simulator.before = refuse


def willing(simulator: SimulatedTwilio) -> None:
    simulator.before = lambda _method, _path: None


def test_a_brand_without_corrections_left_says_so_and_is_not_handed_in_daily(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN a brand that failed, and three corrections that did not help
    def wrong(number: int) -> dict[str, Any]:
        business = STANDARD["business"] | {"name": f"Owl {number} reject:30795"}
        return STANDARD | {"business": business, "accept_fees": True}

    good("PUT", BRAND, wrong(0))
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    for number in (1, 2, 3):
        good("PUT", BRAND, wrong(number))
        time.passes(minutes=6)
    # WHEN another one is refused
    status, answered = ask("PUT", BRAND, wrong(4))
    assert (status, answered["twilio_code"]) == (409, 21724)
    simulator.requests.clear()
    time.passes(days=1, minutes=6)
    time.passes(days=1, minutes=6)
    # THEN nobody asks again, and the step says why
    resubmission = f"POST /v1/a2p/BrandRegistrations/{good('GET', BRAND)['brand_sid']}"
    assert simulator.requests.count(resubmission) == 0
    found = step(good("GET", BRAND), "brand")
    assert found["state"] == "rejected"
    assert [each["code"] for each in found["problems"]] == [21724, 30795]
    assert "not asked anew by itself" in found["next"]
    # AND whoever says so, or declares something else, has it asked
    assert ask("POST", f"{BRAND}/advance", {"resubmit": True})[1]["twilio_code"] == 21724
    assert ask("PUT", BRAND, wrong(5))[1]["twilio_code"] == 21724
    assert simulator.requests.count(resubmission) == 2


def test_a_campaign_that_twilio_does_not_take_again_says_so_and_is_not_handed_in_daily(
    simulator: SimulatedTwilio, time: Time
) -> None:
    approved_brand(time)
    draft = CAMPAIGN_ACCEPTED | {"description": f"{FORM['description']} reject:30909"}
    good("PUT", CAMPAIGN, draft)
    time.passes(days=11)
    # WHEN the correction is refused
    resubmission = f"POST {USA2P}/{CAMPAIGN_SID}"
    refusing(simulator, resubmission, 21728)
    assert ask("PUT", CAMPAIGN, CAMPAIGN_ACCEPTED)[1]["twilio_code"] == 21728
    simulator.requests.clear()
    time.passes(days=1, minutes=6)
    # THEN nobody asks again, and the step says why
    assert simulator.requests.count(resubmission) == 0
    found = step(good("GET", CAMPAIGN), "campaign")
    assert [each["code"] for each in found["problems"]] == [21728, 30909]
    # AND with `resubmit` it is taken
    willing(simulator)
    good("POST", f"{CAMPAIGN}/advance", {"resubmit": True})
    found = step(good("GET", CAMPAIGN), "campaign")
    assert (found["state"], found["problems"]) == ("in_review", [])


def test_a_profile_that_twilio_does_not_take_again_says_so_and_is_not_handed_in_daily(
    simulator: SimulatedTwilio, time: Time
) -> None:
    wrong = STANDARD["business"] | {"name": "Owl reject:18602"}
    good("PUT", BRAND, STANDARD | {"business": wrong})
    time.passes(days=1, minutes=20)
    resubmission = (
        f"POST /v1/CustomerProfiles/{step(good('GET', BRAND), 'customer_profile')['sid']}"
    )
    refusing(simulator, resubmission, 22222)
    assert ask("PUT", BRAND, STANDARD)[1]["twilio_code"] == 22222
    simulator.requests.clear()
    time.passes(days=1, minutes=6)
    assert simulator.requests.count(resubmission) == 0
    found = step(good("GET", BRAND), "customer_profile")
    assert (found["state"], found["actor"]) == ("rejected", "team")
    assert [each["code"] for each in found["problems"]] == [22222, 18602]
    willing(simulator)
    assert steps(good("POST", f"{BRAND}/advance", {"resubmit": True}))["customer_profile"] == (
        "in_review"
    )


# ------------------------------------------------------------------------------------------------ deleted elsewhere


def parts(simulator: SimulatedTwilio) -> dict[str, str]:
    """The SIDs of the end users and documents that are ours, by their type."""
    listed = [
        *simulator.api("GET", "/v1/EndUsers")["results"],
        *simulator.api("GET", "/v1/SupportingDocuments")["results"],
    ]
    return {
        each["type"]: each["sid"] for each in listed if each["friendly_name"].startswith("sendpool")
    }


def deleted_part(simulator: SimulatedTwilio, kind: str) -> str:
    """Take a part out of our profile and delete it, as the Console does."""
    profile = f"/v1/CustomerProfiles/{step(good('GET', BRAND), 'customer_profile')['sid']}"
    gone = parts(simulator)[kind]
    for each in simulator.api("GET", f"{profile}/EntityAssignments")["results"]:
        if each["object_sid"] == gone:
            simulator.api("DELETE", f"{profile}/EntityAssignments/{each['sid']}")
    simulator.api("DELETE", path_of(gone))
    return gone


def path_of(sid: str) -> str:
    return f"/v1/{'EndUsers' if sid.startswith('IT') else 'SupportingDocuments'}/{sid}"


@pytest.mark.parametrize(
    ("kind", "correction"),
    [
        ("customer_profile_business_information", {}),
        ("authorized_representative_1", {"business": BUSINESS}),
        ("customer_profile_address", {"business": BUSINESS}),
        ("customer_profile_address", {"address": STANDARD["address"] | {"street": "2 Main St"}}),
    ],
)
def test_a_part_that_somebody_deleted_is_made_anew_while_its_profile_may_be_changed(
    simulator: SimulatedTwilio, time: Time, kind: str, correction: dict[str, Any]
) -> None:
    # GIVEN a profile that was rejected, and somebody who takes a part out of it in the Console and deletes that
    wrong = STANDARD | {"business": BUSINESS | {"name": "Owl reject:18602"}}
    good("PUT", BRAND, wrong)
    time.passes(days=1, minutes=20)
    gone = deleted_part(simulator, kind)
    # WHEN it is corrected
    good("PUT", BRAND, STANDARD | correction)
    time.passes(minutes=1)
    # THEN there is another one, once, and the profile is handed in
    assert steps(good("GET", BRAND))["customer_profile"] == "in_review"
    assert parts(simulator)[kind] != gone
    time.passes(days=1, minutes=20)
    assert steps(good("GET", BRAND))["customer_profile"] == "done"


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_a_deleted_part_is_made_anew_makes_one(
    simulator: SimulatedTwilio, time: Time, when: Literal["before", "after"]
) -> None:
    good("PUT", BRAND, STANDARD | {"business": BUSINESS | {"name": "Owl reject:18602"}})
    time.passes(days=1, minutes=20)
    deleted_part(simulator, "customer_profile_business_information")
    for call in count(1):
        with simulator.killed_at(call, when):
            good("PUT", BRAND, STANDARD)
        time.stands_by(minutes=1)
        if steps(good("GET", BRAND))["customer_profile"] == "in_review":
            break
    called = [each["friendly_name"] for each in simulator.api("GET", "/v1/EndUsers")["results"]]
    assert called.count("sendpool test owl business") == 1


def test_a_part_that_somebody_deleted_from_an_approved_profile_says_how_to_go_on(
    simulator: SimulatedTwilio, time: Time
) -> None:
    # GIVEN an approved profile that lacks a part, and a brand that failed
    wrong = STANDARD | {"business": BUSINESS | {"name": "Owl reject:30795"}, "accept_fees": True}
    good("PUT", BRAND, wrong)
    for _ in range(2):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    gone = parts(simulator)["customer_profile_business_information"]
    refusing(simulator, f"POST {path_of(gone)}", 20404, status=404)
    # WHEN that part is corrected
    status, answered = ask("PUT", BRAND, STANDARD)
    # THEN it is said what to do, and nothing is made
    assert (status, answered["code"]) == (409, "part_missing")
    assert gone in answered["detail"]
    assert "another name" in answered["remedy"]
    assert parts(simulator)["customer_profile_business_information"] == gone
    # AND as it was, it can still be handed in
    assert steps(good("PUT", BRAND, wrong))["brand"] == "rejected"
    again = good("POST", f"{BRAND}/advance", {"resubmit": True})
    assert steps(again)["brand"] == "in_review"
