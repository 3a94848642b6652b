"""Opt-outs and opt-ins, by text, by Twilio's errors and by our API: who said what last counts, and it is kept why."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.compliance.app import lambda_handler as compliance
from functions.inbound.app import lambda_handler as inbound
from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from functions.sender.app import lambda_handler as sender
from sendpool.adapters.ledger.table import Table, TransactionLostError
from sendpool.domain.opt_out import ALL, MOST_KEPT, Change, Standing, blocking_scope, heard
from sendpool.edge import people, warm
from sendpool.workflows import opting_out
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import NOW, Clock
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.test_webhooks import text, webhook
from tests.functional.twilio import FakeTwilio

PERSON = "+12025550123"
TOLL_FREE = "+18885550100"
CONSENT = {
    "source": "website",
    "at": "2026-11-23T14:59:00Z",
    "evidence": {"url": "https://example.com/join", "ip": "203.0.113.7"},
}


def call(
    method: str, path: str, body: object = None, *, query: str = ""
) -> tuple[int, dict[str, Any]]:
    event = http(method, path, body, query=query)
    if query:
        event["queryStringParameters"] = dict(pair.split("=", 1) for pair in query.split("&"))
    answer = compliance(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def says(body: str, *, sid: int = 1, **more: str) -> str:
    """Let the person write; returns the answer's TwiML."""
    fields = text(body, MessageSid=f"SM{sid:032x}", **more)
    answer = inbound(webhook("/webhooks/inbound", fields), Context())
    assert answer["statusCode"] == 200
    xml: str = answer["body"]
    return xml


def is_blocked() -> bool:
    return PERSON in warm.opt_outs().among([PERSON], SERVICE_SID)


def withdrawals(aws: Aws) -> list[dict[str, Any]]:
    bodies = [json.loads(record["body"]) for record in aws.records("SEND_QUEUE")]
    return [body["withdraw"] for body in bodies]


# ------------------------------------------------------------------------------------------------ what counts


def change(minute: int, *, opted_out: bool, source: str = "x") -> Change:
    return Change(opted_out=opted_out, at=NOW + timedelta(minutes=minute), source=source)


def standing(*changes: Change, scope: str = SERVICE_SID) -> Standing:
    known = None
    for each in changes:
        known = heard(known, each, person=PERSON, scope=scope)
    assert known
    return known


OUT_1, IN_2, OUT_3 = (
    change(1, opted_out=True),
    change(2, opted_out=False),
    change(3, opted_out=True),
)


@pytest.mark.parametrize("order", list(itertools.permutations([OUT_1, IN_2, OUT_3])))
def test_the_last_word_counts_in_whatever_order_the_words_become_known(order: Any) -> None:
    known = standing(*order)
    assert (known.opted_out, known.since) == (True, OUT_3.at)
    assert known.history == (OUT_3, IN_2, OUT_1)
    assert known.consent == IN_2
    assert heard(known, IN_2, person=PERSON, scope=SERVICE_SID) is known


def test_of_two_words_of_the_same_moment_the_opt_out_counts() -> None:
    both = [change(1, opted_out=True), change(1, opted_out=False)]
    assert all(standing(*order).opted_out for order in itertools.permutations(both))


def test_many_failures_in_a_row_do_not_push_the_stop_out_of_the_history() -> None:
    stop = change(0, opted_out=True, source="inbound_stop")
    failures = [change(n, opted_out=True, source="twilio_21610") for n in range(1, 100)]
    assert standing(stop, *failures).history == (failures[-1], stop)


changes = st.builds(
    change, st.integers(0, 50), opted_out=st.booleans(), source=st.sampled_from("ab")
)


