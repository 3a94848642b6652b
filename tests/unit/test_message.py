"""The rules by which a message's status is found: forward only, whatever the order."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.message import (
    TERMINAL,
    Accepted,
    Delivery,
    OutboundMessage,
    Place,
    Refused,
    RefusedForNow,
    SendResult,
    Status,
    StatusCallback,
    Unknown,
    current_status,
    heard,
    is_message_id,
    later,
    new_id,
    outcome_of_refusal,
    place_of,
    says_more,
)
from sendpool.domain.twilio_codes import TABLE

WORDS = ["queued", "sending", "sent", "delivered"]
START = datetime(2026, 11, 23, 15, tzinfo=UTC)


def callback(word: str, seconds: int = 0, error_code: int | None = None) -> StatusCallback:
    at = START + timedelta(seconds=seconds)
    return StatusCallback(sid="SM1", word=word, received_at=at, error_code=error_code)


def fold(callbacks: list[StatusCallback]) -> Delivery:
    delivery: Delivery | None = None
    for each in callbacks:
        delivery = heard(delivery, each)
    assert delivery
    return delivery


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_life_ends_the_same_in_any_order(order: tuple[int, ...]) -> None:
    life = [callback(word, seconds) for seconds, word in enumerate(WORDS)]
    shuffled = [life[position] for position in order]
    assert fold(shuffled + shuffled[:2]) == fold(life)


@given(st.lists(st.sampled_from(list(Status)), min_size=1), st.sampled_from(list(Status)))
def test_no_status_turns_back(known: list[Status], heard_next: Status) -> None:
    status = known[0]
    for each in known[1:]:
        status = later(status, each)
    after = later(status, heard_next)
    assert after in {status, heard_next}
    if status in TERMINAL and not (status is Status.DELIVERED and heard_next is Status.READ):
        assert after is status
    assert later(after, heard_next) is after


def test_an_error_code_is_never_erased() -> None:
    assert fold([callback("undelivered", 1, 30005), callback("sent", 0)]).error_code == 30005


def test_a_word_twilio_adds_one_day_is_kept_in_the_timeline_and_changes_no_status() -> None:
    delivery = fold([callback("sent"), callback("teleported", 1)])
    assert (delivery.status, set(delivery.timeline)) == (Status.SENT, {"sent", "teleported"})


@pytest.mark.parametrize(
    ("result", "delivery", "status"),
    [
        (None, None, Status.CLAIMED),
        (SendResult(status=Status.UNKNOWN), None, Status.UNKNOWN),
        (SendResult(status=Status.UNKNOWN), Delivery(sid="SM1", status=Status.SENT), Status.SENT),
        (
            SendResult(status=Status.ACCEPTED),
            Delivery(sid="SM1", status=Status.DELIVERED),
            Status.DELIVERED,
        ),
        (
            SendResult(status=Status.CLAIMED),
            Delivery(sid="SM1", status=Status.QUEUED),
            Status.QUEUED,
        ),
        (SendResult(status=Status.SKIPPED, reason="duplicate"), None, Status.SKIPPED),
    ],
)
def test_a_callback_proves_what_the_answer_did_not_tell(
    result: SendResult | None, delivery: Delivery | None, status: Status
) -> None:
    assert current_status(result, delivery) is status


@pytest.mark.parametrize(
    ("http_status", "code", "kind"),
    [
        (429, 20429, RefusedForNow),
        (429, None, RefusedForNow),
        (429, 21611, RefusedForNow),
        (401, 20003, RefusedForNow),
        (400, 21211, Refused),
        (400, 21610, Refused),
        (404, 21701, RefusedForNow),
        (400, 21704, RefusedForNow),
        (400, 21703, Refused),
        (404, None, RefusedForNow),
        (400, None, Refused),
        (400, 99999, Refused),
        (500, None, Unknown),
        (502, None, Unknown),
        (503, 20503, Unknown),
        (408, None, Unknown),
    ],
)
def test_only_what_made_nothing_for_certain_may_be_repeated(
    http_status: int, code: int | None, kind: type[Accepted | Refused | RefusedForNow | Unknown]
) -> None:
    assert isinstance(outcome_of_refusal(http_status=http_status, code=code), kind)


@pytest.mark.parametrize(
    ("http_status", "code", "halt"),
    [
        (401, 20003, 20003),
        (403, None, 403),
        (404, 21701, 21701),
        (429, 63038, 63038),
        (429, 20429, None),
        (429, 21611, None),
    ],
)
def test_a_refusal_that_any_message_would_meet_says_so(
    http_status: int, code: int | None, halt: int | None
) -> None:
    refused = outcome_of_refusal(http_status=http_status, code=code)
    assert isinstance(refused, RefusedForNow)
    assert (refused.code, refused.halt) == (code, halt)


@pytest.mark.parametrize("code", sorted(code for code, row in TABLE.items() if row.halts))
def test_no_message_is_given_up_for_what_is_wrong_with_the_account(code: int) -> None:
    assert isinstance(outcome_of_refusal(http_status=400, code=code), RefusedForNow)


@given(st.integers(0, 999_999), st.integers(0, 999))
def test_the_id_of_a_broadcasts_message_carries_its_place(chunk: int, number: int) -> None:
    place = Place("bc_" + "0" * 32, chunk, number)
    assert place_of(place.message_id) == place
    assert is_message_id(place.message_id)


@given(st.text(max_size=200))
def test_no_text_of_a_stranger_is_taken_for_a_place_by_accident(text: str) -> None:
    place = place_of(text)
    assert place is None or place.message_id == text


def test_the_same_key_gives_the_same_id() -> None:
    assert new_id("msg", key="a") == new_id("msg", key="a") != new_id("msg", key="b")
    assert new_id("msg", key=None) != new_id("msg", key=None)
    assert is_message_id(new_id("msg", key="a"))


def test_a_fingerprint_tells_requests_apart() -> None:
    message = OutboundMessage(to="+12025550123", body="Hi")
    assert message.fingerprint == OutboundMessage(to="+12025550123", body="Hi").fingerprint
    assert message.fingerprint != OutboundMessage(to="+12025550123", body="Ho").fingerprint


# ------------------------------------------------------------------------------------------------ prices


@st.composite
def lives_with_prices(draw: st.DrawFn) -> list[StatusCallback]:
    """A life of callbacks, and what the list says of its end: without a price at first, and then with one."""
    life = [callback(word, seconds) for seconds, word in enumerate(WORDS)]
    end = replace(life[-1], source="list", segments=2)
    priced = replace(end, price=draw(st.integers(0, 99_999)), currency="USD")
    return [*life, end, priced]


@given(lives_with_prices(), st.randoms(use_true_random=False))
def test_a_price_comes_in_any_order_and_however_often(
    life: list[StatusCallback], luck: random.Random
) -> None:
    shuffled = life + luck.choices(life, k=3)
    luck.shuffle(shuffled)
    delivery = fold(shuffled)
    assert delivery == fold(life)
    assert (delivery.price, delivery.currency, delivery.segments) == (life[-1].price, "USD", 2)


@given(lives_with_prices())
def test_what_is_known_says_no_more(life: list[StatusCallback]) -> None:
    delivery = fold(life)
    assert not any(says_more(each, delivery) for each in life)
    assert says_more(life[-1], fold(life[:-1]))
    assert not says_more(life[-2], fold(life[:-2]))
    assert says_more(life[-2], None)
