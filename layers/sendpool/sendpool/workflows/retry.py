"""Try again those of a broadcast whose messages failed for a reason that may pass.

That is a new broadcast with the same text. Its id follows from the old one's, so that a broadcast is tried again once,
however often it is asked for, and nobody stands in two of its retries. Who failed is read when it starts, by its import
(workflows/recipients.py). A retry is a broadcast like any other, and may be tried again itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sendpool.domain.broadcast import Broadcast, Counters, error_counts, is_tried_again
from sendpool.domain.errors import ConflictError
from sendpool.workflows.broadcast import Draft, create
from sendpool.workflows.control import Controlling, existing, refuse_if_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may differ from the broadcast before; None stands for the same as there.

    Without `codes` those failures are tried again that pass by themselves.
    """

    codes: tuple[int, ...] = ()
    rate: float | None = None
    start_at: datetime | None = None
    expire_at: datetime | None = None


def retry_failed(broadcast_id: str, terms: Terms, needs: Controlling) -> Broadcast:
    """Create the broadcast that tries another again, or return it if there is one.

    Raises NotFoundError; ConflictError when the other one is not over, was canceled or failed itself, when nobody in
    it failed for such a reason, or its recipients have expired; IdempotencyKeyReusedError when there is a retry on
    other terms; InvalidRequestError when its times have passed.
    """
    before = existing(broadcast_id, needs)
    refuse_if_over(before)
    counters = needs.tallies.counters(broadcast_id)
    _refuse_if_not_completed(counters)
    _refuse_if_nobody(counters, terms.codes)
    if not needs.files.has_rows(broadcast_id):
        raise ConflictError(
            "The recipients of this broadcast have expired.",
            code="recipients_gone",
            remedy="Create a new broadcast with the recipients.",
        )
    draft = Draft(
        name=before.name,
        content=before.content,
        rate=terms.rate or before.rate,
        recipients=(),
        start_at=terms.start_at,
        expire_at=terms.expire_at or before.expire_at,
        auto_pause=before.auto_pause,
        window=before.window,
        retry_of=before.id,
        retry_codes=terms.codes,
    )
    retry, _ = create(draft, needs, key=f"retry-failed\n{broadcast_id}")
    return retry


def _refuse_if_nobody(counters: Counters, codes: Sequence[int]) -> None:
    if not any(is_tried_again(each.code, codes) for each in error_counts(counters)):
        raise ConflictError(
            "Nobody in this broadcast failed for such a reason.",
            code="nothing_to_retry",
            remedy="Read the errors of its report; in codes, name those that you have done something about.",
        )


def _refuse_if_not_completed(counters: Counters) -> None:
    if not counters.completed_at:
        raise ConflictError(
            "Not everybody in this broadcast has an outcome yet.",
            code="broadcast_not_completed",
            remedy="Wait until it is completed; better, until final equals total: messages fail late.",
        )
