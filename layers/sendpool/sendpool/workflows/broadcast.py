"""Create a broadcast."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sendpool.adapters.files import UploadForm
from sendpool.domain.broadcast import AutoPause, Broadcast, Content, State
from sendpool.domain.errors import IdempotencyKeyReusedError, InvalidRequestError, Violation
from sendpool.domain.message import new_id
from sendpool.domain.quiet_hours import Window
from sendpool.workflows.control import Controlling


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A broadcast as it is asked for; without recipients they are to be uploaded, unless it tries another again."""

    name: str
    content: Content
    rate: float | None
    recipients: Sequence[Mapping[str, Any]]
    start_at: datetime | None = None
    expire_at: datetime | None = None
    first: int | None = None
    auto_pause: AutoPause | None = None
    window: Window | None = None
    budget: int | None = None
    retry_of: str | None = None
    retry_codes: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A hash over all of it: equal for the same request, different for any other."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def create(
    draft: Draft, needs: Controlling, *, key: str | None
) -> tuple[Broadcast, UploadForm | None]:
    """Create a broadcast; recipients given inline are kept like an upload, so both take the same way.

    The same idempotency key and draft give the same broadcast. It is written first and its recipients after:
    dying in between leaves one that cannot start until the same request comes again.

    Raises IdempotencyKeyReusedError when the key belongs to another draft, and InvalidRequestError when a new one
    has a time that has passed.
    """
    wanted = Broadcast(
        id=new_id("bc", key=key),
        name=draft.name,
        content=draft.content,
        state=State.CREATED,
        created_at=needs.now(),
        fingerprint=draft.fingerprint,
        rate=draft.rate,
        start_at=draft.start_at,
        expire_at=draft.expire_at,
        first=draft.first,
        auto_pause=draft.auto_pause,
        window=draft.window,
        budget=draft.budget,
        retry_of=draft.retry_of,
        retry_codes=draft.retry_codes,
    )
    broadcast = needs.broadcasts.get(wanted.id)
    if broadcast is None:
        _require_times_to_come(draft, now=needs.now())
        broadcast = needs.broadcasts.create(wanted)
    if broadcast.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReusedError
    if broadcast.state is not State.CREATED or broadcast.retry_of:
        return broadcast, None
    if not draft.recipients:
        return broadcast, needs.files.upload_form(broadcast.id)
    needs.files.put_upload(broadcast.id, b"".join(_line(each) for each in draft.recipients))
    return broadcast, None


def _require_times_to_come(draft: Draft, *, now: datetime) -> None:
    times = (("start", draft.start_at), ("expire_at", draft.expire_at))
    violations = [
        Violation(field, f"{field}_has_passed", "must be in the future")
        for field, at in times
        if at is not None and at <= now
    ]
    if violations:
        raise InvalidRequestError(*violations)


def _line(recipient: Mapping[str, Any]) -> bytes:
    return json.dumps(recipient).encode() + b"\n"
