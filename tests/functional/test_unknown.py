"""What was offered to Twilio and never answered: evidence first, then either it exists or it is offered again.

Each way to lose an answer is played twice: Twilio made the message, or it did not. Either way there is one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from functions.messages.app import lambda_handler as messages
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.adapters.twilio.transport import NoAnswerError
from tests.functional.aws import SERVICE_SID, Aws, Context, sqs_record
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.requests import http
from tests.functional.twilio import Answer, FakeTwilio

TO = "+12025550123"
BOTH = pytest.mark.parametrize("made", [True, False], ids=["made", "not made"])
LOST_ANSWERS = {
    "cut": lambda made: Answer(0, error=NoAnswerError("ReadTimeoutError"), made=made),
    "502": lambda made: Answer(502, made=made),
    "503 of Twilio": lambda made: Answer(503, 20503, made=made),
}
EACH_LOST_ANSWER = pytest.mark.parametrize(
    "lost", LOST_ANSWERS.values(), ids=list(LOST_ANSWERS.keys())
)
Lost = Callable[[bool], Answer]


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is caught, nothing is written."""


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


def post(key: str = "order-7", *, to: str = TO, body: str = "Hi") -> tuple[int, dict[str, Any]]:
    request = http("POST", "/messages", {"to": to, "body": body}, headers={"idempotency-key": key})
    answer = messages(request, Context())
    return answer["statusCode"], json.loads(answer["body"])


def get(message_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        messages(http("GET", f"/messages/{message_id}"), Context())["body"]
    )
    return found


def sweep() -> None:
    sweeper({}, Context())


def kill(_fields: Mapping[str, Any]) -> None:
    raise Killed


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": f"+1202555{1000 + n}"} for n in range(count)]


def each_once(twilio: FakeTwilio, recipients: list[dict[str, Any]]) -> bool:
    return Counter(message["to"] for message in twilio.made) == Counter(
        recipient["to"] for recipient in recipients
    )


# ------------------------------------------------------------------------------------------------ single messages


@BOTH
@EACH_LOST_ANSWER
def test_a_repeat_of_the_request_finds_out_and_sends_what_was_not_made(
    twilio: FakeTwilio, clock: Clock, lost: Lost, made: bool
) -> None:
    # GIVEN a message whose answer was lost
    twilio.answers[TO] = [lost(made)]
    status, unknown = post()
    assert (status, unknown["status"], unknown["sid"], unknown["attempts"]) == (
        202,
        "unknown",
        None,
        1,
    )
    assert unknown["reason"]
    # WHEN the same request comes before Twilio's list counts
    clock.pass_by(seconds=59)
    assert post() == (202, unknown)
    # THEN Twilio was asked nothing and sent nothing
    assert (twilio.lists, len(twilio.made)) == (0, made)
    # WHEN it comes later
    clock.pass_by(seconds=2)
    status, known = post()
    # THEN there is one message, and its record says how that is known
    assert (status, known["status"], known["reason"]) == (202, "accepted", None)
    assert [message["sid"] for message in twilio.made] == [known["sid"]]
    assert (known["evidence"], known["attempts"]) == (("list", 1) if made else (None, 2))
    # AND it stays so
    assert post() == (202, known)
    assert get(known["id"]) == known


def test_a_message_that_twilios_list_shows_late_is_not_sent_again(
    twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](True)]
    twilio.shown_after = timedelta(seconds=45)
    post()
    for _ in range(5):
        clock.pass_by(seconds=20)
        post()
    assert len(twilio.made) == 1


@BOTH
@EACH_LOST_ANSWER
def test_a_queued_request_comes_back_and_finds_out(
    flow: Flow, twilio: FakeTwilio, clock: Clock, lost: Lost, made: bool
) -> None:
    # GIVEN three requests, the second without an answer
    requests = [{"id": f"r-{n}", "to": f"+1202555010{n}", "body": "Hi"} for n in range(3)]
    twilio.answers["+12025550101"] = [lost(made)]
    body = json.dumps({"version": 1, "requests": requests})
    assert flow.send([sqs_record(body)]) == []
    # THEN the others went, and that one comes back
    assert get("req_r-1")["status"] == "unknown"
    [back] = flow.aws.records("SEND_QUEUE")
    assert [each["id"] for each in json.loads(back["body"])["requests"]] == ["r-1"]
    # WHEN it does, and also the first body is delivered again
    clock.pass_by(seconds=90)
    assert flow.send([back]) == []
    assert flow.send([sqs_record(body)]) == []
    # THEN
    assert each_once(twilio, requests)
    assert flow.aws.records("SEND_QUEUE") == []


