"""The books of a day: Twilio's list against the ledger, each difference with its cause, whatever dies meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Literal
from urllib.parse import parse_qsl

import pytest

from functions.messages.app import lambda_handler as messages
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.books import REMEDIES, Cause
from sendpool.edge import duties, outbound
from sendpool.workflows import close_books, reconcile
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.reconciling import Account, number
from tests.functional.requests import http
from tests.functional.rest import KilledError, killed_at
from tests.functional.twilio import Answer, FakeTwilio, refusal

DAY = date(2026, 11, 24)
USD = "USD"


class Books(Account):
    """A deployment whose books begin with DAY."""

    def begin(self) -> None:
        """Let it be DAY."""
        self.clock.at = datetime(2026, 11, 24, 10, tzinfo=UTC)

    def ripen(self, day: date = DAY) -> None:
        """Let all of a day have been looked at soon, and the round be due that does so for the second time."""
        midnight = datetime.combine(day, time(), UTC)
        for hours in (28, 29):
            self.clock.at = midnight + timedelta(hours=hours)
            self.round()
        self.clock.at = midnight + timedelta(hours=50)

    def close(self) -> None:
        """Sweep until DAY's books are closed."""
        for _ in range(200):
            self.sweep()
            if self.day()["is_finished"]:
                return
        raise AssertionError("the books are never closed")

    def day(self, day: date = DAY) -> dict[str, Any]:
        status, body = self.ask(f"/reconciliations/{day}")
        return body if status == 200 else {"is_finished": False}

    def ask(self, path: str, query: str = "") -> tuple[int, dict[str, Any]]:
        event = http("GET", path, query=query)
        event["queryStringParameters"] = dict(parse_qsl(query))
        answer = messages(event, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def causes(self) -> dict[str, int]:
        return {each["cause"]: each["messages"] for each in self.day()["causes"]}

    def cause(self, cause: Cause) -> dict[str, Any]:
        (found,) = (each for each in self.day()["causes"] if each["cause"] == cause)
        return dict(found)

    def deliver(self) -> None:
        """Let every callback come, and every price be known."""
        self.end()
        self.flow.call_back(*(callback(each, "delivered") for each in self.twilio.made))

    def stranger(self, n: int, **change: Any) -> dict[str, Any]:
        """Let somebody else send from our account."""
        as_ours = {"direction": "outbound-api", "messaging_service_sid": SERVICE_SID}
        message = {**self.twilio.made[-1], **as_ours, "sid": f"SM{n:032x}", **change}
        self.twilio.made.append(message)
        return message


@pytest.fixture
def books(aws: Aws, twilio: FakeTwilio, clock: Clock) -> Books:
    books = Books(Flow(aws), twilio, clock)
    books.begin()
    return books


def usd(amount: str) -> list[dict[str, str]]:
    return [{"currency": USD, "amount": amount}]


# ------------------------------------------------------------------------------------------------ sides


def test_when_both_sides_agree_nothing_is_left_to_explain(
    books: Books, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    books.broadcast(5)
    books.post(7)
    books.deliver()
    books.ripen()
    capsys.readouterr()
    books.close()
    # THEN
    side = {"messages": 6, "statuses": {"delivered": 6}, "billed": 6, "cost": usd("0.0498")}
    assert books.day() == {
        "date": "2026-11-24",
        "is_finished": True,
        "finished_at": "2026-11-26T02:00:00Z",
        "twilio": side,
        "ledger": side,
        "difference": {"messages": 0, "statuses": {}, "billed": 0, "cost": []},
        "unexplained": 0,
        "causes": [],
    }
    told = capsys.readouterr().out
    assert told.count('"ReconciliationDrift":[0.0]') == 1
    assert told.count('"ReconciliationCostDifferenceUSD":[0.0]') == 1
    assert "books closed" in caplog.messages


def test_the_ledger_is_compared_as_it_is_before_it_learns_from_the_list(books: Books) -> None:
    books.broadcast(3)
    books.ripen()
    # GIVEN all callbacks got lost, and one message failed
    books.end()
    books.twilio.made[0] |= {"status": "failed", "error_code": "30001", "price": None}  # type: ignore[dict-item]
    books.close()
    found = books.day()
    assert found["twilio"]["statuses"] == {"delivered": 2, "failed": 1}
    assert found["ledger"]["statuses"] == {"accepted": 3}
    assert found["difference"] == {
        "messages": 0,
        "statuses": {"accepted": -3, "delivered": 2, "failed": 1},
        "billed": 2,
        "cost": usd("0.0166"),
    }
    assert books.causes() == {"behind_in_status": 3}
    assert books.cause(Cause.BEHIND_IN_STATUS)["cost"] == usd("0.0166")
    # AND it has learned of them
    assert books.record() == 3
    assert books.day() == found


def test_a_day_is_that_on_which_twilio_made_it_in_utc(books: Books) -> None:
    books.clock.at = datetime(2026, 11, 24, 23, 59, 59, 900_000, tzinfo=UTC)
    books.post(1)
    books.clock.pass_by(seconds=1)
    books.post(2)
    books.deliver()
    books.ripen()
    books.close()
    assert books.day()["twilio"]["messages"] == 1
    # WHEN the next day is closed
    books.clock.pass_by(hours=25)
    books.round()
    books.clock.pass_by(hours=1)
    books.sweep()
    found = books.day(DAY + timedelta(days=1))
    assert found["is_finished"]
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (1, 1)


def test_a_day_without_messages_is_closed_too(books: Books) -> None:
    books.ripen()
    books.sweep()
    assert books.ask(f"/reconciliations/{DAY}")[1]["is_finished"]


def test_the_books_begin_with_the_first_whole_day(books: Books, clock: Clock) -> None:
    clock.at = datetime(2026, 11, 23, 20, tzinfo=UTC)
    books.post()
    books.deliver()
    books.ripen()
    books.sweep()
    assert books.ask("/reconciliations/2026-11-23")[0] == 404
    assert books.day()["twilio"]["messages"] == 0


def test_a_day_that_is_not_over_is_shown_as_far_as_it_is(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.broadcast(6)
    books.deliver()
    books.ripen()
    monkeypatch.setattr(reconcile, "_PAGES_A_SWEEP", 1)
    books.twilio.page_size = 2
    books.sweep()
    counted = []
    for _ in range(2):
        books.sweep()
        found = books.day()
        counted.append((found["is_finished"], found["twilio"]["messages"]))
    assert counted == [(False, 2), (False, 4)]


# ------------------------------------------------------------------------------------------------ causes


def test_every_cause_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Cause)


def test_a_price_that_is_not_known_is_told_apart_from_one_that_differs(books: Books) -> None:
    books.broadcast(3)
    books.end(price=None)
    books.flow.call_back(*(callback(each, "delivered") for each in books.twilio.made))
    first, second, _ = books.twilio.made
    first["price"] = "-0.01"
    books.ripen()
    # WHEN Twilio says a price late, and another price
    first["price"], second["price"] = "-0.012", "-0.0083"
    books.close()
    assert books.causes() == {"price_not_known": 1, "price_differs": 1}
    assert books.cause(Cause.PRICE_NOT_KNOWN)["cost"] == usd("0.0083")
    assert books.cause(Cause.PRICE_DIFFERS)["cost"] == usd("0.002")
    assert books.day()["difference"]["cost"] == usd("0.0103")


def test_another_end_than_the_callbacks_told_is_not_explained(
    books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    message_id = books.post()
    books.flow.call_back(callback(books.twilio.made[0], "delivered"))
    books.end("undelivered", price=None, error_code=30003)
    books.ripen()
    capsys.readouterr()
    books.close()
    assert books.day()["unexplained"] == 1
    assert books.cause(Cause.UNEXPLAINED)["examples"] == [message_id]
    assert '"ReconciliationDrift":[1.0]' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"direction": "outbound-reply"}, "not_ours_reply"),
        ({"direction": "outbound-reply", "messaging_service_sid": None}, "not_ours_reply"),
        ({"messaging_service_sid": None}, "not_ours_service"),
        ({"messaging_service_sid": "MG" + "f" * 32}, "not_ours_service"),
        ({}, "not_ours"),
    ],
)
def test_what_is_not_ours_is_kept_apart_by_direction_and_service(
    books: Books, change: dict[str, Any], cause: str
) -> None:
    books.post()
    books.deliver()
    sid = books.stranger(99, **change)["sid"]
    books.ripen()
    books.close()
    found = books.day()
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (2, 1)
    assert found["difference"]["cost"] == usd("0.0083")
    [said] = found["causes"]
    assert (said["cause"], said["messages"], said["examples"]) == (cause, 1, [sid])
    assert said["cost"] == usd("0.0083")
    assert found["unexplained"] == 0


