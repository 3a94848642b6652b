"""What no callback told comes from Twilio's list: prices an hour or a day later, and last statuses that got lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, Literal

import pytest

from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError
from sendpool.edge import outbound, warm
from sendpool.workflows import reconcile
from sendpool.workflows.record import read_callback
from sendpool.workflows.recount import Recounting, recount
from sendpool.workflows.roll_up import RollingUp
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow, callback
from tests.functional.reconciling import PRICE, Account, needs, number
from tests.functional.rest import KilledError, killed_at
from tests.functional.twilio import Answer, FakeTwilio

PLACE = {"pk": "RECONCILIATION", "sk": "PLACE"}


@pytest.fixture
def account(aws: Aws, twilio: FakeTwilio, clock: Clock) -> Account:
    return Account(Flow(aws), twilio, clock)


# ------------------------------------------------------------------------------------------------ prices


def test_what_a_message_cost_is_told_once_twilio_says_it(account: Account) -> None:
    message_id = account.post()
    account.flow.call_back(callback(account.twilio.made[0], "delivered"))
    assert (account.get(message_id)["price"], account.get(message_id)["num_segments"]) == (
        None,
    ) * 2
    account.end()
    # WHEN an hour is over
    account.ripen()
    assert account.round() == 1
    # THEN
    found = account.get(message_id)
    assert found["price"] == {"currency": "USD", "amount": "0.0083"}
    assert (found["status"], found["segments"], found["num_segments"]) == ("delivered", 1, 1)
    assert found["timeline"] == {"delivered": "2026-11-23T15:00:00.000+00:00"}


def test_the_report_says_what_was_billed_so_far(account: Account) -> None:
    broadcast_id = account.broadcast(5)
    for message in account.twilio.made:
        account.flow.call_back(callback(message, "delivered"))
    before = account.report(broadcast_id)
    assert before["cost"] is None
    # WHEN three of five prices are known
    account.end()
    for message in account.twilio.made[:2]:
        message["price"] = None  # type: ignore[assignment]
    account.ripen()
    assert account.round() == 3
    # THEN the report has them, and is the same otherwise, however often the stream tells
    after = account.report(broadcast_id)
    assert after["cost"] == {"currency": "USD", "amount": "0.0249", "messages": 3}
    assert account.report(broadcast_id) == after == {**before, "cost": after["cost"]}


def test_a_price_that_comes_a_day_late_is_found(account: Account) -> None:
    message_id = account.post()
    account.end(price=None)
    account.ripen()
    assert account.round() == 1
    # WHEN the price comes after 20 hours, and 31 are over
    for hour in range(31):
        if hour == 20:
            account.end(price=PRICE)
        account.clock.pass_by(hours=1)
        account.round()
    # THEN
    assert account.get(message_id)["price"] == {"currency": "USD", "amount": "0.0083"}


def test_what_is_known_is_not_told_again(account: Account) -> None:
    account.broadcast(4)
    account.end()
    account.ripen()
    assert account.round() == 4
    found = []
    for _ in range(31):
        account.clock.pass_by(hours=1)
        found.append(account.round())
    assert found == [0] * 31


def test_segments_alone_are_no_news(account: Account) -> None:
    account.post()
    account.flow.call_back(callback(account.twilio.made[0], "delivered"))
    account.end(price=None)
    account.ripen()
    assert account.round() == 0


def test_a_recount_comes_to_the_same_cost(account: Account) -> None:
    broadcast_id = account.broadcast(5)
    account.end()
    account.ripen()
    account.round()
    report = account.report(broadcast_id)
    assert report["cost"] == {"currency": "USD", "amount": "0.0415", "messages": 5}
    rolling = RollingUp(tallies=warm.tallies(), broadcasts=warm.broadcasts(), now=warm.now)
    needs = Recounting(chunks=warm.chunks(), rolling=rolling, pause=lambda: None)
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    # WHEN nothing is wrong THEN nothing changes
    changed = recount(broadcast, needs, counted=lambda _: None)
    assert (changed.chunks, changed.counters) == (0, {})
    # WHEN tallies and counters are gone THEN they come back
    for item in account.flow.aws.items(prefix="BC#"):
        if item["sk"] in {"TALLY", "COUNT"}:
            account.flow.aws.session.client("dynamodb").delete_item(
                TableName="ledger", Key={name: {"S": item[name]} for name in ("pk", "sk")}
            )
    recount(broadcast, needs, counted=lambda _: None)
    assert account.report(broadcast_id)["cost"] == report["cost"]


# ------------------------------------------------------------------------------------------------ lost callbacks


@pytest.mark.parametrize(
    ("status", "code"), [("delivered", None), ("undelivered", 30003), ("failed", 30001)]
)
def test_a_message_without_any_callback_heals(
    account: Account, status: str, code: int | None
) -> None:
    message_id = account.post()
    broadcast_id = account.broadcast(3)
    account.end(status, price=None, error_code=code)
    assert account.get(message_id)["status"] == "accepted"
    account.ripen()
    assert account.round() == 4
    found = account.get(message_id)
    assert found["status"] == status
    assert (found["error"] or {}).get("code") == code
    assert set(found["timeline"]) == {status}
    assert account.report(broadcast_id)["counters"] == {status: 3}
    # AND what says no more than that is not said again
    account.clock.pass_by(hours=25)
    assert account.round() == 0


def test_a_message_that_waited_long_in_a_queue_heals_by_the_second_look(account: Account) -> None:
    message_id = account.post()
    account.ripen()
    assert account.round() == 0
    account.clock.pass_by(hours=8)
    account.end("failed", price=None, error_code=30001)
    found = []
    for _ in range(25):
        account.clock.pass_by(hours=1)
        found.append(account.round())
    assert sum(found) == 1
    assert account.get(message_id)["status"] == "failed"


def test_a_callback_that_comes_after_all_changes_nothing(account: Account) -> None:
    message_id = account.post()
    account.end()
    account.ripen()
    account.round()
    before = account.get(message_id)
    account.flow.call_back(callback(account.twilio.made[0], "sent"))
    after = account.get(message_id)
    assert (after["status"], after["price"]) == (before["status"], before["price"])


def test_an_opt_out_that_no_callback_told_holds_from_when_twilio_knew_it(account: Account) -> None:
    account.post()
    account.end("undelivered", price=None, error_code=21610)
    at = account.clock()
    account.ripen()
    account.round()
    [standing] = warm.opt_outs().of(number(0))
    assert (standing.opted_out, standing.history[0].at) == (True, at)


# ------------------------------------------------------------------------------------------------ effects


def listed(status: str, *, price: str | None = None, code: int | None = None) -> dict[str, Any]:
    """What the list tells of the message that the fake made first, as it stands on the queue."""
    fields = {"MessageSid": f"SM{1:032x}", "MessageStatus": status, "To": number(0)}
    fields |= {"Price": price, "PriceUnit": "USD"} if price else {}
    fields |= {"ErrorCode": str(code)} if code else {}
    return {
        "version": 1,
        "received_at": "2026-11-23T17:00:00+00:00",
        "message_id": None,
        "source": "list",
        "fields": {**fields, "MessagingServiceSid": SERVICE_SID},
    }


def test_a_price_alone_opts_nobody_out_again(account: Account) -> None:
    # GIVEN somebody who stopped, and came back
    message_id = account.post()
    account.flow.call_back(callback(account.twilio.made[0], "undelivered", error_code=21610))
    warm.opt_outs().record(
        number(0), SERVICE_SID, opted_out=False, source="start", at=account.clock()
    )
    before = account.flow.aws.items(prefix="OPTOUT#")
    # WHEN the price of that message comes
    told = {**listed("undelivered", price="-0.004", code=21610), "message_id": message_id}
    account.flow.call_back(told, told)
    # THEN
    assert account.get(message_id)["price"] == {"currency": "USD", "amount": "0.004"}
    assert account.flow.aws.items(prefix="OPTOUT#") == before


@pytest.mark.parametrize(("source", "is_slowed"), [("callback", True), ("list", False)])
def test_only_a_callback_says_that_a_broadcast_goes_out_too_fast(
    account: Account, source: str, is_slowed: bool
) -> None:
    broadcast_id = account.broadcast(1)
    told = callback(account.twilio.made[0], "failed", error_code=30001)
    account.flow.call_back({**told, "source": source})
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    assert (broadcast.slowed is not None) is is_slowed


def test_a_price_alone_slows_no_broadcast(account: Account) -> None:
    broadcast_id = account.broadcast(1)
    failed = callback(account.twilio.made[0], "failed", error_code=30001)
    account.flow.call_back({**failed, "source": "list"})
    priced = {**failed, "fields": {**failed["fields"], "Price": "0", "PriceUnit": "USD"}}
    account.flow.call_back(priced)
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    assert broadcast.slowed is None


@pytest.mark.parametrize(
    ("price", "unit", "expected"),
    [
        ("-0.00830", "USD", (8_300, "USD")),
        ("-0.00830", "usd", (8_300, "USD")),
        ("0", "EUR", (0, "EUR")),
        (None, "USD", (None, None)),
        ("", "USD", (None, None)),
        ("-0.00830", None, (None, None)),
        ("-0.00830", "dollars", (None, None)),
        ("0.00830", "USD", (None, None)),
        ("free", "USD", (None, None)),
        ("1e999999", "USD", (None, None)),
        (["-0.0083"], "USD", (None, None)),
        ("-0.0083", ["USD"], (None, None)),
    ],
)
def test_a_price_that_cannot_be_read_is_not_known_and_the_rest_is(
    price: Any, unit: Any, expected: tuple[int | None, str | None]
) -> None:
    told = listed("delivered")
    told["fields"] |= {"Price": price, "PriceUnit": unit}
    read = read_callback(told)
    assert (read.price, read.currency) == expected
    assert (read.word, read.source) == ("delivered", "list")


@pytest.mark.parametrize(
    ("text", "segments"), [("3", 3), (2, 2), ("0", None), ("", None), (None, None), ("9" * 9, None)]
)
def test_segments_that_twilio_does_not_know_yet_are_not_known(
    text: Any, segments: int | None
) -> None:
    told = listed("delivered")
    told["fields"]["NumSegments"] = text
    assert read_callback(told).segments == segments


# ------------------------------------------------------------------------------------------------ whose


@pytest.mark.parametrize(
    "change",
    [
        {"sid": f"SM{99:032x}"},
        {"direction": "outbound-reply"},
        {"direction": "inbound"},
        {"messaging_service_sid": None},
        {"messaging_service_sid": "MG" + "f" * 32},
        {"status": "sending", "price": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_none_of_ours_or_not_over_is_left_alone(
    account: Account, change: dict[str, Any]
) -> None:
    account.post()
    account.end()
    account.twilio.made[0] |= change
    account.ripen()
    assert account.round() == 0


def test_a_sid_that_only_callbacks_without_an_id_named_is_none_of_ours(account: Account) -> None:
    account.post()
    told = callback(account.twilio.made[0], "sent")
    stranger = {**account.twilio.made[0], "sid": f"SM{99:032x}"}
    account.twilio.made.append(stranger)
    unowned = {**told, "message_id": None}
    unowned["fields"] = {**told["fields"], "MessageSid": stranger["sid"]}
    account.flow.call_back(unowned)
    account.end()
    account.ripen()
    assert account.round() == 1


def test_a_message_whose_callbacks_name_another_sid_is_not_told_of_the_first(
    account: Account,
) -> None:
    # GIVEN a message whose answer named one SID, and whose callbacks prove another
    message_id = account.post()
    told = callback(account.twilio.made[0], "delivered")
    other = {**told, "fields": {**told["fields"], "MessageSid": f"SM{99:032x}"}}
    account.flow.call_back(other)
    account.end("failed", error_code=30001)
    account.ripen()
    assert account.round() == 0
    assert account.get(message_id)["status"] == "delivered"


# ------------------------------------------------------------------------------------------------ rounds


def test_a_round_begins_once_an_hour_and_what_is_younger_waits(account: Account) -> None:
    account.post()
    account.end()
    pages, found = [], []
    for minutes in (59, 1, 1, 58, 1):
        account.clock.pass_by(minutes=minutes)
        account.sweep()
        pages.append(account.twilio.pages)
        found.append(len(account.found()))
    assert pages == [0, 1, 1, 1, 2]
    assert found == [0, 0, 0, 0, 1]


def test_the_list_is_asked_for_long_pages_and_without_any_filter(account: Account) -> None:
    account.twilio.page_size = 2
    account.broadcast(3)
    account.end()
    account.ripen()
    account.round()
    first, second = account.twilio.requests[-2:]
    assert first.query == {"PageSize": ["1000"]}
    assert set(second.query) == {"PageSize", "Page", "PageToken"}


def test_a_long_list_takes_several_sweeps_of_so_many_pages(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "_PAGES_A_SWEEP", 3)
    account.twilio.page_size = 4
    account.broadcast(30)
    account.end()
    account.ripen()
    pages = []
    for _ in range(4):
        account.sweep()
        pages.append(account.twilio.pages)
    # eight pages, and after them the round is over
    assert pages == [3, 6, 8, 8]
    assert account.record() == 30


def test_the_list_is_left_where_everything_is_older(account: Account) -> None:
    account.twilio.page_size = 5
    account.broadcast(20)
    account.end()
    account.ripen()
    assert account.round() == 20
    # WHEN ten messages went since
    account.clock.pass_by(hours=1)
    account.round()
    account.broadcast(10)
    account.end()
    account.ripen()
    # THEN one page of older ones ends it
    assert account.round() == 10
    assert account.twilio.pages == 3


@pytest.mark.parametrize(("status", "pages"), [("failed", 1), ("accepted", 4)])
def test_what_ended_unsent_ends_the_list_as_well_and_what_may_still_go_does_not(
    account: Account, status: str, pages: int
) -> None:
    account.twilio.page_size = 5
    account.broadcast(20)
    for message in account.twilio.made:
        message["status"] = status
    account.ripen()
    account.round()
    account.ripen()
    account.round()
    assert account.twilio.pages == pages


def test_a_message_that_went_later_than_it_was_made_is_found_where_it_stands(
    account: Account,
) -> None:
    # GIVEN an old message on the same page as a young one, sent just now
    message_id = account.post(1)
    account.clock.pass_by(hours=40)
    account.round()
    account.post(2)
    account.end()
    account.ripen()
    assert account.round() == 2
    assert account.get(message_id)["price"]


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(429, 20429),
        Answer(503),
        Answer(401, 20003),
        Answer(404, 20404),
        NoAnswerError("ReadTimeoutError"),
        NeverSentError("ConnectTimeoutError"),
    ],
    ids=str,
)
def test_when_twilio_does_not_answer_the_next_sweep_goes_on(
    account: Account, refusal: Answer | NoAnswerError
) -> None:
    account.twilio.page_size = 4
    account.broadcast(10)
    account.end()
    account.ripen()
    asked = count()

    def refuse_second(_params: object) -> None:
        if next(asked) < 1:
            return
        if isinstance(refusal, Answer):
            account.twilio.list_answer = refusal
        else:
            account.twilio.list_error = refusal

    account.twilio.on_list = refuse_second
    account.sweep()
    assert account.twilio.pages <= 3
    assert account.record() == 4
    # WHEN it answers again
    account.twilio.on_list = lambda _params: None
    account.twilio.list_answer, account.twilio.list_error = Answer(200), None
    account.clock.pass_by(minutes=1)
    account.sweep()
    assert account.record() == 6


def test_without_time_nothing_is_begun(account: Account) -> None:
    account.post()
    account.end()
    account.ripen()
    account.sweep(Context(milliseconds=[28_000]))
    assert account.twilio.pages == 0


def test_a_place_that_twilio_forgot_is_looked_for_from_the_beginning(account: Account) -> None:
    account.twilio.page_size = 4
    account.broadcast(10)
    account.end()
    account.ripen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "_PAGES_A_SWEEP", 1)
        account.sweep()
        assert account.place.page
        account.twilio.forgets_pages = True
        account.sweep()
    assert account.place.page is None
    account.twilio.forgets_pages = False
    account.sweep()
    account.record()
    # THEN everybody's end is known
    deliveries = [item for item in account.flow.aws.items() if item["sk"].startswith("ST")]
    assert Counter(item["status"] for item in deliveries) == {"delivered": 10}


def test_two_sweepers_at_once_do_no_harm(account: Account) -> None:
    account.twilio.page_size = 4
    broadcast_id = account.broadcast(10)
    account.end()
    account.ripen()
    began = count()

    def meanwhile(_params: Mapping[str, Any]) -> None:
        if next(began) == 0:
            outbound.use_transport(lambda: account.twilio)  # another process has a pool of its own
            account.sweep()

    account.twilio.on_list = meanwhile
    account.sweep()
    # THEN the one that comes second tells its page again and stops
    assert account.record() == 10 + 4
    report = account.report(broadcast_id)
    assert report["cost"] == {"currency": "USD", "amount": "0.083", "messages": 10}
    assert report["counters"] == {"delivered": 10}


# ------------------------------------------------------------------------------------------------ kills


def _strikes() -> Iterator[tuple[Literal["before", "after"], int]]:
    for call in count(1):
        yield "before", call
        yield "after", call


def test_dying_at_any_call_of_a_round_loses_and_doubles_nothing(account: Account) -> None:
    """One round is killed before its first call, the next after it, and so on, until none is left to strike."""
    account.twilio.page_size = 2
    struck = Counter[str]()
    for when, call in _strikes():
        ids = [account.post(n) for n in range(3)]
        account.end()
        account.ripen()
        with killed_at(call, when) as was_killed:
            reconcile.reconcile(needs())
        # the next sweep does the rest
        account.round()
        found = [account.get(each) for each in ids]
        assert [each["status"] for each in found] == ["delivered"] * 3, (when, call)
        assert all(each["price"] == {"currency": "USD", "amount": "0.0083"} for each in found)
        if not was_killed():
            break
        struck[when] += 1
    # one for its place, and of each of two pages the index, the deliveries, the queue and the place
    assert min(struck.values()) >= 1 + 2 * 4


@pytest.mark.parametrize("page", [0, 1, 2])
def test_dying_at_a_page_of_the_list_goes_on_with_it(account: Account, page: int) -> None:
    account.twilio.page_size = 2
    broadcast_id = account.broadcast(5)
    account.end()
    account.ripen()
    asked = count()

    def die(_params: object) -> None:
        if next(asked) == page:
            raise KilledError

    account.twilio.on_list = die
    with suppress(KilledError):
        account.sweep()
    account.round()
    assert account.report(broadcast_id)["cost"]["messages"] == 5
    # no page but that one was asked for again
    assert account.twilio.pages == 3 + 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_when_the_first_round_is_planned_only_plans_it_again(
    aws: Aws, twilio: FakeTwilio, clock: Clock, when: Literal["before", "after"]
) -> None:
    for call in (1, 2):
        with killed_at(call, when):
            reconcile.reconcile(needs())
        reconcile.reconcile(needs())
        [item] = aws.items(prefix=PLACE["pk"])
        assert item["version"] == 1
        assert datetime.fromisoformat(item["begins_at"]) == clock().replace(hour=16)
        aws.session.client("dynamodb").delete_item(
            TableName="ledger", Key={name: {"S": value} for name, value in PLACE.items()}
        )
