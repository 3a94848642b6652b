"""The product and the simulated Twilio count segments by code of their own: they must agree on every text."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.twilio.messages import segments as twilio
from sendpool.domain.text import segment

# what most texts are made of, and what is hard to cut
_ORDINARY = st.text(alphabet="abc €^{}\\[]~|\n“”—…", max_size=400)
_INTRICATE = st.text(
    alphabet=st.sampled_from(
        [*"aжक्षกำ่각\r\n", "\u0301", "\u200d", "\ufe0f", "👍", "🏽", "👩", "🇩", "🇪"]
    ),
    max_size=300,
)


@given(text=_ORDINARY | _INTRICATE | st.text(max_size=300), smart=st.booleans())
@settings(max_examples=500, deadline=None)
@example(text="x" * 69 + "क्ष", smart=False)
def test_both_count_alike(text: str, smart: bool) -> None:
    ours = segment(text, smart_encoded=smart)
    theirs = twilio.segment(twilio.smart_encode(text) if smart else text)
    assert (ours.encoding, ours.segments, ours.units) == (
        theirs.encoding,
        theirs.segments,
        theirs.units,
    )
