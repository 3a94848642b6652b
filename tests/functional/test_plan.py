"""The plan of a broadcast: what it says is what sending then does, however often it is interrupted; nothing is sent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.dispatcher.app import lambda_handler as dispatcher
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters import aws as clients
from sendpool.edge import prices, warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.rest import Deployment, killed_at
from tests.functional.test_control import people
from tests.functional.test_prices import FakePriceList, country
from tests.functional.twilio import FakeTwilio

BODY = "Hi {{ name }}, the sale is on. Reply STOP to opt out."
# Monday, 21:30 in New York, 18:30 in San Francisco
NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
EIGHT_IN_NEW_YORK = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
WASHINGTON, SAN_FRANCISCO, MIAMI = 202, 415, 305


@pytest.fixture
def price_list(aws: Aws) -> Iterator[FakePriceList]:
    fake = FakePriceList({"US": country("US", local="0.0083")})
    prices.use_transport(lambda: fake)
    yield fake
    prices.use_transport()


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio, price_list: FakePriceList) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    return Deployment(flow, clock)


def planned(flow: Flow, broadcast_id: str, **request: Any) -> dict[str, Any]:
    """Ask for a plan, let the dispatcher make it, and return it."""
    status, plan = flow.call("POST", f"/broadcasts/{broadcast_id}/plan", request)
    assert status == 202, plan
    flow.dispatch()
    return fetched(flow, broadcast_id)


def fetched(flow: Flow, broadcast_id: str) -> dict[str, Any]:
    status, plan = flow.call("GET", f"/broadcasts/{broadcast_id}/plan")
    assert status == 200, plan
    return plan


def reasons(plan: dict[str, Any], decision: str) -> dict[str, int]:
    return {
        each["reason"]: each["rows"] for each in plan["reasons"] if each["decision"] == decision
    }


def examples(plan: dict[str, Any], reason: str) -> list[dict[str, Any]]:
    [found] = [each["examples"] for each in plan["reasons"] if each["reason"] == reason]
    return list(found)


def report_of(flow: Flow, plan: dict[str, Any]) -> list[dict[str, str]]:
    key = urlsplit(plan["report_url"]).path.lstrip("/")
    content = flow.aws.session.client("s3").get_object(Bucket="files", Key=key)["Body"].read()
    return list(csv.DictReader(io.StringIO(content.decode())))


def put(flow: Flow, broadcast_id: str, content: bytes) -> None:
    s3 = flow.aws.session.client("s3")
    s3.put_object(Bucket="files", Key=f"uploads/{broadcast_id}", Body=content)


def opt_out(person: str) -> None:
    warm.opt_outs().record(person, "all", opted_out=True, source="test", at=warm.now())


# ------------------------------------------------------------------------------------------------ as sending does


def mixed() -> list[dict[str, Any]]:
    """All that can become of a row in the evening, with two who opt out."""
    awake, asleep = people(6, area=SAN_FRANCISCO), people(5, area=WASHINGTON)
    capped = people(2, area=MIAMI)
    capped = [each | {"timezone": "America/Los_Angeles"} for each in capped]
    return [
        asleep[0],
        *awake,
        {"to": "12345", "variables": {"name": "Short"}},
        *asleep[1:],
        {"to": "(415) 555-1000", "variables": {"name": "Again"}},
        {"to": "+14155559999"},
        {"to": "+14155559998", "variables": {"name": ""}},
        *capped,
    ]


def test_a_plan_says_what_sending_then_does_and_does_nothing_itself(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio, aws: Aws
) -> None:
    # GIVEN people who opted out, and some whose cap is used up
    clock.at = EIGHT_IN_NEW_YORK - timedelta(hours=14)
    for _ in range(3):
        flow.created(body="Hi", recipients=people(2, area=MIAMI), start="now")
        stack.rest()
    clock.at = NIGHT
    texted = len(twilio.made)
    opt_out("+14155551002")
    opt_out("+12025551003")
    broadcast_id = flow.created(body=BODY, recipients=mixed())
    before = flow.report(broadcast_id), aws.items(prefix="SENT#")
    # WHEN
    plan = planned(flow, broadcast_id)
    # THEN
    assert plan["state"] == "done"
    assert (plan["total"], plan["planned"]) == (17, 17)
    assert len(twilio.made) == texted
    assert aws.records("SEND_QUEUE") == []
    assert before == (flow.report(broadcast_id), aws.items(prefix="SENT#"))
    # AND what it said happens
    flow.call("POST", f"/broadcasts/{broadcast_id}/start")
    for _ in range(20):
        stack.receive()
        stack._work()
    flow.roll_up()
    counters = flow.report(broadcast_id)["counters"]
    assert counters == {
        "accepted": plan["decisions"]["send"],
        "deferred": plan["decisions"]["defer"],
        "skipped": plan["decisions"]["skip"],
    }
    assert flow.report(broadcast_id)["skipped"] == reasons(plan, "skip")
    stack.rest()
    report = flow.report(broadcast_id)
    assert report["state"] == "completed"
    assert report["counters"]["accepted"] == plan["decisions"]["send"] + plan["decisions"]["defer"]
    assert report["skipped"] == reasons(plan, "skip")
    assert reasons(plan, "skip") == {
        "invalid_phone": 1,
        "duplicate": 1,
        "missing_variable": 1,
        "opted_out": 2,
        "frequency_cap": 2,
    }


def test_a_plan_for_a_moment_says_what_starting_then_does(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN an afternoon, and a broadcast that shall start at night
    broadcast_id = flow.created(
        body=BODY,
        recipients=people(3, area=SAN_FRANCISCO) + people(4),
        start=NIGHT.isoformat(),
        expire_at=(EIGHT_IN_NEW_YORK - timedelta(hours=1)).isoformat(),
    )
    # WHEN plans are made for its own start, and for now
    at_night = planned(flow, broadcast_id)
    now = planned(flow, broadcast_id, at=clock().isoformat())
    # THEN
    assert (at_night["at"], now["at"]) == ("2026-11-24T02:30:00Z", "2026-11-23T15:00:00Z")
    assert at_night["decisions"] == {"send": 3, "skip": 4}
    assert reasons(at_night, "skip") == {"expired": 4}
    assert now["decisions"] == {"defer": 3, "send": 4}
    clock.at = NIGHT
    stack.rest()
    report = flow.report(broadcast_id)
    assert (report["counters"], report["skipped"]) == (
        {"accepted": 3, "skipped": 4},
        {"expired": 4},
    )


def test_a_broadcast_that_tries_another_again_is_planned_by_who_failed(
    flow: Flow, stack: Deployment, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN a broadcast of which two failed for a reason that may pass, and one opted out since
    first = flow.created(body=BODY, recipients=people(4), start="now")
    stack.rest()
    for message in twilio.made[1:3]:
        flow.call_back(callback(message, "undelivered", error_code=30003))
    flow.roll_up()
    opt_out(twilio.made[1]["to"])
    _, again = flow.call("POST", f"/broadcasts/{first}/retry-failed", {"start": "manual"})
    # WHEN
    plan = planned(flow, again["id"])
    # THEN
    assert plan["decisions"] == {"send": 1, "skip": 1}
    assert changed(flow, again["id"])["upload_replaced"] is False
    stack.rest()
    assert flow.report(again["id"])["skipped"] == reasons(plan, "skip") == {"opted_out": 1}
    assert len(twilio.made) == 5


def test_transactional_rows_keep_no_hours(flow: Flow, clock: Clock) -> None:
    clock.at = NIGHT
    broadcast_id = flow.created(body=BODY, recipients=people(3), category="transactional")
    plan = planned(flow, broadcast_id)
    assert plan["decisions"] == {"send": 3}
    assert [(each["place"], each["rows"]) for each in plan["hours"]] == [("anywhere", 3)]


# ------------------------------------------------------------------------------------------------ what it says


def test_reasons_have_examples_with_masked_numbers_and_what_is_wrong(
    flow: Flow, clock: Clock
) -> None:
    clock.at = NIGHT
    recipients = [*people(7), {"to": "+12025559999"}, {"to": "12", "variables": {"name": "A"}}]
    plan = planned(flow, flow.created(body=BODY, recipients=recipients))
    assert examples(plan, "missing_variable") == [
        {"row": 8, "to": "+1202***9999", "detail": "name"}
    ]
    assert examples(plan, "invalid_phone") == [{"row": 9, "to": "***", "detail": None}]
    deferred = examples(plan, "quiet_hours")
    assert [each["row"] for each in deferred] == [1, 2, 3, 4, 5]
    assert {each["detail"] for each in deferred} == {"US"}


def test_who_is_texted_when_and_when_it_is_over(flow: Flow, clock: Clock) -> None:
    clock.at = NIGHT
    recipients = people(120, area=SAN_FRANCISCO) + people(40)
    plan = planned(flow, flow.created(body=BODY, recipients=recipients, rate=2))
    [awake, asleep] = plan["hours"]
    assert (awake["rows"], awake["decision"], awake["until"]) == (
        120,
        "send",
        "2026-11-24T05:00:00Z",
    )
    assert awake["place"] == "US-CA America/Los_Angeles"
    assert (asleep["rows"], asleep["decision"], asleep["until"]) == (
        40,
        "defer",
        "2026-11-24T13:00:00Z",
    )
    # 40 segments at two a second, from eight on
    assert plan["finish_at"] == "2026-11-24T13:00:20Z"
    assert plan["too_late"] == 0


def test_without_a_rate_it_ends_when_the_pool_has_passed_everything_on(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN a campaign that is granted one segment a second by each of three carriers
    twilio.numbers, twilio.campaigns, twilio.campaign_mps = ["+12025550100"], ["VERIFIED"], 1.0
    sweeper({}, Context())
    broadcast_id = flow.created(body="Hi", recipients=people(30), category="transactional")
    plan = planned(flow, broadcast_id, at="2026-11-24T15:00:00Z")
    assert plan["finish_at"] == "2026-11-24T15:00:10Z"


def test_a_pace_that_does_not_reach_everybody_in_time_is_told(flow: Flow, clock: Clock) -> None:
    clock.at = NIGHT
    slow = flow.created(body=BODY, recipients=people(200, area=SAN_FRANCISCO), rate=0.01)
    # 200 segments at one in 100 seconds are 20,000 seconds, and nine o'clock is 9,000 away
    assert planned(flow, slow)["too_late"] == 110


def test_segments_and_the_characters_that_cost_them(flow: Flow) -> None:
    recipients = [
        {"to": f"+1202555{1000 + n}", "variables": {"name": name}}
        for n, name in enumerate(["Ann", "Bob", "Zo\u00eb", "\N{GRINNING FACE}", "Zo\u00eb Smith"])
    ]
    body = "Hi {{ name }}. Reply STOP to end" + "!" * 60
    plan = planned(flow, flow.created(body=body, recipients=recipients, category="transactional"))
    assert plan["segments"] == 2 * 1 + 3 * 2
    assert plan["segment_counts"] == {"1": 2, "2": 3}
    assert plan["encodings"] == {"GSM-7": 2, "UCS-2": 3}
    assert plan["unicode_characters"] == [
        {
            "character": "\u00eb",
            "name": "LATIN SMALL LETTER E WITH DIAERESIS",
            "replacement": None,
            "rows": 2,
            "segments": 2,
        },
        {
            "character": "\N{GRINNING FACE}",
            "name": "GRINNING FACE",
            "replacement": None,
            "rows": 1,
            "segments": 1,
        },
    ]
    assert plan["saved_segments"] == 3


def test_what_it_costs_and_what_has_no_price(flow: Flow, price_list: FakePriceList) -> None:
    price_list.countries["DE"] = country("DE", mobile="0.1")
    recipients = [
        *people(2),
        {"to": "+4915112345678", "variables": {"name": "Ann"}},
        {"to": "+8501921234567", "variables": {"name": "Bob"}},
    ]
    plan = planned(
        flow,
        flow.created(body=BODY, recipients=recipients, category="transactional", budget="0.12"),
    )
    assert plan["costs"] == [
        {"currency": None, "low": "0", "high": "0", "priced": 0, "unpriced": 1},
        {"currency": "USD", "low": "0.1166", "high": "0.129", "priced": 3, "unpriced": 0},
    ]
    assert plan["over_budget"] is True
    assert sorted(price_list.asked) == ["DE", "KP", "US"]


def test_the_template_and_the_first_texts_are_held_against_the_rules(flow: Flow) -> None:
    recipients = people(3) + [
        {"to": f"+1415555{n}", "variables": {"name": "casino bonus"}} for n in range(1000, 1300)
    ]
    body = "Hi {{ name }}, win at http://bit.ly/x. Reply STOP to end."
    plan = planned(flow, flow.created(body=body, recipients=recipients))
    assert {each["rule"] for each in plan["template_findings"]} >= {"L-URL-HTTP", "L-URL-SHORTENER"}
    assert "L-TEMPLATE" not in {each["rule"] for each in plan["template_findings"]}
    assert plan["texts_read"] == 4
    found = {each["rule"]: each for each in plan["text_findings"]}
    assert (found["L-URL-HTTP"]["texts"], found["L-URL-HTTP"]["row"]) == (4, 1)
    assert (found["L-GAMBLE"]["texts"], found["L-GAMBLE"]["row"]) == (1, 4)


def test_a_content_template_is_planned_without_segments_and_price(flow: Flow) -> None:
    plan = planned(flow, flow.created(content_sid="HX" + "0" * 32, recipients=people(2)))
    assert (plan["segments"], plan["encodings"]) == (0, {"unknown": 2})
    assert plan["costs"][0]["unpriced"] == 2
    assert plan["template_findings"] == plan["text_findings"] == []


def test_a_media_message_is_one_segment_at_the_price_of_an_mms(flow: Flow) -> None:
    broadcast_id = flow.created(
        body=BODY + "\N{GRINNING FACE}" * 100,
        media_urls=["https://example.com/a.png"],
        recipients=people(2),
    )
    plan = planned(flow, broadcast_id)
    assert (plan["segments"], plan["unicode_characters"]) == (2, [])
    assert plan["costs"][0]["low"] == "0.044"


def test_characters_without_end_neither_fill_the_ledger_nor_hide_the_most_frequent(
    flow: Flow, aws: Aws
) -> None:
    # GIVEN a name of a letter with a thousand accents, and six hundred different signs
    names = ["a" + "\u0301" * 1_000] + [chr(0x4E00 + n) for n in range(600)]
    recipients = [
        {"to": f"+1202555{1000 + n}", "variables": {"name": name + "\N{GRINNING FACE}"}}
        for n, name in enumerate(names)
    ]
    # WHEN
    plan = planned(flow, flow.created(body="Hi {{ name }}", recipients=recipients))
    # THEN
    shown = plan["unicode_characters"]
    assert len(shown) == 20
    assert (shown[0]["character"], shown[0]["rows"]) == ("\N{GRINNING FACE}", 601)
    assert plan["other_unicode_characters"] > 0
    assert max(len(each["character"]) for each in shown) <= 16
    [item] = [each for each in aws.items(prefix="BC#") if each["sk"] == "PLAN"]
    assert len(json.dumps(item)) < 200_000


# ------------------------------------------------------------------------------------------------ the report


def test_the_report_has_a_line_for_each_row(flow: Flow, clock: Clock) -> None:
    clock.at = NIGHT
    recipients = (
        people(1, area=SAN_FRANCISCO) + people(1) + [{"to": "=1+1"}, {"to": "+12025559999"}]
    )
    plan = planned(flow, flow.created(body=BODY, recipients=recipients))
    assert [tuple(each.values()) for each in report_of(flow, plan)] == [
        ("1", "+14155551000", "send", "", "", "1", "GSM-7", "0.008300", "0.014500"),
        (
            "2",
            "+12025551000",
            "defer",
            "quiet_hours",
            "2026-11-24T13:00:00+00:00",
            "1",
            "GSM-7",
            "0.008300",
            "0.014500",
        ),
        ("3", "'=1+1", "skip", "invalid_phone", "", "", "", "", ""),
        ("4", "+12025559999", "skip", "missing_variable", "", "", "", "", ""),
    ]


def test_a_plan_of_several_ticks_shows_its_progress_and_misses_nobody(
    flow: Flow, clock: Clock
) -> None:
    # GIVEN ticks that have time for a slice, and more than a slice
    hurry(clock)
    broadcast_id = flow.created(body="Hi", upload=True, category="transactional")
    put(flow, broadcast_id, long_sheet())
    # WHEN
    flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
    states = []
    while ticks := flow.aws.records("DISPATCH_QUEUE"):
        [tick] = ticks
        assert dispatcher({"Records": [tick]}, Context()) == {"batchItemFailures": []}
        states.append(
            (fetched(flow, broadcast_id)["state"], fetched(flow, broadcast_id)["planned"])
        )
    # THEN progress can be seen
    assert [state for state, _ in states] == ["planning", "planning", "done"]
    rows = [rows for _, rows in states]
    assert rows == sorted(set(rows))
    # AND nothing is missing
    report = report_of(flow, fetched(flow, broadcast_id))
    assert [int(each["row"]) for each in report] == list(range(1, ROWS + 1))


def test_parts_of_a_report_become_one_file(aws: Aws) -> None:
    parts = [bytes([65 + n]) * (5 * 1024 * 1024) for n in range(2)] + [b"end"]
    files = warm.files()
    for n, part in enumerate(parts):
        files.put_report_part("bc_1/plan-1", str(n), part)
    for _ in range(2):
        files.join_report("bc_1/plan-1", ["0", "1", "2"])
    answer = aws.session.client("s3").get_object(Bucket="files", Key="reports/bc_1/plan-1.csv")
    assert answer["Body"].read() == b"".join(parts)


ROWS = 20
MARGIN = "x" * 60_000


def long_sheet() -> bytes:
    """Rows of two slices."""
    rows = "".join(f"+1{2025550000 + n},{MARGIN}\n" for n in range(ROWS))
    return f"to,margin\n{rows}".encode()


def hurry(clock: Clock) -> None:
    """Let a tick's time be over after one slice."""

    def hurrying() -> datetime:
        clock.at += timedelta(seconds=100)
        return clock.at

    warm.start_over(clock=hurrying)


