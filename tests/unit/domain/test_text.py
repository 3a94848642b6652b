"""Encodings and segments: what Twilio's public calculator counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sendpool.domain.graphemes import split_graphemes
from sendpool.domain.smart_encoding import REPLACEMENTS
from sendpool.domain.text import (
    CostlyCharacter,
    Segmentation,
    costly_characters,
    segment,
    shortened,
    smart_encode,
)

DATA = Path(__file__).parents[2] / "data"


def load(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


CHARSET = load("gsm7-charset.json")
VECTORS = load("segments.json")["vectors"]
GSM_TEXTS = st.text(st.sampled_from(CHARSET["basic"] + CHARSET["extension"]), max_size=700)
# Mostly letters, with what makes graphemes: accents, joiners, flags, skin tones, Korean letters.
TRICKY_CHARACTERS = st.sampled_from(
    [*"abc €[\r\né", *"\u0301\u200d\ufe0f\u0e33\u1100\u1161\u11a8", *"😀👩🏽🇩🇪🌈각"]
)
TRICKY_TEXTS = st.text(TRICKY_CHARACTERS, max_size=300)
TEXTS = st.one_of(st.text(max_size=300), GSM_TEXTS, TRICKY_TEXTS)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_counts_are_those_of_twilios_calculator(vector: dict[str, Any]) -> None:
    found = segment(vector["text"], smart_encoded=vector["smart_encoding"])

    assert found == Segmentation(vector["encoding"], vector["segments"], vector["code_units"])


def test_exactly_the_gsm_alphabet_is_gsm7() -> None:
    # GIVEN every character of the basic plane, one by one
    alphabet = {chr(code) for code in range(0x10000) if segment(chr(code)).encoding == "GSM-7"}

    # THEN the GSM-7 ones are the alphabet and its extension, and only these take two units
    assert alphabet == {*CHARSET["basic"], *CHARSET["extension"]}
    assert {character for character in alphabet if segment(character).units == 2} == set(
        CHARSET["extension"]
    )


@given(TEXTS, TEXTS)
def test_a_longer_text_never_takes_fewer_segments(body: str, more: str) -> None:
    if segment(body).encoding == segment(body + more).encoding:
        assert segment(body).segments <= segment(body + more).segments


@given(TEXTS)
@example("e" + "\u0301" * 200)
def test_segments_hold_all_units(body: str) -> None:
    found = segment(body)
    part = 153 if found.encoding == "GSM-7" else 67

    assert found.segments == 1 or found.segments >= -(-found.units // part)


@given(st.text(TRICKY_CHARACTERS, min_size=20, max_size=120))
def test_no_grapheme_is_split_over_two_segments(body: str) -> None:
    # GIVEN the text dealt out to segments, one grapheme after the other
    body = f"{'—' * 66}{body}—"
    sizes = [len(grapheme.encode("utf-16-le")) // 2 for grapheme in split_graphemes(body)]
    assume(max(sizes) <= 67 and sum(sizes) > 70)
    filled = [0]
    for size in sizes:
        if filled[-1] + size > 67:
            filled.append(0)
        filled[-1] += size

    # THEN that many are counted
    assert segment(body) == Segmentation("UCS-2", len(filled), sum(sizes))


@given(TEXTS)
def test_a_text_is_one_segment_exactly_while_it_fits_one_message(body: str) -> None:
    found = segment(body)

    assert (found.segments == 1) == (found.units <= (160 if found.encoding == "GSM-7" else 70))


@given(TEXTS)
def test_graphemes_put_together_are_the_text(body: str) -> None:
    assert "".join(split_graphemes(body)) == body


@pytest.mark.parametrize(
    ("text", "graphemes"),
    [
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩🏽a", ["👩🏽", "a"]),
        ("👩\u200d❤\ufe0f\u200d👩", ["👩\u200d❤\ufe0f\u200d👩"]),
        ("🇩🇪🇫🇷🇪", ["🇩🇪", "🇫🇷", "🇪"]),
        ("a\u200db", ["a\u200d", "b"]),
        ("\u1100\u1161\u11a8\u1100", ["\u1100\u1161\u11a8", "\u1100"]),
        ("가\u11a8각\u1161", ["가\u11a8", "각", "\u1161"]),
        ("กำ", ["กำ"]),
        ("\u06001", ["\u06001"]),
        ("\n\u0301", ["\n", "\u0301"]),
        ("\r\n", ["\r", "\n"]),
        ("\U0001f3f4\U000e0067\U000e007f", ["\U0001f3f4\U000e0067\U000e007f"]),
        ("", []),
    ],
)
def test_what_a_reader_takes_for_one_character_stays_together(
    text: str, graphemes: list[str]
) -> None:
    assert list(split_graphemes(text)) == graphemes


@pytest.mark.parametrize(
    ("body", "segments"),
    [("a" * 69 + "👩🏽", 2), ("a" * 66 + "👩🏽" + "b" * 63, 2), ("a" * 66 + "👩🏽" + "b" * 64, 3)],
)
def test_an_emoji_with_its_skin_tone_moves_on_whole(body: str, segments: int) -> None:
    assert segment(body).segments == segments


def test_smart_encoding_is_twilios_map() -> None:
    assert {chr(code): text for code, text in REPLACEMENTS.items()} == load(
        "smart-encoding-map.json"
    )["map"]


def test_smart_encoding_leaves_emoji_and_other_scripts() -> None:
    assert smart_encode("“Привет” 😀…") == '"Привет" 😀...'


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Tea for two", []),
        ("It\u2019s 5 €", [("\u2019", 2, "RIGHT SINGLE QUOTATION MARK", 0, 0, "'")]),
        ("It\u2019s" + "a" * 76, [("\u2019", 2, "RIGHT SINGLE QUOTATION MARK", 1, 1, "'")]),
        ("cafe\u0301" + "a" * 70, [("e\u0301", 3, "LATIN SMALL LETTER E + COMBINING ACUTE ACCENT", 1, 1, "é")]),
        (
            "— 👍🏽 —" + "a" * 150,
            [
                ("—", 0, "EM DASH", 0, 2, "-"),
                ("👍🏽", 2, "THUMBS UP SIGN + EMOJI MODIFIER FITZPATRICK TYPE-4", 0, 2, None),
            ],
        ),
    ],
)  # fmt: skip
def test_costly_characters_are_named_with_what_they_cost(
    body: str, found: list[tuple[str, int, str, int, int, str | None]]
) -> None:
    assert costly_characters(body) == tuple(CostlyCharacter(*each) for each in found)


def test_smart_encoding_leaves_only_what_it_cannot_swap() -> None:
    assert [each.character for each in costly_characters("“Hi” 😀", smart_encoded=True)] == ["😀"]


@given(TEXTS, st.booleans())
def test_a_text_without_costly_characters_is_gsm7_and_no_other(body: str, smart: bool) -> None:
    is_gsm = segment(body, smart_encoded=smart).encoding == "GSM-7"

    assert (costly_characters(body, smart_encoded=smart) == ()) == is_gsm


@given(TEXTS)
def test_costly_characters_stand_where_it_says(body: str) -> None:
    for each in costly_characters(body):
        assert body.startswith(each.character, each.position)
        assert 0 <= each.segments <= segment(body).segments


@given(st.text(st.sampled_from("ab \n"), max_size=300), st.integers(0, 300))
def test_a_single_costly_character_costs_what_its_text_takes_more(body: str, place: int) -> None:
    (dash,) = costly_characters(f"{body[:place]}—{body[place:]}")

    with_hyphen = segment(f"{body[:place]}-{body[place:]}").segments
    assert dash.segments == dash.together == segment(f"{body}—").segments - with_hyphen


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        ("See https://shop.example/a?b=c&d=e", "See https://go.example/xxxxxxxxxx"),
        ("(HTTP://x.example/).", "(https://go.example/xxxxxxxxxx)."),
        ("https://x.example, http://y.example", "https://go.example/xxxxxxxxxx, https://go.example/xxxxxxxxxx"),
        ("x.example has no scheme", "x.example has no scheme"),
    ],
)  # fmt: skip
def test_every_link_counts_as_a_short_one(body: str, counted: str) -> None:
    assert shortened(body, domain="go.example") == counted
