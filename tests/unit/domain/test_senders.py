"""The senders of a pool: rates by kind and registration, the whole pool's throughput, pages that leave nobody out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.senders import (
    Campaign,
    NewSender,
    Registered,
    Sender,
    SenderKind,
    SenderPool,
    is_place,
    problems,
)

APPROVED = Campaign(status="VERIFIED", att_rate=40.0, att_class="C", tmobile_tier="UPPER_MID")
US, CANADA, FRANCE = "US", "CA", "FR"


def sender(number: int, kind: SenderKind, country: str | None = US) -> Sender:
    prefix = {SenderKind.SHORT_CODE: "SC", SenderKind.ALPHANUMERIC: "AI"}.get(kind, "PN")
    return Sender(sid=f"{prefix}{number:032x}", kind=kind, address=str(number), country=country)


LONG_CODES = [sender(each, SenderKind.LONG_CODE) for each in range(3)]


def test_the_numbers_of_a_campaign_share_its_rate() -> None:
    pool = SenderPool(senders=LONG_CODES, campaign=APPROVED)
    assert [pool.rate(each) for each in LONG_CODES] == [120.0] * 3
    assert pool.throughput == 120.0
    assert APPROVED.tmobile_daily == 40_000


@pytest.mark.parametrize(
    ("campaign", "registered"),
    [
        (None, Registered.NO),
        (Campaign(status="PENDING", att_rate=40.0), Registered.PENDING),
        (Campaign(status="IN_PROGRESS", att_rate=40.0), Registered.PENDING),
        (Campaign(status="FAILED", att_rate=40.0), Registered.FAILED),
        (Campaign(status="SUSPENDED", att_rate=40.0), Registered.SUSPENDED),
        (Campaign(status="VERIFIED", att_rate=40.0, is_mock=True), Registered.NO),
    ],
)
def test_a_us_long_code_without_an_approved_campaign_sends_nothing(
    campaign: Campaign | None, registered: Registered
) -> None:
    pool = SenderPool(senders=LONG_CODES[:1], campaign=campaign)
    assert pool.registered(LONG_CODES[0]) is registered
    assert pool.throughput == 0
    assert "campaign_not_approved" in {each.code for each in pool.warnings}


@pytest.mark.parametrize(
    ("statuses", "registered", "rate"),
    [
        (["TWILIO_APPROVED"], Registered.YES, 3.0),
        (["TWILIO_REJECTED", "TWILIO_APPROVED", "IN_REVIEW"], Registered.YES, 3.0),
        (["IN_REVIEW"], Registered.PENDING, 0.0),
        (["PENDING_REVIEW", "TWILIO_REJECTED"], Registered.PENDING, 0.0),
        (["TWILIO_REJECTED"], Registered.FAILED, 0.0),
        ([], Registered.NO, 0.0),
    ],
)
def test_a_toll_free_number_sends_once_it_is_verified(
    statuses: list[str], registered: Registered, rate: float
) -> None:
    number = sender(1, SenderKind.TOLL_FREE)
    verifications = {number.sid: statuses} if statuses else {}
    pool = SenderPool(senders=[number], verifications=verifications)
    assert (pool.registered(number), pool.rate(number)) == (registered, rate)


@pytest.mark.parametrize(
    ("kind", "country", "rate"),
    [
        (SenderKind.LONG_CODE, CANADA, 1.0),
        (SenderKind.LONG_CODE, FRANCE, 10.0),
        (SenderKind.SHORT_CODE, US, 100.0),
        (SenderKind.ALPHANUMERIC, None, 10.0),
        (SenderKind.WHATSAPP, US, 80.0),
        (SenderKind.RCS, US, None),
    ],
)
def test_a_sender_that_nobody_has_to_know_of_has_the_rate_of_its_kind(
    kind: SenderKind, country: str | None, rate: float | None
) -> None:
    one = sender(1, kind, country)
    pool = SenderPool(senders=[one])
    assert (pool.registered(one), pool.rate(one)) == (Registered.NOT_NEEDED, rate)


def test_the_pool_adds_up_what_sends_texts_and_counts_a_campaign_once() -> None:
    pool = SenderPool(
        senders=[
            *LONG_CODES,
            sender(10, SenderKind.LONG_CODE, CANADA),
            sender(11, SenderKind.SHORT_CODE),
            sender(12, SenderKind.ALPHANUMERIC, None),
            sender(13, SenderKind.WHATSAPP),
            sender(14, SenderKind.RCS),
        ],
        campaign=APPROVED,
    )
    assert pool.throughput == 120 + 1 + 100 + 10
    rates = {each.kind: (each.senders, each.rate) for each in pool.by_kind}
    assert rates == {
        SenderKind.RCS: (1, None),
        SenderKind.SHORT_CODE: (1, 100.0),
        SenderKind.ALPHANUMERIC: (1, 10.0),
        SenderKind.LONG_CODE: (4, 121.0),
        SenderKind.WHATSAPP: (1, 80.0),
    }


def test_a_campaign_of_which_twilio_tells_no_rate_has_none_that_is_known() -> None:
    pool = SenderPool(senders=LONG_CODES, campaign=Campaign(status="VERIFIED"))
    assert pool.rate(LONG_CODES[0]) is None
    assert pool.by_kind[0].rate is None
    assert pool.throughput == 0


@pytest.mark.parametrize(
    ("senders", "warned"),
    [
        ([], {"pool_empty"}),
        ([sender(1, SenderKind.SHORT_CODE)], set()),
        (
            [sender(each, SenderKind.TOLL_FREE) for each in (1, 2)],
            {"several_toll_free", "toll_free_not_verified"},
        ),
        ([sender(each, SenderKind.SHORT_CODE) for each in range(380)], {"nearly_full"}),
        ([sender(each, SenderKind.ALPHANUMERIC) for each in range(380)], set()),
    ],
)
def test_what_will_make_messages_fail_is_warned_of(senders: list[Sender], warned: set[str]) -> None:
    warnings = SenderPool(senders=senders).warnings
    assert {each.code for each in warnings} == warned
    assert all(each.message.endswith(".") for each in warnings)


@given(
    st.lists(
        st.builds(sender, st.integers(0, 99), st.sampled_from(SenderKind)),
        unique_by=lambda each: (each.kind, each.sid),
        max_size=30,
    ),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_pages_show_everybody_once_whatever_comes_and_goes_between_them(
    senders: list[Sender], limit: int, random: object
) -> None:
    shown: list[Sender] = []
    after: str | None = None
    left = list(senders)
    while True:
        random.shuffle(left)  # type: ignore[attr-defined]
        page, following = SenderPool(senders=left).page(after=after, limit=limit)
        shown += page
        assert len(page) <= limit
        if following is None:
            break
        assert is_place(following)
        # one that was shown goes; it is the place at which the next page begins
        left.remove(page[-1])
        after = following
    assert sorted(shown, key=repr) == sorted(senders, key=repr)


SID = "PN" + "0" * 32


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (NewSender(), "sender_conflict"),
        (NewSender(sid=SID, alphanumeric="OWL"), "sender_conflict"),
        (NewSender(sid="PN1"), "invalid_sender_sid"),
        (NewSender(sid="AI" + "0" * 32), "invalid_sender_sid"),
        (NewSender(sid="MG" + "0" * 32), "invalid_sender_sid"),
        (NewSender(alphanumeric=""), "invalid_alphanumeric"),
        (NewSender(alphanumeric="1234"), "invalid_alphanumeric"),
        (NewSender(alphanumeric="TWELVE chars"), "invalid_alphanumeric"),
        (NewSender(alphanumeric="ÄON"), "invalid_alphanumeric"),
        (NewSender(alphanumeric="OWL", country="fr"), "invalid_country"),
        (NewSender(alphanumeric="OWL", country="US"), "country_without_alphanumeric"),
        (NewSender(sid=SID, country="FR"), "country_of_alphanumeric"),
    ],
)
def test_what_cannot_be_added_is_named_with_a_stable_code(new: NewSender, code: str) -> None:
    assert [each.code for each in problems(new)] == [code]


@pytest.mark.parametrize(
    "new",
    [
        NewSender(sid=SID),
        NewSender(sid="XE" + "a" * 32),
        NewSender(alphanumeric="Owl & Co-1"),
        NewSender(alphanumeric="OWL", country="FR"),
    ],
)
def test_what_can_be_added_has_no_problem(new: NewSender) -> None:
    assert problems(new) == ()