# ------------------------------------------------------------------------------------------------ interrupted


def test_a_dispatcher_killed_after_any_call_makes_the_same_plan(flow: Flow, clock: Clock) -> None:
    # GIVEN the plan of an undisturbed dispatcher whose ticks have time for a slice each
    hurry(clock)
    broadcast_id = flow.created(body="Hi", upload=True, category="transactional")
    put(flow, broadcast_id, long_sheet())
    flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
    expected = made(flow, broadcast_id)
    for call in count(1):
        flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
        # WHEN it is killed after one of its calls, which is before the next
        with killed_at(call, "after") as was_killed:
            ticks = flow.aws.records("DISPATCH_QUEUE")
            while ticks:
                dispatcher({"Records": ticks[:1]}, Context())
                ticks = ticks[1:] or flow.aws.records("DISPATCH_QUEUE")
        # THEN the queue gives it the tick again, and the plan is the same
        for tick in ticks:
            dispatcher({"Records": [tick]}, Context())
        assert made(flow, broadcast_id) == expected, call
        if not was_killed():
            assert call > 20
            return


def made(flow: Flow, broadcast_id: str) -> tuple[str, int | None, str, bytes]:
    """Let the dispatcher go on until it is done, and return what does not depend on when that was."""
    flow.dispatch()
    plan = warm.plans().get(broadcast_id)
    assert plan
    key = f"reports/{broadcast_id}/plan-{plan.run}.csv"
    report = clients.s3().get_object(Bucket="files", Key=key)["Body"].read()
    return plan.state, plan.total, plan.forecast.to_json(), report