def test_what_came_in_is_not_in_the_books(books: Books) -> None:
    books.post()
    books.deliver()
    books.stranger(99, direction="inbound")
    books.ripen()
    books.close()
    assert books.day()["twilio"]["messages"] == 1


def test_a_message_that_twilio_keeps_until_its_hour_is_the_same_on_both_sides(books: Books) -> None:
    send_at = (books.clock() + timedelta(days=7)).isoformat()
    body = {"to": number(0), "body": "Hi", "send_at": send_at}
    assert messages(http("POST", "/messages", body), Context())["statusCode"] == 202
    books.ripen()
    books.close()
    assert books.causes() == {"scheduled_later": 1}
    assert books.day()["difference"]["messages"] == 0


def test_a_message_that_waits_in_a_queue_is_in_the_books_of_its_day_only(books: Books) -> None:
    books.post()
    books.ripen()
    books.close()
    assert books.day()["twilio"]["statuses"] == {"accepted": 1}
    # WHEN it is sent two days later
    books.end()
    books.clock.pass_by(hours=26)
    books.round()
    books.clock.pass_by(hours=26)
    books.round()
    books.sweep()
    sent_on = date(2026, 11, 26)
    assert books.day(sent_on)["twilio"]["messages"] == 0


def test_a_message_whose_answer_got_lost_is_ours_by_its_callback(books: Books) -> None:
    books.twilio.answers["*"] = [Answer(error=NoAnswerError("ReadTimeoutError"), made=True)]
    body = {"to": number(0), "body": "Hi"}
    answer = messages(http("POST", "/messages", body), Context())
    message_id = json.loads(answer["body"])["id"]
    books.deliver()
    books.ripen()
    books.close()
    found = books.day()
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (1, 1)
    assert books.causes() == {"never_answered": 1}
    assert books.cause(Cause.NEVER_ANSWERED)["examples"] == [message_id]


