"""Who sends little does not wait behind who sends much: in which order the local SQS gives messages to functions."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ministack.services import sqs

from local.stack.emulator.batching import put_quiet_groups_first


def queue(*messages: tuple[str, str | None, bool], is_fifo: bool = False) -> dict[str, Any]:
    """A queue of (body, group, in flight)."""
    soon, before = time.time() + 60, time.time() - 60
    return {
        "is_fifo": is_fifo,
        "messages": [
            {
                "body": body,
                "group_id": group,
                "visible_at": soon if in_flight else before,
                "receive_count": int(in_flight),
            }
            for body, group, in_flight in messages
        ],
    }


def order(made: dict[str, Any]) -> str:
    put_quiet_groups_first(made)
    return "".join(message["body"] for message in made["messages"])


def test_gap_of_groups_is_still_open() -> None:
    made = queue(("a", "big", True), ("b", "big", False), ("c", "small", False))
    made["attributes"] = {}
    for message in made["messages"]:
        message |= {"id": message["body"], "sys": {}, "first_receive_at": None}
    assert [message["body"] for message in sqs._collect_msgs(made, 1, 30)] == ["b"]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([("a", "big", False), ("b", "big", False), ("c", "small", False)], "abc"),
        ([("a", "big", True), ("b", "big", False), ("c", "small", False)], "cab"),
        (
            [("a", "big", True), ("b", "big", True), ("c", "small", True), ("d", "big", False)],
            "cabd",
        ),
        ([("a", "big", True), ("b", "big", False), ("c", None, False), ("d", None, False)], "cdab"),
    ],
)
def test_groups_with_little_in_flight_come_first_and_keep_their_order(
    messages: list[tuple[str, str | None, bool]], expected: str
) -> None:
    assert order(queue(*messages)) == expected


def test_what_is_delayed_is_not_in_flight() -> None:
    made = queue(("a", "big", True), ("b", "small", False))
    made["messages"][0]["receive_count"] = 0
    assert order(made) == "ab"


def test_fifo_queues_stay_as_they_are() -> None:
    made = queue(("a", "big", True), ("b", "small", False), is_fifo=True)
    assert order(made) == "ab"