def test_of_two_ticks_at_a_time_one_moves_the_plan(flow: Flow, clock: Clock) -> None:
    hurry(clock)
    broadcast_id = flow.created(body="Hi", upload=True, category="transactional")
    put(flow, broadcast_id, long_sheet())
    flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
    [reading] = flow.aws.records("DISPATCH_QUEUE")
    dispatcher({"Records": [reading]}, Context())
    [tick] = flow.aws.records("DISPATCH_QUEUE")
    calls = count(1)
    events = clients.dynamodb().meta.events

    # WHEN the same tick is delivered again while it is worked on, before it moves the cursor
    def again(**_: Any) -> None:
        if next(calls) == 1:
            dispatcher({"Records": [{**tick, "messageId": "other"}]}, Context())

    events.register("before-call.dynamodb.UpdateItem", again)
    dispatcher({"Records": [tick]}, Context())
    events.unregister("before-call.dynamodb.UpdateItem", again)
    # THEN nothing counts twice
    flow.dispatch()
    plan = fetched(flow, broadcast_id)
    assert (plan["state"], plan["planned"], plan["decisions"]) == ("done", ROWS, {"send": ROWS})
    assert len(report_of(flow, plan)) == ROWS


def test_a_plan_that_is_asked_for_again_takes_the_place_of_the_one_before(
    flow: Flow, clock: Clock
) -> None:
    # GIVEN a plan of which the first tick waits
    broadcast_id = flow.created(body=BODY, recipients=people(2))
    flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
    old = flow.aws.records("DISPATCH_QUEUE")
    # WHEN another one is asked for, and made
    clock.at = NIGHT
    assert planned(flow, broadcast_id)["decisions"] == {"defer": 2}
    # THEN the old tick changes nothing
    for tick in old:
        dispatcher({"Records": [tick]}, Context())
    flow.dispatch()
    assert fetched(flow, broadcast_id)["decisions"] == {"defer": 2}


