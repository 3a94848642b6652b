"""Counting segments: the published examples, and that parts never hold more than they can."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.twilio.messages.segments import count_segments, segment, smart_encode

VECTORS = json.loads((Path(__file__).parent / "segments.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_a_text_takes_what_the_calculator_says(vector: dict[str, Any]) -> None:
    text = smart_encode(vector["text"]) if vector["smart_encoding"] else vector["text"]
    found = segment(text)
    assert (found.encoding, found.segments) == (vector["encoding"], vector["segments"])
    assert found.units == vector["code_units"]


def test_there_are_as_many_examples_as_were_published() -> None:
    assert len(VECTORS) == 77


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 153, 3),
        ("ж" * 66 + "😀" + "ж" * 67, 3),
        ("ж" * 66 + "\r\n" + "ж" * 66, 2),
    ],
)
def test_neither_pairs_nor_graphemes_are_split(body: str, segments: int) -> None:
    assert count_segments(body) == segments


@given(st.text(max_size=1600))
def test_a_longer_text_never_takes_fewer_segments(body: str) -> None:
    assert count_segments(body) <= count_segments(body + " x")


@given(st.text(max_size=800))
def test_segments_have_room_for_all_units(body: str) -> None:
    found = segment(body)
    single, part = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[found.encoding]
    assert found.units <= (single if found.segments == 1 else part * found.segments)
