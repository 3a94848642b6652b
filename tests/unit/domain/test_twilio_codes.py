"""Twilio's error codes: every one that matters has a row, and the rows make sense together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.twilio_codes import TABLE, Effect, ErrorClass, Phase, Retry, explain

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "data" / "twilio-error-codes.json").read_text(encoding="utf-8")
)["codes"]
READ_ONE_BY_ONE = [published for published in PUBLISHED if published["assigned"]]

# Codes that a sender must be prepared for, whatever else the dictionary holds.
ESSENTIAL = {
    *(20003, 20005, 20404, 20429, 20500, 20503),
    *(
        21211,
        21212,
        *range(21265, 21269),
        21408,
        *range(21603, 21615),
        21617,
        21619,
        21620,
        21621,
        21622,
    ),
    *(21623, 21624, 21635, *range(21654, 21669), *range(21701, 21706), *range(21710, 21716)),
    *(*range(30001, 30009), 30017, *range(30022, 30025), *range(30032, 30037), 30103, 30120, 30139),
    *(30409, 30410, 30450, 30610, 30630, 30640),
    *(35111, 35114, 35115, 35117, 35118, 35125, 35126, 11751, 63016, 63018, 63019, 63038),
} - {21613}  # about buying numbers

# Warnings about clicks on old links; they fail no message.
NO_ROW_NEEDED = {30104, 30105}

# Known codes by which Twilio says that it does not know either.
KNOWINGLY_UNKNOWN = {30008, 30009}

PHASES = {
    "create": {Phase.CREATE},
    "any-api": {Phase.CREATE},
    "callback": {Phase.CALLBACK},
    "warning": {Phase.CALLBACK},
    "create-or-callback": {Phase.EITHER},
    "update": {Phase.EITHER},
}
# Said to come at create, but of a block that otherwise never does; and one seen both ways.
SEEN_BOTH_WAYS = {30029, 30030, 21704}

RETRIES = {
    "no": Retry.NO,
    "later": Retry.LATER,
    "next-day": Retry.LATER,
    "backoff": Retry.BACKOFF,
    "ambiguous": Retry.EVIDENCE_FIRST,
    "fix-request": Retry.FIX_REQUEST,
    "fix-config": Retry.FIX_CONFIG,
    "fix-credentials": Retry.FIX_CREDENTIALS,
}
# Sendpool writes these parts of the request from its settings, so the operator fixes what a caller would
# elsewhere; and accounts, unverified numbers and pools can be put right.
FIXED_BY_THE_OPERATOR = {20404, 21603, 21608, 21609, 21666, 21667, 21705, 21708, 35118}


def test_every_essential_code_has_a_row() -> None:
    assert TABLE.keys() >= ESSENTIAL


@pytest.mark.parametrize("published", READ_ONE_BY_ONE, ids=lambda published: published["code"])
def test_a_row_says_when_a_code_comes_and_what_helps_as_the_documentation_does(
    published: dict[str, object],
) -> None:
    code = published["code"]
    assert isinstance(code, int)
    row = explain(code)

    assert code in TABLE.keys() | NO_ROW_NEEDED
    assert row.phase in PHASES[str(published["phase"])] or code in SEEN_BOTH_WAYS
    expected = RETRIES.get(str(published["retry"]), row.retry)
    assert row.retry is (Retry.FIX_CONFIG if code in FIXED_BY_THE_OPERATOR else expected)


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published["code"])
def test_every_published_code_has_a_class(published: dict[str, int]) -> None:
    is_unknown = explain(published["code"]).error_class is ErrorClass.UNKNOWN

    assert is_unknown == (published["code"] in KNOWINGLY_UNKNOWN)


@pytest.mark.parametrize(
    ("code", "error_class", "retry"),
    [
        (21611, ErrorClass.QUEUE_FULL, Retry.LATER),  # samples say: the service has no numbers
        (21704, ErrorClass.SENDER_MISCONFIGURED, Retry.FIX_CONFIG),
        (21703, ErrorClass.SENDER_MISCONFIGURED, Retry.FIX_CONFIG),
        (21614, ErrorClass.INVALID_RECIPIENT, Retry.NO),  # samples say: a trial account
        (21608, ErrorClass.INVALID_RECIPIENT, Retry.FIX_CONFIG),
        (21617, ErrorClass.CONTENT_INVALID, Retry.FIX_REQUEST),  # samples say: no such service
        (21701, ErrorClass.SENDER_MISCONFIGURED, Retry.FIX_CONFIG),
        (30004, ErrorClass.BLOCKED, Retry.NO),  # samples say: spam
        (30007, ErrorClass.FILTERED, Retry.NO),
        (20429, ErrorClass.RATE_LIMITED, Retry.BACKOFF),
        (30034, ErrorClass.NOT_REGISTERED, Retry.FIX_CONFIG),
    ],
)
def test_codes_that_samples_get_wrong_mean_what_twilio_says(
    code: int, error_class: ErrorClass, retry: Retry
) -> None:
    assert (explain(code).error_class, explain(code).retry) == (error_class, retry)


ROWS = pytest.mark.parametrize("code", sorted(TABLE))


@ROWS
def test_delivery_codes_never_answer_a_send(code: int) -> None:
    assert code // 1000 != 30 or explain(code).phase is not Phase.CREATE


@ROWS
def test_only_answers_can_leave_the_outcome_open_or_ask_for_a_pause(code: int) -> None:
    # a status callback tells of a message that was made: there is nothing to look for, and no request to repeat
    if explain(code).phase is Phase.CALLBACK:
        assert explain(code).retry not in {Retry.EVIDENCE_FIRST, Retry.BACKOFF}


@ROWS
def test_effects_fit_their_class(code: int) -> None:
    row = explain(code)

    assert (Effect.OPT_OUT in row.effects) == (row.error_class is ErrorClass.OPTED_OUT)
    if Effect.PAUSE_BROADCAST in row.effects:
        assert Effect.ALARM in row.effects
        assert row.retry in {Retry.FIX_CONFIG, Retry.FIX_CREDENTIALS, Retry.LATER}
    if row.retry is Retry.FIX_CREDENTIALS:
        assert Effect.PAUSE_BROADCAST in row.effects


@ROWS
def test_the_status_of_our_answer_tells_whose_turn_it_is(code: int) -> None:
    row = explain(code)

    if row.retry is Retry.FIX_REQUEST and row.error_class is ErrorClass.CONTENT_INVALID:
        assert row.http_status == 422
    if row.retry in {Retry.FIX_CREDENTIALS, Retry.BACKOFF}:
        assert row.http_status in {429, 502}
    assert row.http_status in {409, 422, 429, 502, 503}


@ROWS
def test_a_remedy_is_one_or_two_short_sentences(code: int) -> None:
    remedy = explain(code).remedy

    assert remedy.endswith(".")
    assert 20 <= len(remedy) <= 180


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        (20999, ErrorClass.CONTENT_INVALID),
        (20107, ErrorClass.AUTH),
        (20599, ErrorClass.PROVIDER_UNAVAILABLE),
        (21299, ErrorClass.INVALID_RECIPIENT),
        (21699, ErrorClass.CONTENT_INVALID),
        (21799, ErrorClass.SENDER_MISCONFIGURED),
        (30099, ErrorClass.UNREACHABLE),
        (30699, ErrorClass.BLOCKED),
        (30999, ErrorClass.NOT_REGISTERED),
        (35199, ErrorClass.CONTENT_INVALID),
        (63999, ErrorClass.SENDER_MISCONFIGURED),
        (99999, ErrorClass.UNKNOWN),
        (0, ErrorClass.UNKNOWN),
        (-1, ErrorClass.UNKNOWN),
        (None, ErrorClass.UNKNOWN),
    ],
)
def test_an_unknown_code_has_the_class_of_its_range(
    code: int | None, error_class: ErrorClass
) -> None:
    assert explain(code).error_class is error_class


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (400, Retry.FIX_REQUEST),
        (401, Retry.FIX_CREDENTIALS),
        (403, Retry.FIX_CREDENTIALS),
        (404, Retry.FIX_CONFIG),
        (408, Retry.EVIDENCE_FIRST),
        (422, Retry.FIX_REQUEST),
        (429, Retry.BACKOFF),
        (500, Retry.EVIDENCE_FIRST),
        (503, Retry.EVIDENCE_FIRST),
    ],
)
def test_a_bare_http_status_in_place_of_a_code_is_understood(status: int, retry: Retry) -> None:
    assert explain(status).retry is retry


@given(st.integers())
def test_every_number_is_explained(code: int) -> None:
    assert explain(code).remedy
    assert code <= 0 or explain(code).code == code
