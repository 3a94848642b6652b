"""Phone numbers: what is taken, what is repaired, what is refused, and what a log may show."""

# Look-alikes of digits are what this is about.
# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.phone import InvalidPhoneError, _parse, is_e164, mask, to_e164

DIGITS = st.text("0123456789", min_size=4, max_size=13)
COUNTRY_CODES = st.one_of(
    st.sampled_from(
        ["1", "7", "39", "44", "49", "52", "54", "55", "61", "91", "225", "800", "881"]
    ),
    st.integers(1, 999).map(str),
)


@pytest.mark.parametrize(
    "raw",
    [
        "+12025550123",
        "12025550123",
        "2025550123",
        "(202) 555-0123",
        "202.555.0123",
        "1.2025550123",
        " +1 202 555 0123 \n",
        "+1\u00a0202\u2009555\u202f0123",
        "202\u2011555\u20130123",
        "+1202555\u22120123",
        "１（２０２）５５５－０１２３",
        "٢٠٢٥٥٥٠١٢٣",
        "\u202a+12025550123\u202c",
        "\ufeff+12025550123",
        "'+12025550123",
        "12025550123.0",
        "+12025550123.00",
    ],
)
def test_one_number_in_many_spellings_is_the_same_e164(raw: str) -> None:
    assert to_e164(raw) == "+12025550123"


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("030/123456", "DE", "+4930123456"),
        ("+49 (0) 30 123456", "US", "+4930123456"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("06 6982 1234", "IT", "+390669821234"),
        ("0044 20 7946 0000", "GB", "+442079460000"),
        ("011 44 20 7946 0000", "US", "+442079460000"),
        ("+442079460000", None, "+442079460000"),
        ("+800 12345678", "US", "+80012345678"),
    ],
)
def test_a_national_number_is_of_the_default_region(raw: str, region: str, e164: str) -> None:
    assert to_e164(raw, default_region=region) == e164


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "no phone number"),
        (" \u200b", "no phone number"),
        ("n/a", "something other than digits"),
        ("5550123", "too short"),  # dialled locally, without its area code
        ("+12345", "too short"),
        ("+120255501234", "too long"),
        ("442079460000", "too short or too long"),  # a plus is missing
        ("0020 2555 0123", "too short or too long"),  # padded, or Egypt?
        ("+0012025550123", "no country code"),
        ("+999 123456789", "no country code"),
        ("2.0255550123E+10", "format the column as text"),
        ("2.02556E+10", "format the column as text"),
        ("12025550123.5", "format the column as text"),
        ("4930123456.70", "format the column as text"),
        ("#NAME?", "format the column as text"),
        ("2025550123 x12", "something other than digits"),
        ("1-800-FLOWERS", "something other than digits"),
        ("2025550123, 2025550124", "something other than digits"),
        ("202-555-0123 / 202-555-0124", "not a phone number"),
        ("202-555-0123/4", "something other than digits"),
        ("12025550123\x00", "something other than digits"),
        ("whatsapp:+12025550123", "channel addresses"),
        ("rcs:brand", "channel addresses"),
        ("12+025550123", "not a phone number"),
        ("+" * 61, "too long for a phone number"),
        ("()", "not a phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(raw: str, reason: str) -> None:
    with pytest.raises(InvalidPhoneError, match=reason) as caught:
        to_e164(raw)

    assert caught.value.code == "invalid_phone"


def test_without_a_default_region_only_a_plus_sign_tells_the_country() -> None:
    with pytest.raises(InvalidPhoneError, match="no country code"):
        to_e164("2025550123", default_region=None)


def test_two_ways_to_read_a_number_end_in_a_refusal_not_in_a_stranger() -> None:
    # GIVEN two German numbers in one cell, of which the second replaces the last digit
    # THEN they are not read as one longer number, which exists
    with pytest.raises(InvalidPhoneError):
        to_e164("030 123456/7", default_region="DE")
    # AND the fraction of a spreadsheet's number does not become its last digit
    assert to_e164("4930123456.0", default_region="DE") == to_e164(
        "4930123456", default_region="DE"
    )


@given(COUNTRY_CODES, DIGITS)
def test_the_short_way_for_clean_numbers_answers_as_the_parser_does(
    country: str, digits: str
) -> None:
    clean = f"+{country}{digits}"

    assert answer(to_e164, clean) == answer(lambda text: _parse(text, "US"), clean)


def answer(read: Callable[[str], str], raw: str) -> str:
    try:
        return read(raw)
    except InvalidPhoneError as exc:
        return f"refused: {exc}"


@given(st.one_of(st.text(max_size=30), st.text("0123456789+ ()-./E\u00a0０", max_size=30)))
def test_whatever_is_typed_becomes_e164_or_is_refused_without_repeating_it(raw: str) -> None:
    found = answer(to_e164, raw)

    if found.startswith("refused"):
        assert not any(map(str.isdecimal, found))
    else:
        assert is_e164(found)
        assert to_e164(found) == found


@pytest.mark.parametrize(
    "raw", ["12025550123", "+0123456789", "+1 2025550123", "+12025550123\n", "+١٢٠٢٥٥٥", ""]
)
def test_e164_is_a_plus_sign_and_digits_only(raw: str) -> None:
    assert not is_e164(raw)
    assert is_e164("+12025550123")


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+12025550123", "+1202***0123"),
        ("+442079460000", "+4420***0000"),
        ("+29012345", "+2***45"),
        ("whatsapp:+12025550123", "whats***0123"),
        ("12345", "***"),
        ("", "***"),
    ],
)
def test_a_mask_hides_the_middle_and_the_length(phone: str, masked: str) -> None:
    assert mask(phone) == masked


@given(st.text(max_size=30))
def test_a_mask_never_shows_more_than_nine_characters(phone: str) -> None:
    assert len(mask(phone).replace("***", "", 1)) <= 9