def test_a_queued_request_whose_time_came_while_in_doubt_is_left_to_the_sweeper(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN a message for 15:06, without an answer
    twilio.answers[TO] = [LOST_ANSWERS["cut"](True)]
    request = {"id": "r", "to": TO, "body": "Hi", "send_at": "2026-11-23T15:06:00Z"}
    flow.send([sqs_record(json.dumps({"version": 1, "requests": [request]}))])
    [back] = flow.aws.records("SEND_QUEUE")
    # WHEN it comes back when Twilio would not take that time any more
    clock.pass_by(seconds=90)
    assert flow.send([back]) == []
    # THEN it is no dead letter, and the sweeper finds it
    assert flow.aws.records("SEND_DEAD_LETTER_QUEUE") == []
    sweep()
    assert (get("req_r")["evidence"], len(twilio.made)) == ("list", 1)


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_request_killed_at_create_is_found_out_when_it_is_delivered_again(
    flow: Flow, twilio: FakeTwilio, clock: Clock, where: str
) -> None:
    body = sqs_record(json.dumps({"version": 1, "requests": [{"id": "r", "to": TO, "body": "Hi"}]}))
    _kill_once(twilio, where)
    with pytest.raises(Killed):
        flow.send([body])
    clock.pass_by(minutes=6)
    assert flow.send([body]) == []
    assert each_once(twilio, [{"to": TO}])
    assert get("req_r")["status"] == "accepted"


def _kill_once(twilio: FakeTwilio, where: str) -> None:
    """Kill the next create, before Twilio makes its message or after."""

    def strike(_fields: Mapping[str, Any]) -> None:
        twilio.on_create = twilio.on_made = lambda _fields: None
        raise Killed

    if where == "before":
        twilio.on_create = strike
    else:
        twilio.on_made = strike


@pytest.mark.parametrize("where", ["before", "after"])
def test_dying_while_it_is_offered_again_is_a_doubt_of_its_own(
    twilio: FakeTwilio, clock: Clock, where: str
) -> None:
    # GIVEN a message that was not made, and a function that dies when it offers it again
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False)]
    post()
    clock.pass_by(minutes=10)
    _kill_once(twilio, where)
    with pytest.raises(Killed):
        post()
    # WHEN the request comes as soon as the claim is over, and later
    clock.pass_by(seconds=35)
    assert post()[1]["status"] == "unknown"
    clock.pass_by(seconds=60)
    # THEN the second attempt is what is looked for
    assert post()[1]["status"] == "accepted"
    assert len(twilio.made) == 1


def test_while_twilio_cannot_be_asked_nothing_is_sent_and_nothing_is_forgotten(
    twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False)]
    _, unknown = post()
    twilio.list_error = NoAnswerError("ReadTimeoutError")
    for _ in range(3):
        clock.pass_by(minutes=5)
        assert post()[0] == 503
        assert get(unknown["id"])["status"] == "unknown"
    assert twilio.made == []
    twilio.list_error = None
    assert post()[1]["status"] == "accepted"
    assert len(twilio.made) == 1


def test_when_twilio_is_busy_at_the_second_offer_the_message_stays_open(
    twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False), Answer(429, 20429)]
    _, unknown = post()
    clock.pass_by(minutes=2)
    assert post()[0] == 429
    assert get(unknown["id"]) == unknown
    assert post()[1]["status"] == "accepted"
    assert len(twilio.made) == 1


def test_somebody_who_opted_out_meanwhile_is_not_sent_it_again(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False)]
    post()
    _, other = post("other", body="Other")
    flow.call_back(callback(twilio.made[0], "failed", error_code=21610))
    clock.pass_by(minutes=2)
    _, skipped = post()
    assert (skipped["status"], skipped["reason"]) == ("skipped", "opted_out")
    assert [message["sid"] for message in twilio.made] == [other["sid"]]


