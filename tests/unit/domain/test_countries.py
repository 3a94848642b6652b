"""A number's country is the one that the numbering plans name, whichever number of its range was seen first."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sendpool.domain.countries import country_of

SHARED = sorted(
    code
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    if len(regions) > 1 and code != 1
)


@pytest.mark.parametrize(
    ("to", "country"),
    [
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+18675550123", "CA"),
        ("+12425550123", "BS"),
        ("+17875550123", "PR"),
        ("+19395550123", "PR"),
        ("+18095550123", "DO"),
        ("+16585550123", "JM"),
        ("+18765550123", "JM"),
        ("+16715550123", "GU"),
        ("+18005550123", "US"),
        ("+15505550123", "US"),
        ("+447911123456", "GG"),
        ("+447400123456", "GB"),
        ("+447797712345", "JE"),
        ("+447624123456", "IM"),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+390669812345", "VA"),
        ("+393123456789", "IT"),
        ("+491512345678", "DE"),
        ("+35312345678", "IE"),
        ("+88213123456", None),
        ("+80012345678", None),
        ("+9991234567", None),
        ("+0", None),
        ("+1", "US"),
        ("", None),
        ("whatsapp:+12025550123", None),
    ],
)
def test_the_digits_after_a_shared_calling_code_decide(to: str, country: str | None) -> None:
    assert country_of(to) == country


@given(st.sampled_from(SHARED), st.text("0123456789", min_size=7, max_size=11))
def test_a_valid_number_is_of_the_country_that_its_plan_says(code: int, national: str) -> None:
    to = f"+{code}{national}"
    number = phonenumbers.parse(to)
    assume(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == to)
    expected = phonenumbers.region_code_for_number(number)
    assume(expected)
    assert country_of(to) == expected


@given(st.integers(200, 999), st.integers(2_000_000, 9_999_999))
def test_an_area_code_is_of_one_country(area: int, line: int) -> None:
    expected = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{area}{line}"))
    assert country_of(f"+1{area}{line}") == (expected or "US")
