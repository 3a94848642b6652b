"""The books of a day: whatever the two sides have, the causes add up to the difference, in messages and in money."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import batched

from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.books import (
    NOT_NAMED,
    Account,
    Cause,
    Entry,
    Known,
    Shown,
    booked,
    compared,
    left_over,
    not_shown,
    stranger,
    total,
    unlisted,
)
from sendpool.domain.message import Delivery, SendResult, Status
from sendpool.domain.sketch import Sketch

DAY = date(2026, 11, 23)
MADE_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATUSES = st.sampled_from([Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.FAILED])
PRICES = st.one_of(
    st.just((None, None)), st.tuples(st.integers(0, 10**6), st.sampled_from(["USD", "EUR"]))
)
NOT_OURS = st.sampled_from([Cause.NOT_OURS, Cause.NOT_OURS_REPLY, Cause.NOT_OURS_SERVICE])
UNSEEN = st.sampled_from([Cause.NOT_LISTED, Cause.DELETED, Cause.SAME_SID])


def shown(status: str, price: tuple[int | None, str | None] = (None, None)) -> Shown:
    return Shown(status, *price)


def known(
    n: int,
    status: Status,
    price: tuple[int | None, str | None] = (None, None),
    *,
    made_at: datetime | None = MADE_AT,
) -> Known:
    sid = f"SM{n:032x}"
    return Known(
        message_id=f"msg_{n:032x}",
        sid=sid,
        result=SendResult(status=Status.ACCEPTED, sid=sid, made_at=made_at),
        delivery=Delivery(sid=sid, status=status, price=price[0], currency=price[1]),
    )


def held(theirs: Shown, ours: Known, day: date) -> Account:
    return booked([compared(theirs, ours, day)])


BOTH = st.builds(
    lambda n, theirs, price, ours, billed: compared(shown(theirs, price), known(n, ours, billed), DAY),
    st.integers(0, 10**6), STATUSES, PRICES, STATUSES, PRICES,
)  # fmt: skip
THEIRS = st.builds(
    lambda status, price, cause: stranger(shown(status, price), "SM1", cause),
    STATUSES, PRICES, NOT_OURS,
)  # fmt: skip
OURS = st.builds(
    lambda n, status, price, cause: not_shown("SM1", known(n, status, price), cause),
    st.integers(0, 10**6), STATUSES, PRICES, UNSEEN,
)  # fmt: skip
MESSAGES = st.lists(st.one_of(BOTH, THEIRS, OURS), max_size=30)


@given(MESSAGES)
def test_the_causes_add_up_to_the_difference(messages: list[Entry]) -> None:
    account = booked(messages)
    causes = account.causes
    not_ours = sum(n for cause, n in causes.items() if cause.startswith("not_ours"))
    missing = sum(causes.get(each, 0) for each in (Cause.NOT_LISTED, Cause.DELETED, Cause.SAME_SID))
    twilio, ledger = account.side("twilio"), account.side("ledger")
    assert twilio.messages - ledger.messages == not_ours - missing
    explained = Counter[str]()
    for cause in Cause:
        explained.update(account.cost_of(cause))
    # those that differ by nothing may be missing
    assert {name: by for name, by in explained.items() if by} == {
        name: by for name, by in account.cost_difference.items() if by
    }


@given(MESSAGES, st.integers(1, 7))
def test_an_account_is_the_same_however_the_list_is_cut_into_pages(
    messages: list[Entry], size: int
) -> None:
    pages = [booked(page) for page in batched(messages, size, strict=False)]
    whole, by_page = booked(messages), total(reversed(pages))
    assert (whole.counts, whole.both) == (by_page.counts, by_page.both)
    assert all(len(some) <= 5 for some in by_page.examples.values())


@given(STATUSES, PRICES)
def test_what_is_the_same_on_both_sides_has_no_cause(
    status: Status, price: tuple[int | None, str | None]
) -> None:
    account = held(shown(status, price), known(1, status, price), DAY)
    assert account.causes == {}
    assert account.both == Sketch.of([f"SM{1:032x}"])


def test_a_message_of_another_day_is_not_held_against_this_days_list() -> None:
    other = known(1, Status.SENT, made_at=MADE_AT + timedelta(days=1))
    account = held(shown("sent"), other, DAY)
    assert account.both == Sketch()
    assert account.causes == {Cause.NEVER_ANSWERED: 1}


def test_a_status_that_we_do_not_know_is_not_explained() -> None:
    account = held(shown("partially_delivered"), known(1, Status.SENT), DAY)
    assert account.causes == {Cause.UNEXPLAINED: 1}


def test_a_message_that_the_ledger_lost_is_not_explained() -> None:
    assert unlisted(None) is Cause.UNEXPLAINED
    account = booked([not_shown("SM1", None, Cause.UNEXPLAINED)])
    assert account.side("ledger").statuses == {NOT_NAMED: 1}
    assert account.examples == {Cause.UNEXPLAINED: ("SM1",)}


@given(st.integers(700, 2_000))
def test_of_more_than_can_be_named_it_is_known_how_many(missing: int) -> None:
    ledger = Sketch.of(f"SM{n:032x}" for n in range(missing + 50))
    both = Sketch.of(f"SM{n:032x}" for n in range(50))
    named = (ledger - both).named()
    account = left_over(named)
    assert not named.is_all
    assert account.unexplained + named.names.total() == missing
    assert account.side("ledger").messages == account.unexplained


def test_as_many_of_each_side_that_cannot_be_named_are_one_at_least() -> None:
    ours, theirs = (Sketch.of(f"{side}{n:032x}" for n in range(700)) for side in ("SM", "MM"))
    named = (ours - theirs).named()
    assert left_over(named).unexplained >= 1
