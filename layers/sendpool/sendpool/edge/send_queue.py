"""The edge of the send queue: reads a body, sends what it holds, hands back what is left, sets aside what is wrong.

A body that does not fit the contract goes to the dead-letter queue with the reason; its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from sendpool.adapters.queues import MAX_DELAY_SECONDS, Queues, encode
from sendpool.domain.chunk import Chunk, MalformedChunkError, from_body, to_body
from sendpool.domain.errors import (
    IdempotencyKeyReusedError,
    InProgressError,
    InvalidRequestError,
    TwilioBusyError,
    TwilioUnavailableError,
)
from sendpool.edge.models import QueuedRequest, QueuedRequests
from sendpool.edge.observability import logger
from sendpool.workflows.send import Busy, Done, Sending, Unfinished, send_chunk, send_one

# with pauses of up to 15 minutes this is more than a day; then somebody has to look
MOST_ROUNDS = 150
_REQUESTS_GROUP = "requests"


class ChunkBusyError(Exception):
    """Another sender holds this chunk; the queue message must stay until it is known how that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendQueue:
    """What working on the send queue needs; `may_go_on` says whether there is time for another row."""

    sending: Sending
    queues: Queues
    concurrency: int
    may_go_on: Callable[[], bool]


def on_body(text: str, needs: SendQueue) -> None:
    """Work on one body. Returning means that nothing of it is left to do under this queue message."""
    try:
        body: Any = json.loads(text)
        if "chunk" in body:
            _on_chunk(from_body(body), needs)
        else:
            _on_requests(QueuedRequests.model_validate(body), body, needs)
    except (json.JSONDecodeError, MalformedChunkError, ValidationError, TypeError) as error:
        _set_aside(text, _reason(error), needs)


def _on_chunk(chunk: Chunk, needs: SendQueue) -> None:
    outcome = send_chunk(
        chunk, needs.sending, concurrency=needs.concurrency, may_go_on=needs.may_go_on
    )
    match outcome:
        case Busy():
            raise ChunkBusyError(f"{chunk.broadcast_id}#{chunk.number}")
        case Unfinished(retry_after):
            again = replace(chunk, rounds=chunk.rounds + 1)
            _hand_back(chunk.broadcast_id, to_body(again), again.rounds, retry_after, needs)
        case Done():
            pass


def _on_requests(queued: QueuedRequests, body: dict[str, Any], needs: SendQueue) -> None:
    left: list[Any] = []
    retry_after = 0
    for request, plain in zip(queued.requests, body["requests"], strict=True):
        try:
            if left or not needs.may_go_on():
                left.append(plain)
            else:
                _send(request, needs)
        except (TwilioBusyError, TwilioUnavailableError, InProgressError) as error:
            left.append(plain)
            retry_after = max(retry_after, error.retry_after or 0)
        except (IdempotencyKeyReusedError, InvalidRequestError) as error:
            _set_aside(encode({"version": 1, "requests": [plain]}), error.code, needs)
    if left:
        rounds = queued.rounds + 1
        again = {"version": 1, "requests": left, "rounds": rounds}
        _hand_back(_REQUESTS_GROUP, again, rounds, retry_after, needs)


def _send(request: QueuedRequest, needs: SendQueue) -> None:
    send_one(f"req_{request.id}", request.outbound(now=needs.sending.now()), needs.sending)


def _hand_back(
    group: str, body: dict[str, Any], rounds: int, retry_after: int, needs: SendQueue
) -> None:
    if rounds > MOST_ROUNDS:
        _set_aside(encode(body), "too_many_rounds", needs)
        return
    pause = min(retry_after * 2 ** min(rounds - 1, 8), MAX_DELAY_SECONDS)
    needs.queues.hand_back(group, encode(body), delay=pause)
    logger.info("handed back", extra={"group": group, "rounds": rounds, "delay": pause})


def _set_aside(text: str, reason: str, needs: SendQueue) -> None:
    logger.error("set aside", extra={"reason": reason})
    needs.queues.set_aside(text, reason=reason)


def _reason(error: Exception) -> str:
    """Say what is wrong, without the values: they may be phone numbers and texts."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{first['type']} at {'.'.join(str(step) for step in first['loc'])}"
    return "invalid_json" if isinstance(error, json.JSONDecodeError) else "malformed_body"