@given(st.lists(changes, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_where_one_stands_does_not_depend_on_the_order(some: list[Change], luck: Any) -> None:
    shuffled = list(some)
    luck.shuffle(shuffled)
    one, other = standing(*some), standing(*shuffled)
    assert (one.opted_out, one.since) == (other.opted_out, other.since)
    latest = max(some, key=lambda each: (each.at, each.opted_out))
    assert (one.opted_out, one.since) == (latest.opted_out, latest.at)
    assert len(one.history) <= MOST_KEPT
    consents = [each.at for each in some if not each.opted_out]
    assert (one.consent.at if one.consent else None) == max(consents, default=None)


@pytest.mark.parametrize(
    ("own", "everywhere", "scope"),
    [
        (None, None, None),
        (OUT_1, None, SERVICE_SID),
        (IN_2, None, None),
        (None, OUT_1, ALL),
        (None, IN_2, None),
        (IN_2, OUT_1, None),
        (IN_2, OUT_3, ALL),
        (OUT_1, IN_2, SERVICE_SID),
        (OUT_1, OUT_3, SERVICE_SID),
    ],
    ids=str,
)
def test_an_opt_out_from_all_covers_a_service_until_a_later_opt_in_to_it(
    own: Change | None, everywhere: Change | None, scope: str | None
) -> None:
    assert (
        blocking_scope(
            standing(own) if own else None,
            standing(everywhere, scope=ALL) if everywhere else None,
        )
        == scope
    )


def test_an_item_of_before_there_was_a_history_is_read_and_written_on(aws: Aws) -> None:
    old = {"pk": f"OPTOUT#{PERSON}", "sk": SERVICE_SID, "opted_out": True, "source": "inbound_stop"}
    warm.table().put_many([{**old, "since": "2026-11-23T14:00:00.000+00:00"}])
    assert is_blocked()
    says("START")
    assert not is_blocked()
    [item] = aws.items(prefix="OPTOUT#")
    assert [each["source"] for each in item["history"]] == ["inbound_start", "inbound_stop"]


def test_whoever_writes_at_the_same_time_loses_nothing(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN another one who writes between our reading and our writing
    read = Table.get
    others = iter([change(1, opted_out=True, source="other")])

    def read_and_wait(self: Table, key: Any) -> Any:
        item = read(self, key)
        for other in others:
            warm.opt_outs().hear(PERSON, SERVICE_SID, other)
        return item

    monkeypatch.setattr(Table, "get", read_and_wait)
    after = warm.opt_outs().hear(PERSON, SERVICE_SID, change(2, opted_out=False))
    assert [each.source for each in after.history] == ["x", "other"]
    assert [len(item["history"]) for item in aws.items(prefix="OPTOUT#")] == [2]


# ------------------------------------------------------------------------------------------------ by text


@pytest.mark.parametrize(
    ("body", "more", "opt_out_class", "source"),
    [
        ("STOP", {}, "stop_exact", "inbound_stop"),
        ("Basta", {"OptOutType": "STOP"}, "stop_exact", "inbound_stop"),
        ("please stop texting me", {}, "stop_likely", "inbound_likely_stop"),
        ("Hello", {}, "none", None),
        ("HELP", {}, "help", None),
        ("YES", {}, "start", None),
    ],
)
def test_a_text_is_kept_with_its_class_and_opts_out_if_it_says_so(
    aws: Aws, body: str, more: dict[str, str], opt_out_class: str, source: str | None
) -> None:
    says(body, **more)
    [kept] = aws.items(prefix="IN#")
    assert kept["opt_out_class"] == opt_out_class
    found = aws.items(prefix="OPTOUT#")
    assert [item["source"] for item in found] == ([source] if source else [])
    if source:
        assert found[0]["history"][0]["evidence"]["inbound_sid"] == kept["sid"]
        assert withdrawals(aws) == [
            {"people": [PERSON], "scope": SERVICE_SID, "passes": 0, "rounds": 0}
        ]


@pytest.mark.parametrize(
    ("policy", "opted_out", "for_review", "answers"),
    [("act", True, False, False), ("review", False, True, False), ("ignore", False, False, True)],
)
def test_what_follows_from_a_likely_stop_is_policy(
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
    opted_out: bool,
    for_review: bool,
    answers: bool,
) -> None:
    monkeypatch.setenv("LIKELY_STOP", policy)
    monkeypatch.setenv("INBOUND_REPLY", "We answer soon.")
    xml = says("please stop texting me")
    assert is_blocked() is opted_out
    assert bool(call("GET", "/opt-outs/review")[1]["texts"]) is for_review
    assert ("We answer soon." in xml) is answers


@pytest.mark.parametrize(
    ("word", "to", "restored"),
    [
        ("START", "+12025550100", True),
        ("unstop", "+12025550100", True),
        ("YES", "+12025550100", True),
        ("START", TOLL_FREE, True),
        ("UNSTOP", TOLL_FREE, True),
        ("YES", TOLL_FREE, False),
    ],
)
def test_start_restores_but_yes_does_not_on_a_toll_free_number(
    aws: Aws, clock: Clock, word: str, to: str, restored: bool
) -> None:
    says("STOP", To=to)
    clock.pass_by(seconds=5)
    says(word, sid=2, To=to)
    assert is_blocked() is not restored


def test_yes_of_somebody_who_is_not_blocked_is_just_an_answer(aws: Aws) -> None:
    says("YES")
    assert aws.items(prefix="OPTOUT#") == []
    assert aws.items(prefix="REACH#") == []


def test_twilios_own_start_restores_whatever_the_word(aws: Aws, clock: Clock) -> None:
    says("STOP")
    clock.pass_by(seconds=5)
    says("Ja", sid=2, OptOutType="START", To=TOLL_FREE)
    assert not is_blocked()


def test_start_after_an_opt_out_from_all_opens_this_service(aws: Aws, clock: Clock) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {})
    assert is_blocked()
    clock.pass_by(seconds=5)
    says("START")
    status, answer = call("GET", f"/opt-outs/{PERSON}")
    assert (status, answer["blocked"]) == (200, False)
    assert {each["scope"]: each["opted_out"] for each in answer["scopes"]} == {
        SERVICE_SID: False,
        "all": True,
    }


# ------------------------------------------------------------------------------------------------ review


def test_a_text_for_review_is_decided_once_and_counts_from_when_it_came(
    aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKELY_STOP", "review")
    for sid, body in enumerate(["please stop texting me", "take me off your list"], start=1):
        says(body, sid=sid)
    clock.pass_by(hours=3)
    _, page = call("GET", "/opt-outs/review")
    assert {each["body"] for each in page["texts"]} == {
        "please stop texting me",
        "take me off your list",
    }
    # WHEN one is an opt-out and one is not
    first, second = (f"SM{sid:032x}" for sid in (1, 2))
    for _ in range(2):
        status, answer = call("PUT", f"/opt-outs/review/{first}", {"decision": "opt_out"})
        assert (status, answer["decision"]) == (200, "opt_out")
    call("PUT", f"/opt-outs/review/{second}", {"decision": "ignore"})
    # THEN the list is empty, and the opt-out has the text's time
    assert call("GET", "/opt-outs/review")[1] == {"texts": [], "next_cursor": None}
    [item] = aws.items(prefix="OPTOUT#")
    assert (item["since"], item["source"]) == (NOW.isoformat(timespec="milliseconds"), "review")
    # AND a decision is not turned
    status, answer = call("PUT", f"/opt-outs/review/{first}", {"decision": "ignore"})
    assert (status, answer["code"]) == (409, "decided_otherwise")
    # AND the same text, delivered again, is not put on the list again
    says("take me off your list", sid=2)
    assert call("GET", "/opt-outs/review")[1]["texts"] == []


def test_only_texts_for_review_are_decided(aws: Aws) -> None:
    says("Hello")
    for sid in ("SM" + "1".rjust(32, "0"), "nonsense"):
        assert call("PUT", f"/opt-outs/review/{sid}", {"decision": "ignore"})[0] == 404


# ------------------------------------------------------------------------------------------------ by our API


@pytest.mark.parametrize(
    "written", [PERSON, quote(PERSON, safe=""), "12025550123", "2025550123", "(202) 555-0123"]
)
def test_a_number_in_a_path_is_read_as_people_write_it(aws: Aws, written: str) -> None:
    status, answer = call("PUT", f"/opt-outs/{written}", {"source": "web_form"})
    assert (status, answer["to"], answer["blocked"]) == (200, PERSON, True)
    assert [item["pk"] for item in aws.items(prefix="OPTOUT#")] == [f"OPTOUT#{PERSON}"]


@pytest.mark.parametrize("wrong", ["12", "hello", "%2B", "whatsapp:+12025550123"])
def test_a_path_without_a_number_is_refused(aws: Aws, wrong: str) -> None:
    status, answer = call("PUT", f"/opt-outs/{wrong}", {})
    assert (status, answer["code"]) == (422, "invalid_phone")
    assert aws.items() == []


def test_an_opt_out_holds_for_all_unless_the_caller_says_otherwise(aws: Aws) -> None:
    _, answer = call("PUT", f"/opt-outs/{PERSON}", {"reason": "By telephone, asked twice."})
    assert answer["blocked_by"] == "all"
    assert withdrawals(aws)[0]["scope"] == "all"
    call("PUT", "/opt-outs/+12025550124", {"scope": "service"})
    assert {item["sk"] for item in aws.items(prefix="OPTOUT#")} == {"all", SERVICE_SID}
    assert answer["scopes"][0]["history"] == [
        {
            "opted_out": True,
            "at": "2026-11-23T15:00:00Z",
            "source": "api",
            "evidence": {"reason": "By telephone, asked twice."},
        }
    ]


def test_an_opt_out_by_api_stops_the_next_message(
    aws: Aws, twilio: FakeTwilio, context: Context
) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {})
    answer = messages(http("POST", "/messages", {"to": PERSON, "body": "Hi"}), context)
    assert (json.loads(answer["body"])["status"], twilio.made) == ("skipped", [])


def test_an_opt_in_needs_a_consent_and_keeps_it(aws: Aws, clock: Clock) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {"at": "2026-11-23T14:00:00Z"})
    says("STOP")
    clock.pass_by(minutes=5)
    status, answer = call("DELETE", f"/opt-outs/{PERSON}", {})
    assert (status, answer["code"]) == (422, "missing_field")
    # WHEN she agrees again
    consent = {**CONSENT, "at": "2026-11-23T15:03:00Z"}
    status, answer = call("DELETE", f"/opt-outs/{PERSON}", {"consent": consent})
    # THEN it lifts every opt-out, and is shown with what proves it
    assert (status, answer["blocked"]) == (200, False)
    assert [each["opted_out"] for each in answer["scopes"]] == [False, False]
    for each in answer["scopes"]:
        assert each["consent"] == {**consent, "opted_out": False}
    # AND a later STOP counts, and the consent stays on record
    clock.pass_by(minutes=5)
    says("STOP", sid=2)
    _, answer = call("GET", f"/opt-outs/{PERSON}")
    [own] = [each for each in answer["scopes"] if each["scope"] == SERVICE_SID]
    assert (answer["blocked"], own["consent"]["at"]) == (True, "2026-11-23T15:03:00Z")
    assert [each["source"] for each in own["history"]] == [
        "inbound_stop",
        "website",
        "inbound_stop",
    ]


def test_a_consent_from_before_the_opt_out_lifts_nothing(aws: Aws) -> None:
    says("STOP")
    status, answer = call("DELETE", f"/opt-outs/{PERSON}", {"consent": CONSENT})
    assert (status, answer["code"]) == (409, "consent_older_than_opt_out")
    assert is_blocked()


def test_a_consent_of_somebody_who_never_opted_out_is_kept(aws: Aws) -> None:
    status, answer = call("DELETE", f"/opt-outs/{PERSON}", {"consent": CONSENT})
    assert (status, answer["blocked"]) == (200, False)
    assert answer["scopes"][0]["scope"] == SERVICE_SID
    assert withdrawals(aws) == []


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", {"at": "2026-11-23T15:00:01Z"}),
        ("DELETE", {"consent": {**CONSENT, "at": "2027-01-01T00:00:00Z"}}),
    ],
)
def test_nobody_opts_out_or_in_in_the_future(aws: Aws, method: str, body: object) -> None:
    status, answer = call(method, f"/opt-outs/{PERSON}", body)
    assert (status, answer["code"]) == (422, "in_the_future")
    assert aws.items(prefix="OPTOUT#") == []


