"""Toll-free verification by our API, against the simulated Twilio in virtual time: submit, follow, fix, resubmit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any, Literal
from urllib.parse import parse_qsl
from zlib import crc32

import pytest

from functions.compliance.app import lambda_handler as compliance
from functions.service.app import lambda_handler as service
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.toll_free.rejections import advice
from sendpool.edge import duties
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.listening import Listener
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.simulated import SimulatedTwilio
from tests.functional.twilio import Answer

PATH = "/compliance/toll-free"
THEIRS = "/v1/Tollfree/Verifications"
NUMBER = "+18885550100"
NUMBER_SID = f"PN{crc32(NUMBER.encode()):032x}"
LONG_CODE_SID = f"PN{crc32(b'+12025550100'):032x}"
HOUR, DAY = 3_600, 86_400
FORM: dict[str, Any] = {
    "tollfree_phone_number_sid": NUMBER_SID,
    "business_name": "Owl Shop, LLC",
    "business_website": "https://owl.shop",
    "notification_email": "compliance@owl.shop",
    "use_case_categories": ["ACCOUNT_NOTIFICATIONS"],
    "use_case_summary": (
        "Owl Shop sends order updates to customers who check an empty, optional box at checkout on owl.shop."
    ),
    "production_message_sample": "Owl Shop: We have your order 4471. Reply STOP to opt out",
    "opt_in_image_urls": ["https://owl.shop/opt-in.png"],
    "opt_in_type": "WEB_FORM",
    "message_volume": "10,000",
    "business_type": "PRIVATE_PROFIT",
    "business_registration_number": "12-3456789",
    "business_registration_authority": "EIN",
    "business_registration_country": "US",
    "privacy_policy_url": "https://owl.shop/privacy",
    "terms_and_conditions_url": "https://owl.shop/terms",
}


@pytest.fixture(autouse=True)
def twilio(simulator: SimulatedTwilio, clock: Clock) -> SimulatedTwilio:
    """A Twilio whose time stands where ours does."""
    stands = simulator.control("POST", "clock", {"frozen": True})["now"]
    clock.at = datetime.fromisoformat(stands).replace(microsecond=0)
    simulator.requests.clear()
    return simulator


@pytest.fixture
def listener(aws: Aws) -> Listener:
    return Listener(aws)


def ask(method: str, path: str, body: object = None, query: str = "") -> tuple[int, dict[str, Any]]:
    event = http(method, path, body, query=query)
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query))
    handler = service if path.startswith("/service") else compliance
    answer = handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def good(method: str, path: str, body: object = None, query: str = "") -> dict[str, Any]:
    status, answered = ask(method, path, body, query)
    assert status == 200, answered
    return answered


def submit(**changes: Any) -> dict[str, Any]:
    return good("POST", PATH, FORM | changes)


def review(twilio: SimulatedTwilio, sid: str, *codes: int) -> None:
    """Let the reviewer approve, or reject for these codes."""
    twilio.control("POST", f"reviews/{sid}", {"approved": not codes, "codes": codes})


def pass_by(twilio: SimulatedTwilio, clock: Clock, seconds: float) -> None:
    """Let time go on, here and at Twilio."""
    twilio.control("POST", "clock", {"advance_seconds": seconds})
    clock.pass_by(seconds=seconds)


def of(listener: Listener) -> list[dict[str, Any]]:
    """What was told of toll-free numbers since it was asked last."""
    told = listener.told()
    return [each["data"] for each in told if each["type"] == "toll_free.status_changed"]


def statuses(listener: Listener) -> list[tuple[str | None, str]]:
    return [(each.get("previous"), each["status"]) for each in of(listener)]


def rate() -> float:
    listed = good("GET", "/service/senders")["senders"]
    (found,) = (each for each in listed if each["sid"] == NUMBER_SID)
    speed: float = found["segments_per_second"]
    return speed


def at_twilio(twilio: SimulatedTwilio) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = twilio.api("GET", THEIRS)["verifications"]
    return found


@contextmanager
def struck(
    twilio: SimulatedTwilio, whom: str, call: int, when: Literal["before", "after"]
) -> Iterator[Any]:
    """Kill the process at one of its calls, to AWS or to Twilio."""
    killing = killed_at(call, when) if whom == "aws" else twilio.killed_at(call, when)
    with killing as was_killed:
        yield was_killed


DEATHS = [(whom, when) for whom in ("aws", "twilio") for when in ("before", "after")]


# ------------------------------------------------------------------------------------------------ the whole way


def test_a_number_goes_from_submission_by_a_rejection_and_a_fix_to_its_full_rate(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener, context: Context
) -> None:
    good("POST", "/service/senders", {"sid": NUMBER_SID})
    assert rate() == 0
    # WHEN it is submitted
    made = submit()
    assert (made["status"], made["submitted"]) == ("PENDING_REVIEW", True)
    assert (made["number"], made["next_step"]["who"]) == (NUMBER, "twilio")
    assert statuses(listener) == [(None, "PENDING_REVIEW")]
    # THEN its review is followed by the hour
    pass_by(twilio, clock, DAY + HOUR)
    sweeper({}, context)
    assert statuses(listener) == [("PENDING_REVIEW", "IN_REVIEW")]
    # WHEN it is rejected
    review(twilio, made["sid"], 30508)
    pass_by(twilio, clock, HOUR)
    sweeper({}, context)
    (told,) = of(listener)
    assert (told["status"], told["rejections"][0]["code"]) == ("TWILIO_REJECTED", 30508)
    shown = good("GET", f"{PATH}/{made['sid']}")
    (why,) = shown["rejections"]
    assert (why["code"], why["fields"]) == (30508, ["opt_in_image_urls"])
    assert (shown["may_be_edited"], shown["next_step"]["name"]) == (True, "fix")
    assert rate() == 0
    # THEN it is fixed, which submits it again
    fixed = good(
        "PATCH",
        f"{PATH}/{made['sid']}",
        {
            "opt_in_image_urls": ["https://owl.shop/empty-box.png"],
            "edit_reason": "the box is empty",
        },
    )
    assert (fixed["status"], fixed["submitted"]) == ("PENDING_REVIEW", True)
    assert fixed["submission"]["opt_in_image_urls"] == ["https://owl.shop/empty-box.png"]
    assert fixed["submission"]["business_name"] == "Owl Shop, LLC"
    assert statuses(listener) == [("TWILIO_REJECTED", "PENDING_REVIEW")]
    # AND approved
    pass_by(twilio, clock, 3 * DAY)
    sweeper({}, context)
    assert statuses(listener) == [("PENDING_REVIEW", "TWILIO_APPROVED")]
    shown = good("GET", f"{PATH}/{made['sid']}")
    assert (shown["next_step"]["name"], shown["next_step"]["who"]) == ("none", "nobody")
    assert rate() == 3


def test_every_field_of_the_form_goes_to_twilio_and_comes_back(twilio: SimulatedTwilio) -> None:
    more = {
        "business_street_address": "1 Owl Street",
        "business_street_address2": "Suite 2",
        "business_city": "Portland",
        "business_state_province_region": "OR",
        "business_postal_code": "97201",
        "business_country": "US",
        "additional_information": "Owl Shop is its own sender.",
        "business_contact_first_name": "Ann",
        "business_contact_last_name": "Owl",
        "business_contact_email": "ann@owl.shop",
        "business_contact_phone": "+12025550123",
        "business_registration_phone_number": "+12025550124",
        "doing_business_as": "Owl Shop",
        "opt_in_confirmation_message": (
            "Owl Shop: 4 msgs/month. Msg & data rates may apply. HELP for help, STOP to end"
        ),
        "help_message_sample": "Owl Shop: call 202-555-0123 or see https://owl.shop/help",
        "age_gated_content": False,
        "opt_in_keywords": ["OWL", "JOIN"],
        "vetting_provider": "CAMPAIGN_VERIFY",
        "vetting_id": "token",
        "customer_profile_sid": "BU" + "1" * 32,
        "external_reference_id": "owl-1",
    }
    made = submit(**more)
    said = {
        name: value for name, value in (FORM | more).items() if name != "tollfree_phone_number_sid"
    }
    assert made["submission"] == said
    (theirs,) = at_twilio(twilio)
    assert {name: theirs[name] for name in FORM | more} == FORM | more
    assert made["wanted"] == []


def test_fields_may_bear_the_names_that_twilio_gives_them() -> None:
    spelled = {"".join(map(str.capitalize, name.split("_"))): value for name, value in FORM.items()}
    assert good("POST", PATH, spelled)["submission"]["use_case_summary"] == FORM["use_case_summary"]


# ------------------------------------------------------------------------------------------------ submitted once


def test_a_number_has_one_verification_and_who_submits_again_is_shown_it(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener
) -> None:
    first = submit()
    again = submit(business_name="Another, Inc.")
    assert (again["sid"], again["submitted"]) == (first["sid"], False)
    assert again["submission"]["business_name"] == "Owl Shop, LLC"
    # one that may be fixed is shown as well
    review(twilio, first["sid"], 30475)
    again = submit()
    assert (again["sid"], again["next_step"]["name"]) == (first["sid"], "fix")
    assert len(at_twilio(twilio)) == 1
    assert statuses(listener) == [(None, "TWILIO_REJECTED")]


def test_what_is_over_is_submitted_anew(twilio: SimulatedTwilio, clock: Clock) -> None:
    # GIVEN one for which no edit helps
    first = submit()
    review(twilio, first["sid"], 30442)
    shown = good("GET", f"{PATH}/{first['sid']}")
    assert (shown["next_step"]["name"], shown["may_be_edited"]) == ("give_up", False)
    assert (shown["next_step"]["who"], shown["edit_until"]) == ("you", None)
    # AND one whose time is over
    second = submit()
    assert (second["submitted"], second["sid"] == first["sid"]) == (True, False)
    review(twilio, second["sid"], 30475)
    pass_by(twilio, clock, 7 * DAY)
    assert good("GET", f"{PATH}/{second['sid']}")["next_step"]["name"] == "submit_again"
    third = submit()
    assert third["submitted"] is True
    listed = good("GET", PATH)["verifications"]
    assert {each["sid"] for each in listed} == {first["sid"], second["sid"], third["sid"]}
    assert listed[0]["sid"] == third["sid"]


@pytest.mark.parametrize(("whom", "when"), DEATHS)
def test_a_function_that_dies_at_any_call_has_submitted_once_when_it_is_asked_again(
    twilio: SimulatedTwilio,
    clock: Clock,
    listener: Listener,
    context: Context,
    whom: str,
    when: Literal["before", "after"],
) -> None:
    for call in count(1):
        with struck(twilio, whom, call, when) as was_killed:
            submit()
        assert submit()["status"] == "PENDING_REVIEW"
        (theirs,) = at_twilio(twilio)
        assert statuses(listener) == [(None, "PENDING_REVIEW")]
        good("DELETE", f"{PATH}/{theirs['sid']}")
        if not was_killed():
            assert call > 1
            return


@pytest.mark.parametrize(("whom", "when"), DEATHS)
def test_what_a_dead_function_submitted_is_followed_although_nobody_asks_again(
    twilio: SimulatedTwilio,
    clock: Clock,
    listener: Listener,
    context: Context,
    whom: str,
    when: Literal["before", "after"],
) -> None:
    sweeper({}, context)  # which finds nothing, and would look again tomorrow
    for call in count(1):
        with struck(twilio, whom, call, when) as was_killed:
            submit()
        pass_by(twilio, clock, HOUR)
        sweeper({}, context)
        made = at_twilio(twilio)
        assert [each for _, each in statuses(listener)] == [each["status"] for each in made]
        for each in made:
            good("DELETE", f"{PATH}/{each['sid']}")
        if not was_killed():
            assert len(made) == 1
            return
        pass_by(twilio, clock, HOUR)
        sweeper({}, context)


def test_an_answer_that_gets_lost_is_found_by_the_repeat(twilio: SimulatedTwilio) -> None:
    with twilio.answer_lost():
        status, answered = ask("POST", PATH, FORM)
    assert (status, answered["code"], answered["retryable"]) == (503, "twilio_unavailable", True)
    assert submit()["submitted"] is False
    assert len(at_twilio(twilio)) == 1


def test_of_two_who_submit_at_once_the_second_is_shown_what_the_first_made(
    twilio: SimulatedTwilio,
) -> None:
    first = submit()
    form = {"".join(map(str.capitalize, name.split("_"))): each for name, each in FORM.items()}
    good("DELETE", f"{PATH}/{first['sid']}")

    def be_faster(method: str, path: str) -> None:
        if (method, path) == ("POST", THEIRS):
            twilio.before = lambda _method, _path: None
            twilio.api("POST", THEIRS, **form)

    twilio.before = be_faster
    answered = submit()
    assert answered["submitted"] is False
    assert [each["sid"] for each in at_twilio(twilio)] == [answered["sid"]]


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        (
            {"tollfree_phone_number_sid": "+18885550100"},
            "tollfree_phone_number_sid",
            "invalid_number_sid",
        ),
        (
            {"tollfree_phone_number_sid": "PN" + "e" * 32},
            "tollfree_phone_number_sid",
            "unknown_number",
        ),
        ({"business_name": None}, "business_name", "missing_field"),
        ({"opt_in_image_urls": []}, "opt_in_image_urls", "missing_field"),
        ({"business_name": " "}, "business_name", "blank_text"),
        ({"use_case_summary": "x" * 4_097}, "use_case_summary", "text_too_long"),
        ({"business_website": "owl.shop"}, "business_website", "invalid_url"),
        (
            {"opt_in_image_urls": ["https://owl.shop", "ftp://owl.shop"]},
            "opt_in_image_urls",
            "invalid_url",
        ),
        ({"opt_in_image_urls": ["https://owl.shop"] * 51}, "opt_in_image_urls", "too_many_values"),
        ({"notification_email": "owl"}, "notification_email", "invalid_email"),
        ({"use_case_categories": ["2FA"]}, "use_case_categories", "unknown_choice"),
        ({"opt_in_type": "web_form"}, "opt_in_type", "unknown_choice"),
        ({"message_volume": "many"}, "message_volume", "invalid_volume"),
        ({"business_country": "USA"}, "business_country", "invalid_country"),
        ({"business_contact_phone": "2025550123"}, "business_contact_phone", "invalid_phone"),
        ({"business_type": "LLC"}, "business_type", "unknown_choice"),
        (
            {"business_registration_authority": "IRS"},
            "business_registration_authority",
            "unknown_choice",
        ),
        ({"vetting_id": "token"}, "vetting_provider", "vetting_incomplete"),
        ({"vetting_provider": "CAMPAIGN_VERIFY"}, "vetting_id", "vetting_incomplete"),
        (
            {"vetting_provider": "CAMPAIGN_VERIFY", "vetting_id": "x" * 501},
            "vetting_id",
            "text_too_long",
        ),
        ({"customer_profile_sid": "BU1"}, "customer_profile_sid", "invalid_profile_sid"),
        ({"age_gated_content": "no"}, "age_gated_content", "wrong_type"),
        ({"message_volume": 10_000}, "message_volume", "wrong_type"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_what_the_form_does_not_take_is_named(
    twilio: SimulatedTwilio, changes: dict[str, Any], field: str, code: str
) -> None:
    status, answered = ask("POST", PATH, FORM | changes)
    assert (status, [(each["field"], each["code"]) for each in answered["errors"]]) == (
        422,
        [(field, code)],
    )
    assert at_twilio(twilio) == []


def test_a_number_that_is_none_of_the_toll_free_ones_is_refused_by_twilio() -> None:
    status, answered = ask("POST", PATH, FORM | {"tollfree_phone_number_sid": LONG_CODE_SID})
    assert (status, answered["twilio_code"]) == (422, 20001)


def test_what_reviewers_would_reject_is_not_submitted_unless_one_insists(
    twilio: SimulatedTwilio,
) -> None:
    bad = FORM | {"production_message_sample": "Owl Shop: see http://bit.ly/owl, STOP to end"}
    status, answered = ask("POST", PATH, bad)
    assert (status, answered["code"]) == (422, "preflight_rejected")
    assert {each["code"] for each in answered["errors"]} == {"P-HTTP", "P-SHORTENER"}
    assert {each["field"] for each in answered["errors"]} == {"production_message_sample"}
    assert twilio.changes == []
    made = good("POST", PATH, bad | {"force": True})
    assert made["submitted"] is True
    assert {each["rule"] for each in made["findings"]} >= {"P-HTTP", "P-SHORTENER"}


def test_what_preflight_warns_of_goes_with_the_answer() -> None:
    made = submit(privacy_policy_url=None)
    (finding,) = made["findings"]
    assert (finding["rule"], finding["severity"]) == ("P-PRIVACY-MISSING", "warn")
    assert "privacy_policy_url" in made["wanted"]


# ------------------------------------------------------------------------------------------------ fixed


def rejected(twilio: SimulatedTwilio, *codes: int) -> str:
    sid: str = submit()["sid"]
    review(twilio, sid, *codes)
    return sid


@pytest.mark.parametrize(("whom", "when"), DEATHS)
def test_a_fix_that_dies_at_any_call_is_done_once_when_it_is_asked_again(
    twilio: SimulatedTwilio,
    clock: Clock,
    listener: Listener,
    whom: str,
    when: Literal["before", "after"],
) -> None:
    sid = submit()["sid"]
    for call in count(1):
        review(twilio, sid, 30475)
        submit()  # which sees that it was rejected
        of(listener)
        summary = f"{FORM['use_case_summary']} It is attempt {call}."
        fix = {"use_case_summary": summary}
        with struck(twilio, whom, call, when) as was_killed:
            good("PATCH", f"{PATH}/{sid}", fix)
        fixed = good("PATCH", f"{PATH}/{sid}", fix)
        assert (fixed["status"], fixed["submission"]["use_case_summary"]) == (
            "PENDING_REVIEW",
            summary,
        )
        edits = [each for each in twilio.changes if each == f"POST {THEIRS}/{sid}"]
        assert len(edits) == 1 or (whom, when) == ("twilio", "before")
        assert statuses(listener) == [("TWILIO_REJECTED", "PENDING_REVIEW")]
        twilio.requests.clear()
        if not was_killed():
            assert call > 1
            return


def test_a_repeat_of_a_fix_changes_nothing_and_another_change_has_to_wait(
    twilio: SimulatedTwilio,
) -> None:
    sid = rejected(twilio, 30475)
    fix = {"doing_business_as": "Owl Shop"}
    assert good("PATCH", f"{PATH}/{sid}", fix)["submitted"] is True
    assert good("PATCH", f"{PATH}/{sid}", fix)["submitted"] is False
    status, answered = ask("PATCH", f"{PATH}/{sid}", {"doing_business_as": "Owls"})
    assert (status, answered["code"]) == (409, "verification_under_review")


def test_what_was_put_right_elsewhere_goes_in_again_without_a_change(
    twilio: SimulatedTwilio,
) -> None:
    sid = rejected(twilio, 30489)
    fixed = good("PATCH", f"{PATH}/{sid}", {"edit_reason": "the website is live"})
    assert (fixed["submitted"], fixed["status"]) == (True, "PENDING_REVIEW")


def test_a_field_is_emptied_by_null(twilio: SimulatedTwilio) -> None:
    sid = rejected(twilio, 30488)
    review_again = {"doing_business_as": "Owl", "opt_in_keywords": ["OWL"]}
    good("PATCH", f"{PATH}/{sid}", review_again)
    review(twilio, sid, 30488)
    fixed = good("PATCH", f"{PATH}/{sid}", {"doing_business_as": None, "opt_in_keywords": None})
    assert fixed["submission"].keys().isdisjoint(review_again)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"business_name": None}, "business_name", "missing_field"),
        ({"message_volume": "lots"}, "message_volume", "invalid_volume"),
        ({"vetting_id": "token"}, "vetting_provider", "vetting_incomplete"),
        ({"external_reference_id": "owl-2"}, "external_reference_id", "unknown_field"),
        ({"tollfree_phone_number_sid": NUMBER_SID}, "tollfree_phone_number_sid", "unknown_field"),
        ({"opt_in_type": "IMPORT"}, "opt_in_type", "T-OPT-IN-TYPE"),
    ],
)
def test_a_fix_is_held_against_the_same_rules(
    twilio: SimulatedTwilio, changes: dict[str, Any], field: str, code: str
) -> None:
    sid = rejected(twilio, 30475)
    twilio.requests.clear()
    status, answered = ask("PATCH", f"{PATH}/{sid}", changes)
    assert (status, [(each["field"], each["code"]) for each in answered["errors"]]) == (
        422,
        [(field, code)],
    )
    assert twilio.changes == []


@pytest.mark.parametrize(
    ("codes", "days", "code"),
    [
        ((), 0, "verification_approved"),
        ((30475,), 7, "edit_expired"),
        ((30442,), 0, "edit_not_allowed"),
    ],
)
def test_what_takes_no_edit_says_why_and_what_helps(
    twilio: SimulatedTwilio, clock: Clock, codes: tuple[int, ...], days: int, code: str
) -> None:
    sid = rejected(twilio, *codes)
    pass_by(twilio, clock, days * DAY)
    status, answered = ask("PATCH", f"{PATH}/{sid}", {"doing_business_as": "Owls"})
    assert (status, answered["code"]) == (409, code)
    assert answered["remedy"]


@pytest.mark.parametrize(
    ("refused_with", "status", "code"),
    [(30437, 409, "twilio_expired"), (20409, 409, "verification_changing")],
)
def test_an_edit_that_twilio_refuses_all_the_same_says_why(
    twilio: SimulatedTwilio, refused_with: int, status: int, code: str
) -> None:
    sid = rejected(twilio, 30475)

    def refuse(method: str, _path: str) -> None:
        if method == "POST":
            twilio.answers = [Answer(status, refused_with)]
            twilio.before = lambda _method, _path: None

    twilio.before = refuse
    answered_with, answered = ask("PATCH", f"{PATH}/{sid}", {"doing_business_as": "Owls"})
    assert (answered_with, answered["code"]) == (409, code)


# ------------------------------------------------------------------------------------------------ taken back


def test_a_verification_is_taken_back_and_again_changes_nothing(twilio: SimulatedTwilio) -> None:
    sid = submit()["sid"]
    assert good("DELETE", f"{PATH}/{sid}") == {"sid": sid, "removed": True}
    assert good("DELETE", f"{PATH}/{sid}") == {"sid": sid, "removed": False}
    assert ask("GET", f"{PATH}/{sid}")[0] == 404
    assert at_twilio(twilio) == []


def test_one_that_is_approved_is_taken_back_only_by_who_insists(twilio: SimulatedTwilio) -> None:
    sid = submit()["sid"]
    review(twilio, sid)
    status, answered = ask("DELETE", f"{PATH}/{sid}")
    assert (status, answered["code"]) == (409, "verification_approved")
    assert len(at_twilio(twilio)) == 1
    assert good("DELETE", f"{PATH}/{sid}", query="force=true")["removed"] is True
    assert at_twilio(twilio) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_taking_back_may_die_anywhere(
    twilio: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    for call in count(1):
        sid = submit()["sid"]
        with twilio.killed_at(call, when) as was_killed:
            good("DELETE", f"{PATH}/{sid}")
        good("DELETE", f"{PATH}/{sid}")
        assert at_twilio(twilio) == []
        if not was_killed():
            return


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("sid", ["HH1", "PN" + "1" * 32, "HH" + "1" * 32])
def test_what_is_not_there_is_not_found(method: str, sid: str) -> None:
    status, answered = ask(method, f"{PATH}/{sid}", {} if method == "PATCH" else None)
    if method == "DELETE" and sid.startswith("HH1111"):
        assert (status, answered["removed"]) == (200, False)
    else:
        assert (status, answered["code"]) == (404, "not_found")


# ------------------------------------------------------------------------------------------------ followed


def look() -> None:
    """Let the sweeper do its part for toll-free numbers, and no other."""
    duties._follow_toll_free(duties.Turn(Context()))


def looks(twilio: SimulatedTwilio) -> int:
    """How often somebody looked since it was asked last."""
    looked = twilio.requests.count(f"GET {THEIRS}")
    twilio.requests.clear()
    return looked


def test_it_is_looked_for_once_a_day_and_once_an_hour_while_a_review_is_open(
    twilio: SimulatedTwilio, clock: Clock, context: Context
) -> None:
    def looks_in(hours: int) -> int:
        twilio.requests.clear()
        for _ in range(hours * 2):
            look()
            pass_by(twilio, clock, HOUR / 2)
        return looks(twilio)

    assert looks_in(hours=24) == 1
    submit()
    assert looks_in(hours=24) == 23  # the first time an hour later
    twilio.control("POST", "clock", {"advance_seconds": 3 * DAY})  # which approves it
    assert looks_in(hours=24) == 1


def test_what_others_submit_is_told_within_a_day(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener, context: Context
) -> None:
    sweeper({}, context)
    form = {"".join(map(str.capitalize, name.split("_"))): each for name, each in FORM.items()}
    twilio.api("POST", THEIRS, **form)
    pass_by(twilio, clock, DAY)
    sweeper({}, context)
    assert statuses(listener) == [(None, "IN_REVIEW")]


@pytest.mark.parametrize(("whom", "when"), DEATHS)
def test_a_sweeper_that_dies_at_any_call_tells_it_once_all_the_same(
    twilio: SimulatedTwilio,
    clock: Clock,
    listener: Listener,
    context: Context,
    whom: str,
    when: Literal["before", "after"],
) -> None:
    sid = submit()["sid"]
    of(listener)
    for call in count(1):
        review(twilio, sid, 30475)
        pass_by(twilio, clock, HOUR)
        with struck(twilio, whom, call, when) as was_killed:
            look()
        told = of(listener)
        look()
        told += of(listener)
        assert [each["status"] for each in told] == ["TWILIO_REJECTED"], call
        good("PATCH", f"{PATH}/{sid}", {})
        of(listener)
        if not was_killed():
            assert call > 1
            return


def test_a_second_rejection_is_told_although_nobody_saw_what_was_between(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener, context: Context
) -> None:
    sid = rejected(twilio, 30475)
    pass_by(twilio, clock, HOUR)
    sweeper({}, context)
    (first,) = [each for each in listener.told() if each["type"].startswith("toll_free.")]
    pass_by(twilio, clock, HOUR / 2)
    twilio.api("POST", f"{THEIRS}/{sid}", DoingBusinessAs="Owls")
    review(twilio, sid, 30475)
    pass_by(twilio, clock, DAY)
    sweeper({}, context)
    (second,) = [each for each in listener.told() if each["type"].startswith("toll_free.")]
    assert second["data"]["previous"] == second["data"]["status"] == "TWILIO_REJECTED"
    assert first["id"] != second["id"]


def test_what_is_told_twice_has_the_same_id(twilio: SimulatedTwilio, listener: Listener) -> None:
    submit()
    first, second = listener.told(), listener.told_again()
    assert first == second
    assert len(first) == 1


def test_a_sight_of_before_does_not_undo_a_later_one(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener, context: Context
) -> None:
    # GIVEN a sweeper that has read a rejection and dawdles
    sid = rejected(twilio, 30475)
    pass_by(twilio, clock, HOUR)

    def dawdle(method: str, path: str) -> None:
        if (method, path) == ("GET", THEIRS):
            twilio.after = lambda _method, _path: None
            pass_by(twilio, clock, 60)
            good("PATCH", f"{PATH}/{sid}", {})

    twilio.after = dawdle
    sweeper({}, context)
    # THEN what it saw is not written over the fix, and the review stays open to the next look
    assert [each for _, each in statuses(listener)] == ["PENDING_REVIEW"]
    twilio.requests.clear()
    pass_by(twilio, clock, HOUR)
    sweeper({}, context)
    assert looks(twilio) == 1


def test_a_twilio_that_does_not_answer_is_asked_in_the_next_minute(
    twilio: SimulatedTwilio, clock: Clock, listener: Listener, context: Context
) -> None:
    submit()
    of(listener)
    pass_by(twilio, clock, DAY + HOUR)

    def fail(method: str, path: str) -> None:
        if path == THEIRS:
            raise NoAnswerError("late")

    twilio.before = fail
    sweeper({}, context)
    assert of(listener) == []
    twilio.before = lambda _method, _path: None
    sweeper({}, context)
    assert statuses(listener) == [("PENDING_REVIEW", "IN_REVIEW")]


def test_an_account_that_may_not_look_is_asked_once_a_day_and_told_of_in_the_log(
    twilio: SimulatedTwilio,
    clock: Clock,
    context: Context,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_method: str, path: str) -> None:
        if path == THEIRS:
            twilio.answers = [Answer(403, 20008)]

    twilio.before = refuse
    sweeper({}, context)
    assert "toll-free refused" in caplog.messages
    twilio.requests.clear()
    pass_by(twilio, clock, HOUR)
    sweeper({}, context)
    assert looks(twilio) == 0


# ------------------------------------------------------------------------------------------------ explained


def test_a_rejection_for_several_reasons_explains_each(twilio: SimulatedTwilio) -> None:
    sid = rejected(twilio, 30508, 30486)
    shown = good("GET", f"{PATH}/{sid}")["rejections"]
    assert [each["code"] for each in shown] == [30508, 30486]
    for each in shown:
        known = advice(each["code"])
        assert (each["problem"], each["fix"], each["fields"]) == (
            known.problem,
            known.fix,
            list(known.fields),
        )
        assert each["reason"]


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"rejection_reasons": None, "error_code": 30446, "rejection_reason": "No"}, [30446]),
        ({"rejection_reasons": [], "error_code": None, "rejection_reason": "No"}, [None]),
        ({"rejection_reasons": [{"code": "30446", "reason": "No"}, "x"]}, [30446]),
        ({"rejection_reasons": [{"reason": "No"}]}, [None]),
        ({"rejection_reasons": [{"code": 99_999, "reason": "No"}]}, [99_999]),
    ],
)
def test_whatever_form_the_reasons_have_they_are_explained(
    twilio: SimulatedTwilio, said: dict[str, Any], codes: list[int | None]
) -> None:
    sid = rejected(twilio, 30475)
    theirs = twilio.api("GET", f"{THEIRS}/{sid}")
    twilio.instead[f"GET {THEIRS}/{sid}"] = theirs | said
    shown = good("GET", f"{PATH}/{sid}")
    assert [each["code"] for each in shown["rejections"]] == codes
    assert all(each["fix"] and each["reason"] == "No" for each in shown["rejections"])


def test_a_status_that_nobody_knows_counts_as_under_review(twilio: SimulatedTwilio) -> None:
    sid = submit()["sid"]
    theirs = twilio.api("GET", f"{THEIRS}/{sid}")
    twilio.instead[f"GET {THEIRS}/{sid}"] = theirs | {"status": "PONDERED"}
    shown = good("GET", f"{PATH}/{sid}")
    assert (shown["status"], shown["next_step"]["name"]) == ("PONDERED", "wait")


def test_a_time_with_fractions_of_a_second_is_one(twilio: SimulatedTwilio) -> None:
    sid = submit()["sid"]
    review(twilio, sid, 30475)
    path = f"{THEIRS}/{sid}"
    times = {
        "edit_expiration": "2030-11-30T12:27:45.250Z",
        "date_updated": "2026-11-30T12:27:45+00:00",
        "date_created": "some day",
    }
    twilio.instead[f"GET {path}"] = twilio.api("GET", path) | times
    shown = good("GET", f"{PATH}/{sid}")
    assert shown["edit_until"] == "2030-11-30T12:27:45.250000Z"
    assert (shown["updated_at"], shown["created_at"]) == ("2026-11-30T12:27:45Z", None)


@pytest.mark.parametrize("half", [{"business_name": "\ud800"}, {"opt_in_keywords": ["\udc00"]}])
def test_half_a_character_is_no_text(half: dict[str, Any]) -> None:
    status, answered = ask("POST", PATH, FORM | half)
    assert (status, answered["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("field", ["message_volume", "business_contact_phone"])
def test_digits_are_those_that_twilio_reads(field: str) -> None:
    status, answered = ask(
        "POST", PATH, FORM | {field: "+1202555018\u0663" if field.endswith("phone") else "\u0663"}
    )
    assert (status, answered["errors"][0]["field"]) == (422, field)
