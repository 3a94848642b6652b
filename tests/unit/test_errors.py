"""The error tree: every failure has a status, a stable code of its own, and a sentence that says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sendpool.domain import errors
from sendpool.domain.errors import SendpoolError, TwilioBusyError, TwilioRefusedError
from sendpool.domain.twilio_codes import TABLE, ErrorClass


def _tree(root: type[SendpoolError]) -> Iterator[type[SendpoolError]]:
    yield root
    for each in root.__subclasses__():
        yield from _tree(each)


TREE = list(_tree(SendpoolError))


def test_every_class_has_a_code_of_its_own() -> None:
    own = [each.__dict__.get("code") for each in TREE]
    assert None not in own
    assert len(set(own)) == len(TREE)


@pytest.mark.parametrize("error", TREE, ids=lambda each: each.__name__)
class TestEveryClass:
    """What holds for each class of the tree."""

    def test_has_a_code_that_reads_like_a_name(self, error: type[SendpoolError]) -> None:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)

    def test_ends_in_error(self, error: type[SendpoolError]) -> None:
        assert error.__name__.endswith("Error")

    def test_has_one_sentence(self, error: type[SendpoolError]) -> None:
        (line,) = (error.__dict__["__doc__"] or "").strip().splitlines()
        assert line.endswith(".")
        assert ". " not in line

    def test_has_a_status_of_failure(self, error: type[SendpoolError]) -> None:
        assert 400 <= error.status < 600

    def test_has_a_title_of_its_own(self, error: type[SendpoolError]) -> None:
        assert "title" in error.__dict__

    def test_is_named_in_the_tree_with_its_status(self, error: type[SendpoolError]) -> None:
        if error is SendpoolError:
            return
        (line,) = re.findall(rf"─ {error.__name__} +(.+)", errors.__doc__ or "")
        assert line.startswith(("by code", "429 or 503", str(error.status)))

    def test_can_be_repeated_only_when_it_is_busy_or_ours(self, error: type[SendpoolError]) -> None:
        if error.retryable:
            assert error.status in {409, 429, 503}


def test_the_tree_in_the_docstring_names_no_class_that_is_gone() -> None:
    named = set(re.findall(r"\w+Error\b", errors.__doc__ or ""))
    assert named == {each.__name__ for each in TREE}


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_twilio_code_becomes_a_failure_with_status_code_and_remedy(code: int) -> None:
    refused = TwilioRefusedError(code, message_id="msg_1")
    assert 400 <= refused.status < 600
    assert refused.code.removeprefix("twilio_") in set(ErrorClass)
    assert refused.code.startswith("twilio_")
    assert refused.twilio_code == code
    assert refused.remedy


def test_a_refusal_without_a_code_is_a_failure_too() -> None:
    refused = TwilioRefusedError(None, message_id="msg_1")
    assert 400 <= refused.status < 600
    assert refused.code.startswith("twilio_")


def test_a_busy_twilio_says_when_to_come_back() -> None:
    busy = TwilioBusyError(None, retry_after=5)
    assert (busy.status, busy.retry_after, busy.retryable) == (503, 5, True)
