"""The edge of the send queue: reads a body, sends what it holds, hands back what is left, sets aside what is wrong.

A body that does not fit the contract goes to the dead-letter queue with the reason; its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.queues import (
    MAX_DELAY_SECONDS,
    MEDIA_GROUP,
    WITHDRAWALS_GROUP,
    Queues,
    encode,
)
from sendpool.adapters.twilio.products import Consents
from sendpool.domain import media, withdrawal
from sendpool.domain.chunk import Chunk, MalformedChunkError, from_body, to_body
from sendpool.domain.errors import (
    IdempotencyKeyReusedError,
    InProgressError,
    InvalidRequestError,
    TwilioBusyError,
    TwilioUnavailableError,
)
from sendpool.domain.message import Status
from sendpool.edge.message_models import QueuedRequest, QueuedRequests
from sendpool.edge.observability import count, logger
from sendpool.workflows.fetch_media import Fetching, fetch
from sendpool.workflows.forward import Forwarding, forward
from sendpool.workflows.send import (
    Busy,
    Done,
    Parked,
    Sending,
    Unfinished,
    send_chunk,
    send_one,
)
from sendpool.workflows.withdraw import Withdrawing, withdraw

# with pauses of up to 15 minutes this is more than a day; then somebody has to look
MOST_ROUNDS = 150
_REQUESTS_GROUP = "requests"


class ChunkBusyError(Exception):
    """Another sender holds this chunk; the queue message must stay until it is known how that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendQueue:
    """What working on the send queue needs; `may_go_on` says whether there is time for another row."""

    sending: Sending
    opt_outs: OptOuts
    consents: Callable[[], Consents]
    fetching: Callable[[], Fetching]
    queues: Queues
    may_go_on: Callable[[], bool]


def on_body(text: str, needs: SendQueue) -> None:
    """Work on one body. Returning means that nothing of it is left to do under this queue message."""
    try:
        body: Any = json.loads(text)
        if "chunk" in body:
            _on_chunk(from_body(body), needs)
        elif "withdraw" in body:
            _on_withdrawal(withdrawal.from_body(body), needs)
        elif "media" in body:
            _on_media(media.from_body(body), needs)
        else:
            _on_requests(QueuedRequests.model_validate(body), body, needs)
    except (
        json.JSONDecodeError,
        MalformedChunkError,
        withdrawal.MalformedWithdrawalError,
        media.MalformedMediaError,
        ValidationError,
        TypeError,
    ) as error:
        _set_aside(text, _reason(error), needs)


def _on_chunk(chunk: Chunk, needs: SendQueue) -> None:
    outcome = send_chunk(chunk, needs.sending, may_go_on=needs.may_go_on)
    match outcome:
        case Busy():
            raise ChunkBusyError(f"{chunk.broadcast_id}#{chunk.number}")
        case Unfinished():
            again = replace(chunk, rounds=chunk.rounds + 1)
            _hand_back(chunk.broadcast_id, to_body(again), again.rounds, outcome, needs)
        case Done() | Parked():
            pass


def _on_withdrawal(asked: withdrawal.Withdrawal, needs: SendQueue) -> None:
    """Do a pass of a withdrawal, and put the next one back; done again, it changes nothing."""
    if asked.forward:
        _forward(asked, asked.forward, needs)
        return
    done = withdraw(
        asked,
        Withdrawing(
            messages=needs.sending.messages,
            opt_outs=needs.opt_outs,
            gateway=needs.sending.gateway,
            now=needs.sending.now,
            may_go_on=needs.may_go_on,
        ),
    )
    logger.info(
        "withdrawn",
        extra={"canceled": done.canceled, "too_late": done.too_late, "passes": asked.passes},
    )
    if done.again:
        left = Unfinished(done.pause) if done.is_delayed else Unfinished(evidence_in=done.pause)
        body = withdrawal.to_body(done.again)
        _hand_back(WITHDRAWALS_GROUP, body, done.again.rounds, left, needs)


def _forward(asked: withdrawal.Withdrawal, what: withdrawal.Forward, needs: SendQueue) -> None:
    """Tell Twilio of opt-outs or opt-ins; what it does not take is counted, and repeating it would not help."""
    forwarding = Forwarding(
        consents=needs.consents(),
        opt_outs=needs.opt_outs,
        service=needs.sending.gateway.service_sid,
    )
    try:
        refused = forward(asked, what, forwarding)
    except (TwilioBusyError, TwilioUnavailableError) as error:
        again = replace(asked, rounds=asked.rounds + 1)
        left = Unfinished(error.retry_after or 0)
        _hand_back(WITHDRAWALS_GROUP, withdrawal.to_body(again), again.rounds, left, needs)
        return
    if refused:
        reasons = sorted({reason for each in refused for reason in each.reasons})
        codes = sorted({each.code for each in refused})
        logger.error("consents refused", extra={"codes": codes, "reasons": reasons})
        count("ConsentsRefused", len(refused))


def _on_media(wanted: media.WantedMedia, needs: SendQueue) -> None:
    """Fetch a picture that came with a text; fetched again, it is the same."""
    try:
        kept = fetch(wanted, needs.fetching())
    except (TwilioBusyError, TwilioUnavailableError) as error:
        again = replace(wanted, rounds=wanted.rounds + 1)
        left = Unfinished(error.retry_after or 0)
        _hand_back(MEDIA_GROUP, media.to_body(again), again.rounds, left, needs)
        return
    if kept and kept.missing:
        logger.warning("no media", extra={"sid": wanted.sid, "why": kept.missing})


def _on_requests(queued: QueuedRequests, body: dict[str, Any], needs: SendQueue) -> None:
    left: list[Any] = []
    retry_after = evidence_in = 0
    is_stopped = False
    for request, plain in zip(queued.requests, body["requests"], strict=True):
        if is_stopped or not needs.may_go_on():
            left.append(plain)
            continue
        try:
            if _is_decided(request, needs):
                continue
            evidence_in = needs.sending.ask_again_seconds
        except (TwilioBusyError, TwilioUnavailableError, InProgressError) as error:
            is_stopped = not isinstance(error, InProgressError)
            retry_after = max(retry_after, error.retry_after or 0)
        except (IdempotencyKeyReusedError, InvalidRequestError) as error:
            _set_aside(encode({"version": 1, "requests": [plain]}), error.code, needs)
            continue
        left.append(plain)
    if left:
        rounds = queued.rounds + 1
        again = {"version": 1, "requests": left, "rounds": rounds}
        _hand_back(_REQUESTS_GROUP, again, rounds, Unfinished(retry_after, evidence_in), needs)


def _is_decided(request: QueuedRequest, needs: SendQueue) -> bool:
    """Send one request, and tell whether nothing is left to do for it here."""
    message_id = f"req_{request.id}"
    try:
        message = request.outbound(now=needs.sending.now())
    except InvalidRequestError:
        # its time came while its outcome was in doubt: what is in the ledger is looked after by the sweeper
        if needs.sending.messages.find(message_id)[0]:
            return True
        raise
    record = send_one(message_id, message, needs.sending)
    return record.result.status is not Status.UNKNOWN


def _hand_back(
    group: str, body: dict[str, Any], rounds: int, unfinished: Unfinished, needs: SendQueue
) -> None:
    """Put back what is left. Refusals put it off longer and longer; evidence counts when it counts."""
    if rounds > MOST_ROUNDS:
        _set_aside(encode(body), "too_many_rounds", needs)
        return
    backed_off = unfinished.retry_after * 2 ** min(rounds - 1, 8)
    pause = min(max(backed_off, unfinished.evidence_in), MAX_DELAY_SECONDS)
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