# ------------------------------------------------------------------------------------------------ whose it is


def test_a_callback_that_came_first_is_the_evidence(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](True)]
    _, unknown = post()
    flow.call_back(callback(twilio.made[0], "delivered"))
    # THEN it shows at once
    seen = get(unknown["id"])
    assert (seen["status"], seen["sid"], seen["evidence"], seen["reason"]) == (
        "delivered",
        twilio.made[0]["sid"],
        "callback",
        None,
    )
    # WHEN somebody works on it THEN Twilio need not be asked
    clock.pass_by(minutes=2)
    sweep()
    assert get(unknown["id"]) == seen
    assert (twilio.lists, len(twilio.made)) == (0, 1)


@pytest.mark.parametrize("first", [True, False], ids=["first made", "first not made"])
@pytest.mark.parametrize("second", [True, False], ids=["second made", "second not made"])
@pytest.mark.parametrize("swept_at_once", [True, False])
def test_two_same_texts_in_doubt_never_take_the_same_message_as_evidence(
    flow: Flow,
    twilio: FakeTwilio,
    clock: Clock,
    first: bool,
    second: bool,
    swept_at_once: bool,
) -> None:
    # GIVEN the same text twice to one person, both without an answer
    twilio.answers[TO] = [LOST_ANSWERS["cut"](first), LOST_ANSWERS["502"](second)]
    ids = [post(key)[1]["id"] for key in ("a", "b")]
    # WHEN they are looked after, together or one by one
    clock.pass_by(minutes=2)
    if not swept_at_once:
        post("b")
        post("a")
    sweep()
    # what one made while the other one looked is too young to be told apart: that one waits
    clock.pass_by(minutes=2)
    sweep()
    # THEN there are two messages, one for each
    assert len(twilio.made) == 2
    assert {get(each)["sid"] for each in ids} == {message["sid"] for message in twilio.made}


@BOTH
def test_what_another_takes_while_the_list_is_read_is_no_evidence_any_more(
    twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    # GIVEN the same text twice, the first one made
    twilio.answers[TO] = [LOST_ANSWERS["cut"](True), LOST_ANSWERS["cut"](made)]
    ids = [post(key)[1]["id"] for key in ("a", "b")]
    clock.pass_by(minutes=2)

    # WHEN the second one finds its evidence while the first one looks for its own
    def meanwhile(_params: object) -> None:
        twilio.on_list = lambda _params: None
        post("b")

    twilio.on_list = meanwhile
    post("a")
    # THEN
    assert {get(each)["sid"] for each in ids} == {message["sid"] for message in twilio.made}
    assert len(twilio.made) == 2


@pytest.mark.parametrize("callback_of", ["a", "b"])
def test_a_message_that_a_callback_names_is_no_evidence_for_another(
    flow: Flow, twilio: FakeTwilio, clock: Clock, callback_of: str
) -> None:
    # GIVEN the same text twice, one of them made, and its callback came
    order = ["a", "b"]
    twilio.answers[TO] = [LOST_ANSWERS["cut"](key == callback_of) for key in order]
    ids = {key: post(key)[1]["id"] for key in order}
    flow.call_back(callback(twilio.made[0], "sent"))
    # WHEN the other one is looked after first
    clock.pass_by(minutes=2)
    [other] = set(order) - {callback_of}
    post(other)
    # THEN it is sent for itself
    sweep()
    assert len(twilio.made) == 2
    assert get(ids[callback_of])["sid"] == twilio.made[0]["sid"]
    assert get(ids[other])["sid"] == twilio.made[1]["sid"]


def test_a_callback_corrects_whose_message_the_list_showed(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    # GIVEN the same text twice, both made, and the second took the first one's message as evidence
    twilio.answers[TO] = [LOST_ANSWERS["cut"](True), LOST_ANSWERS["cut"](True)]
    ids = [post(key)[1]["id"] for key in ("a", "b")]
    clock.pass_by(minutes=2)
    assert post("b")[1]["sid"] == twilio.made[0]["sid"]
    # WHEN a callback says which one it really is
    flow.call_back(callback(twilio.made[1], "delivered"))
    # THEN the first one has its own again, and nothing is sent
    post("a")
    assert [get(each)["sid"] for each in ids] == [message["sid"] for message in twilio.made]
    assert len(twilio.made) == 2


def test_a_message_that_create_answered_for_is_no_evidence_for_another(
    twilio: FakeTwilio, clock: Clock
) -> None:
    twilio.answers[TO] = [Answer(), LOST_ANSWERS["cut"](False)]
    _, answered = post("a")
    post("b")
    clock.pass_by(minutes=2)
    _, known = post("b")
    assert known["sid"] != answered["sid"]
    assert len(twilio.made) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"Body": "Something else", "MessagingServiceSid": SERVICE_SID},
        {"Body": "Hi", "MessagingServiceSid": "MG00000000000000000000000000000002"},
    ],
    ids=["another text", "another service"],
)
def test_what_else_the_person_got_is_no_evidence(
    twilio: FakeTwilio, clock: Clock, other: dict[str, str]
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False)]
    post()
    twilio._make({"To": TO, **other})
    clock.pass_by(minutes=2)
    assert post()[1]["sid"] == twilio.made[1]["sid"]


