"""The decision: total, and monotone: what speaks against a message never makes it go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.decision import (
    Asked,
    Decision,
    Defer,
    Facts,
    Policy,
    Reason,
    Send,
    Skip,
    at_hand_over,
    caps_of,
    decide,
    explanation,
    validity_seconds,
)
from sendpool.domain.quiet_hours import Cap, Watch, Window, load_rules

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
POLICY = Policy(hours=Watch(load_rules()))
NEW_YORKER = Asked(to="+12125551000", category="marketing")
FLORIDIAN = Asked(to="+13055551000", category="marketing")

INSTANTS = st.integers(0, 2 * 365 * 24 * 3_600).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
NUMBERS = st.sampled_from([
    "+12125551000", "+13055551000", "+14155551000", "+18505551000", "+18005551000",
    "+17875551000", "+14165551000", "+442079460123", "+33612345678", "+881612345678", "+12995551000",
])  # fmt: skip
WINDOWS = st.none() | st.tuples(st.integers(0, 22), st.integers(1, 23)).filter(
    lambda hours: hours[0] < hours[1]
).map(lambda hours: Window(time(hours[0]), time(hours[1])))
ASKED = st.builds(
    Asked,
    to=NUMBERS,
    category=st.sampled_from(["marketing", "transactional"]),
    state=st.sampled_from([None, "FL", "NY", "UT", "AK", "PR"]),
    timezone=st.sampled_from([None, "America/Chicago", "Pacific/Honolulu", "Mars/Olympus"]),
    window=WINDOWS,
    expire_at=st.none() | INSTANTS,
)
FACTS = st.builds(
    Facts,
    opted_out=st.sampled_from([None, "all", "MG1"]),
    is_deactivated=st.booleans(),
    is_landline=st.booleans(),
    unreachable_until=st.none() | INSTANTS,
    sent=st.dictionaries(st.text("ab", min_size=1, max_size=3), INSTANTS, max_size=4),
)
POLICIES = st.builds(
    Policy,
    hours=st.sampled_from([None, POLICY.hours]),
    countries=st.none() | st.just(frozenset({"US"})),
    caps=st.sampled_from([(), (Cap(2, timedelta(days=1), "day"),)]),
    is_registered=st.booleans(),
)


def harshness(decision: Decision) -> int:
    return {Send: 0, Defer: 1, Skip: 2}[type(decision)]


@given(ASKED, FACTS, POLICIES, INSTANTS)
def test_it_always_answers_and_the_answer_makes_sense(
    asked: Asked, facts: Facts, policy: Policy, now: datetime
) -> None:
    decision = decide(asked, facts, policy, now)
    match decision:
        case Send(until):
            assert until is None or until > now
        case Defer(until):
            assert until > now
            assert asked.category == "marketing"
            assert asked.expire_at is None or until < asked.expire_at
            assert isinstance(decide(asked, Facts(), policy, until), Send)
        case Skip(reasons):
            assert reasons
    said = explanation(decision)
    assert said["decision"] in {"send", "defer", "skip"}
    assert said["decision"] == "send" or said["reasons"]


@given(ASKED, FACTS, POLICIES, INSTANTS, st.data())
def test_what_speaks_against_it_never_makes_it_go(
    asked: Asked, facts: Facts, policy: Policy, now: datetime, data: st.DataObject
) -> None:
    worse = data.draw(
        st.sampled_from(
            [
                (replace(facts, opted_out="all"), policy),
                (replace(facts, is_deactivated=True), policy),
                (replace(facts, is_landline=True), policy),
                (replace(facts, unreachable_until=now + timedelta(days=1)), policy),
                (replace(facts, sent={**facts.sent, "another": now}), policy),
                (facts, replace(policy, is_registered=False)),
                (facts, replace(policy, countries=frozenset())),
                (facts, replace(policy, caps=(*policy.caps, Cap(1, timedelta(days=7), "week")))),
                (facts, replace(policy, hours=POLICY.hours)),
            ]
        )
    )
    assert harshness(decide(asked, *worse, now)) >= harshness(decide(asked, facts, policy, now))


@given(ASKED, FACTS, POLICIES, INSTANTS)
def test_nobody_who_opted_out_is_texted(
    asked: Asked, facts: Facts, policy: Policy, now: datetime
) -> None:
    decision = decide(asked, replace(facts, opted_out="all"), policy, now)
    assert isinstance(decision, Skip)
    assert decision.reason is Reason.OPTED_OUT


@pytest.mark.parametrize(
    ("facts", "policy", "reason"),
    [
        (Facts(opted_out="all", is_landline=True), POLICY, "opted_out"),
        (Facts(is_deactivated=True), POLICY, "deactivated"),
        (Facts(is_landline=True), POLICY, "landline"),
        (Facts(), replace(POLICY, countries=frozenset({"CA"})), "country_not_allowed"),
        (Facts(), replace(POLICY, is_registered=False), "sender_not_registered"),
    ],
)
@pytest.mark.parametrize("category", ["marketing", "transactional"])
def test_these_hold_for_every_message(
    facts: Facts, policy: Policy, reason: str, category: str
) -> None:
    asked = replace(NEW_YORKER, category=category)
    decision = decide(asked, facts, policy, NOON)
    assert isinstance(decision, Skip)
    assert decision.reason == reason


def test_a_number_of_another_country_needs_no_us_registration() -> None:
    asked = replace(NEW_YORKER, to="+442079460123")
    assert isinstance(decide(asked, Facts(), replace(POLICY, is_registered=False), NOON), Send)


def test_transactional_messages_go_at_night_and_are_not_capped() -> None:
    sent = {str(n): NIGHT for n in range(9)}
    asked = replace(FLORIDIAN, category="transactional")
    assert decide(asked, Facts(sent=sent), POLICY, NIGHT) == Send()
    assert caps_of(asked, POLICY, NIGHT) == ()


def test_a_cap_counts_what_is_younger_than_its_time() -> None:
    day = timedelta(days=1)
    sent = {str(n): NOON - day + timedelta(milliseconds=n) for n in range(3)}
    assert isinstance(decide(FLORIDIAN, Facts(sent=sent), POLICY, NOON), Send)
    sent = {str(n): NOON - day + timedelta(milliseconds=n + 1) for n in range(3)}
    decision = decide(FLORIDIAN, Facts(sent=sent), POLICY, NOON)
    assert isinstance(decision, Skip)
    assert (decision.reason, decision.rule) == (Reason.FREQUENCY_CAP, "US-FL")
    # AND the message itself does not count against itself
    assert isinstance(decide(FLORIDIAN, at_hand_over(Facts(sent=sent), "0"), POLICY, NOON), Send)


def test_a_message_that_could_only_go_after_it_expires_never_goes() -> None:
    opens = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
    in_time = decide(replace(NEW_YORKER, expire_at=opens + timedelta(1)), Facts(), POLICY, NIGHT)
    assert isinstance(in_time, Defer)
    too_late = decide(replace(NEW_YORKER, expire_at=opens), Facts(), POLICY, NIGHT)
    assert isinstance(too_late, Skip)
    assert too_late.reasons == (Reason.EXPIRED, Reason.QUIET_HOURS)


def test_the_last_moments_of_a_window_are_left_for_twilios_queue() -> None:
    closes = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert decide(NEW_YORKER, Facts(), POLICY, closes - timedelta(seconds=30)) == Send(
        closes, POLICY.hours.rules.version if POLICY.hours else None
    )
    assert isinstance(decide(NEW_YORKER, Facts(), POLICY, closes - timedelta(seconds=29)), Defer)


@pytest.mark.parametrize(
    ("hours", "wanted", "validity"),
    [(None, None, None), (None, 60, 60), (2, None, 7_200), (2, 60, 60), (2, 9_000, 7_200), (13, None, 36_000)],
)  # fmt: skip
def test_a_message_stays_in_twilios_queue_no_longer_than_its_window(
    hours: int | None, wanted: int | None, validity: int | None
) -> None:
    until = NOON + timedelta(hours=hours) if hours else None
    assert validity_seconds(Send(until), NOON, wanted=wanted) == validity
