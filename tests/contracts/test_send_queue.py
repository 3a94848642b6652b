"""docs/send-queue.schema.json: takes what the sender takes, and refuses what it sets aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from local.contracts.places import SEND_QUEUE
from sendpool.edge.message_models import QueuedRequests, SendMessage

EVENTS = Path(__file__).parents[2] / "events"
SCHEMA: dict[str, Any] = json.loads(SEND_QUEUE.read_text())
REQUEST = {"id": "order-1", "to": "+12025550123", "body": "Your order is on its way."}


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_a_request_has_the_fields_of_post_messages_and_an_id() -> None:
    fields = set(SCHEMA["$defs"]["QueuedRequest"]["properties"])
    assert fields == set(SendMessage.model_json_schema(by_alias=True)["properties"]) | {"id"}
    assert {"id", "to"} == set(SCHEMA["$defs"]["QueuedRequest"]["required"])


def test_bodies_that_are_served_fit() -> None:
    event = json.loads((EVENTS / "sender" / "requests.json").read_text())
    for record in event["Records"]:
        Draft202012Validator(SCHEMA).validate(json.loads(record["body"]))


@pytest.mark.parametrize(
    "body",
    [
        {"requests": [REQUEST]},
        {"version": 2, "requests": [REQUEST]},
        {"version": 1, "requests": []},
        {"version": 1, "requests": [{"to": "+12025550123", "body": "no id"}]},
        {"version": 1, "requests": [REQUEST | {"colour": "red"}]},
        {"version": 1, "requests": [REQUEST | {"id": "two words"}]},
        {"version": 1, "requests": [REQUEST | {"validity_period": 36_001}]},
        {"version": 1, "requests": [REQUEST] * 501},
    ],
)
def test_what_the_schema_refuses_the_sender_refuses(body: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(body)
    with pytest.raises(ValidationError):
        QueuedRequests.model_validate(body)


def test_how_often_requests_were_handed_back_is_ours_to_write() -> None:
    handed_back = {"version": 1, "requests": [REQUEST], "rounds": 3}
    assert QueuedRequests.model_validate(handed_back).rounds == 3
    assert not Draft202012Validator(SCHEMA).is_valid(handed_back)
