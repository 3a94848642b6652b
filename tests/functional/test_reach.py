"""Numbers that texts cannot reach, or that their owners gave up: marked once known, lifted once they are lifted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_socket import enable_socket, socket_allow_hosts

from functions.deactivations.app import lambda_handler as deactivations
from functions.messages.app import lambda_handler as messages
from functions.sender.app import lambda_handler as sender
from sendpool.adapters.twilio.products import Deactivations, open_storage, product_url
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError, PooledTransport
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.message import MessageRecord, OutboundMessage, SendResult, Status
from sendpool.domain.reach import Reach
from sendpool.edge import people, warm
from sendpool.workflows import deactivations as workflow
from sendpool.workflows import opting_out
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import NOW, Clock
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.test_opt_outs import CONSENT, PERSON, call, failed, number, record, says
from tests.functional.twilio import Answer, FakeTwilio

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


def reach(person: str = PERSON) -> Reach:
    return warm.reachability().among([person]).get(person, Reach())


def known(*persons: str) -> None:
    """Let something have gone to these people."""
    warm.messages().settle(
        MessageRecord(
            id=f"msg_{int(person[1:]):032x}",
            to=person,
            created_at=NOW,
            result=SendResult(status=Status.ACCEPTED, sid="SM1"),
            message=OutboundMessage(to=person, body="Hi"),
        )
        for person in persons
    )


def run(milliseconds: list[int] | None = None) -> None:
    deactivations({}, Context(milliseconds=milliseconds or [900_000]))


# ------------------------------------------------------------------------------------------------ errors of Twilio


@pytest.mark.parametrize(
    ("code", "landline", "unreachable"),
    [(30006, True, False), (30005, False, True), (30003, False, False), (21610, False, False)],
)
def test_a_failure_marks_the_number_by_its_code(
    aws: Aws, code: int, landline: bool, unreachable: bool
) -> None:
    for _ in range(2):
        record(failed(1, code))
    found = reach(number(1))
    assert (found.is_landline, found.unreachable_until is not None) == (landline, unreachable)
    if landline or unreachable:
        assert set(found.sources.values()) == {f"twilio_{code}"}


@pytest.mark.parametrize("code", [21614, 21635])
def test_a_refusal_at_create_marks_a_landline(aws: Aws, code: int) -> None:
    refused = opting_out.Failed(code=code, to=PERSON, scope=SERVICE_SID, at=NOW)
    opting_out.take_effect(refused, people.opting_out())
    assert reach().is_landline
    assert call("GET", f"/opt-outs/{PERSON}")[1]["reach"]["landline_since"]


def test_a_text_from_the_number_proves_that_it_takes_texts(aws: Aws, clock: Clock) -> None:
    record(failed(1, 30006))
    clock.pass_by(minutes=1)
    says("START", From=number(1))
    assert not reach(number(1)).is_landline
    # AND it is marked again when it fails again
    clock.pass_by(minutes=1)
    refused = opting_out.Failed(code=30006, to=number(1), scope=None, at=clock())
    opting_out.take_effect(refused, people.opting_out())
    assert reach(number(1)).is_landline


def offered(context: Context, person: str, category: str = "marketing") -> str:
    """Send something at noon in New York, and say what came of it."""
    answer = messages(
        http("POST", "/messages", {"to": person, "body": "Hi", "category": category}), context
    )
    told = json.loads(answer["body"])
    return str(told.get("reason") or told["status"])


def test_marketing_rests_for_a_month_when_the_carrier_does_not_know_the_number(
    aws: Aws, context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    clock.at = NOW + timedelta(hours=2)
    record(failed(1, 30005))
    assert offered(context, number(1)) == "unreachable"
    told = call("GET", f"/opt-outs/{number(1)}")[1]["reach"]["unreachable_until"]
    assert datetime.fromisoformat(told) - clock() > timedelta(days=29)
    # what is no marketing is tried, and marketing again after it
    assert offered(context, number(1), "transactional") == "accepted"
    clock.pass_by(days=30)
    assert offered(context, number(1)) == "accepted"


def test_it_rests_anew_when_it_fails_anew(
    aws: Aws, context: Context, clock: Clock, twilio: FakeTwilio
) -> None:
    record(failed(1, 30005))
    clock.pass_by(days=29, hours=2)
    again = opting_out.Failed(code=30005, to=number(1), scope=None, at=clock())
    opting_out.take_effect(again, people.opting_out())
    clock.pass_by(days=29)
    assert offered(context, number(1)) == "unreachable"


@pytest.mark.parametrize("how", ["text", "consent"])
def test_a_text_from_it_or_a_consent_ends_the_rest(
    aws: Aws, context: Context, clock: Clock, twilio: FakeTwilio, how: str
) -> None:
    record(failed(1, 30005))
    clock.pass_by(hours=2)
    if how == "text":
        says("Are you open?", From=number(1))
    else:
        warm.reachability().learn(number(1), "consented_at", clock(), source="form")
    assert offered(context, number(1)) == "accepted"


def test_a_text_from_a_number_of_which_nothing_is_known_leaves_nothing(aws: Aws) -> None:
    says("Are you open?", From=number(1))
    assert warm.reachability().among([number(1)]) == {}


def test_a_date_is_only_replaced_by_a_later_one(aws: Aws) -> None:
    for minutes in (5, 9, 1):
        at = NOW + timedelta(minutes=minutes)
        warm.reachability().learn(PERSON, "landline_since", at, source=f"x{minutes}")
    found = reach()
    assert found.landline_since == NOW + timedelta(minutes=9)
    assert found.sources == {"landline_since": "x9"}


def test_reach_is_read_for_many_at_once(aws: Aws) -> None:
    for n in range(0, 150, 3):
        warm.reachability().learn(number(n), "landline_since", NOW, source="x")
    found = warm.reachability().among([number(n) for n in range(150)])
    assert set(found) == {number(n) for n in range(0, 150, 3)}


# ------------------------------------------------------------------------------------------------ deactivated numbers


def test_numbers_of_people_we_know_are_marked_and_no_others(aws: Aws, twilio: FakeTwilio) -> None:
    known(number(1), number(2))
    twilio.deactivated[str(YESTERDAY)] = f"{number(1)}\n{number(7)}\r\n\nnonsense\n1{number(2)[2:]}"
    run()
    assert {item["pk"] for item in aws.items(prefix="REACH#")} == {
        f"REACH#{number(1)}",
        f"REACH#{number(2)}",
    }
    assert reach(number(1)).deactivated_on == YESTERDAY
    assert reach(number(1)).is_deactivated
    shown = call("GET", f"/opt-outs/{number(1)}")[1]["reach"]["deactivated_on"]
    assert shown == str(YESTERDAY)


def test_each_day_is_read_once_and_missed_days_are_made_up_for(
    aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    known(*(number(n) for n in range(5)))
    asked: list[str] = []
    twilio.on_deactivations = asked.append
    for n in range(4):
        twilio.deactivated[str(YESTERDAY + timedelta(days=n))] = f"{number(n)}\n"
    run()
    run()
    assert asked == [str(YESTERDAY)]
    # WHEN nothing runs for three days
    clock.pass_by(days=3)
    run()
    # THEN
    assert asked == [str(YESTERDAY + timedelta(days=n)) for n in range(4)]
    for n in range(4):
        assert reach(number(n)).deactivated_on == YESTERDAY + timedelta(days=n)


def test_a_list_that_is_not_out_yet_is_asked_for_again(aws: Aws, twilio: FakeTwilio) -> None:
    known(PERSON)
    run()
    assert aws.items(prefix="DEACTIVATIONS") == []
    twilio.deactivated[str(YESTERDAY)] = PERSON
    run()
    assert reach().is_deactivated


def test_a_list_that_is_gone_is_passed_over(aws: Aws, twilio: FakeTwilio, clock: Clock) -> None:
    known(PERSON)
    twilio.deactivated |= {str(YESTERDAY): "", str(TODAY): PERSON}
    clock.pass_by(days=1)
    warm.reachability().move_reading(
        workflow.ReadingPlace(YESTERDAY, 0), workflow.ReadingPlace(YESTERDAY, 0)
    )
    twilio.deactivation_answers = [Answer(400, 30113)]
    run()
    assert reach().deactivated_on == TODAY


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(503), TwilioUnavailableError),
        (Answer(error=NeverSentError("no")), TwilioUnavailableError),
        (Answer(error=NoAnswerError("no")), TwilioUnavailableError),
        (Answer(429, 20429), TwilioBusyError),
        (Answer(400, 20001), TwilioUnavailableError),
    ],
)
def test_without_a_clear_answer_the_run_fails_and_the_next_one_goes_on(
    aws: Aws, twilio: FakeTwilio, answer: Answer, error: type[Exception]
) -> None:
    known(PERSON)
    twilio.deactivated[str(YESTERDAY)] = PERSON
    twilio.deactivation_answers = [answer]
    with pytest.raises(error):
        run()
    run()
    assert reach().is_deactivated


def test_without_time_the_next_run_goes_on_where_this_one_stopped(
    aws: Aws, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "_BATCH", 2)
    known(*(number(n) for n in range(7)))
    twilio.deactivated[str(YESTERDAY)] = "\n".join(number(n) for n in range(7))
    for done in (2, 4, 6):
        run([900_000, 50_000])
        assert len(aws.items(prefix="REACH#")) == done
    run()
    assert len(aws.items(prefix="REACH#")) == 7


@pytest.mark.parametrize(
    ("consented_at", "deactivated"),
    [
        (datetime(2026, 11, 21, 12, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 12, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 1, tzinfo=UTC), False),
    ],
)
@pytest.mark.parametrize("consent_first", [True, False])
def test_a_consent_after_the_deactivation_is_the_new_owners(
    aws: Aws, consented_at: datetime, deactivated: bool, consent_first: bool
) -> None:
    steps = [
        lambda: call(
            "DELETE",
            f"/opt-outs/{PERSON}",
            {"consent": {**CONSENT, "at": consented_at.isoformat()}},
        ),
        lambda: warm.reachability().learn(PERSON, "deactivated_on", YESTERDAY, source="x"),
    ]
    for step in steps if consent_first else reversed(steps):
        step()
    assert reach().is_deactivated is deactivated


def test_start_lifts_a_deactivation(aws: Aws) -> None:
    warm.reachability().learn(PERSON, "deactivated_on", YESTERDAY, source="x")
    says("START")
    assert not reach().is_deactivated


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 17))
def test_wherever_reading_dies_the_next_run_marks_everybody(
    aws: Aws,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    when: Any,
) -> None:
    monkeypatch.setattr(workflow, "_BATCH", 2)
    monkeypatch.setattr(workflow, "_AT_A_TIME", 1)
    known(*(number(n) for n in range(5)))
    twilio.deactivated[str(YESTERDAY)] = "\n".join(number(n) for n in range(5))
    with killed_at(at, when) as was_killed:
        run()
    # the place; known and marked for each of five; the place for each of three batches, and of the next day
    assert was_killed() is (at <= 15)
    run()
    assert len(aws.items(prefix="REACH#")) == 5
    [place] = aws.items(prefix="DEACTIVATIONS")
    assert (place["read_day"], place["read_lines"]) == (str(TODAY), 0)


def test_of_two_runs_at_once_one_stops(aws: Aws, twilio: FakeTwilio) -> None:
    known(PERSON)
    twilio.deactivated[str(YESTERDAY)] = PERSON
    twilio.on_deactivations = lambda _day: _once(twilio)
    run()
    [place] = aws.items(prefix="DEACTIVATIONS")
    assert place["read_day"] == str(TODAY)


def _once(twilio: FakeTwilio) -> None:
    twilio.on_deactivations = lambda _day: None
    run()


# ------------------------------------------------------------------------------------------------ the file itself


@contextmanager
def server(*, cut: bool = False, status: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A Twilio that leads to a file on another host, both on this machine; yields its URL and the headers it got."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(dict(self.headers) | {"path": self.path})
            if self.path.startswith("/v1/"):
                body = json.dumps({"redirect_to": f"{url}/file?token=1"}).encode()
                self._answer(307, body, len(body))
            else:
                body = b"+12025550111\n+12025550112\n"
                self._answer(status, body, len(body) + (100 if cut else 0))

        def _answer(self, code: int, body: bytes, length: int) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to log."""

    enable_socket()
    socket_allow_hosts(["127.0.0.1"])
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{http_server.server_port}"
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    try:
        yield url, heard
    finally:
        http_server.shutdown()
        http_server.server_close()


