"""Counting segments, and the property that parts never hold more than they can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.twilio.segments import count_segments


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 153, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("ж" * 66 + "😀" + "ж" * 67, 3),
    ],
)
def test_a_text_takes_its_segments(body: str, segments: int) -> None:
    assert count_segments(body) == segments


@given(st.text(max_size=1600))
def test_a_longer_text_never_takes_fewer_segments(body: str) -> None:
    assert count_segments(body) <= count_segments(body + "x")
