"""Phrases: what their small language finds in a text, and that no text makes it slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.phrases import BORDER, read_phrases, read_words


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("a b", "A  b!", True),
        ("a b", "a. b", False),
        ("a|x b", "x b", True),
        ("a b? c", "a c", True),
        ("a b? b", "a b", True),
        ("a *2 d", "a b c d", True),
        ("a *2 d", "a b c c d", False),
        ("a *2 d", "a b. d", False),
        ("^ a", "b, a", True),
        ("^ a", "b a", False),
        ("a $", "a, b", True),
        ("^^ a", "b. a", False),
        ("a $$", "a. b", False),
        ("^^ a $$", "a", True),
        ("@word b", "dont b", True),
        ("ete", "Été", True),
        ("m envoyez", "m\u2019envoyez", True),
    ],
)
def test_a_phrase_is_found_where_it_stands(phrase: str, text: str, found: bool) -> None:
    book = read_phrases([phrase], {"word": "dont cant"})

    assert (next(book.find(read_words(text)), None) is not None) == found


def test_a_phrase_of_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="begin with a word"):
        read_phrases(["*2 a"])


def test_masked_words_are_out_of_reach() -> None:
    text = read_words("do not stop now")
    hidden = text.without(read_phrases(["not stop"]).places(text))

    assert hidden.spoken() == ["do", "now"]
    assert not list(read_phrases(["stop", "do *2 now"]).find(hidden))


@given(st.text(max_size=300))
def test_words_keep_their_places_in_the_text(text: str) -> None:
    words = read_words(text)

    assert words.words[0] == words.words[-1] == BORDER
    assert list(words.starts) == sorted(words.starts)
    assert all(
        start <= end <= len(text) for start, end in zip(words.starts, words.ends, strict=True)
    )