def lists(url: str) -> Deactivations:
    return Deactivations(
        credentials=warm.parameters().credentials,
        http_client=PooledTransport(api_url=url, connections=1),
        storage=open_storage(),
    )


def test_our_credentials_do_not_go_to_the_storage_host(aws: Aws) -> None:
    credentials = warm.parameters().credentials
    assert credentials
    with server() as (url, heard):
        assert list(lists(url).of(date(2026, 11, 22))) == ["+12025550111", "+12025550112"]
    asked, file = heard
    assert asked["path"] == "/v1/Deactivations?Date=2026-11-22"
    assert "Authorization" in asked
    assert file["path"] == "/file?token=1"
    assert "Authorization" not in file


@pytest.mark.parametrize("wrong", [{"cut": True}, {"status": 403}])
def test_a_file_that_is_cut_off_or_refused_is_no_list(aws: Aws, wrong: dict[str, Any]) -> None:
    assert warm.parameters().credentials
    with server(**wrong) as (url, _), pytest.raises(TwilioUnavailableError):
        list(lists(url).of(date(2026, 11, 22)))


@pytest.mark.parametrize(
    ("api_url", "product", "url"),
    [
        ("https://api.twilio.com", "messaging", "https://messaging.twilio.com"),
        ("https://api.twilio.com", "accounts", "https://accounts.twilio.com"),
        ("http://127.0.0.1:8001", "messaging", "http://127.0.0.1:8001"),
    ],
)
def test_a_product_has_a_host_of_its_own_at_twilio_only(
    api_url: str, product: str, url: str
) -> None:
    assert product_url(api_url, product) == url