def test_a_message_that_the_list_showed_as_made_is_in_the_ledgers_list(books: Books) -> None:
    books.twilio.answers["*"] = [Answer(error=NoAnswerError("ReadTimeoutError"), made=True)]
    messages(http("POST", "/messages", {"to": number(0), "body": "Hi"}), Context())
    books.clock.pass_by(minutes=5)
    books.sweep()
    books.deliver()
    books.ripen()
    books.close()
    assert books.day()["causes"] == []
    assert books.day()["ledger"]["messages"] == 1


@pytest.mark.parametrize("where", ["unlisted", "deleted"])
def test_what_the_list_does_not_show_is_missed_and_asked_for(
    books: Books, where: Literal["unlisted", "deleted"]
) -> None:
    books.broadcast(4)
    message_id = books.post(8)
    books.deliver()
    books.ripen()
    missing = books.twilio.made[4]["sid"]
    getattr(books.twilio, where).add(missing)
    books.close()
    found = books.day()
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (4, 5)
    assert found["difference"] == {
        "messages": -1,
        "statuses": {"delivered": -1},
        "billed": -1,
        "cost": usd("-0.0083"),
    }
    cause = Cause.NOT_LISTED if where == "unlisted" else Cause.DELETED
    assert books.causes() == {cause: 1}
    assert books.cause(cause)["examples"] == [message_id]
    assert books.cause(cause)["cost"] == usd("-0.0083")


def _claim(books: Books, message_id: str, sid: str) -> None:
    """Let a message of ours have taken another one's SID as its own."""
    (item,) = (each for each in books.flow.aws.items() if each.get("id") == message_id)
    books.flow.aws.session.client("dynamodb").update_item(
        TableName="ledger",
        Key={name: {"S": item[name]} for name in ("pk", "sk")},
        UpdateExpression="SET sid = :sid, listed_at = :sid",
        ExpressionAttributeValues={":sid": {"S": sid}},
    )


