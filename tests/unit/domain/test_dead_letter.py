"""What a dead letter is, of what, and how it goes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sendpool.domain.dead_letter import DeadLetter

BROADCAST = "bc_" + "0" * 32
SID = "SM" + "0" * 32


def letter(body: object, *, reason: str | None = None) -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    return DeadLetter(id="m", body=text, sent_at=datetime(2026, 11, 24, tzinfo=UTC), reason=reason)


@pytest.mark.parametrize(
    ("body", "kind", "about", "group"),
    [
        (
            {"version": 1, "chunk": {"broadcast_id": BROADCAST, "number": 7, "rows": []}},
            "chunk",
            f"{BROADCAST} chunk 7",
            BROADCAST,
        ),
        ({"version": 1, "requests": [{"id": "a"}]}, "requests", "req_a", "requests"),
        (
            {"requests": [{"id": "a"}, {"id": "b"}, {}]},
            "requests",
            "req_a and 2 more",
            "requests",
        ),
        ({"requests": [{"to": "+12025550123"}]}, "requests", "38 characters", "requests"),
        ({"version": 1, "broadcast_id": BROADCAST, "offset": 0}, "tick", BROADCAST, BROADCAST),
        ({"version": 1, "plan": BROADCAST, "run": "1", "offset": 0}, "tick", BROADCAST, BROADCAST),
        ({"message_id": "msg_1", "fields": {"MessageSid": SID}}, "callback", "msg_1", None),
        ({"message_id": None, "fields": {"MessageSid": SID}}, "callback", SID, None),
        ({"kind": "click", "fields": {"sms_sid": SID}}, "callback", SID, None),
        ("{", "unreadable", "1 characters", None),
        ("[1]", "unreadable", "3 characters", None),
        ({"chunk": 3}, "chunk", "12 characters", None),
    ],
)
def test_a_letter_says_what_it_is_and_of_what(
    body: object, kind: str, about: str, group: str | None
) -> None:
    found = letter(body)
    assert (found.kind, found.about, found.group) == (kind, about, group)


@pytest.mark.parametrize(
    ("reason", "error_class"),
    [
        (None, "not_worked_off"),
        ("too_many_rounds", "too_many_rounds"),
        ("missing at requests.0.id", "missing"),
    ],
)
def test_the_class_has_no_place_in_it(reason: str | None, error_class: str) -> None:
    assert letter({}, reason=reason).error_class == error_class


@pytest.mark.parametrize(
    ("body", "fresh"),
    [
        ({"chunk": {"rounds": 151, "number": 1}}, {"chunk": {"rounds": 0, "number": 1}}),
        ({"requests": [], "rounds": 151}, {"requests": [], "rounds": 0}),
        ({"broadcast_id": BROADCAST}, {"broadcast_id": BROADCAST}),
        ({"chunk": 3}, {"chunk": 3}),
    ],
)
def test_it_goes_back_as_if_it_had_never_been_handed_back(body: object, fresh: object) -> None:
    assert json.loads(letter(body).fresh()) == fresh


def test_what_cannot_be_read_goes_back_as_it_is() -> None:
    assert letter("{").fresh() == "{"
