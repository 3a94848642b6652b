"""Create a broadcast, and start it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sendpool.adapters.files import Files, UploadForm
from sendpool.adapters.ledger.broadcasts import Broadcasts
from sendpool.adapters.queues import Queues
from sendpool.domain.broadcast import Broadcast, Content, State
from sendpool.domain.errors import ConflictError, IdempotencyKeyReusedError, NotFoundError
from sendpool.domain.message import new_id
from sendpool.workflows.dispatch import Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcasting:
    """What creating and starting needs."""

    broadcasts: Broadcasts
    files: Files
    queues: Queues
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A broadcast as it is asked for; without recipients they are to be uploaded."""

    name: str
    content: Content
    rate: float | None
    recipients: Sequence[Mapping[str, Any]]

    @property
    def fingerprint(self) -> str:
        """A hash over all of it: equal for the same request, different for any other."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def create(
    draft: Draft, needs: Broadcasting, *, key: str | None
) -> tuple[Broadcast, UploadForm | None]:
    """Create a broadcast; recipients given inline are kept like an upload, so both take the same way.

    The same idempotency key and draft give the same broadcast. It is written first and its recipients after:
    dying in between leaves one that cannot start until the same request comes again.

    Raises IdempotencyKeyReusedError when the key belongs to another draft.
    """
    wanted = Broadcast(
        id=new_id("bc", key=key),
        name=draft.name,
        content=draft.content,
        state=State.CREATED,
        created_at=needs.now(),
        fingerprint=draft.fingerprint,
        rate=draft.rate,
    )
    broadcast = needs.broadcasts.create(wanted)
    if broadcast.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReusedError
    if broadcast.state is not State.CREATED:
        return broadcast, None
    if not draft.recipients:
        return broadcast, needs.files.upload_form(broadcast.id)
    needs.files.put_upload(broadcast.id, b"".join(_line(each) for each in draft.recipients))
    return broadcast, None


def start(broadcast_id: str, needs: Broadcasting) -> Broadcast:
    """Start a broadcast. Starting it again posts its first tick again, which changes nothing.

    Raises NotFoundError, and ConflictError when its recipients are not there or could not be used.
    """
    before = existing(broadcast_id, needs)
    if before.state is State.FAILED:
        raise ConflictError(
            "The recipients of this broadcast could not be used.",
            code="broadcast_failed",
            remedy="Read its problem, correct the file, and create a new broadcast.",
        )
    if before.state is State.CREATED:
        _require_recipients(broadcast_id, needs)
        needs.broadcasts.start(broadcast_id, at=needs.now())
    after = existing(broadcast_id, needs)
    if after.state is State.IMPORTING:
        needs.queues.tick(broadcast_id, Tick(broadcast_id).to_body())
    return after


def existing(broadcast_id: str, needs: Broadcasting) -> Broadcast:
    found = needs.broadcasts.get(broadcast_id)
    if found is None:
        raise NotFoundError("There is no broadcast with this id.")
    return found


def _require_recipients(broadcast_id: str, needs: Broadcasting) -> None:
    if not needs.files.has_upload(broadcast_id):
        raise ConflictError(
            "This broadcast has no recipients yet.",
            code="recipients_missing",
            remedy="Upload the file with the form of the create answer, then start.",
        )


def _line(recipient: Mapping[str, Any]) -> bytes:
    return json.dumps(recipient).encode() + b"\n"
