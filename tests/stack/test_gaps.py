"""Gaps of the emulator: `…_is_still_open` fails when ministack has closed one (then remove what fills it),
and its neighbour shows that it is filled.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.request

import pytest

from tests.stack.emulators import Emulator, processes_of, wait_for

AUTHORIZATION = {
    "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request"
}


def test_gap_of_http_api_bodies_is_still_open(bare: Emulator) -> None:
    assert bare.get("/open") == 404


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/open", {}, 200),
        ("/closed", {}, 403),
        ("/closed", AUTHORIZATION, 200),
        ("/elsewhere", AUTHORIZATION, 404),
    ],
)
def test_routes_of_an_http_api_are_served(
    filled: Emulator, path: str, headers: dict[str, str], status: int
) -> None:
    assert filled.get(path, headers) == status


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
    headers = {"authorization": AUTHORIZATION["authorization"].replace("execute-api", "lambda")}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
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