@pytest.mark.parametrize("minutes", [-5, 5], ids=["before", "after"])
def test_what_was_made_at_another_time_is_no_evidence(
    twilio: FakeTwilio, clock: Clock, minutes: int
) -> None:
    twilio.answers[TO] = [LOST_ANSWERS["cut"](False)]
    post()
    clock.pass_by(minutes=minutes)
    twilio._make({"To": TO, "Body": "Hi", "MessagingServiceSid": SERVICE_SID})
    clock.pass_by(minutes=10)
    assert post()[1]["sid"] == twilio.made[1]["sid"]


# ------------------------------------------------------------------------------------------------ in a chunk


def _chunk(flow: Flow, count: int) -> tuple[str, dict[str, Any]]:
    broadcast_id = flow.created(body="The sale is on.", recipients=people(count), start="now")
    flow.dispatch()
    [chunk] = flow.aws.records("SEND_QUEUE")
    return broadcast_id, chunk


@pytest.mark.parametrize("rounds", [0, 6])
def test_what_was_handed_back_before_waits_no_longer_for_evidence_than_it_takes(
    flow: Flow, twilio: FakeTwilio, caplog: pytest.LogCaptureFixture, rounds: int
) -> None:
    _, chunk = _chunk(flow, 3)
    body = json.loads(chunk["body"])
    body["chunk"]["rounds"] = rounds
    twilio.answers["+12025551001"] = [LOST_ANSWERS["cut"](True)]
    assert flow.send([{**chunk, "body": json.dumps(body)}]) == []
    [handed_back] = [vars(record) for record in caplog.records if record.msg == "handed back"]
    assert (handed_back["rounds"], handed_back["delay"]) == (rounds + 1, 90)


@BOTH
@EACH_LOST_ANSWER
def test_a_chunk_comes_back_for_what_is_unknown_and_the_others_are_done(
    flow: Flow, twilio: FakeTwilio, clock: Clock, lost: Lost, made: bool
) -> None:
    # GIVEN a chunk of which two messages have no answer
    broadcast_id, chunk = _chunk(flow, 40)
    for to in ("+12025551003", "+12025551031"):
        twilio.answers[to] = [lost(made)]
    # WHEN it is sent
    assert flow.send([chunk]) == []
    # THEN everybody else is done, and the broadcast says who is not
    flow.roll_up()
    assert flow.report(broadcast_id)["counters"] == {"accepted": 38, "unknown": 2}
    assert get(f"{broadcast_id}-000000-003")["status"] == "unknown"
    # WHEN it comes back too early, and later
    [back] = flow.aws.records("SEND_QUEUE")
    flow.send([back])
    assert (twilio.lists, len(twilio.made)) == (0, 40 if made else 38)
    clock.pass_by(seconds=90)
    flow.send(flow.aws.records("SEND_QUEUE"))
    # THEN only those two were asked for, and everybody has the text once
    assert twilio.lists == 2
    assert each_once(twilio, people(40))
    flow.roll_up()
    report = flow.report(broadcast_id)
    assert (report["state"], report["counters"]) == ("completed", {"accepted": 40})
    assert get(f"{broadcast_id}-000000-003")["evidence"] == ("list" if made else None)
    assert flow.aws.records("SEND_QUEUE") == []


