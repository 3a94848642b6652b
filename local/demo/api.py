"""What the demo does over HTTP beside Sendpool's API: the upload of a file, and the simulator's control API."""

import json
from http import HTTPStatus
from typing import Any

from local.client import ApiError, send
from local.stack.stack import Stack


def upload(form: dict[str, Any], content: bytes) -> None:
    """Post a file with the form that a broadcast was created with, as a browser does."""
    fields = {**form["fields"], "file": ("recipients.csv", content, "text/csv")}
    answer = send("POST", form["url"], fields=fields)
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
        raise ApiError(f"the upload was answered {answer.status}: {answer.data[:500]!r}")


def simulated_messages(stack: Stack) -> list[dict[str, Any]]:
    """Every message that the simulated Twilio made since it was started or reset."""
    answer = send("GET", f"{stack.twilio_api_url}/_control/truth")
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise ApiError(f"the simulator answered {answer.status}: {answer.data[:500]!r}")
    messages: list[dict[str, Any]] = json.loads(answer.data)["messages"]
    return messages