def test_of_somebody_unknown_there_is_nothing_to_tell(aws: Aws) -> None:
    assert call("GET", f"/opt-outs/{PERSON}") == (
        200,
        {
            "to": PERSON,
            "blocked": False,
            "blocked_by": None,
            "scopes": [],
            "reach": {"landline_since": None, "unreachable_until": None, "deactivated_on": None},
        },
    )


# ------------------------------------------------------------------------------------------------ lists


def number(n: int) -> str:
    return f"+1202555{1000 + n}"


def pages(limit: int) -> Iterator[list[str]]:
    cursor = None
    for _ in range(100):
        query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        status, page = call("GET", "/opt-outs", query=query)
        assert status == 200
        yield [each["to"] for each in page["opt_outs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return
    raise AssertionError("no end")


@pytest.mark.parametrize("limit", [1, 7, 10, 1000])
def test_every_opt_out_that_stands_is_listed_once_by_pages(
    aws: Aws, clock: Clock, limit: int
) -> None:
    rows = [{"to": number(n), "at": "2026-11-23T14:00:00Z"} for n in range(23)]
    assert call("POST", "/opt-outs/import", {"rows": rows})[1]["accepted"] == 23
    consent = {**CONSENT, "at": "2026-11-23T14:30:00Z"}
    call("DELETE", f"/opt-outs/{number(5)}", {"consent": consent})
    listed = list(pages(limit))
    assert all(len(page) <= limit for page in listed)
    assert sorted(itertools.chain(*listed)) == sorted(number(n) for n in range(23) if n != 5)


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzldCg==", "W10=", "WzAsMV0="])
def test_a_cursor_that_is_none_is_refused(aws: Aws, cursor: str) -> None:
    for path in ("/opt-outs", "/opt-outs/review"):
        status, answer = call("GET", path, query=f"cursor={cursor}")
        assert (status, answer["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_a_limit_out_of_bounds_is_refused(aws: Aws, limit: str) -> None:
    assert call("GET", "/opt-outs", query=f"limit={limit}")[0] == 422


# ------------------------------------------------------------------------------------------------ import


def test_an_import_opts_out_whom_it_can_read_and_names_the_other_rows(aws: Aws) -> None:
    rows = [
        {"to": "(202) 555-1000"},
        {"to": "12"},
        {"to": number(1), "scope": "service", "at": "2026-11-23T10:00:00+01:00"},
        {"to": ""},
        {"to": number(2), "at": "2026-11-23T16:00:00Z"},
    ]
    body = {"rows": rows, "source": "old_system", "at": "2026-11-01T00:00:00Z"}
    status, answer = call("POST", "/opt-outs/import", body)
    assert (status, answer["accepted"]) == (200, 2)
    assert [(each["row"], each["code"]) for each in answer["rejected"]] == [
        (2, "invalid_phone"),
        (4, "invalid_phone"),
        (5, "in_the_future"),
    ]
    found = {(item["pk"], item["sk"]): item["since"] for item in aws.items(prefix="OPTOUT#")}
    assert found == {
        (f"OPTOUT#{number(0)}", "all"): "2026-11-01T00:00:00.000+00:00",
        (f"OPTOUT#{number(1)}", SERVICE_SID): "2026-11-23T09:00:00.000+00:00",
    }
    assert sorted(each["scope"] for each in withdrawals(aws)) == sorted([SERVICE_SID, "all"])
    # WHEN it is done again, nothing changes
    before = aws.items(prefix="OPTOUT#")
    assert call("POST", "/opt-outs/import", body)[1] == answer
    assert aws.items(prefix="OPTOUT#") == before


def test_an_import_of_many_is_withdrawn_by_hundreds_and_keeps_who_came_twice_once(aws: Aws) -> None:
    rows = [{"to": number(n % 250)} for n in range(400)]
    assert call("POST", "/opt-outs/import", {"rows": rows})[1]["accepted"] == 400
    assert len(aws.items(prefix="OPTOUT#")) == 250
    sizes = sorted(len(each["people"]) for each in withdrawals(aws))
    assert sizes == [50, 100, 100]


def test_an_import_does_not_undo_a_later_opt_in(aws: Aws) -> None:
    says("START")
    rows = [{"to": PERSON, "scope": "service"}, *({"to": number(n)} for n in range(9))]
    call("POST", "/opt-outs/import", {"rows": rows, "at": "2026-11-23T14:00:00Z"})
    assert not is_blocked()


def test_an_import_that_others_interfere_with_is_written_one_by_one(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise TransactionLostError

    monkeypatch.setattr(Table, "transact", lost)
    rows = [{"to": number(n)} for n in range(9)]
    assert call("POST", "/opt-outs/import", {"rows": rows})[1]["accepted"] == 9
    assert len(aws.items(prefix="OPTOUT#")) == 9


def test_an_import_has_at_least_one_row_and_at_most_ten_thousand(aws: Aws) -> None:
    for rows in ([], [{"to": PERSON}] * 10_001):
        assert call("POST", "/opt-outs/import", {"rows": rows})[0] == 422


# ------------------------------------------------------------------------------------------------ Twilio's errors


def failed(
    sid: int, code: int, *, service: str | None = SERVICE_SID, ours: bool = True
) -> dict[str, Any]:
    callback = {
        "received_at": NOW.isoformat(),
        "message_id": f"msg_{sid:032x}" if ours else None,
        "fields": {
            "MessageSid": f"SM{sid:032x}",
            "MessageStatus": "failed",
            "ErrorCode": str(code),
            "To": number(sid),
            **({"MessagingServiceSid": service} if service else {}),
        },
    }
    return {"messageId": f"c-{sid}", "body": json.dumps(callback)}


def record(*records: dict[str, Any]) -> None:
    assert recorder({"Records": list(records)}, Context()) == {"batchItemFailures": []}


def test_failures_because_of_blocks_opt_out_and_are_withdrawn_together(aws: Aws) -> None:
    record(*(failed(n, 21610) for n in range(7)), failed(8, 30003))
    assert {item["source"] for item in aws.items(prefix="OPTOUT#")} == {"twilio_21610"}
    [withdrawal] = withdrawals(aws)
    assert sorted(withdrawal["people"]) == [number(n) for n in range(7)]


@pytest.mark.parametrize(
    ("service", "ours", "scopes"),
    [(SERVICE_SID, False, [SERVICE_SID]), (None, True, ["all"]), (None, False, [])],
)
def test_a_block_holds_for_the_service_that_the_callback_names_or_for_ours(
    aws: Aws, service: str | None, ours: bool, scopes: list[str]
) -> None:
    record(failed(1, 21610, service=service, ours=ours))
    assert [item["sk"] for item in aws.items(prefix="OPTOUT#")] == scopes


def test_a_refusal_at_create_takes_the_same_effect(aws: Aws) -> None:
    refused = opting_out.Failed(code=21610, to=PERSON, scope=SERVICE_SID, at=NOW)
    for _ in range(2):
        opting_out.take_effect(refused, people.opting_out())
    assert is_blocked()
    assert len(aws.items(prefix="OPTOUT#")[0]["history"]) == 1
    assert len(withdrawals(aws)) == 2


@pytest.mark.parametrize("code", [None, 21211, 30003])
def test_other_refusals_opt_nobody_out(aws: Aws, code: int | None) -> None:
    refused = opting_out.Failed(code=code, to=PERSON, scope=SERVICE_SID, at=NOW)
    opting_out.take_effect(refused, people.opting_out())
    assert aws.items() == []
    assert aws.records("SEND_QUEUE") == []


# ------------------------------------------------------------------------------------------------ kills

RECORDER_CALLS = (
    5  # deliveries and opt-out read, opt-out written, withdrawal queued, delivery written
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, RECORDER_CALLS + 2))
def test_wherever_the_recorder_dies_the_block_is_recorded_and_withdrawn(
    aws: Aws, twilio: FakeTwilio, at: int, when: Any
) -> None:
    scheduled = {"to": number(1), "body": "Hi", "send_at": (NOW + timedelta(hours=1)).isoformat()}
    answer = messages(http("POST", "/messages", scheduled), Context())
    message_id = json.loads(answer["body"])["id"]
    with killed_at(at, when) as was_killed:
        record(failed(1, 21610))
    assert was_killed() is (at <= RECORDER_CALLS)
    # WHEN the queue delivers it again, and senders work
    record(failed(1, 21610))
    while records := aws.records("SEND_QUEUE"):
        sender({"Records": records}, Context(milliseconds=[60_000]))
    # THEN
    sent, _ = warm.messages().find(message_id)
    assert sent
    assert (str(sent.result.status), sent.result.reason) == ("canceled", "opted_out")
    assert len(aws.items(prefix="OPTOUT#")[0]["history"]) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 5))
def test_wherever_an_import_dies_repeating_it_is_enough(
    aws: Aws, twilio: FakeTwilio, at: int, when: Any
) -> None:
    rows = [{"to": number(n)} for n in range(9)]
    body = {"rows": rows, "at": "2026-11-23T14:00:00Z"}
    warm.parameters()
    with killed_at(at, when) as was_killed:
        call("POST", "/opt-outs/import", body)
    assert was_killed() is (at <= 3)  # read, written, withdrawal queued
    withdrawals(aws)
    call("POST", "/opt-outs/import", body)
    [withdrawal] = withdrawals(aws)
    assert len(withdrawal["people"]) == 9
    assert [item["version"] for item in aws.items(prefix="OPTOUT#")] == [1] * 9