def test_a_file_that_is_replaced_before_it_is_read_fails_the_plan_alone(flow: Flow) -> None:
    broadcast_id = flow.created(body="Hi", upload=True)
    put(flow, broadcast_id, b"to\n+12025551000\n")
    flow.call("POST", f"/broadcasts/{broadcast_id}/plan")
    put(flow, broadcast_id, b"to\n+12025551000\n+12025551001\n")
    flow.dispatch()
    plan = fetched(flow, broadcast_id)
    assert (plan["state"], plan["problem"]["code"]) == ("failed", "file_changed")
    assert flow.report(broadcast_id)["state"] == "created"
    # AND another plan reads the other file
    assert planned(flow, broadcast_id)["total"] == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"name\nBob\n", "missing_to_column"), (b"to,a\n1,\xe9\n", "not_utf8")],
)
def test_a_file_that_cannot_be_used_fails_the_plan_and_not_the_broadcast(
    flow: Flow, content: bytes, code: str
) -> None:
    broadcast_id = flow.created(body="Hi", upload=True)
    put(flow, broadcast_id, content)
    plan = planned(flow, broadcast_id)
    assert (plan["state"], plan["problem"]["code"]) == ("failed", code)
    assert plan["problem"]["detail"]
    assert flow.report(broadcast_id)["state"] == "created"