# ------------------------------------------------------------------------------------------------ telling Twilio


@pytest.fixture
def forwarding(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    monkeypatch.setenv("FORWARD_CONSENTS", "on")
    warm.settings.cache_clear()


def work(aws: Aws) -> None:
    for _ in range(200):
        records = aws.records("SEND_QUEUE")
        if not records:
            return
        context = Context(milliseconds=[60_000])
        assert sender({"Records": records}, context) == {"batchItemFailures": []}
    raise AssertionError("it comes to no rest")


def test_without_the_switch_twilio_is_told_nothing(aws: Aws, twilio: FakeTwilio) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {})
    work(aws)
    assert twilio.consents == []


def test_what_came_by_api_is_told_to_twilio(
    aws: Aws, twilio: FakeTwilio, clock: Clock, forwarding: None
) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {"source": "website"})
    work(aws)
    clock.pass_by(minutes=5)
    consent = {**CONSENT, "source": "offline", "at": "2026-11-23T15:04:00Z"}
    call("DELETE", f"/opt-outs/{PERSON}", {"consent": consent})
    work(aws)
    assert [
        {
            name: each[name]
            for name in ("contact_id", "sender_id", "status", "source", "date_of_consent")
        }
        for each in twilio.consents
    ] == [
        {
            "contact_id": PERSON,
            "sender_id": SERVICE_SID,
            "status": status,
            "source": source,
            "date_of_consent": at,
        }
        for status, source, at in (
            ("opt-out", "website", "2026-11-23T15:00:00+00:00"),
            ("opt-in", "offline", "2026-11-23T15:04:00+00:00"),
        )
    ]


