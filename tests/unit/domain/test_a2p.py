"""US A2P 10DLC: every code has a meaning, rates follow the score, steps say who acts, records survive being written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.adapters.ledger.plain import dumps, loads
from sendpool.domain.a2p.application import (
    BrandApplication,
    BrandKind,
    Business,
    Which,
    missing,
    parts_of,
)
from sendpool.domain.a2p.codes import Actor, Cause, explain_a2p, table
from sendpool.domain.a2p.record import (
    DELETED,
    Brand,
    BrandRecord,
    Bundle,
    CampaignRecord,
    Problem,
    Vetting,
)
from sendpool.domain.a2p.standing import (
    StepName,
    StepState,
    next_step,
    steps_of_brand,
    steps_of_campaign,
    who_acts,
)
from sendpool.domain.a2p.throughput import throughput, tiers
from sendpool.domain.errors import TwilioRefusedError
from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.rules import rules
from sendpool.domain.twilio_codes import ErrorClass

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "data" / "a2p-error-codes.json").read_text(encoding="utf-8")
)["codes"]
NOW = datetime(2026, 11, 26, tzinfo=UTC)

# ------------------------------------------------------------------------------------------------ codes


def test_the_published_codes_are_here() -> None:
    phases = {each["phase"] for each in PUBLISHED}
    assert phases >= {
        "profile",
        "evaluation",
        "config",
        "a2p-brand",
        "a2p-campaign",
        "verification",
    }
    assert len({each["code"] for each in PUBLISHED}) == len(PUBLISHED) > 240


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda each: each["code"])
def test_every_published_code_says_what_it_is_about_and_what_to_change(
    published: dict[str, object],
) -> None:
    row = table()[int(str(published["code"]))]
    assert row.title
    assert row.remedy.endswith((".", "`", "..."))
    refused = TwilioRefusedError(row.code, row=row)
    assert (refused.status, refused.remedy) == (row.http_status, row.remedy)
    assert refused.code == f"twilio_a2p_{row.cause}"
    assert 400 <= refused.status < 600


@pytest.mark.parametrize("code", sorted({each for rule in rules().values() for each in rule.codes}))
def test_every_code_that_the_preflight_knows_is_explained(code: int) -> None:
    assert code in table()


def test_classes_of_registration_are_no_classes_of_messages() -> None:
    assert not {f"a2p_{each}" for each in Cause} & set(ErrorClass)


def test_a_code_that_nobody_knows_is_for_twilios_support() -> None:
    row = explain_a2p(39999)
    assert (row.cause, row.actor, row.http_status) == (Cause.SUPPORT, Actor.TEAM, 502)


@pytest.mark.parametrize(
    ("codes", "actor"),
    [
        ((30795,), Actor.TEAM),
        ((30791,), Actor.SENDPOOL),
        ((30752,), Actor.BRAND_OWNER),
        ((30791, 30909), Actor.TEAM),
        ((), Actor.TEAM),
    ],
)
def test_a_rejection_is_the_teams_as_soon_as_one_of_its_reasons_is(
    codes: tuple[int, ...], actor: Actor
) -> None:
    assert who_acts([Problem(code=each) for each in codes]) is actor


# ------------------------------------------------------------------------------------------------ rates


@pytest.mark.parametrize(
    ("kind", "use_case", "score", "rate", "daily"),
    [
        ("standard", "2FA", 100, 225, 200_000),
        ("standard", "2FA", 75, 225, 200_000),
        ("standard", "MIXED", 74, 120, 40_000),
        ("standard", "MIXED", 50, 120, 40_000),
        ("standard", "MARKETING", 49, 12, 10_000),
        ("standard", "MARKETING", 25, 12, 10_000),
        ("standard", "2FA", 24, 12, 2_000),
        ("standard", "MARKETING", 24, 3.75, 2_000),
        ("standard", "LOW_VOLUME", 100, 3.75, 2_000),
        ("low_volume", "LOW_VOLUME", None, 3.75, 2_000),
        ("sole_proprietor", "SOLE_PROPRIETOR", None, 3, 1_000),
    ],
)
def test_a_score_earns_a_rate_and_a_daily_cap(
    kind: str, use_case: str, score: int | None, rate: float, daily: int
) -> None:
    found = throughput(BrandKind(kind), use_case, score)
    assert found
    assert (found.segments_per_second, found.tmobile_daily) == (rate, daily)


def test_the_largest_companies_have_the_highest_cap_whatever_their_score() -> None:
    found = throughput(BrandKind.STANDARD, "2FA", 30, is_russell_3000=True)
    assert found
    assert (found.segments_per_second, found.tmobile_daily) == (12, 200_000)


def test_without_a_score_all_tiers_are_shown() -> None:
    assert throughput(BrandKind.STANDARD, "MIXED", None) is None
    scores = [each.from_score for each in tiers("MIXED")]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == 0


# ------------------------------------------------------------------------------------------------ standing

TEXTS = st.none() | st.sampled_from(["x", "Owl"])
APPLICATIONS = st.builds(
    BrandApplication,
    kind=st.sampled_from(BrandKind),
    email=TEXTS,
    customer_profile_sid=st.none() | st.just("BU1"),
    business=st.builds(Business, name=TEXTS, website_url=TEXTS),
)
PROBLEMS = st.lists(
    st.builds(Problem, code=st.sampled_from([each["code"] for each in PUBLISHED])), max_size=2
).map(tuple)
BUNDLES = st.none() | st.builds(
    Bundle,
    sid=st.just("BU2"),
    status=st.sampled_from(
        ["draft", "pending-review", "in-review", "twilio-rejected", "twilio-approved", "new word"]
    ),
    problems=PROBLEMS,
)
BRANDS = st.none() | st.builds(
    Brand,
    sid=st.just("BN1"),
    status=st.sampled_from(
        [
            *("PENDING", "IN_REVIEW", "APPROVED", "FAILED", "SUSPENDED", "NEW"),
            *("DELETION_PENDING", "DELETION_FAILED", DELETED),
        ]
    ),
    identity=st.sampled_from([None, "SELF_DECLARED", "UNVERIFIED", "VERIFIED", "VETTED_VERIFIED"]),
    is_sole_proprietor=st.booleans(),
    score=st.none() | st.integers(0, 100),
    problems=PROBLEMS,
    updated_at=st.none() | st.just(NOW),
)
RECORDS = st.builds(
    BrandRecord,
    name=st.just("owl"),
    application=APPLICATIONS,
    profile=BUNDLES,
    product=BUNDLES,
    brand=BRANDS,
    vettings=st.lists(
        st.builds(
            Vetting,
            sid=st.just("VT1"),
            provider=st.just("aegis"),
            status=st.sampled_from(["PENDING", "SUCCESS", "FAILED"]),
        ),
        max_size=2,
    ).map(tuple),
    fees_accepted_at=st.none() | st.just(NOW),
)


@given(RECORDS)
def test_whatever_twilio_says_each_step_says_who_acts_and_how(record: BrandRecord) -> None:
    steps = steps_of_brand(record)
    assert [each.name for each in steps][:3] == list(StepName)[:3]
    for each in steps:
        assert each.next
        assert (each.actor is Actor.NOBODY) == (each.state in {StepState.DONE, StepState.WAITING})
        assert (
            each.is_done or each.state is not StepState.INCOMPLETE or each.missing or each.problems
        )
    found = next_step(steps)
    # what comes next never only waits: then somebody else would have to be before it
    assert found is None or found.state is not StepState.WAITING


@given(RECORDS)
def test_a_record_is_read_back_as_it_was_written(record: BrandRecord) -> None:
    assert loads(BrandRecord, dumps(record)) == record


def test_what_a_later_release_wrote_is_read_without_what_is_new() -> None:
    record = BrandRecord(name="owl", application=BrandApplication())
    text = dumps(record).replace('"name":"owl"', '"name":"owl","unheard_of":1', 1)
    assert loads(BrandRecord, text) == record


def test_a_campaign_is_read_back_as_it_was_written() -> None:
    record = CampaignRecord(
        service_sid="MG1",
        brand="owl",
        campaign=Campaign(message_samples=("one", "two"), has_embedded_links=False),
        created_at=NOW,
    )
    assert loads(CampaignRecord, dumps(record)) == record


def test_a_campaign_waits_for_its_brand() -> None:
    record = CampaignRecord(service_sid="MG1", brand="owl", campaign=Campaign())
    campaign, numbers = steps_of_campaign(record, None)
    assert (campaign.state, numbers.state) == (StepState.WAITING, StepState.INCOMPLETE)
    assert "/compliance/brands/owl" in campaign.next


# ------------------------------------------------------------------------------------------------ parts


@given(APPLICATIONS)
def test_what_is_complete_says_all_that_twilio_wants(application: BrandApplication) -> None:
    for which in Which:
        if not missing(application, which) and not application.customer_profile_sid:
            assert all(each.attributes for each in parts_of(application, which))


def test_a_public_company_names_its_exchange_ticker_and_contact() -> None:
    application = BrandApplication(email="a@b.example")
    company = replace(application.company, company_type="public")
    assert missing(replace(application, company=company), Which.PRODUCT) == (
        "company.stock_exchange",
        "company.stock_ticker",
        "company.brand_contact_email",
    )