def test_two_of_ours_with_the_same_sid_are_told(books: Books) -> None:
    ids = [books.post(n) for n in range(2)]
    first, second = books.twilio.made
    _claim(books, ids[1], first["sid"])
    books.twilio.made.remove(second)
    books.end()
    books.ripen()
    books.close()
    found = books.day()
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (1, 2)
    assert books.causes()["same_sid"] == 1
    assert books.cause(Cause.SAME_SID)["examples"] == [max(ids)]
    assert found["unexplained"] == 0


def test_a_sid_that_callbacks_disproved_is_no_message_more(books: Books) -> None:
    ids = [books.post(n) for n in range(2)]
    first, second = books.twilio.made
    _claim(books, ids[1], first["sid"])
    # GIVEN callbacks that say whose each of them is
    books.deliver()
    books.ripen()
    books.close()
    found = books.day()
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (2, 2)
    assert books.causes() == {"never_answered": 1, "disproven_sid": 1}
    assert books.cause(Cause.NEVER_ANSWERED)["examples"] == [ids[1]]
    assert second["sid"] != first["sid"]


def test_what_the_ledger_lost_since_it_was_held_against_the_list_is_not_explained(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = books.post()
    books.deliver()
    books.ripen()
    with monkeypatch.context() as patch:
        patch.setattr(close_books, "_is_over", lambda *_: False)
        books.sweep()
    books.flow.aws.session.client("dynamodb").delete_item(
        TableName="ledger", Key={"pk": {"S": f"MSG#{message_id}"}, "sk": {"S": "MSG"}}
    )
    books.close()
    assert books.causes() == {"unexplained": 1}
    assert books.cause(Cause.UNEXPLAINED)["examples"] == [books.twilio.made[0]["sid"]]


# ------------------------------------------------------------------------------------------------ sweeps


def _several_causes(books: Books) -> Callable[[], dict[str, Any]]:
    """Let a day have some of everything; returns a function that closes it and says what its books are."""
    books.broadcast(5)
    ids = [books.post(20 + n) for n in range(3)]
    made = list(books.twilio.made)
    books.deliver()
    books.stranger(98, direction="outbound-reply")
    books.stranger(99)
    assert len(ids) == 3
    books.ripen()
    books.end("read")
    books.twilio.deleted.add(made[1]["sid"])
    books.twilio.unlisted.add(made[6]["sid"])

    def closed() -> dict[str, Any]:
        books.close()
        found = books.day()
        for each in found["causes"]:
            each["examples"] = sorted(each["examples"])
        return found

    return closed


_OF_SEVERAL = {
    "behind_in_status": 6,
    "not_ours_reply": 1,
    "not_ours": 1,
    "not_listed": 1,
    "deleted": 1,
}


def test_a_long_day_takes_several_sweeps(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = _several_causes(books)
    monkeypatch.setattr(reconcile, "_PAGES_A_SWEEP", 1)
    monkeypatch.setattr(close_books, "_SIDS_A_PAGE", 2)
    books.twilio.page_size = 2
    found = closed()
    assert books.causes() == _OF_SEVERAL
    assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (8, 8)
    assert books.twilio.pages >= 4


def test_without_time_no_books_are_closed(books: Books) -> None:
    books.post()
    books.deliver()
    books.ripen()
    books.round()
    books.sweep(Context(milliseconds=[28_000]))
    assert not books.day()["is_finished"]


@pytest.mark.parametrize("answer", [Answer(429, 20429), Answer(503)], ids=str)
def test_when_twilio_cannot_be_asked_for_what_is_missing_the_next_sweep_does(
    books: Books, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    books.post()
    books.deliver()
    books.ripen()
    books.twilio.unlisted.add(books.twilio.made[0]["sid"])
    with monkeypatch.context() as patch:
        patch.setattr(FakeTwilio, "_fetch", lambda *_: refusal(answer))
        books.sweep()
        assert not books.day()["is_finished"]
    books.close()
    assert books.causes() == {"not_listed": 1}


def test_a_round_that_begins_again_counts_nothing_twice(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.broadcast(9)
    books.deliver()
    books.ripen()
    books.twilio.page_size = 2
    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "_PAGES_A_SWEEP", 3)
        books.sweep()
        books.twilio.forgets_pages = True
        books.sweep()
    books.twilio.forgets_pages = False
    books.close()
    assert books.day()["twilio"]["messages"] == 9
    assert books.causes() == {}


def test_two_sweepers_at_once_count_everything_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _several_causes(books)
    monkeypatch.setattr(close_books, "_SIDS_A_PAGE", 2)
    books.twilio.page_size = 3
    began = count()

    def meanwhile(_params: Mapping[str, Any]) -> None:
        if next(began) in {0, 2}:
            outbound.use_transport(lambda: books.twilio)  # another process has a pool of its own
            with suppress(KilledError):
                books.sweep()

    books.twilio.on_list = meanwhile
    closed()
    assert books.causes() == _OF_SEVERAL


def _strikes() -> Iterator[tuple[Literal["before", "after"], int]]:
    for call in count(1):
        yield "before", call
        yield "after", call


def test_dying_at_any_call_counts_nothing_twice_and_forgets_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each day the sweep is killed at another call, until none is left to strike."""
    monkeypatch.setattr(close_books, "_SIDS_A_PAGE", 1)
    books.twilio.page_size = 2

    turn = duties.Turn(Context())

    def sweep() -> None:
        duties._reconcile(turn)
        duties._close_books(turn)

    struck = Counter[str]()
    day = DAY
    for when, call in _strikes():
        # GIVEN two messages, one of which is deleted, the other is read and nobody told so; and a stranger
        for n in range(2):
            books.post(n)
        first, second = books.twilio.made[-2:]
        books.stranger(10_000 + call * 2 + (when == "after"))
        books.ripen(day)
        for each in books.twilio.made[-3:]:
            each["status"] = "read"
        books.twilio.deleted.add(first["sid"])
        capsys.readouterr()
        # WHEN
        with killed_at(call, when) as was_killed:
            sweep()
        for _ in range(3):
            sweep()
        # THEN
        found = books.day(day)
        assert found["is_finished"], (when, call)
        assert (found["twilio"]["messages"], found["ledger"]["messages"]) == (2, 2), (when, call)
        causes = {each["cause"]: each["messages"] for each in found["causes"]}
        assert causes == {"behind_in_status": 1, "not_ours": 1, "deleted": 1}, (when, call)
        assert '"ReconciliationDrift":[0.0]' in capsys.readouterr().out, (when, call)
        assert [each for each in books.found() if second["sid"] in each["body"]], (when, call)
        if not was_killed():
            break
        struck[when] += 1
        day += timedelta(days=3)
        books.flow.aws.forget_items(prefix="MSG#")
        books.clock.at = datetime.combine(day, time(10), UTC)
    assert min(struck.values()) >= 20


# ------------------------------------------------------------------------------------------------ the API


def test_the_books_of_the_last_days_come_newest_first(books: Books) -> None:
    books.post()
    books.deliver()
    books.ripen()
    books.close()
    books.clock.pass_by(hours=25)
    books.round()
    books.clock.pass_by(hours=1)
    books.sweep()
    status, body = books.ask("/reconciliations")
    assert status == 200
    assert [each["date"] for each in body["reconciliations"]] == ["2026-11-25", "2026-11-24"]
    _, body = books.ask("/reconciliations", "days=3")
    assert [each["date"] for each in body["reconciliations"]] == ["2026-11-25"]


@pytest.mark.parametrize("days", ["0", "32", "x"])
def test_days_that_cannot_be_listed_are_refused(books: Books, days: str) -> None:
    status, body = books.ask("/reconciliations", f"days={days}")
    assert (status, body["errors"][0]["field"]) == (422, "days")


@pytest.mark.parametrize("day", ["2026-02-30", "20261124", "1700000000", "yesterday"])
def test_a_date_that_is_none_is_refused(books: Books, day: str) -> None:
    status, body = books.ask(f"/reconciliations/{day}")
    assert (status, body["code"]) == (422, "invalid_date")
    assert body["errors"][0]["field"] == "date"


def test_a_day_that_is_not_there_yet_is_not_found(books: Books) -> None:
    status, body = books.ask(f"/reconciliations/{DAY}")
    assert (status, body["code"]) == (404, "reconciliation_missing")
    assert body["remedy"]