def test_what_twilio_heard_itself_is_not_told(
    aws: Aws, twilio: FakeTwilio, forwarding: None
) -> None:
    says("STOP")
    record(failed(1, 21610))
    work(aws)
    assert twilio.consents == []


def test_many_are_told_25_at_a_time(aws: Aws, twilio: FakeTwilio, forwarding: None) -> None:
    rows = [{"to": number(n)} for n in range(60)]
    call("POST", "/opt-outs/import", {"rows": rows})
    work(aws)
    told = [r for r in twilio.requests if r.path == "/v1/Consents/Bulk"]
    assert sorted(len(each.form["Items"]) for each in told) == [10, 25, 25]
    assert {each["contact_id"] for each in twilio.consents} == {number(n) for n in range(60)}
    assert {each["source"] for each in twilio.consents} == {"others"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, 20429),
        Answer(503),
        Answer(error=NoAnswerError("no"), made=True),
        Answer(500, made=True),
    ],
)
def test_telling_is_repeated_with_the_same_ids_and_holds_up_no_withdrawal(
    aws: Aws, twilio: FakeTwilio, forwarding: None, answer: Answer
) -> None:
    twilio.consent_answers = [answer, answer]
    call("PUT", f"/opt-outs/{PERSON}", {})
    work(aws)
    ids = {each["correlation_id"] for each in twilio.consents}
    assert len(ids) == 1
    assert all(len(each) == 32 for each in ids)


@pytest.mark.parametrize("answer", [Answer(201), Answer(400, 20001)])
def test_what_twilio_does_not_take_is_counted_and_not_repeated(
    aws: Aws,
    twilio: FakeTwilio,
    forwarding: None,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
) -> None:
    twilio.no_consent_of = {PERSON}
    twilio.consent_answers = [answer]
    call("PUT", f"/opt-outs/{PERSON}", {})
    work(aws)
    logged = capsys.readouterr().out
    assert '"ConsentsRefused":[1.0]' in logged
    assert PERSON not in logged
    assert len([r for r in twilio.requests if r.path == "/v1/Consents/Bulk"]) == 1


def test_what_does_not_stand_any_more_is_not_told(
    aws: Aws, twilio: FakeTwilio, clock: Clock, forwarding: None
) -> None:
    call("PUT", f"/opt-outs/{PERSON}", {"scope": "service"})
    clock.pass_by(minutes=1)
    says("START")
    work(aws)
    assert twilio.consents == []