@BOTH
def test_while_twilio_cannot_be_asked_a_chunk_waits(
    flow: Flow, twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    broadcast_id, chunk = _chunk(flow, 5)
    twilio.answers["+12025551002"] = [LOST_ANSWERS["cut"](made)]
    flow.send([chunk])
    for unanswered in (NoAnswerError("ReadTimeoutError"), None):
        twilio.list_error = unanswered
        twilio.list_answer = Answer(429, 20429)
        clock.pass_by(minutes=15)
        flow.send(flow.aws.records("SEND_QUEUE"))
        assert len(twilio.made) == 4 + made
        assert get(f"{broadcast_id}-000000-002")["status"] == "unknown"
    twilio.list_answer = Answer(200)
    flow.send(flow.aws.records("SEND_QUEUE"))
    assert each_once(twilio, people(5))


def test_a_callback_that_came_first_settles_a_row_of_a_chunk(
    flow: Flow, twilio: FakeTwilio
) -> None:
    broadcast_id, chunk = _chunk(flow, 5)
    twilio.answers["+12025551002"] = [LOST_ANSWERS["cut"](True)]
    flow.send([chunk])
    flow.call_back(callback(twilio.sent_to("+12025551002")[0], "delivered"))
    flow.send_all()
    assert each_once(twilio, people(5))
    assert get(f"{broadcast_id}-000000-002")["evidence"] == "callback"
    assert twilio.lists == 0


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("soon", [True, False])
def test_a_sender_that_dies_while_it_offers_an_unknown_row_again_sends_it_once(
    flow: Flow, twilio: FakeTwilio, clock: Clock, where: str, soon: bool
) -> None:
    # GIVEN an unknown row that was not made, and a sender that dies when it offers it again
    _, chunk = _chunk(flow, 5)
    twilio.answers["+12025551002"] = [LOST_ANSWERS["cut"](False)]
    flow.send([chunk])
    [back] = flow.aws.records("SEND_QUEUE")
    clock.pass_by(minutes=10)
    _kill_once(twilio, where)
    with pytest.raises(Killed):
        flow.send([back])
    # WHEN the queue delivers it again, perhaps as soon as the lease is over
    if soon:
        clock.pass_by(seconds=35)
        assert flow.send([back]) == []
        assert len(twilio.made) == (4 if where == "before" else 5)
    clock.pass_by(minutes=6)
    assert flow.send([back]) == []
    # THEN the second offer is what is looked for
    assert each_once(twilio, people(5))


def test_a_killed_senders_rows_are_shown_as_unknown_while_twilio_cannot_be_asked(
    flow: Flow, twilio: FakeTwilio, clock: Clock
) -> None:
    broadcast_id, chunk = _chunk(flow, 3)
    twilio.on_made = kill
    with pytest.raises(Killed):
        flow.send([chunk])
    twilio.on_made = lambda _fields: None
    twilio.list_error = NoAnswerError("ReadTimeoutError")
    clock.pass_by(minutes=6)
    flow.send([chunk])
    shown = get(f"{broadcast_id}-000000-000")
    assert (shown["status"], shown["reason"]) == ("unknown", "no_result")
    twilio.list_error = None
    clock.pass_by(minutes=6)
    flow.send_all()
    assert each_once(twilio, people(3))


@BOTH
def test_a_canceled_broadcast_finds_out_and_sends_nothing_again(
    flow: Flow, twilio: FakeTwilio, clock: Clock, made: bool
) -> None:
    # GIVEN an unknown row, and a cancellation
    broadcast_id, chunk = _chunk(flow, 5)
    twilio.answers["+12025551002"] = [LOST_ANSWERS["cut"](made)]
    flow.send([chunk])
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/cancel")[0] == 202
    # WHEN the chunk comes back
    clock.pass_by(minutes=2)
    flow.send_all()
    # THEN what was made counts as made, and what was not is canceled
    message = get(f"{broadcast_id}-000000-002")
    assert (message["status"], message["reason"]) == (
        ("accepted", None) if made else ("skipped", "canceled")
    )
    assert len(twilio.made) == 4 + made
    flow.roll_up()
    report = flow.report(broadcast_id)
    assert report["outcomes"] == report["total"] == 5
