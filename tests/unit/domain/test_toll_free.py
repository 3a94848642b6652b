"""Toll-free verification: what may be submitted, what preflight finds in it, and what each rejection means."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.tollfree.fields import EDITABLE, read_submission
from local.twilio.tollfree.judging import find_faults
from sendpool.domain.preflight.verdict import Finding
from sendpool.domain.toll_free.preflight import preflight, toll_free_rules
from sendpool.domain.toll_free.rejections import advice, table
from sendpool.domain.toll_free.submission import (
    FIELDS,
    ONCE,
    REQUIRED,
    RULES,
    Authority,
    BusinessType,
    Category,
    OptInType,
    Submission,
    VettingProvider,
    choices_of,
    problems,
)
from sendpool.domain.toll_free.verification import (
    Actor,
    Looked,
    Rejection,
    Standing,
    Status,
    Step,
    Verification,
    current,
)

CODES = json.loads(
    (Path(__file__).parents[2] / "data" / "toll-free-codes.json").read_text(encoding="utf-8")
)["codes"]
CONTRACT = Path(__file__).parents[3] / "local/twilio/data/openapi/twilio_messaging_v1.json"
SAMPLE, SUMMARY = "production_message_sample", "use_case_summary"
NUMBER, CONFIRMATION = "business_registration_number", "opt_in_confirmation_message"
POLITICAL = ("POLITICAL_ELECTION_CAMPAIGNS",)
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OWL = Submission(
    business_name="Owl Shop, LLC",
    business_website="https://owl.shop",
    notification_email="compliance@owl.shop",
    use_case_categories=("ACCOUNT_NOTIFICATIONS",),
    use_case_summary="Owl Shop sends order updates to customers who check an empty, optional box at checkout.",
    production_message_sample="Owl Shop: We have your order 4471. Reply STOP to opt out",
    opt_in_image_urls=("https://owl.shop/opt-in.png",),
    opt_in_type="WEB_FORM",
    message_volume="10,000",
    business_type="PRIVATE_PROFIT",
    business_registration_number="12-3456789",
    privacy_policy_url="https://owl.shop/privacy",
    terms_and_conditions_url="https://owl.shop/terms",
    opt_in_confirmation_message=(
        "Owl Shop: 4 msgs/month. Msg & data rates may apply. HELP for help, STOP to end"
    ),
    help_message_sample="Owl Shop: call 202-555-0123 or see https://owl.shop/help",
)


def found(**changes: Any) -> dict[str, Finding]:
    return {each.rule: each for each in preflight(replace(OWL, **changes)).findings}


# ------------------------------------------------------------------------------------------------ the form


def test_the_fields_are_those_of_twilios_document() -> None:
    schemas = json.loads(CONTRACT.read_text(encoding="utf-8"))["components"]["schemas"]
    theirs = schemas["messaging.v1.tollfree_verification"]["properties"]
    assert set(FIELDS) <= set(theirs)
    assert set(FIELDS) - ONCE == {name for name, _ in EDITABLE.values()}


@pytest.mark.parametrize(
    ("literal", "schema"),
    [
        (Category, "use_case_categories"),
        (OptInType, "opt_in_type"),
        (BusinessType, "business_type"),
        (Authority, "business_registration_authority"),
        (VettingProvider, "vetting_provider"),
    ],
)
def test_the_choices_are_those_of_twilios_document(literal: Any, schema: str) -> None:
    schemas = json.loads(CONTRACT.read_text(encoding="utf-8"))["components"]["schemas"]
    described = schemas[f"tollfree_verification_enum_{schema}"]
    described = described.get("items", described)
    assert set(choices_of(literal)) == set(described["enum"])


def test_every_field_has_a_rule() -> None:
    assert set(RULES) == set(FIELDS) == {field.name for field in fields(Submission)}


def test_what_is_missing_is_named_by_the_form() -> None:
    broken = problems(Submission())
    assert [(each.field, each.code) for each in broken] == [
        (name, "missing_field") for name in REQUIRED
    ]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(max_size=20)
            if isinstance(getattr(OWL, name), str | None)
            else st.lists(st.text(max_size=20), max_size=3).map(tuple)
            for name in FIELDS
            if name != "age_gated_content"
        },
    )
)
def test_whatever_we_take_the_simulated_form_takes_and_nothing_falls_over(
    changes: dict[str, Any],
) -> None:
    submission = replace(OWL, **changes)
    broken = problems(submission)
    preflight(submission)
    if not broken:
        written: dict[str, list[str]] = {"TollfreePhoneNumberSid": ["PN" + "1" * 32]}
        for name in FIELDS:
            value = getattr(submission, name)
            if value:
                spelled = "".join(map(str.capitalize, name.split("_")))
                written[spelled] = list(value) if isinstance(value, tuple) else [str(value)]
        try:
            read_submission(Form(written))
        except ApiError as error:
            raise AssertionError(error) from error


@pytest.mark.parametrize("volume", ["10", "2000", "1,000", "250,000", "10,000,000+"])
def test_a_volume_is_any_number_of_messages(volume: str) -> None:
    assert problems(replace(OWL, message_volume=volume)) == ()


def test_emptying_a_field_is_as_if_it_had_never_been_given() -> None:
    full = OWL.with_changes({"doing_business_as": "Owl", "opt_in_keywords": ("OWL",)})
    assert full.with_changes({"doing_business_as": None, "opt_in_keywords": None}) == OWL


def test_who_is_no_company_is_asked_for_no_registration() -> None:
    assert "business_registration_authority" in OWL.wanted
    alone = replace(OWL, business_type="SOLE_PROPRIETOR", business_registration_number=None)
    assert not [name for name in alone.wanted if name.startswith("business_registration")]
    political = replace(OWL, use_case_categories=POLITICAL)
    assert "vetting_id" in political.wanted


# ------------------------------------------------------------------------------------------------ preflight


def test_a_good_submission_passes() -> None:
    assert preflight(OWL).findings == ()


@pytest.mark.parametrize(
    ("changes", "rule", "field", "code", "severity"),
    [
        ({SAMPLE: "Owl Shop: bit.ly/x STOP to end"}, "P-SHORTENER", SAMPLE, 30525, "reject"),
        ({SAMPLE: "Owl Shop: http://owl.shop STOP to end"}, "P-HTTP", SAMPLE, 30471, "reject"),
        ({SAMPLE: "Your order 4471 is here. STOP to end"}, "P-SAMPLE-BRAND", SAMPLE, 30499, "warn"),
        ({SAMPLE: "Owl Shop: place your casino bets today"}, "P-GAMBLING", SAMPLE, 30461, "reject"),
        ({SAMPLE: "[Company Name]: your order is here"}, "P-PLACEHOLDER", SAMPLE, 30499, "reject"),
        ({SUMMARY: "We send messages."}, "P-DESCRIPTION-VAGUE", SUMMARY, 30821, "reject"),
        ({SUMMARY: f"{OWL.use_case_summary} It is pre-checked."}, "P-FLOW-PRECHECKED", SUMMARY, 30508, "reject"),
        ({"additional_information": "We text purchased lists."}, "P-FLOW-NO-OPT-IN", SUMMARY, 30476, "reject"),
        ({CONFIRMATION: "You are in!"}, "P-OPT-IN-MESSAGE", CONFIRMATION, 30503, "reject"),
        ({"help_message_sample": "We cannot help."}, "P-HELP-MESSAGE", "help_message_sample", 30486, "reject"),
        ({"privacy_policy_url": None}, "P-PRIVACY-MISSING", "privacy_policy_url", 30493, "warn"),
        ({"privacy_policy_url": "https://localhost/privacy"}, "P-PAGE-PRIVATE", "privacy_policy_url", 30491, "reject"),
        ({"use_case_categories": POLITICAL}, "T-POLITICAL-TOKEN", "vetting_id", 30501, "reject"),
        ({"use_case_categories": ("CHARITY_NONPROFIT",)}, "T-CHARITY", "business_type", 30487, "warn"),
        ({NUMBER: None}, "T-REGISTRATION", NUMBER, 30527, "reject"),
        ({NUMBER: None, "business_type": None}, "T-REGISTRATION", NUMBER, 30527, "warn"),
        ({"business_website": "https://owl.test"}, "T-WEBSITE", "business_website", 30473, "reject"),
        ({"opt_in_image_urls": ("http://10.0.0.1/a.png",)}, "T-OPT-IN-PAGE", "opt_in_image_urls.0", 30509, "reject"),
        ({"opt_in_type": "IMPORT_PLEASE_REPLACE"}, "T-OPT-IN-TYPE", "opt_in_type", 30515, "reject"),
        ({"opt_in_type": "VERBAL"}, "T-OPT-IN-VERBAL", SUMMARY, 30511, "reject"),
        ({"opt_in_type": "VIA_TEXT"}, "T-OPT-IN-BY-TEXT", "opt_in_keywords", 30498, "warn"),
        ({"business_contact_email": "owl@Gmail.com"}, "T-EMAIL-DOMAIN", "business_contact_email", 30482, "reject"),
    ],
)  # fmt: skip
def test_what_reviewers_reject_is_found_with_their_code(
    changes: dict[str, Any], rule: str, field: str, code: int, severity: str
) -> None:
    finding = found(**changes)[rule]
    assert (finding.field, finding.severity) == (field, severity)
    assert code in finding.codes


@pytest.mark.parametrize(
    "changes",
    [
        {"opt_in_type": "VERBAL", "additional_information": (
            'Our agents say: "May Owl Shop text you order updates? Message frequency varies, rates may apply."'
        )},
        {NUMBER: None, "business_type": "SOLE_PROPRIETOR"},
        {"opt_in_type": "VIA_TEXT", "opt_in_keywords": ("OWL",)},
        {"doing_business_as": "Owl Shop", "business_name": "Night Birds, Inc."},
        {"business_contact_email": "ann@owl.shop"},
        {"use_case_categories": ("ACCOUNT_NOTIFICATIONS", "MARKETING", "EVENTS")},
    ],
)  # fmt: skip
def test_what_reviewers_take_is_not_found(changes: dict[str, Any]) -> None:
    assert preflight(replace(OWL, **changes)).verdict == "accept"


def test_what_is_of_campaigns_alone_is_not_asked_of_numbers() -> None:
    assert not [
        rule
        for rule in found(production_message_sample="Owl Shop: We have your order 4471.")
        if rule in {"P-SAMPLE-STOP", "P-SAMPLE-COUNT", "P-LINKS-FLAG", "P-FLOW-FREQUENCY"}
    ]


@pytest.mark.parametrize("name", sorted(toll_free_rules()))
def test_every_rule_has_codes_of_toll_free_numbers_and_speaks_of_them(name: str) -> None:
    rule = toll_free_rules()[name]
    assert rule.codes
    assert set(rule.codes) <= set(table())
    assert not re.search(
        r"\bcampaign\b(?! without)|SWEEPSTAKE|direct_lending|age_gated\b", rule.fix
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"use_case_categories": POLITICAL},
        {NUMBER: None},
        {NUMBER: None, "business_type": "SOLE_PROPRIETOR"},
        {},
    ],
)
def test_what_the_simulator_rejects_is_rejected_with_its_code(changes: dict[str, Any]) -> None:
    submission = replace(OWL, **changes)
    theirs = set(find_faults({name: getattr(submission, name) for name in FIELDS} | {
        "use_case_categories": list(submission.use_case_categories)
    }))  # fmt: skip
    findings = preflight(submission).findings
    assert theirs <= {code for each in findings if each.severity == "reject" for code in each.codes}


# ------------------------------------------------------------------------------------------------ rejections


def test_there_is_advice_for_every_code_and_for_no_other() -> None:
    assert set(table()) == {each["code"] for each in CODES}


@pytest.mark.parametrize("published", CODES, ids=lambda each: each["code"])
def test_every_code_says_what_is_wrong_what_to_do_and_where(published: dict[str, Any]) -> None:
    known = advice(published["code"])
    assert known.problem.endswith(".")
    assert known.fix.endswith((".", ".'"))
    assert len(known.fix) >= 20
    assert set(known.fields) <= set(FIELDS)
    # what is forbidden for good has nothing to change, and says so
    is_forbidden = "Disallowed" in published["title"] or "fraud risk" in published["title"]
    assert is_forbidden == known.fix.startswith("No number is verified for this")


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (30446, "agree"),
        (30471, "secured"),
        (30482, "free provider"),
        (30501, "Campaign Verify"),
        (30511, "script"),
        (30525, "shortener"),
        (30527, "registration number"),
        (30858, "secured"),
        (30824, "time for edits"),
    ],
)
def test_a_code_means_what_its_title_says(code: int, word: str) -> None:
    assert word in advice(code).problem


@pytest.mark.parametrize("code", [None, 0, 99_999, 30_550])
def test_an_unknown_code_says_how_to_find_out(code: int | None) -> None:
    assert "dictionary" in advice(code).fix


# ------------------------------------------------------------------------------------------------ how it stands


def verification(status: str = Status.REJECTED, **changes: Any) -> Verification:
    standing = Standing(
        sid="HH" + "1" * 32,
        number_sid="PN" + "1" * 32,
        number="+18885550100",
        status=status,
        rejections=(),
        edit_until=changes.pop("edit_until", NOW + timedelta(days=7)),
        updated_at=NOW,
    )
    return Verification(
        standing=standing,
        submission=OWL,
        edit_allowed=changes.pop("edit_allowed", True),
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("one", "step", "actor", "is_alive"),
    [
        (verification(Status.PENDING), Step.WAIT, Actor.TWILIO, True),
        (verification(Status.IN_REVIEW), Step.WAIT, Actor.TWILIO, True),
        (verification(Status.APPROVED), Step.NONE, Actor.NOBODY, True),
        (verification("PONDERED"), Step.WAIT, Actor.TWILIO, True),
        (verification(), Step.FIX, Actor.YOU, True),
        (verification(edit_until=None), Step.FIX, Actor.YOU, True),
        (verification(edit_until=NOW), Step.SUBMIT_AGAIN, Actor.YOU, False),
        (verification(edit_allowed=False, edit_until=NOW), Step.SUBMIT_AGAIN, Actor.YOU, False),
        (verification(edit_allowed=False), Step.GIVE_UP, Actor.YOU, False),
        (verification(edit_allowed=False, edit_until=None), Step.GIVE_UP, Actor.YOU, False),
    ],
)
def test_it_says_who_has_to_act_and_whether_the_number_is_taken(
    one: Verification, step: Step, actor: Actor, is_alive: bool
) -> None:
    assert (one.step(NOW), one.step(NOW).actor, one.is_alive(NOW)) == (step, actor, is_alive)
    assert one.step(NOW).words


def test_of_several_the_approved_one_counts_then_the_open_one_then_the_one_to_fix() -> None:
    over = verification(edit_until=None, edit_allowed=False)
    fixable, waiting, approved = (
        verification(),
        verification(Status.PENDING),
        verification(Status.APPROVED),
    )
    assert current([over, fixable, waiting, approved], NOW) is approved
    assert current([over, fixable, waiting], NOW) is waiting
    assert current([over, fixable], NOW) is fixable
    assert current([over], NOW) is None
    assert current([], NOW) is None


def test_only_what_reviewers_say_is_news() -> None:
    before = verification().standing
    assert before.is_as(replace(before, updated_at=NOW + timedelta(hours=1)))
    assert not before.is_as(None)
    for changes in (
        {"status": "IN_REVIEW"},
        {"rejections": (Rejection(code=30446, reason="No"),)},
        {"edit_until": NOW},
    ):
        assert not before.is_as(replace(before, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("is_any_open", "hours", "is_due"),
    [(True, 0.99, False), (True, 1, True), (False, 23.9, False), (False, 24, True)],
)
def test_it_is_looked_for_by_the_hour_only_while_a_review_is_open(
    is_any_open: bool, hours: float, is_due: bool
) -> None:
    assert Looked(NOW, is_any_open).is_due(NOW + timedelta(hours=hours)) is is_due