# ------------------------------------------------------------------------------------------------ changed since


def changed(flow: Flow, broadcast_id: str) -> Any:
    status, answer = flow.call("POST", f"/broadcasts/{broadcast_id}/start")
    assert status == 202
    return answer["changed_since_plan"]


def test_a_start_without_a_plan_has_nothing_to_compare(flow: Flow) -> None:
    assert changed(flow, flow.created(body=BODY, recipients=people(2))) is None


def test_a_start_right_after_the_plan_finds_nothing_changed(flow: Flow, clock: Clock) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(2) + people(3, area=SAN_FRANCISCO))
    planned(flow, broadcast_id)
    clock.pass_by(minutes=5)
    assert changed(flow, broadcast_id) == {
        "plan_age_seconds": 300,
        "upload_replaced": False,
        "rules_changed": False,
        "rows_decided_otherwise": 0,
        "decisions": {"send": 2, "defer": 3},
    }


def test_a_start_later_than_planned_says_how_many_are_decided_otherwise(
    flow: Flow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a plan of the morning, when San Francisco sleeps
    broadcast_id = flow.created(body=BODY, upload=True)
    put(flow, broadcast_id, b"to,name\n+12025551000,A\n+14155551000,B\n+14155551001,C\n1,D\n")
    planned(flow, broadcast_id)
    # WHEN it is started in the evening, with other rules and another file
    clock.at = NIGHT
    put(flow, broadcast_id, b"to,name\n+12025551000,A\n")
    monkeypatch.setenv("FEDERAL_HOURS_IN", "FL")
    warm.start_over(clock=clock)
    seen = fetched(flow, broadcast_id)["changed_since_plan"]
    found = changed(flow, broadcast_id)
    # THEN
    assert found == seen
    assert found == {
        "plan_age_seconds": 41_400,
        "upload_replaced": True,
        "rules_changed": True,
        "rows_decided_otherwise": 3,
        "decisions": {"send": 2, "defer": 1},
    }
    assert fetched(flow, broadcast_id)["changed_since_plan"] is None


# ------------------------------------------------------------------------------------------------ refusals


def code_of(flow: Flow, method: str, path: str, body: object = None) -> tuple[int, str]:
    status, answer = flow.call(method, path, body)
    return status, answer["code"]


def test_a_plan_needs_a_broadcast_with_recipients_that_has_not_started(flow: Flow) -> None:
    assert code_of(flow, "POST", "/broadcasts/bc_0/plan") == (404, "not_found")
    assert code_of(flow, "GET", "/broadcasts/bc_0/plan") == (404, "not_found")
    empty = flow.created(body="Hi", upload=True)
    assert code_of(flow, "POST", f"/broadcasts/{empty}/plan") == (409, "recipients_missing")
    assert code_of(flow, "GET", f"/broadcasts/{empty}/plan") == (404, "plan_missing")
    started = flow.created(body=BODY, recipients=people(1), start="now")
    assert code_of(flow, "POST", f"/broadcasts/{started}/plan") == (409, "broadcast_started")
    canceled = flow.created(body=BODY, recipients=people(1))
    flow.call("POST", f"/broadcasts/{canceled}/cancel")
    assert code_of(flow, "POST", f"/broadcasts/{canceled}/plan") == (409, "broadcast_canceled")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"at": "2026-11-23T14:59:59Z"}, "at_has_passed"),
        ({"at": "2026-11-24"}, "timezone_aware"),
        ({"at": 5}, "wrong_type"),
        ({"when": "now"}, "unknown_field"),
    ],
)
def test_a_plan_for_no_moment_to_come_is_refused(flow: Flow, body: Any, code: str) -> None:
    broadcast_id = flow.created(body=BODY, recipients=people(1))
    assert code_of(flow, "POST", f"/broadcasts/{broadcast_id}/plan", body) == (422, code)
    assert code_of(flow, "GET", f"/broadcasts/{broadcast_id}/plan") == (404, "plan_missing")
