"""Gaps of the emulator: `…_is_still_open` fails when ministack has closed one (then remove what fills it),
and its neighbour shows that it is filled.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.request

import pytest

from local.stack.stack import ACCESS_KEY
from tests.stack.emulators import Emulator, processes_of, signature, wait_for


def test_gap_of_http_api_bodies_is_still_open(bare: Emulator) -> None:
    assert bare.get("/open") == 404


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/open", None, 200),
        ("/closed", None, 403),
        ("/closed", "AKIASTRANGER", 403),
        ("/closed", ACCESS_KEY, 200),
        ("/elsewhere", ACCESS_KEY, 404),
    ],
)
def test_routes_of_an_http_api_are_served(
    filled: Emulator, path: str, key: str | None, status: int
) -> None:
    assert filled.get(path, key=key) == status


def test_gap_of_numbers_from_parameters_is_still_open(bare: Emulator) -> None:
    assert concurrency(bare) == "2"


def test_numbers_from_parameters_are_numbers(filled: Emulator) -> None:
    assert concurrency(filled) == 2


def test_gap_of_time_to_live_is_still_open(bare: Emulator) -> None:
    assert time_to_live(bare) == {"TimeToLiveStatus": "DISABLED"}


def test_time_to_live_is_set(filled: Emulator) -> None:
    assert time_to_live(filled) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_gap_of_the_runtime_is_still_open(bare: Emulator) -> None:
    assert bare.invoke("Telling", {"fail": "on purpose"})["errorType"] == "Runtime.HandlerError"
    assert bare.invoke("Telling", {})["sees_pytest"]


def test_functions_fail_as_on_aws(filled: Emulator) -> None:
    failure = filled.invoke("Telling", {"fail": "on purpose"})
    assert failure["errorType"] == "ValueError"
    assert failure["errorMessage"] == "on purpose"


def test_functions_see_what_the_runtime_has_and_nothing_of_this_machine(
    filled: Emulator, bare: Emulator
) -> None:
    told = filled.invoke("Telling", {})
    assert not told["sees_pytest"]
    assert told["environment"]["AWS_ENDPOINT_URL"] == filled.url
    assert told["environment"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert not {"GATEWAY_PORT", "VIRTUAL_ENV", "PYENV_ROOT"} & set(told["environment"])


def test_gap_of_streams_is_still_open(bare: Emulator) -> None:
    assert "one after the other" in marks_of_a_change_and_a_message(bare)


def test_queues_are_worked_on_while_a_stream_is(filled: Emulator) -> None:
    assert "side by side" in marks_of_a_change_and_a_message(filled)


def test_gap_of_roles_is_still_open(bare: Emulator) -> None:
    told = bare.invoke("Allowed", {})
    assert "explicit deny" in told["sent"]
    assert "sqs:SendMessageBatch" in told["sent many"]
    assert "ssm:GetParametersByPath" in told["read"]


def test_a_function_may_do_what_its_role_allows_and_nothing_else(filled: Emulator) -> None:
    told = filled.invoke("Allowed", {})
    assert told["sent"] == told["sent many"] == told["read"] == "allowed"
    assert "ssm:GetParametersByPath" in told["read elsewhere"]


def test_gap_of_batches_is_still_open(bare: Emulator) -> None:
    assert "few at a time" in marks_of_many_messages(bare)


def test_a_function_gets_as_many_messages_as_gather_in_its_window(filled: Emulator) -> None:
    assert "many at a time" in marks_of_many_messages(filled)


def test_a_killed_function_gets_its_message_again(filled: Emulator) -> None:
    # GIVEN a function in the middle of a message
    filled.client("sqs").send_message(QueueUrl=filled.ids["Queue"], MessageBody="be killed")
    wait_for(lambda: "be killed 1" in filled.marks())
    # WHEN its process is killed
    for pid in processes_of(filled.ids["Working"]):
        os.kill(pid, signal.SIGKILL)
    # THEN the message comes again when its visibility timeout has passed
    wait_for(lambda: "be killed 2" in filled.marks())


def marks_of_many_messages(emulator: Emulator) -> set[str]:
    """What is written down when thirty messages come at a time."""
    messages = [{"Id": str(number), "MessageBody": "one"} for number in range(10)]
    for _ in range(3):
        emulator.client("sqs").send_message_batch(
            QueueUrl=emulator.ids["GatheringQueue"], Entries=messages
        )
    wait_for(lambda: bool({"few at a time", "many at a time"} & emulator.marks()))
    return emulator.marks()


def concurrency(emulator: Emulator) -> object:
    """As it stands in the answer: boto3 would make a number of a text."""
    url = (
        f"{emulator.url}/2015-03-31/event-source-mappings/?FunctionName={emulator.ids['Numbered']}"
    )
    request = urllib.request.Request(url, headers=signature("lambda", url))
    with urllib.request.urlopen(request) as answer:
        mappings = json.loads(answer.read())["EventSourceMappings"]
    return mappings[0]["ScalingConfig"]["MaximumConcurrency"]


def time_to_live(emulator: Emulator) -> object:
    table = emulator.client("dynamodb").describe_time_to_live(TableName=emulator.ids["Expiring"])
    return table["TimeToLiveDescription"]


def marks_of_a_change_and_a_message(emulator: Emulator) -> set[str]:
    """What is written down when a stream's function is at work and then a message comes."""
    emulator.client("dynamodb").put_item(
        TableName=emulator.ids["Changing"], Item={"pk": {"S": "changed"}}
    )
    wait_for(lambda: "stream runs" in emulator.marks())
    emulator.client("sqs").send_message(QueueUrl=emulator.ids["Queue"], MessageBody="work")
    wait_for(lambda: bool({"one after the other", "side by side"} & emulator.marks()))
    return emulator.marks()
