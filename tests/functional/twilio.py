"""A fake Twilio behind the SDK's HTTP client: it makes messages, lists them, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

from sendpool.adapters.twilio.transport import TransportError


@dataclass(frozen=True)
class Answer:
    """What one create is answered with, and whether the message is made all the same."""

    status: int = 201
    code: int | None = None
    error: TransportError | None = None
    made: bool = False


@dataclass
class FakeTwilio(HttpClient):
    """Twilio's Messages. `answers` holds what the next creates to a recipient (or to `*`) get."""

    clock: Callable[[], datetime]
    made: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    list_error: TransportError | None = None
    lists: int = 0
    on_create: Callable[[Mapping[str, Any]], None] = lambda _fields: None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def sent_to(self, to: str) -> list[dict[str, str]]:
        return [message for message in self.made if message["to"] == to]

    def request(  # type: ignore[override]
        self, method: str, uri: str, params: Any = None, data: Any = None, **_: object
    ) -> Response:
        assert urlsplit(uri).path.endswith("/Messages.json")
        return self._create(data) if method == "POST" else self._list(params)

    def _create(self, fields: Mapping[str, Any]) -> Response:
        self.on_create(fields)
        with self._lock:
            answer = self._next_answer(fields["To"])
            if answer.status == 201 or answer.made:
                self._make(fields)
        if answer.error:
            raise answer.error
        if answer.status != 201:
            problem = {"status": answer.status, "message": "no"}
            return Response(
                answer.status,
                json.dumps({**problem, "code": answer.code} if answer.code else problem),
            )
        return Response(201, json.dumps(self.made[-1]))

    def _next_answer(self, to: str) -> Answer:
        waiting = self.answers.get(to) or self.answers.get("*") or []
        return waiting.pop(0) if waiting else Answer()

    def _make(self, fields: Mapping[str, Any]) -> None:
        message = {
            "sid": f"SM{len(self.made) + 1:032x}",
            "to": fields["To"],
            "body": fields.get("Body", ""),
            "status": "scheduled" if "SendAt" in fields else "accepted",
            "messaging_service_sid": fields["MessagingServiceSid"],
            "date_created": format_datetime(self.clock()),
            "num_segments": "0",
            "fields": dict(fields),
        }
        self.made.append(message)

    def _list(self, params: Mapping[str, Any]) -> Response:
        self.lists += 1
        if self.list_error:
            raise self.list_error
        found = [message for message in reversed(self.made) if message["to"] == params["To"]]
        return Response(200, json.dumps({"messages": found, "next_page_uri": None}))
